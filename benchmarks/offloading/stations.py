"""Nodes and links of the factory as SimPy resources and processes.

An edge node is a `Resource`; the cloud is a process that goes from token to token; a link is a `Resource` too, and
where its rate varies a process changes it and interrupts the transfer under way. All lines are first in, first out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import simpy

from simoffload.laws import decode_alone_s
from simoffload.plant import HostedModel, PlantLink, PlantNode
from simoffload.tasks import Task
from simoffload.tasks.graph import EXPLAIN

NAN = float("nan")
Events = Generator[simpy.Event, Any, None]
"""What a process waits for."""


@dataclass(slots=True, eq=False)
class Work:
    """A subtask that is ready, and what becomes of it; instants in s."""

    task: Task
    subtask: int
    prompt: int
    ready_s: float
    node: int = -1
    expected_service_s: float = NAN
    entered_s: float = NAN
    start_s: float = NAN
    first_token_s: float = NAN
    finish_s: float = NAN
    share_s: float = 0.0
    """Integral over its service of 1 / subtasks that shared the node."""
    iterations: float = 0.0
    """Sum over its iterations of 1 / subtasks that shared them."""
    is_correct: bool = False
    cost_usd: float = 0.0
    energy_j: float = 0.0

    @property
    def output(self) -> int:
        """Tokens it writes."""
        return self.task.output[self.subtask]

    @property
    def reserved_tokens(self) -> int:
        """Tokens of memory set aside for it."""
        return self.prompt + self.task.max_output


def before_tokens_s(model: HostedModel, node: PlantNode, work: Work) -> float:
    """Encoder, overhead and further demand: what comes before the first token of the prompt is read."""
    graph, subtask = work.task.graph, work.subtask
    encoder_s = model.encoder_s[graph.modalities[subtask]] if graph.stages[subtask] == EXPLAIN else 0.0
    return encoder_s + model.law.prefill_overhead_s + work.task.demand_s[subtask] / node.speed


class Edge:
    """A node that serves one subtask per slot."""

    def __init__(self, env: simpy.Environment, spec: PlantNode) -> None:
        self.env = env
        self.spec = spec
        self.slots = simpy.Resource(env, spec.capacity)
        self.jobs: list[Work] = []
        """Those served, then those that wait, in the order in which they came."""

    def model_of(self, work: Work) -> HostedModel:
        """The model that serves it."""
        return self.spec.models[self.spec.model_for[work.task.graph.modalities[work.subtask]]]

    def serve(self, work: Work) -> Events:
        """Wait for a slot and be served."""
        env, model = self.env, self.model_of(work)
        self.jobs.append(work)
        with self.slots.request() as slot:
            yield slot
            work.start_s = env.now
            first_s = before_tokens_s(model, self.spec, work) + work.prompt * model.law.prefill_s_per_token
            work.first_token_s = env.now + first_s
            yield env.timeout(first_s + decode_alone_s(model.law, work.prompt, work.output))
            work.finish_s = env.now
            work.share_s = (work.finish_s - work.start_s) / self.spec.capacity
            self.jobs.remove(work)


@dataclass(slots=True, eq=False)
class Member:
    """A request in the cloud: what it still has to write, and what its shares are counted from."""

    work: Work
    done: simpy.Event
    left: int
    share_from_s: float = 0.0
    iterations_from: float = 0.0


class Cloud:
    """A node that batches: between two tokens it takes one request and reads its prompt, else all write a token."""

    def __init__(self, env: simpy.Environment, spec: PlantNode) -> None:
        self.env = env
        self.spec = spec
        self.waiting: deque[Member] = deque()
        self.batch: list[Member] = []
        self.reading: Member | None = None
        self.context_tokens = 0
        """Of the members that write."""
        self.reserved_tokens = 0
        self._share_s = self._iterations = 0.0
        self._wake = env.event()
        env.process(self._run())

    def serve(self, work: Work) -> Events:
        """Wait for a place in the batch and be served."""
        member = Member(work, self.env.event(), work.output - 1)
        self.waiting.append(member)
        if not self._wake.triggered:
            self._wake.succeed()
        yield member.done

    def _run(self) -> Events:
        env = self.env
        while True:
            if self.waiting and self._fits(self.waiting[0].work):
                yield from self._read(self.waiting.popleft())
            elif self.batch:
                yield from self._write()
            else:
                self._wake = env.event()
                yield self._wake

    def _fits(self, work: Work) -> bool:
        room = self.reserved_tokens + work.reserved_tokens <= self.spec.kv_tokens
        return room and len(self.batch) < self.spec.capacity

    def _read(self, member: Member) -> Events:
        """Read a prompt while the others stand by."""
        env, work, model = self.env, member.work, self.spec.models[0]
        self.reading = member
        self.reserved_tokens += work.reserved_tokens
        work.start_s = env.now
        yield env.timeout(before_tokens_s(model, self.spec, work) + work.prompt * model.law.prefill_s_per_token)
        self.reading = None
        work.first_token_s = env.now
        member.share_from_s = self._share_s - (env.now - work.start_s)
        member.iterations_from = self._iterations - 1.0
        if member.left > 0:
            self.batch.append(member)
            self.context_tokens += work.prompt + 1
        else:
            self._leave(member)

    def _write(self) -> Events:
        """Let every member write a token."""
        batch, law = self.batch, self.spec.models[0].law
        count = len(batch)
        duration_s = (
            law.decode_s + law.decode_s_per_sequence * count + law.decode_s_per_context_token * self.context_tokens
        )
        yield self.env.timeout(duration_s)
        self._share_s += duration_s / count
        self._iterations += 1.0 / count
        self.context_tokens += count
        is_over = False
        for member in batch:
            member.left -= 1
            if member.left == 0:
                is_over = True
        if is_over:
            self.batch = [member for member in batch if member.left > 0]
            for member in batch:
                if member.left == 0:
                    self.context_tokens -= member.work.prompt + member.work.output
                    self._leave(member)

    def _leave(self, member: Member) -> None:
        work = member.work
        self.reserved_tokens -= work.reserved_tokens
        work.finish_s = self.env.now
        work.share_s = self._share_s - member.share_from_s
        work.iterations = self._iterations - member.iterations_from
        member.done.succeed()


@dataclass(slots=True, eq=False)
class Flow:
    """A transfer on a link: bits left at an instant, which flow at the link's rate since."""

    left_bits: float
    since_s: float


@dataclass(slots=True, eq=False)
class Item:
    """A payload or an answer: where it was made, who holds it, and the transfers that are bringing it to others."""

    origin: int
    size_bytes: float
    holders: set[int] = field(default_factory=set)
    coming: dict[int, simpy.Process] = field(default_factory=dict)


class Link:
    """A link whose carriers take one transfer each."""

    def __init__(self, env: simpy.Environment, spec: PlantLink, segments: Iterable[tuple[float, float]]) -> None:
        """`segments` are the ends and rates of the channel's path; the first holds from time 0 on."""
        self.env = env
        self.spec = spec
        self.carriers = simpy.Resource(env, spec.spec.copies)
        self.rate_bps = 0.0
        self.waiting_bytes = 0.0
        self.flows: dict[simpy.Process, Flow] = {}
        path = iter(segments)
        end_s, self.rate_bps = next(path)
        env.process(self._vary(end_s, path))

    def carry(self, item: Item) -> Events:
        """Wait for a carrier and send an item, which counts as waiting already, through at the rate of each moment."""
        env, me = self.env, self.env.active_process
        with self.carriers.request() as turn:
            yield turn
            self.waiting_bytes -= item.size_bytes
            flow = self.flows[me] = Flow(8.0 * item.size_bytes, env.now)
            while True:
                try:
                    yield env.timeout(flow.left_bits / self.rate_bps)
                    break
                except simpy.Interrupt as change:
                    flow.left_bits -= change.cause * (env.now - flow.since_s)
                    flow.since_s = env.now
            del self.flows[me]

    def left_bytes(self) -> float:
        """Bytes of the transfers under way that are not through yet."""
        now = self.env.now
        return sum(flow.left_bits - self.rate_bps * (now - flow.since_s) for flow in self.flows.values()) / 8.0

    def _vary(self, end_s: float, path: Iterator[tuple[float, float]]) -> Events:
        env = self.env
        for next_end_s, rate_bps in path:
            yield env.timeout(end_s - env.now)
            before, self.rate_bps, end_s = self.rate_bps, rate_bps, next_end_s
            for process in self.flows:
                process.interrupt(before)
