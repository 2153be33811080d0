"""The world in which things break: crashes of nodes, brown-outs of interfaces, timeouts, retries and dropped tasks.

Written after `docs/faults.md`. Outages of links are no matter of this file: they are stretches at rate 0 in the paths
that the oracle is given. An attempt is the record of a subtask that has been sent somewhere; `subtasks` holds the one
that is under way or has succeeded, `lost` those that came to nothing.

Faults and timeouts come after completions of the same instant, then retries, all of them before arrivals.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .batching import Request
from .paths import Segment
from .world import FAULT, Key, Oracle

Spell = tuple[float, float]
"""Beginning and end, in s."""
DecideAgain = Callable[[int, int, int], tuple[int, float]]
"""(task number, subtask, how often it has been decided before) -> (node, priority)."""


class OracleWithFaults(Oracle):
    """Runs until every task is complete or dropped; attempts that came to nothing are in `lost`."""

    def __init__(
        self,
        scenario: Any,
        tasks: Sequence[Any],
        decide: DecideAgain,
        paths: Mapping[int, Sequence[Segment]],
        *,
        paces: Mapping[int, Sequence[Segment]] | None = None,
        crashes: Mapping[int, Iterable[Spell]] | None = None,
        brownouts: Mapping[int, Iterable[Spell]] | None = None,
        until_s: float = math.inf,
    ) -> None:
        """`crashes` and `brownouts` hold the spells in order of those nodes that have any."""
        super().__init__(scenario, tasks, self._next_decision, paths, paces=paces, until_s=until_s)
        self.decide_again = decide
        self.policy = scenario.faults
        specs = [*scenario.edges, *scenario.clouds]
        self.node_timeouts = [math.inf if spec.timeout is None else spec.timeout for spec in specs]
        self.work_timeouts = [math.inf if spec.timeout is None else spec.timeout for spec in scenario.workloads]
        self.crashes = {n: iter(spells) for n, spells in (crashes or {}).items()}
        self.brownouts = {n: iter(spells) for n, spells in (brownouts or {}).items()}
        self.is_down = [False for _ in self.nodes]
        self.is_browned_out = [False for _ in self.nodes]
        self.decided: Counter[Key] = Counter()
        """How often each subtask has been decided."""
        self.failed: Counter[Key] = Counter()
        """How many attempts at each subtask have failed."""
        self.lost: list[dict[str, Any]] = []

    def run(self) -> Oracle:
        for n, spells in self.crashes.items():
            self._next_spell(spells, self._crash, self._repair, n)
        for n, spells in self.brownouts.items():
            self._next_spell(spells, self._brown_out, self._recover, n)
        return super().run()

    def _next_spell(self, spells: Iterator[Spell], begins: Any, ends: Any, n: int) -> None:
        spell = next(spells, None)
        if spell is not None:
            self._later(spell[0], FAULT, 0, self._spell_begins, spell[1], spells, begins, ends, n)

    def _spell_begins(self, end: float, spells: Iterator[Spell], begins: Any, ends: Any, n: int) -> None:
        self._later(end, FAULT, 0, self._spell_ends, spells, begins, ends, n)
        begins(n)

    def _spell_ends(self, spells: Iterator[Spell], begins: Any, ends: Any, n: int) -> None:
        self._next_spell(spells, begins, ends, n)
        ends(n)

    # ------------------------------------------------------------------ attempts

    def _is_over(self, number: int) -> bool:
        return super()._is_over(number) or self._is_dropped(number)

    def _is_dropped(self, number: int) -> bool:
        return "dropped_s" in self.tasks.get(number, {})

    def _next_decision(self, number: int, subtask: int) -> tuple[int, float]:
        self.decided[number, subtask] += 1
        return self.decide_again(number, subtask, self.decided[number, subtask] - 1)

    def _ready(self, number: int, subtask: int) -> None:
        """The subtask is sent somewhere, and taken back if that takes too long; none of a dropped task is."""
        if self._is_dropped(number):
            return
        super()._ready(number, subtask)
        record = self.subtasks.get((number, subtask))
        if record is not None:
            longest = min(self.node_timeouts[record["node"]], self.work_timeouts[self.tasks_in[number].workload])
            if longest < math.inf:
                self._later(self.now + longest, FAULT, 0, self._timed_out, (number, subtask), record)

    def _answer_home(self, number: int) -> None:
        if not self._is_dropped(number):
            super()._answer_home(number)

    def _billed(self, number: int) -> list[dict[str, Any]]:
        return [*super()._billed(number), *(record for record in self.lost if record["task"] == number)]

    def _is_under_way(self, key: Key, record: dict[str, Any]) -> bool:
        return self.subtasks.get(key) is record and "finish_s" not in record

    # ------------------------------------------------------------------ what ends an attempt

    def _crash(self, n: int) -> None:
        self.is_down[n] = True
        ended = [(key, self.policy.in_service) for key in self._served_at(n)]
        if self.policy.waiting != "stay":
            ended += [(key, self.policy.waiting) for key in self._waiting_at(n)]
        self._end(ended, "crash")

    def _repair(self, n: int) -> None:
        self.is_down[n] = False
        self.resident[n] = self._first_residents(self.nodes[n])
        self._serve_next(n)

    def _enter(self, number: int, subtask: int) -> None:
        """All inputs are there; at a node that is down it waits or is turned away."""
        key, record = (number, subtask), self.subtasks[number, subtask]
        if self.is_down[record["node"]] and self.policy.arriving != "wait":
            self._later(self.now, FAULT, 0, self._turned_away, key, record)
        else:
            super()._enter(number, subtask)

    def _turned_away(self, key: Key, record: dict[str, Any]) -> None:
        """Follows what brought it in the same instant."""
        if self._is_under_way(key, record):
            self._end([(key, self.policy.arriving)], "turned_away")

    def _timed_out(self, key: Key, record: dict[str, Any]) -> None:
        """All whose time is over in this instant are taken back together, in order of task and subtask."""
        due = [(key, record)]
        for happening in list(self.pending):
            if happening["what"] == self._timed_out and happening["when"][0] == self.now:
                self.pending.remove(happening)
                due.append(happening["of"])
        due.sort(key=lambda of: of[0])
        self._end([(key, "lose") for key, record in due if self._is_under_way(key, record)], "timeout")

    def _end(self, ended: Sequence[tuple[Key, str]], cause: str) -> None:
        """These attempts come to nothing, for this cause; then what the policy of each says happens.

        What is left of tasks that are dropped is taken back together with them, so that nothing of one is begun in
        another's place.
        """
        for key, policy in ended:
            self.failed[key] += policy == "lose"
        hopeless = {key[0] for key, policy in ended if policy == "drop" or self.failed[key] > self.policy.retry.limit}
        others = [key for key, record in self.subtasks.items() if key[0] in hopeless and "finish_s" not in record]
        causes = dict.fromkeys(others, "dropped") | {key: cause for key, _ in ended}
        self._take_back(causes)
        for number in hopeless:
            self.tasks[number]["dropped_s"] = self.now
            self._bill_task(number)
        for key, policy in ended:
            if policy == "migrate":
                self._ready(*key)
            elif key[0] not in hopeless:
                retry = self.policy.retry
                wait = min(retry.first * retry.factor ** (self.failed[key] - 1), retry.most)
                self._later(self.now + wait, FAULT, 1, self._ready, *key)

    # ------------------------------------------------------------------ taking back

    def _take_back(self, causes: Mapping[Key, str]) -> None:
        """Wherever they are; servers that fall free take nobody before all of them are gone."""
        places = {self.subtasks[key]["node"] for key in causes}
        for key, cause in causes.items():
            self._lose(key, cause)
        for n in sorted(places):
            self._serve_next(n)

    def _looked_at(self, key: Key) -> dict[str, Any]:
        """The attempt's record, with what a batch knows of it."""
        record = self.subtasks[key]
        server = self.batch[record["node"]]
        for request in server.resident() if server is not None else []:
            if request.key == key:
                record.update(start_s=request.start_s, share_s=request.share_s, iterations=request.iterations)
        return record

    def _lose(self, key: Key, cause: str) -> None:
        record = self._looked_at(key)
        n = record["node"]
        if "start_s" not in record:
            self._out_of_line(n, key)
            record.update(cost_usd=0.0, energy_j=0.0)
        else:
            written = self._out_of_service(n, key)
            self._charge(key, written)
            if self.policy.lost_work == "free":
                record["cost_usd"] = 0.0
        del self.subtasks[key]
        record.update(task=key[0], subtask=key[1], cause=cause, lost_s=self.now)
        for name in ("entered_s", "start_s"):
            record.setdefault(name, math.nan)
        self.lost.append(record)

    def _request(self, n: int, key: Key) -> Request | None:
        server = self.batch[n]
        everyone = [] if server is None else [*server.waiting, *server.resident()]
        return next((request for request in everyone if request.key == key), None)

    def _out_of_line(self, n: int, key: Key) -> None:
        request = self._request(n, key)
        if request is not None:
            self.batch[n].take_out(request, self.now)
        elif key in self.queue[n]:
            self.queue[n].remove(key)

    def _out_of_service(self, n: int, key: Key) -> int:
        """The number of tokens that it has written."""
        record = self.subtasks[key]
        request = self._request(n, key)
        if request is not None:
            written = self.batch[n].written(request)
            self.batch[n].take_out(request, self.now)
            if self.batch[n].running is None:
                self._forget(self._iteration_over, n)
            record.update(share_s=request.share_s, iterations=request.iterations)
            return written
        self.in_service[n].remove(key)
        self._forget(self._served, n, key)
        if self.nodes[n].server.kind == "slots":
            record["share_s"] = (self.now - record["start_s"]) / self.nodes[n].server.slots
        return sum(time <= self.now for time in self._token_times(key))

    def _forget(self, what: Callable[..., None], *of: Any) -> None:
        """It will not happen."""
        self.pending = [h for h in self.pending if not (h["what"] == what and h["of"] == of)]

    def _token_times(self, key: Key) -> Iterator[float]:
        """When each token of a subtask that is served alone is written."""
        record = self.subtasks[key]
        begin = record["start_s"] + record["swap_s"] + record.get("overhead_s", 0.0)
        for work in self._token_works(key):
            yield self._worked(record["node"], begin, work)

    def _token_works(self, key: Key) -> Iterator[float]:
        """Seconds of work at full pace by which each token of a subtask that is served alone is written."""
        record, law, node = self.subtasks[key], self._model(key).law, self.nodes[self.subtasks[key]["node"]]
        work = self._before_tokens(key) + record["prompt"] / law.prefill
        for i in range(record["output"]):
            yield work / node.speed
            work += law.decode + law.decode_per_sequence + law.decode_per_context * (record["prompt"] + 1 + i)

    # ------------------------------------------------------------------ nodes that are down or browned out

    def _served_at(self, n: int) -> list[Key]:
        """Those in service, in the order in which they were taken."""
        server = self.batch[n]
        return [*self.in_service[n]] if server is None else [request.key for request in server.resident()]

    def _waiting_at(self, n: int) -> list[Key]:
        """Those in line, the next one first."""
        server = self.batch[n]
        handed = [] if server is None else [request.key for request in server.waiting]
        return sorted([*handed, *self.queue[n]], key=lambda key: (self._rank(n, key), self.subtasks[key]["order"]))

    def _serve_next(self, n: int) -> None:
        if not self.is_down[n]:
            super()._serve_next(n)

    def _brown_out(self, n: int) -> None:
        self.is_browned_out[n] = True
        self._limits_change(n)

    def _recover(self, n: int) -> None:
        self.is_browned_out[n] = False
        self._limits_change(n)

    def _limits_change(self, n: int) -> None:
        self._forget(self._api_wake, n)
        self.api_wake_set[n] = False
        self._serve_next(n)

    def _api_limits(self, n: int) -> tuple[float, float]:
        streams, request_rate = super()._api_limits(n)
        if self.is_browned_out[n]:
            tighter = self.nodes[n].server.brownouts
            streams = min(streams, tighter.streams or math.inf)
            request_rate = min(request_rate, tighter.request_rate or math.inf)
        return streams, request_rate
