"""The constraint program of a static instance for CP-SAT, as exact as the simulator but for one freedom more.

Each subtask has a node; services of a node and transfers of a link exclude one another; a payload or an answer sets out
for a node when the first subtask that needs it there is ready, and travels there once. What the program has and the
simulator has not is patience: a station may stay idle while something waits, and need not begin with what comes first
of what comes at one moment. So its optimum is a lower bound.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

from ortools.sat.python import cp_model

from .instance import Journey, Operation, StaticInstance
from .solution import Optimum, Service

SEED = 1
MOST_UNITS = 2.0**36
"""The objective of the worst schedule there could be, in the whole units that the solver counts in."""
STATUS = {cp_model.OPTIMAL: "optimal", cp_model.FEASIBLE: "feasible"}

Var = cp_model.IntVar


class Model:
    """Variables and constraints of an instance; `solve` runs the solver."""

    def __init__(self, instance: StaticInstance, tick_s: float) -> None:
        self._instance = instance
        self._tick_s = tick_s
        self._model = cp_model.CpModel()
        self._horizon = self._ticks(_latest_s(instance))
        self._at: list[dict[int, Var]] = []
        """Per operation and node, whether it runs there."""
        self._start: list[Var] = []
        self._end: list[Var] = []
        self._ready: list[Var] = []
        """No earlier than all predecessors' ends: when what an operation needs may set out."""
        self._busy: dict[int, list[cp_model.IntervalVar]] = defaultdict(list)
        """By link."""
        for operation in instance.operations:
            self._add_service(operation)
        for number, operation in enumerate(instance.operations):
            self._add_precedence(number, operation)
            self._add_payload(number, operation)
        self._complete = [self._time(self._ticks(arrival_s)) for arrival_s in instance.arrivals_s]
        for number, operation in enumerate(instance.operations):
            if operation.successors:
                self._add_answers(number, operation)
            else:
                self._add_way_home(number, operation)
        self._exclude()
        self._units = self._add_objective()

    def solve(self, effort: float) -> Optimum:
        """Run the solver for so much deterministic time at most."""
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = SEED
        solver.parameters.max_deterministic_time = effort
        status = STATUS.get(solver.solve(self._model))
        # Latencies count from the true arrivals, which lie up to a tick behind those on the grid.
        prices, arrivals_s = self._instance.latency_prices, self._instance.arrivals_s
        from_zero = math.fsum(price * arrival_s for price, arrival_s in zip(prices, arrivals_s, strict=True))
        return Optimum(
            status=status or "unknown",
            objective=math.inf if status is None else solver.objective_value / self._units - from_zero,
            bound=max(solver.best_objective_bound, 0.0) / self._units - from_zero,
            schedule=() if status is None else tuple(self._services(solver)),
            wall_s=solver.wall_time,
        )

    def _ticks(self, seconds: float) -> int:
        """Rounded down, so that whatever can be done in time can be done on the grid."""
        return math.floor(seconds / self._tick_s)

    def _time(self, earliest: int = 0) -> Var:
        return self._model.new_int_var(earliest, self._horizon, "")

    def _add_service(self, operation: Operation) -> None:
        model, arrival = self._model, self._ticks(self._instance.arrivals_s[operation.task])
        start, end, ready = self._time(arrival), self._time(arrival), self._time(arrival)
        at = {option.node: model.new_bool_var("") for option in operation.options}
        model.add_exactly_one(at.values())
        service = {option.node: self._ticks(option.service_s) for option in operation.options}
        model.add(end == start + sum(service[node] * here for node, here in at.items()))
        model.add(start >= ready)
        self._at.append(at)
        self._start.append(start)
        self._end.append(end)
        self._ready.append(ready)

    def _add_precedence(self, number: int, operation: Operation) -> None:
        for before in operation.predecessors:
            self._model.add(self._ready[number] >= self._end[before])

    def _add_payload(self, number: int, operation: Operation) -> None:
        """The payload is at home; it sets out when the operation is ready."""
        if operation.payload_bytes <= 0:
            return
        home = self._instance.homes[operation.task]
        for node, here in self._at[number].items():
            if node != home:
                journey = self._instance.journey(home, node, operation.payload_bytes)
                there = self._travel(journey, self._ready[number], here)
                self._model.add(self._start[number] >= there).only_enforce_if(here)

    def _add_answers(self, number: int, operation: Operation) -> None:
        """The answer goes to every other node where a successor runs, once."""
        for target in sorted({node for after in operation.successors for node in self._at[after]}):
            readers = [after for after in operation.successors if target in self._at[after]]
            asked, sets_out = self._requests(readers, target)
            for origin, made_here in self._at[number].items():
                if origin == target:
                    continue
                goes = self._model.new_bool_var("")
                self._model.add_implication(goes, made_here)
                self._model.add_bool_or([~goes, *asked])
                journey = self._instance.journey(origin, target, operation.answer_bytes)
                there = self._travel(journey, sets_out, goes)
                for after in readers:
                    read_there = self._at[after][target]
                    self._model.add_bool_or([~made_here, ~read_there, goes])
                    self._model.add(self._start[after] >= there).only_enforce_if([made_here, read_there])

    def _requests(self, readers: Sequence[int], target: int) -> tuple[list[Var], Var]:
        """Who may have asked for an item to come to a node, and when it sets out: no earlier than who did is ready."""
        if len(readers) == 1:
            return [self._at[readers[0]][target]], self._ready[readers[0]]
        asked = []
        sets_out = self._time()
        for after in readers:
            asks = self._model.new_bool_var("")
            self._model.add_implication(asks, self._at[after][target])
            self._model.add(sets_out >= self._ready[after]).only_enforce_if(asks)
            asked.append(asks)
        return asked, sets_out

    def _add_way_home(self, number: int, operation: Operation) -> None:
        """The task is complete when the answers of its sinks are home."""
        complete, home = self._complete[operation.task], self._instance.homes[operation.task]
        self._model.add(complete >= self._end[number])
        for node, here in self._at[number].items():
            if node != home:
                journey = self._instance.journey(node, home, operation.answer_bytes)
                there = self._travel(journey, self._end[number], here)
                self._model.add(complete >= there).only_enforce_if(here)

    def _travel(self, journey: Journey, sets_out: Var, goes: Var) -> cp_model.LinearExprT:
        """Let an item travel if it goes; when it is there."""
        there: cp_model.LinearExprT = sets_out + self._ticks(journey.first_delay_s)
        for leg in journey.legs:
            start, carry = self._time(), self._ticks(leg.carry_s)
            self._model.add(start >= there).only_enforce_if(goes)
            self._busy[leg.link].append(self._model.new_optional_fixed_size_interval_var(start, carry, goes, ""))
            there = start + carry + self._ticks(leg.delay_s)
        return there

    def _exclude(self) -> None:
        """At most as many services at a node as it has slots, and transfers on a link as it has carriers."""
        served: dict[int, list[cp_model.IntervalVar]] = defaultdict(list)
        for number, operation in enumerate(self._instance.operations):
            for option in operation.options:
                served[option.node].append(
                    self._model.new_optional_fixed_size_interval_var(
                        self._start[number], self._ticks(option.service_s), self._at[number][option.node], ""
                    )
                )
        for node, intervals in served.items():
            self._bound(intervals, self._instance.plant.nodes[node].capacity)
        for link, intervals in self._busy.items():
            self._bound(intervals, self._instance.plant.links[link].spec.copies)

    def _bound(self, intervals: Sequence[cp_model.IntervalVar], capacity: int) -> None:
        if capacity == 1:
            self._model.add_no_overlap(intervals)
        else:
            self._model.add_cumulative(intervals, [1] * len(intervals), capacity)

    def _add_objective(self) -> float:
        """Minimise latencies, counted from time 0, and costs, in whole units rounded down; units per objective of 1."""
        instance = self._instance
        per_tick = [price * self._tick_s for price in instance.latency_prices]
        costs = [
            {option.node: instance.cost_price * option.cost_usd for option in operation.options}
            for operation in instance.operations
        ]
        most = self._horizon * sum(per_tick) + sum(max(by_node.values()) for by_node in costs)
        units = MOST_UNITS / most if most > 0 else 1.0
        late = [math.floor(units * price) * end for price, end in zip(per_tick, self._complete, strict=True)]
        paid = [
            math.floor(units * cost) * at[node]
            for by_node, at in zip(costs, self._at, strict=True)
            for node, cost in by_node.items()
        ]
        self._model.minimize(sum(late) + sum(paid))
        return units

    def _services(self, solver: cp_model.CpSolver) -> Iterator[Service]:
        for number, operation in enumerate(self._instance.operations):
            node = next(node for node, here in self._at[number].items() if solver.boolean_value(here))
            start_s, finish_s = (solver.value(when) * self._tick_s for when in (self._start[number], self._end[number]))
            yield Service(operation.task, operation.subtask, node, start_s, finish_s)


def _latest_s(instance: StaticInstance) -> float:
    """When all can be over whatever the decisions: as if one thing happened after the other, and each at its slowest.

    A schedule that lasts longer waits for nothing somewhere, and another one is as good without.
    """
    nodes = range(len(instance.plant.nodes))
    latest_s = max(instance.arrivals_s, default=0.0)
    for operation in instance.operations:
        home = instance.homes[operation.task]
        fetch_s = max(instance.journey(home, node, operation.payload_bytes).least_s for node in nodes)
        pass_on_s = max(instance.journey(a, b, operation.answer_bytes).least_s for a in nodes for b in nodes)
        serve_s = max(option.service_s for option in operation.options)
        latest_s += fetch_s + serve_s + max(len(operation.successors), 1) * pass_on_s
    return latest_s
