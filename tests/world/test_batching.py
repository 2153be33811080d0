"""A batch stepped from change to change is the same as one stepped from iteration to iteration, in fewer events."""

from __future__ import annotations

import math
import pickle
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.analysis.theory.markovian import MMc
from simoffload.analysis.theory.mg1 import MG1
from simoffload.analysis.theory.service import ServiceLaw
from simoffload.laws import ServingLaw, iterations_s
from simoffload.plant import HostedModel, PlantNode
from simoffload.schema.nodes import BatchingServer as Spec
from simoffload.tasks import Task, build_graph
from simoffload.world.batching import BatchingServer
from simoffload.world.job import Job
from simoffload.world.kernel import ARRIVAL, COMPLETION, Call, Kernel
from simoffload.world.line import AskedLine, FifoLine, Line, PriorityLine
from simoffload.world.pace import Pace
from tests.oracle.batching import BatchServer, Request, serve
from tests.oracle.theory import batch_interval

GRAPH = build_graph([0], [0], [()])
ZERO = [0.0]
NUMBER = 3
EARLY, LATE = COMPLETION, ARRIVAL
"""Ranks of events before and after those of the server, which is that of node 3, in the same instant."""
EVENTS_PER_JOB = 5
"""It enters, has been read, leaves; at most it cuts what is under way, whose old end then comes to nothing."""


@dataclass(frozen=True)
class Machine:
    decode_s: float
    per_sequence_s: float
    per_context_s: float
    prefill_rate: float
    max_batch: int
    kv_tokens: float
    chunk: int | None = None

    def node(self) -> PlantNode:
        law = ServingLaw(0.0, 1 / self.prefill_rate, self.decode_s, self.per_sequence_s, self.per_context_s)
        model = HostedModel("m", law, 1e9, 0.0, (True,) * 4, (0.0,) * 4, (0.0,) * 3, (0.0,) * 4)
        chunk = None if self.chunk is None else f"{self.chunk} tok"
        server = Spec.model_validate({"kind": "batching", "max_batch": self.max_batch, "chunk": chunk})
        return PlantNode(
            number=NUMBER, id="cell", is_cloud=False, site=0, server=server, discipline="agent",
            models=(model,), model_for=(0,) * 4, memory_bytes=2e9, resident=(0,), kv_tokens=self.kv_tokens, speed=1.0,
            idle_power_w=0.0, busy_power_w=0.0, tariff_usd_per_j=0.0, amortisation_usd_per_s=0.0, price_in_usd=0.0,
            price_out_usd=0.0, is_priced=False, delay_s=0.0,
        )  # fmt: skip

    def oracle(self) -> BatchServer:
        return BatchServer(
            decode=self.decode_s, per_sequence=self.per_sequence_s, per_context=self.per_context_s,
            prefill=self.prefill_rate, speed=1.0, max_batch=self.max_batch, kv_tokens=self.kv_tokens, chunk=self.chunk,
        )  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """A request as it is to enter."""

    entered_s: float
    prompt: int
    output: int
    most: int = 0
    """Longest answer it might give; `output` if that is more."""
    before_s: float = 0.0
    priority: float = 0.0
    rank: int = LATE

    @property
    def reserved(self) -> int:
        return self.prompt + max(self.output, self.most)


def job_of(wish: Wish, number: int = 0) -> Job:
    task = Task(
        workload=0, home=0, arrival_s=0.0, graph=GRAPH, weight=1.0, deadline_s=math.inf,
        max_output=wish.reserved - wish.prompt, prompt=[wish.prompt], output=[wish.output], expected_output=ZERO,
        payload_bytes=ZERO, demand_s=ZERO, expected_demand_s=ZERO, difficulty=ZERO, luck=ZERO, api_noise=ZERO,
        number=number,
    )  # fmt: skip
    return Job(
        task=task, subtask=0, node=NUMBER, model=0, priority=wish.priority, prompt=wish.prompt, output=wish.output,
        before_tokens_s=wish.before_s, first_after_s=math.nan, last_after_s=math.nan, expected_service_s=math.nan,
        ready_s=math.nan,
    )  # fmt: skip


class World:
    """A batching server alone, and who enters it when."""

    def __init__(
        self, machine: Machine, wishes: Sequence[Wish], line: Line | None = None, pace: Pace | None = None
    ) -> None:
        self.kernel = Kernel()
        waiting = PriorityLine() if line is None else line
        self.server = BatchingServer(self.kernel, machine.node(), waiting, self.done, pace)
        self.jobs = [job_of(wish, number) for number, wish in enumerate(wishes)]
        self.finished: list[Job] = []
        for job, wish in zip(self.jobs, wishes, strict=True):
            self.kernel.at(wish.entered_s, wish.rank, Call(self.server.enter, job))

    def done(self, job: Job) -> None:
        self.finished.append(job)

    def run(self) -> World:
        assert not self.kernel.advance(math.inf)
        assert len(self.finished) == len(self.jobs)
        return self


def requests_of(wishes: Sequence[Wish]) -> list[Request]:
    """In the order of the wishes; `order` is that of entering."""
    ranked = sorted(range(len(wishes)), key=lambda k: (wishes[k].entered_s, wishes[k].rank))
    return [
        Request(
            key=k, priority=wish.priority, order=ranked.index(k), prompt=wish.prompt, output=wish.output,
            reserve=wish.reserved, fixed_s=wish.before_s, entered_s=wish.entered_s,
        )
        for k, wish in enumerate(wishes)
    ]  # fmt: skip


@dataclass
class Loop:
    """The oracle's server, its requests let in one by one, by rank before or after a boundary in the same instant."""

    server: BatchServer
    times: list[float] = field(default_factory=list)
    states: list[tuple[list[Any], list[int], int, int]] = field(default_factory=list)
    """After each happening: members, what each has written, the writers' context, how many wait."""

    def run(self, wishes: Sequence[Wish]) -> list[Request]:
        requests = requests_of(wishes)
        coming = deque(sorted(requests, key=lambda request: request.order))
        due = math.inf
        while coming or due < math.inf:
            if coming and (coming[0].entered_s, wishes[coming[0].key].rank) < (due, COMPLETION + NUMBER):
                request = coming.popleft()
                now = request.entered_s
                self.server.waiting.append(request)
                if self.server.running is None:
                    due = self._begin(now)
            else:
                now = due
                self.server.end(now)
                due = self._begin(now)
            self._note(now)
        return requests

    def _begin(self, now: float) -> float:
        duration = self.server.begin(now)
        return math.inf if duration is None else now + duration

    def _note(self, now: float) -> None:
        server = self.server
        members = [*server.members] if server.prompt is None else [*server.members, server.prompt]
        written = [member.output - member.left if member.left else 0 for member in members]
        context = sum(member.context for member in server.members)
        self.times.append(now)
        self.states.append(([member.key for member in members], written, context, len(server.waiting)))


def times(requests: Sequence[Any]) -> list[tuple[float, float, float]]:
    return [(request.start_s, request.first_token_s, request.finish_s) for request in requests]


def uses(requests: Sequence[Any]) -> list[tuple[float, float]]:
    return [(request.share_s, request.iterations) for request in requests]


SEEDS = st.integers(0, 2**32)
COUNTS = st.integers(1, 40)


def on_a_grid(seed: int, count: int) -> tuple[Machine, list[Wish]]:
    """Requests that often enter at the very instant of a boundary; all times are exact sums of powers of two."""
    random = np.random.default_rng(seed)
    machine = Machine(
        decode_s=random.choice([1, 1, 4, 0]) / 64,
        per_sequence_s=random.choice([0, 0, 1]) / 64,
        per_context_s=random.choice([0, 0, 1]) / 4096,
        prefill_rate=random.choice([256.0, 1024.0]),
        max_batch=int(random.choice([1, 2, 4, 100])),
        kv_tokens=random.choice([200.0, 201.0, 500.0, math.inf]),
        chunk=random.choice([None, None, 1, 16, 64]),
    )
    reach = random.choice([2, 20, 200])
    wishes = [
        Wish(
            entered_s=int(random.integers(0, 16 * reach)) / 16,
            prompt=int(random.choice([0, 1, 16, 64, 140])),
            output=int(random.choice([0, 1, 2, random.integers(0, 60)])),
            most=int(random.choice([0, 60])),
            before_s=random.choice([0, 0, 4, 16]) / 64,
            priority=float(random.choice([0, 0, 1, -1])),
            rank=int(random.choice([EARLY, LATE])),
        )
        for _ in range(count)
    ]
    return machine, wishes


def apart(seed: int, count: int) -> tuple[Machine, list[Wish]]:
    """A machine and requests with nothing in one instant, from idle to overloaded."""
    random = np.random.default_rng(seed)
    machine = Machine(
        decode_s=random.uniform(0.005, 0.03),
        per_sequence_s=random.choice([0.0, 4e-4]),
        per_context_s=random.choice([0.0, 2e-6, 2e-5]),
        prefill_rate=random.uniform(500, 9000),
        max_batch=int(random.choice([1, 3, 8, 64])),
        kv_tokens=random.choice([1300.0, 2000.0, 6000.0, math.inf]),
        chunk=random.choice([None, 17, 256]),
    )
    mean_gap_s = random.choice([0.05, 0.3, 2.0])
    entered_s = 1e4
    wishes = []
    for _ in range(count):
        entered_s += float(random.exponential(mean_gap_s))
        wish = Wish(
            entered_s=entered_s,
            prompt=int(random.choice([0, 1, random.integers(0, 900)])),
            output=int(random.choice([0, 1, 2, random.integers(0, 200)])),
            most=int(random.choice([0, 300])),
            before_s=float(random.choice([0.0, random.uniform(0, 0.3)])),
            priority=float(random.integers(0, 3)),
        )
        wishes.append(wish)
    return machine, wishes


@settings(max_examples=300)
@given(SEEDS, COUNTS)
def test_times_are_those_of_the_loop_over_iterations_ties_included(seed: int, count: int) -> None:
    machine, wishes = on_a_grid(seed, count)
    world = World(machine, wishes).run()
    expected = Loop(machine.oracle()).run(wishes)
    assert times(world.jobs) == times(expected)
    assert np.array(uses(world.jobs)) == pytest.approx(np.array(uses(expected)), abs=1e-9)
    assert world.kernel.events <= EVENTS_PER_JOB * len(wishes)


@settings(max_examples=150)
@given(SEEDS, COUNTS)
def test_times_and_uses_are_those_of_the_loop_to_a_nanosecond(seed: int, count: int) -> None:
    machine, wishes = apart(seed, count)
    world = World(machine, wishes).run()
    expected = requests_of(wishes)
    serve(machine.oracle(), expected)
    assert np.array(times(world.jobs)) == pytest.approx(np.array(times(expected)), abs=1e-9, rel=0)
    assert np.array(uses(world.jobs)) == pytest.approx(np.array(uses(expected)), abs=1e-9, rel=0)


@settings(max_examples=100)
@given(SEEDS, COUNTS, st.lists(st.integers(0, 60 * 16).map(lambda k: k / 64), max_size=20))
def test_who_looks_in_between_sees_the_tokens_written_up_to_then(seed: int, count: int, looks: list[float]) -> None:
    machine, wishes = on_a_grid(seed, count)
    loop = Loop(machine.oracle())
    loop.run(wishes)
    world = World(machine, wishes)
    server = world.server
    for time in sorted(looks):
        world.kernel.advance(time)
        after = bisect_right(loop.times, time)
        expected = loop.states[after - 1] if after else ([], [], 0, 0)
        members = [job.task.number for job in server.in_service]
        by_job = server.written_tokens(time)
        written = [by_job[job] for job in server.in_service]
        seen = members, written, server.context_tokens(time), len(server.line)
        assert seen == expected
        assert server.occupancy.serving == len(members)
    assert times(world.run().jobs) == times(World(machine, wishes).run().jobs), "looking changes nothing"


@settings(max_examples=100)
@given(SEEDS, COUNTS)
def test_seats_and_kv_memory_are_never_exceeded(seed: int, count: int) -> None:
    machine, wishes = apart(seed, count)
    jobs = World(machine, wishes).run().jobs
    for moment in (job.start_s for job in jobs):
        resident = [job for job in jobs if job.start_s <= moment < job.finish_s]
        assert len(resident) <= machine.max_batch
        assert sum(job.reserved_tokens for job in resident) <= machine.kv_tokens


@settings(max_examples=100)
@given(SEEDS, COUNTS)
def test_a_server_works_while_anybody_is_there(seed: int, count: int) -> None:
    machine, wishes = apart(seed, count)
    world = World(machine, wishes)
    world.server.occupancy.reset(wishes[0].entered_s)
    jobs = world.run().jobs
    occupied, until = 0.0, 0.0
    for job in jobs:
        occupied += max(job.finish_s - max(job.entered_s, until), 0.0)
        until = max(until, job.finish_s)
    summary = world.server.occupancy.summary(world.kernel.now)
    assert summary.busy * summary.duration_s == pytest.approx(occupied, abs=1e-8)
    assert summary.arrivals == summary.starts == summary.completions == len(jobs)
    assert summary.wait_mean_s == pytest.approx(np.mean([job.start_s - job.entered_s for job in jobs]), abs=1e-8)
    assert summary.little_residual < 1e-9
    assert sum(job.share_s for job in jobs) == pytest.approx(occupied, abs=1e-8), "all of it is somebody's share"


@settings(max_examples=60)
@given(SEEDS, COUNTS, st.integers(0, 200))
def test_a_server_that_was_pickled_continues_bit_for_bit(seed: int, count: int, events: int) -> None:
    machine, wishes = apart(seed, count)
    world = World(machine, wishes)
    world.kernel.advance(math.inf, most=events)
    copied = pickle.loads(pickle.dumps(world))
    assert copied.server.in_service is not world.server.in_service
    one, other = world.run(), copied.run()
    assert times(one.jobs) == times(other.jobs)
    assert uses(one.jobs) == uses(other.jobs)
    assert [job.task.number for job in one.finished] == [job.task.number for job in other.finished]
    assert one.kernel.events == other.kernel.events


class FewestTokens:
    """Asks for the shortest answer, of equally short ones the one that came first."""

    def choose(self, jobs: Sequence[Job]) -> int:
        return min(range(len(jobs)), key=lambda place: jobs[place].output)


@settings(max_examples=100)
@given(SEEDS, COUNTS)
def test_asking_for_the_next_one_equals_a_line_kept_by_the_same_rule(seed: int, count: int) -> None:
    machine, wishes = on_a_grid(seed, count)
    by_rule = [Wish(w.entered_s, w.prompt, w.output, w.most, w.before_s, w.output, w.rank) for w in wishes]
    asked = World(machine, by_rule, AskedLine(FewestTokens().choose)).run()
    assert times(asked.jobs) == times(World(machine, by_rule).run().jobs)


SLOW = Machine(decode_s=1.0, per_sequence_s=0.0, per_context_s=0.0, prefill_rate=10.0, max_batch=4, kv_tokens=1000)


def test_a_newcomer_at_a_boundary_is_seen_there_only_if_its_event_comes_first() -> None:
    first = Wish(0.0, 10, 9)
    for rank, seen_s in ((EARLY, 4.0), (COMPLETION + NUMBER, 5.0), (LATE, 5.0)):
        one, two = World(SLOW, [first, Wish(4.0, 20, 2, rank=rank)]).run().jobs
        assert (two.start_s, two.first_token_s, two.finish_s) == (seen_s, seen_s + 2, seen_s + 3)
        assert (one.first_token_s, one.finish_s) == (1.0, 11.0)


@settings(max_examples=100)
@given(SEEDS, st.integers(1, 298))
def test_an_instant_that_is_a_rounded_sum_is_known_as_a_boundary(seed: int, number: int) -> None:
    random = np.random.default_rng(seed)
    machine = Machine(*random.uniform(0, [0.03, 1e-3, 1e-5]).tolist(), 1024.0, max_batch=2, kv_tokens=math.inf)
    law = machine.node().models[0].law
    boundary_s, following_s = (1 + iterations_s(law, 1, 1025, k) for k in (number, number + 1))
    just_before_s = math.nextafter(boundary_s, 0)
    entries = (boundary_s, EARLY, boundary_s), (boundary_s, LATE, following_s), (just_before_s, LATE, boundary_s)
    for entered_s, rank, seen_s in entries:
        _, newcomer = World(machine, [Wish(0.0, 1024, 300), Wish(entered_s, 1, 1, rank=rank)]).run().jobs
        assert newcomer.start_s == seen_s


def test_between_boundaries_a_newcomer_waits_for_the_next_one() -> None:
    _, two = World(SLOW, [Wish(0.0, 10, 9), Wish(3.5, 20, 2)]).run().jobs
    assert two.start_s == 4.0


def test_while_it_stands_still_a_server_begins_at_once() -> None:
    one, two = World(SLOW, [Wish(0.25, 10, 1), Wish(7.75, 10, 1)]).run().jobs
    assert (one.start_s, two.start_s) == (0.25, 7.75)


def test_what_a_request_used_does_not_depend_on_what_there_was_before_the_server_stood_still() -> None:
    machine, wishes = Machine(0.07, 0.0, 0.0, 30.0, max_batch=3, kv_tokens=math.inf), [Wish(0.1, 10, 5000)] * 7
    alone = Wish(2000.3, 10, 8)
    assert uses(World(machine, [*wishes, alone]).run().jobs)[-1] == uses(World(machine, [alone]).run().jobs)[0]


def test_an_answer_of_one_token_or_none_leaves_with_its_prompt() -> None:
    for job in World(SLOW, [Wish(0.0, 10, 0, before_s=0.5), Wish(9.0, 10, 1, before_s=0.5)]).run().jobs:
        assert job.first_token_s == job.finish_s == job.start_s + 1.5
        assert (job.share_s, job.iterations) == (1.5, 1.0)


def test_a_head_that_does_not_fit_blocks_those_behind() -> None:
    small = Machine(1.0, 0.0, 0.0, 10.0, max_batch=4, kv_tokens=40)
    one, two, three = World(small, [Wish(0.0, 10, 5), Wish(0.1, 30, 1), Wish(0.2, 1, 1)], FifoLine()).run().jobs
    assert two.start_s == one.finish_s
    assert three.start_s == two.finish_s


def test_nobody_who_would_block_for_ever_is_let_in() -> None:
    world = World(SLOW, [Wish(0.0, 600, 1, most=401)])
    with pytest.raises(ValueError, match=r"cell.*explain-1 of task 0 reserves 1001 tokens.*holds 1000"):
        world.run()


class Chain(World):
    """Notes, whenever somebody leaves, since when those who are still there have been in the batch."""

    def __init__(self, machine: Machine, wishes: Sequence[Wish]) -> None:
        super().__init__(machine, wishes)
        self.notes: list[tuple[int, list[tuple[int, float]]]] = []

    def done(self, job: Job) -> None:
        assert job.finish_s == self.kernel.now
        super().done(job)
        self.notes.append((job.task.number, [(other.task.number, other.start_s) for other in self.server.in_service]))


def test_the_next_one_is_taken_before_anybody_hears_of_those_who_leave() -> None:
    pair = Machine(1.0, 0.0, 0.0, 10.0, max_batch=2, kv_tokens=math.inf)
    world = Chain(pair, [Wish(0.0, 10, 4), Wish(0.0, 10, 4), Wish(0.0, 10, 1), Wish(0.0, 10, 1)])
    world.run()
    assert world.notes == [(0, [(2, 5.0)]), (1, [(2, 5.0)]), (2, [(3, 6.0)]), (3, [])]


class Relay(World):
    """When a request leaves, its successor, if it has one, enters in the same instant."""

    def __init__(self, machine: Machine, wishes: Sequence[Wish], successors: dict[int, Wish]) -> None:
        super().__init__(machine, wishes)
        self.successors = {number: job_of(wish, len(wishes) + number) for number, wish in successors.items()}

    def done(self, job: Job) -> None:
        super().done(job)
        if job.task.number in self.successors:
            self.server.enter(self.successors[job.task.number])


@pytest.mark.parametrize(("decode_s", "taken_s"), [(1.0, 3.0), (0.0, 2.0)])
def test_whom_a_departure_sets_free_is_taken_one_iteration_later(decode_s: float, taken_s: float) -> None:
    machine = Machine(decode_s, 0.0, 0.0, 10.0, max_batch=4, kv_tokens=math.inf)
    world = Relay(machine, [Wish(0.0, 10, 5), Wish(0.0, 10, 1)], {1: Wish(math.nan, 10, 1)})
    world.kernel.advance(math.inf)
    assert (world.successors[1].entered_s, world.successors[1].start_s) == (2.0, taken_s)
    assert world.jobs[0].finish_s == 3.0 + 4 * decode_s


def test_events_count_changes_of_the_batch_not_tokens() -> None:
    machine = Machine(0.03, 2e-4, 2e-7, 14000.0, max_batch=32, kv_tokens=60_000)
    random = np.random.default_rng(5)
    entered = np.cumsum(random.exponential(0.6, 1000))
    outputs = random.geometric(1 / 500, 1000)
    wishes = [Wish(float(time), 500, int(output)) for time, output in zip(entered, outputs, strict=True)]
    world = World(machine, wishes).run()
    loop = Loop(machine.oracle())
    loop.run(wishes)
    assert len(loop.times) > 20 * len(wishes)
    assert world.kernel.events < 4.5 * len(wishes)


class Stream:
    """Requests that enter one after another, of which nothing is kept but how long each waited."""

    def __init__(self, machine: Machine, wishes: Iterator[Wish]) -> None:
        self.kernel = Kernel()
        self.server = BatchingServer(self.kernel, machine.node(), FifoLine(), self.done)
        self.wishes = wishes
        self.call = Call(self.enter)
        self.waits: list[float] = []

    def expect(self) -> None:
        self.call.item = next(self.wishes, None)
        if self.call.item is not None:
            self.kernel.at(self.call.item.entered_s, ARRIVAL, self.call)

    def enter(self, wish: Wish) -> None:
        self.server.enter(job_of(wish))
        self.expect()

    def done(self, job: Job) -> None:
        self.waits.append(job.start_s - job.entered_s)

    def run(self) -> list[float]:
        self.expect()
        self.kernel.advance(math.inf)
        return self.waits


@pytest.mark.long
def test_one_seat_waits_as_pollaczek_and_khinchine_say() -> None:
    machine = Machine(0.01, 0.0, 0.0, 1000.0, max_batch=1, kv_tokens=math.inf)
    random = np.random.default_rng(11)
    count, rate = 100_000, 0.7
    entered = np.cumsum(random.exponential(1 / rate, count))
    before = random.exponential(0.3, count)
    outputs = random.integers(1, 102, count)
    wishes = (Wish(float(t), 200, int(n), 0, float(b)) for t, n, b in zip(entered, outputs, before, strict=True))
    mean_s = 0.2 + 0.3 + 0.5
    variance_s2 = 0.3**2 + 0.01**2 * (101**2 - 1) / 12
    mean, half = batch_interval(Stream(machine, wishes).run())
    assert half < 0.05 * mean
    assert abs(mean - MG1(rate, ServiceLaw(mean_s, mean_s**2 + variance_s2)).means.wait_s) < half


@pytest.mark.long
def test_seats_that_do_not_slow_one_another_wait_as_erlang_says() -> None:
    machine = Machine(0.001, 0.0, 0.0, 1000.0, max_batch=4, kv_tokens=math.inf)
    random = np.random.default_rng(13)
    count, rate = 100_000, 3.0
    entered = np.cumsum(random.exponential(1 / rate, count))
    outputs = random.geometric(1 / 1001, count)
    wishes = (Wish(float(t), 0, int(n)) for t, n in zip(entered, outputs, strict=True))
    mean, half = batch_interval(Stream(machine, wishes).run())
    assert half < 0.1 * mean
    assert abs(mean - MMc(rate, 1.0, 4).means.wait_s) < half
