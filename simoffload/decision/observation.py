"""What an agent sees when a subtask has become ready: a row for every node that could run it.

An array is worked out when it is first read, so a rule pays only for what it uses. All arrays have an entry per row,
in rising order of node number; times are in seconds from now, costs in USD. They belong to the simulator: read them,
do not write into them. Nothing in them is newer than the last telemetry but the home's own state, its
dispatches, and the ends of its own tasks' subtasks.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..lazy import lazy
from ..tasks.graph import EXPLAIN
from ..world.item import Item
from .agent import Setting
from .course import Course, expected_service_s
from .hearing import Heard
from .knowledge import Knowledge

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.intp]
_LAST = 1e300
"""The priority of what has no weight."""


class Observation:
    """The view of a home on one of its subtasks."""

    kind: ClassVar[str] = "position"

    def __init__(self, course: Course, subtask: int, knowledge: Knowledge, setting: Setting, order: str) -> None:
        task = course.task
        self._course = course
        self._knowledge = knowledge
        self.setting = setting
        """What was known before the run."""
        self._order = order
        self.prompt_tokens = course.prompt(subtask)
        """Tokens it will read: the predecessors' answers are there."""
        self._table = table = course.table(subtask).with_room(self.prompt_tokens + task.max_output)
        self.subtask = subtask
        self.now_s = knowledge.now_s
        self.home = task.home
        self.stage = task.graph.stages[subtask]
        self.modality = task.graph.modalities[subtask]
        self.task_weight = task.weight
        self.expected_output_tokens = task.expected_output[subtask]
        self.expected_demand_s = task.expected_demand_s[subtask]
        self.difficulty = task.difficulty[subtask]
        self.candidates = table.nodes
        """Numbers of the nodes."""
        self.is_cloud = table.is_cloud

    @property
    def age_s(self) -> float:
        """Age of what is known of other nodes."""
        return self._knowledge.age_s

    @property
    def heard(self) -> tuple[Heard, ...]:
        """The ends of the home's own subtasks since its last decision, in the order in which they ended."""
        return self._knowledge.hearing.heard

    @property
    def task_age_s(self) -> float:
        """Time since the task arrived."""
        return self.now_s - self._course.task.arrival_s

    @property
    def is_home(self) -> Flags:
        """Whether the node is the task's home."""
        return self._table.is_home(self.home)

    @property
    def kinds(self) -> Floats:
        """[3, k]: 1 where the node is a cloud, where it is the home, and where it is another edge node; else 0."""
        return self._table.kinds(self.home)

    @property
    def is_up(self) -> Flags:
        """Whether the node is up, as far as is known."""
        up = self._known.is_up
        return np.ones(len(self.candidates), dtype=np.bool_) if up is None else up[self.candidates]

    @property
    def up_rows(self) -> Ints | None:
        """Rows of the nodes known to be up, if others are known to be down; else None."""
        if self._knowledge.is_up is None:
            return None
        up = self.is_up
        return np.flatnonzero(up) if up.any() and not up.all() else None

    @property
    def rows_that_may_be(self) -> Ints:
        """Rows that may be chosen: those of nodes known to be up; all where that is true of none, or of every one."""
        up = self.up_rows
        return np.arange(len(self.candidates)) if up is None else up

    @property
    def upward_rank_s(self) -> float:
        """Expected seconds from the subtask's start to the end of its task, without waiting."""
        return self._course.ranks_s[self.subtask]

    @lazy
    def needs(self) -> list[Item]:
        """What must be where it runs."""
        return self._course.needs(self.subtask)

    @lazy
    def transfer_s(self) -> Floats:
        """Until everything the subtask needs is there."""
        knowledge, priority = self._knowledge, self._priorities
        latest = np.zeros(len(self.candidates))
        for item in self.needs:
            ways = self._table.ways(item.origin)
            time = knowledge.arrival_times_s(ways, 8.0 * item.size_bytes, priority)
            for node in item.holders:
                row = self._table.row.get(node)
                if row is not None:
                    time[row] = 0.0
            np.maximum(latest, time, out=latest)
        return latest

    @lazy
    def _companions(self) -> Floats:
        """Those in the batch it would run in; of a full one somebody leaves first."""
        companions: Floats = np.minimum(self.in_service, self._table.most_companions)
        return companions

    @lazy
    def service_s(self) -> Floats:
        """Expected service at the pace of the batch as it is known."""
        companions = self._companions
        each = self._known.context[self.candidates] / np.maximum(self.in_service, 1.0)
        return expected_service_s(
            self._table,
            self.stage == EXPLAIN,
            self.prompt_tokens,
            self.expected_output_tokens,
            self.expected_demand_s,
            others=companions,
            context=companions * each,
        )

    @lazy
    def swap_s(self) -> Floats:
        """Loading the model, where it is not in memory as far as is known."""
        table, reports = self._table, self._known.reports
        swap = np.zeros(len(self.candidates))
        for row in table.may_swap:
            if table.model[row] not in reports[int(table.nodes[row])].resident:
                swap[row] = table.swap_s[row]
        return swap

    @lazy
    def _priorities(self) -> Floats | float:
        """Priority in the lines of nodes and links per row, or one for all."""
        if self._order == "wspt":
            priority: Floats | float = self._wspt
        elif self._order == "upward-rank":
            priority = -self.upward_rank_s
        elif self._order == "optimistic-rank":
            priority = -float(self.optimistic_cost_s.mean())
        else:
            priority = 0.0
        if not self._table.ruled:
            return priority
        rows = np.broadcast_to(np.asarray(priority, dtype=np.float64), len(self.candidates)).copy()
        for row, discipline in self._table.ruled:
            rows[row] = self._wspt[row] if discipline == "wspt" else self.upward_rank_s
        return rows

    @lazy
    def _wspt(self) -> Floats:
        weight = self.task_weight
        return self.service_s / weight if weight > 0 else np.full(len(self.candidates), _LAST)

    @property
    def priority(self) -> Floats:
        """What the order of the agent and of the node gives the subtask."""
        rows = self._priorities
        return np.full(len(self.candidates), rows) if isinstance(rows, float) else rows

    @lazy
    def wait_s(self) -> Floats:
        """Until a server is free for it, if it were there now or once its inputs are."""
        starts = self._known.start_times_s(self._table, self._priorities, self.now_s + self.transfer_s)
        starts -= self.now_s
        return np.maximum(starts, 0.0, out=starts)

    @property
    def _known(self) -> Knowledge:
        """The knowledge, with the home as it is now."""
        self._knowledge.see()
        return self._knowledge

    @property
    def queue_length(self) -> Floats:
        """Subtasks known to be waiting."""
        return self._known.queue_length[self.candidates]

    @lazy
    def in_service(self) -> Floats:
        """Subtasks known to be in service."""
        return self._known.in_service[self.candidates]

    @lazy
    def way_home_s(self) -> Floats:
        """Of a sink: until its answer is home, at the links' mean rates; 0 for others."""
        return self._course.way_home_s(self.subtask, self._table)

    @lazy
    def finish_s(self) -> Floats:
        """Until it is finished: max(transfer, wait) + swap + service, and the way home for a sink."""
        finish: Floats = np.maximum(self.transfer_s, self.wait_s)
        if self._table.may_swap:
            finish += self.swap_s
        finish += self.service_s
        if self._is_sink:
            finish += self.way_home_s
        return finish

    @lazy
    def least_finish_s(self) -> float:
        """The least of these."""
        least: float = min(self.finish_s.tolist())
        return least

    @property
    def _is_sink(self) -> bool:
        return not self._course.task.graph.successors[self.subtask]

    @lazy
    def cost_usd(self) -> Floats:
        """Expected cost: tokens at their price, or energy and wear of the share of the machine it takes."""
        table = self._table
        tokens_in, tokens_out = self.prompt_tokens, self.expected_output_tokens
        sharers = table.sharers + self._companions
        time = self.service_s + self.swap_s
        metered = table.usd_per_token * (tokens_in + tokens_out) + table.usd_per_iteration * tokens_out / sharers
        priced: Floats = tokens_in * table.price_in + tokens_out * table.price_out
        worn: Floats = time * table.usd_per_s / sharers + metered
        return priced + worn

    @lazy
    def completion_s(self) -> Floats:
        """Until the task is expected to be complete if the subtask runs there."""
        return np.maximum(self.finish_s + self.tail_s, self._others_end_s - self.now_s)

    @lazy
    def _others_end_s(self) -> float:
        """When the task is expected to be complete as far as its other placed subtasks go, as a point in time."""
        return self._course.others_end_s(self.subtask, self.now_s)

    @property
    def completion_change_s(self) -> Floats:
        """Change of the task's expected completion against what was expected before."""
        return self.completion_s - (self._course.expected_end_s - self.now_s)

    @property
    def on_critical_path(self) -> bool:
        """Whether the task is expected to end with a way through this subtask, wherever it runs."""
        best = self.least_finish_s + self.tail_s
        return self.now_s + best >= self._others_end_s

    @property
    def tail_s(self) -> float:
        """Expected seconds from the subtask's end to that of its task, without waiting."""
        return self._course.tails_s[self.subtask]

    @lazy
    def slack_s(self) -> float:
        """How much later than at best the subtask may finish before its task is expected to be delayed by it."""
        return max(self._others_end_s - self.now_s, 0.0) - self.least_finish_s - self.tail_s

    @property
    def progress(self) -> tuple[int, int, int]:
        """Of the task: subtasks placed, those of them not done, and all."""
        return self._course.progress

    @property
    def uplink(self) -> tuple[float, float]:
        """Of the home's own up-link: time until it is clear at its mean rate, s, and its rate over its mean."""
        return self._knowledge.uplink

    @property
    def optimistic_cost_s(self) -> Floats:
        """The least that must follow if it runs there (PEFT's table)."""
        return self._course.optimistic_costs_s[self.subtask][self.candidates]

    @lazy
    def score(self) -> Floats:
        """w weight finish / L_ref + (1 - w) cost / C_ref."""
        setting = self.setting
        delay = setting.latency_weight * self.task_weight / setting.latency_reference_s
        price = (1.0 - setting.latency_weight) / setting.cost_reference_usd
        return delay * self.finish_s + price * self.cost_usd

    def priority_of(self, row: int, wanted: float | None) -> float:
        """The priority in line on a row's node: what the agent wants, else what its order says.

        A node with an order of its own goes by that.
        """
        if wanted is not None and all(row != ruled for ruled, _ in self._table.ruled):
            return float(wanted)
        rows = self._priorities
        return rows if isinstance(rows, float) else float(rows[row])

    def expected_end(self, row: int) -> float | None:
        """When the task is expected to be complete with this row's node, as a point in time; None if nobody asked."""
        completion = self.__dict__.get("completion_s")
        return None if completion is None else self.now_s + float(completion[row])

    def estimate(self, row: int) -> tuple[float, float, float]:
        """Transfer, service, and end of service of a row, s; nan where nobody has asked for them."""
        known = self.__dict__
        transfer, service, finish = known.get("transfer_s"), known.get("service_s"), known.get("finish_s")
        return (
            math.nan if transfer is None else float(transfer[row]),
            math.nan if service is None else float(service[row]),
            math.nan
            if finish is None
            else float(finish[row]) - (float(self.way_home_s[row]) if self._is_sink else 0.0),
        )
