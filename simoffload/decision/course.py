"""The course of a task under way: what is done, where its data lie, and how long it may still take.

Expected times to the end are HEFT's upward ranks (Topcuoglu, Hariri, Wu 2002): the mean service over the nodes that can
run a subtask, plus the longest way from there, transfers between nodes at their mean included. They use the lengths
that agents expect, never the true ones.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..lazy import lazy
from ..tasks import Task
from ..tasks.graph import EXPLAIN
from ..world.item import Item
from ..world.job import Job
from .tables import ModalityTable, Tables

Floats = NDArray[np.float64]


class Course:
    """A task in the system; lists are indexed by subtask."""

    def __init__(self, task: Task, tables: Tables, bytes_per_token: float) -> None:
        graph = task.graph
        self.task = task
        self.missing = [len(before) for before in graph.predecessors]
        """Predecessors that are not done."""
        self.answers: list[Item | None] = [None] * len(graph)
        self.payloads: list[Item | None] = [Item(task.home, size) if size > 0 else None for size in task.payload_bytes]
        self.jobs: list[Job | None] = [None] * len(graph)
        """The attempts under way."""
        self.right: list[bool | None] = [None] * len(graph)
        """Of the answers that there are, whether they are right."""
        self.losses: dict[int, int] = {}
        """By subtask, attempts that failed and were to be made again."""
        self.sinks_left = len(graph.sinks)
        self.cost_usd = 0.0
        self.energy_j = 0.0
        self._tables = tables
        self._bytes_per_token = bytes_per_token

    def under_way(self) -> list[Job]:
        """Attempts that have not ended."""
        return [job for job in self.jobs if job is not None and math.isnan(job.finish_s)]

    @property
    def progress(self) -> tuple[int, int, int]:
        """Subtasks placed, those of them not done, and all."""
        count = len(self.jobs)
        placed = 2 * count - self.jobs.count(None) - self.answers.count(None)
        return placed, len(self.under_way()), count

    def answered(self, job: Job, answer: Item) -> None:
        """An attempt has led to the answer of its subtask."""
        self.answers[job.subtask] = answer
        self.right[job.subtask] = job.is_correct
        self.jobs[job.subtask] = None

    def prompt(self, subtask: int) -> int:
        """Tokens a subtask reads, once its predecessors are done."""
        task = self.task
        tokens, answers = task.prompt[subtask], task.output
        for before in task.graph.predecessors[subtask]:
            tokens += answers[before]
        return tokens

    def needs(self, subtask: int) -> list[Item]:
        """The payload and the predecessors' answers, as far as they exist: all, once the subtask is ready."""
        payload = self.payloads[subtask]
        needs = [] if payload is None else [payload]
        for before in self.task.graph.predecessors[subtask]:
            answer = self.answers[before]
            if answer is not None:
                needs.append(answer)
        return needs

    def table(self, subtask: int) -> ModalityTable:
        """The table of nodes that can run a subtask."""
        return self._tables.by_modality[self.task.graph.modalities[subtask]]

    @lazy
    def _expected_prompts(self) -> list[float]:
        task = self.task
        return [
            own + math.fsum(task.expected_output[before] for before in earlier)
            for own, earlier in zip(task.prompt, task.graph.predecessors, strict=True)
        ]

    @lazy
    def _handover_s(self) -> list[float]:
        """Expected time to move each subtask's answer on, averaged over where to."""
        task = self.task
        moved = []
        for subtask in range(len(task.graph)):
            ways = self.table(subtask).ways(task.home)
            bits = 8.0 * self._bytes_per_token * task.expected_output[subtask]
            moved.append(ways.mean_delay_s + bits * ways.mean_s_per_bit)
        return moved

    @lazy
    def ranks_s(self) -> list[float]:
        """Upward ranks: expected seconds from a subtask's start to the end of the task, without waiting."""
        task = self.task
        ranks = [0.0] * len(task.graph)
        for subtask in reversed(task.graph.topological):
            service = self.table(subtask).means.service_s(
                task.graph.stages[subtask] == EXPLAIN,
                self._expected_prompts[subtask],
                task.expected_output[subtask],
                task.expected_demand_s[subtask],
            )
            ranks[subtask] = service + self._onward_s(ranks, subtask)
        return ranks

    @lazy
    def tails_s(self) -> list[float]:
        """Expected seconds from a subtask's end to that of the task, without waiting."""
        return [self._onward_s(self.ranks_s, subtask) for subtask in range(len(self.task.graph))]

    def _onward_s(self, ranks: list[float], subtask: int) -> float:
        after = self.task.graph.successors[subtask]
        return self._handover_s[subtask] + max(ranks[number] for number in after) if after else 0.0

    @lazy
    def optimistic_costs_s(self) -> list[Floats]:
        """PEFT's table (Arabnejad, Barbosa 2014): per subtask, and node of the plant, [nodes], the least to follow.

        OCT(i, n) = max over successors j of min over nodes m of OCT(j, m) + w(j, m) + (0 if m = n else handover).
        """
        task = self.task
        count = len(self._tables.plant.nodes)
        table = [np.zeros(count) for _ in range(len(task.graph))]
        for subtask in reversed(task.graph.topological):
            for after in task.graph.successors[subtask]:
                stay = table[after] + self._service_everywhere(after)
                reach = np.minimum(stay, stay.min() + self._handover_s[subtask])
                np.maximum(table[subtask], reach, out=table[subtask])
        return table

    def _service_everywhere(self, subtask: int) -> Floats:
        """Expected service on each node of the plant, alone there; inf where it cannot run."""
        task, table = self.task, self.table(subtask)
        service = np.full(len(self._tables.plant.nodes), math.inf)
        service[table.nodes] = expected_service_s(
            table,
            task.graph.stages[subtask] == EXPLAIN,
            self._expected_prompts[subtask],
            task.expected_output[subtask],
            task.expected_demand_s[subtask],
            others=0.0,
            context=0.0,
        )
        return service

    @lazy
    def expected_end_s(self) -> float:
        """Expected completion of the task as of its arrival."""
        return self.task.arrival_s + max(self.ranks_s[subtask] for subtask in self.task.graph.sources)

    def foresee(self, end_s: float | None) -> None:
        """A decision has been made after which the task is expected to end then; None: nobody asked."""
        if end_s is not None:
            self.expected_end_s = end_s

    def way_home_s(self, subtask: int, table: ModalityTable) -> Floats:
        """Of a sink: until its answer is home from a node of a table, at the links' mean rates, [k]; 0 for others."""
        task = self.task
        if task.graph.successors[subtask]:
            return np.zeros(len(table.nodes))
        ways = table.ways_home(task.home)
        return ways.delay_s + 8.0 * self._bytes_per_token * task.expected_output[subtask] * ways.s_per_bit

    def others_end_s(self, subtask: int, now_s: float) -> float:
        """Expected completion of the task as far as its other placed and unfinished subtasks go; -inf for none."""
        latest = -math.inf
        for number, job in enumerate(self.jobs):
            if job is not None and number != subtask and math.isnan(job.finish_s):
                finish = now_s if math.isnan(job.expected_finish_s) else max(job.expected_finish_s, now_s)
                latest = max(latest, finish + self._further_s(number, job.node))
        return latest

    def _further_s(self, subtask: int, node: int) -> float:
        """Expected seconds from the end of a subtask on a node to that of the task, without waiting."""
        if self.task.graph.successors[subtask]:
            return self.tails_s[subtask]
        table = self.table(subtask)
        return float(self.way_home_s(subtask, table)[table.row[node]])


def expected_service_s(
    table: ModalityTable,
    encodes: bool,
    prompt: float,
    output: float,
    demand_s: float,
    others: Floats | float,
    context: Floats | float,
) -> Floats:
    """Expected service on the nodes of a table, [k], with `others` in the batch that hold `context` tokens, each [k].

    Iterations are taken to go on at the pace of the present batch.
    """
    if prompt + output <= 0:
        idle: Floats = table.interface_s + demand_s * table.demand_factor
        return idle
    before: Floats = table.overhead_s + demand_s * table.demand_factor + prompt * table.prefill_s
    if encodes:
        before = before + table.encoder_s
    steps = output - 1.0
    if steps <= 0:
        return before
    held = context + (prompt + 1.0 + (steps - 1.0) / 2)
    iteration: Floats = table.decode_s + table.sequence_s * (others + 1.0) + table.context_s * held
    return before + steps * iteration
