"""The whole world, by a loop that picks the earliest pending happening from a plain list.

State is kept in dictionaries keyed by ``(task number, subtask)``; each queue is a list that is searched for its
smallest member when a server falls free; a batching server runs one iteration per happening.

Where two things happen in the same instant: completions (of services, transfers, delays) before faults (of which
`faults.py` knows) before arrivals, and among completions by entity and then in the order in which they were set going.
A server or link that falls free takes its next customer before what the completion sets free joins any queue, unless
`release_first`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .batching import BatchServer, Request
from .nodes import MODALITIES, Link, Model, Node, read_links, read_nodes
from .paths import Segment, finish_time, known_until

Key = tuple[int, int]
Decide = Callable[[int, int], tuple[int, float]]
"""(task number, subtask) -> (node, priority)."""

COMPLETION, FAULT, ARRIVAL = 0, 1, 2


class Oracle:
    """Runs a list of tasks to the end; results are in `subtasks`, `transfers` and `tasks`."""

    def __init__(
        self,
        scenario: Any,
        tasks: Sequence[Any],
        decide: Decide,
        paths: Mapping[int, Sequence[Segment]],
        *,
        paces: Mapping[int, Sequence[Segment]] | None = None,
        until_s: float = math.inf,
        release_first: bool = False,
    ) -> None:
        """`paces` holds those nodes whose pace changes: its path, in seconds of work per second.

        The run ends at `until_s`, what happens in that instant included, or else once all tasks are over.
        """
        self.bytes_per_token = scenario.bytes_per_token
        self.nodes: list[Node] = read_nodes(scenario)
        self.links: dict[int, Link] = read_links(scenario)
        self.tasks_in = dict(enumerate(tasks))
        self.decide = decide
        self.paths = paths
        self.paces = paces or {}
        self.until_s = until_s
        self.release_first = release_first

        self.now = 0.0
        self.pending: list[dict[str, Any]] = []
        self.set_going = 0
        self.entered_order = 0

        self.subtasks: dict[Key, dict[str, Any]] = {}
        self.tasks: dict[int, dict[str, Any]] = {}
        self.transfers: list[dict[str, Any]] = []
        self.holders: dict[Any, set[int]] = {}
        """Nodes that hold an item (("payload", task, subtask) or ("answer", task, subtask))."""
        self.birthplace: dict[Any, int] = {}
        self.coming: dict[Any, list[Any]] = {}
        """(item, node) -> what waits there for an item that is on its way."""

        self.link_queue: dict[int, list[dict[str, Any]]] = {number: [] for number in self.links}
        self.link_busy: dict[int, int] = dict.fromkeys(self.links, 0)
        self.queue: list[list[Key]] = [[] for _ in self.nodes]
        self.in_service: list[list[Key]] = [[] for _ in self.nodes]
        self.resident: list[dict[str, float]] = [self._first_residents(node) for node in self.nodes]
        """Resident models and when each was last started on, -inf if never."""
        self.batch = [self._batch_server(node) for node in self.nodes]
        self.api_last_start = [-math.inf for _ in self.nodes]
        self.api_wake_set = [False for _ in self.nodes]

    # ------------------------------------------------------------------ the loop

    def run(self) -> Oracle:
        for number, task in self.tasks_in.items():
            self._later(task.arrival_s, ARRIVAL, -1, self._arrive, number)
        while self.pending and not self._is_run_over():
            first = self.pending[0]
            for happening in self.pending:
                if happening["when"] < first["when"]:
                    first = happening
            if first["when"][0] > self.until_s:
                break
            self.pending.remove(first)
            assert first["when"][0] >= self.now, "time runs back"
            self.now = first["when"][0]
            first["what"](*first["of"])
        unfinished = [number for number in self.tasks_in if not self._is_over(number)]
        assert self.until_s < math.inf or not unfinished, f"tasks {unfinished} never end"
        return self

    def _is_run_over(self) -> bool:
        """Whether nothing more is of interest: never where the time says when a run ends."""
        return self.until_s == math.inf and all(self._is_over(number) for number in self.tasks_in)

    def _is_over(self, number: int) -> bool:
        return "finish_s" in self.tasks.get(number, {})

    def _later(self, time: float, rank: int, entity: int, what: Callable[..., None], *of: Any) -> None:
        self.set_going += 1
        self.pending.append({"when": (time, rank, entity, self.set_going), "what": what, "of": of})

    # ------------------------------------------------------------------ the life of a task

    def _arrive(self, number: int) -> None:
        task = self.tasks_in[number]
        self.tasks[number] = {"arrival_s": self.now, "answers_missing": len(task.graph.sinks)}
        for subtask in range(len(task.graph)):
            if task.payload_bytes[subtask] > 0:
                self._create(("payload", number, subtask), task.home)
        for subtask in range(len(task.graph)):
            if not task.graph.predecessors[subtask]:
                self._ready(number, subtask)

    def _ready(self, number: int, subtask: int) -> None:
        task = self.tasks_in[number]
        node, priority = self.decide(number, subtask)
        prompt = task.prompt[subtask] + sum(task.output[p] for p in task.graph.predecessors[subtask])
        record = {
            "node": node,
            "priority": priority,
            "ready_s": self.now,
            "prompt": prompt,
            "output": task.output[subtask],
            "swap_s": 0.0,
        }
        self.subtasks[number, subtask] = record
        needs = [("payload", number, subtask)] if task.payload_bytes[subtask] > 0 else []
        needs += [("answer", number, p) for p in task.graph.predecessors[subtask]]
        missing = [item for item in needs if node not in self.holders[item]]
        record["items_missing"] = len(missing)
        if not missing:
            self._enter(number, subtask)
        for item in missing:
            self._want(item, node, priority, (number, subtask), lambda: self._item_here(number, subtask, record))

    def _item_here(self, number: int, subtask: int, record: dict[str, Any]) -> None:
        """What `record`, an attempt at the subtask, waits for has come; it may have been given up meanwhile."""
        if self.subtasks.get((number, subtask)) is not record:
            return
        record["items_missing"] -= 1
        if record["items_missing"] == 0:
            self._enter(number, subtask)

    def _enter(self, number: int, subtask: int) -> None:
        record = self.subtasks[number, subtask]
        record["entered_s"] = self.now
        self.entered_order += 1
        record["order"] = self.entered_order
        self.queue[record["node"]].append((number, subtask))
        self._serve_next(record["node"])

    def _finish(self, key: Key) -> None:
        """The answer appears; what it makes ready is decided, and a sink's answer sets out for home."""
        number, subtask = key
        task = self.tasks_in[number]
        record = self.subtasks[key]
        record["finish_s"] = self.now
        self._bill(key)
        self._create(("answer", number, subtask), record["node"])
        for successor in sorted(task.graph.successors[subtask]):
            predecessors = task.graph.predecessors[successor]
            if all("finish_s" in self.subtasks.get((number, p), {}) for p in predecessors):
                self._ready(number, successor)
        if not task.graph.successors[subtask]:
            item = ("answer", number, subtask)
            if task.home in self.holders[item]:
                self._answer_home(number)
            else:
                self._want(item, task.home, record["priority"], key, lambda: self._answer_home(number))

    def _answer_home(self, number: int) -> None:
        state = self.tasks[number]
        state["answers_missing"] -= 1
        if state["answers_missing"] == 0:
            state["finish_s"] = self.now
            state["latency_s"] = self.now - state["arrival_s"]
            self._bill_task(number)

    def _billed(self, number: int) -> list[dict[str, Any]]:
        """What has been done for a task."""
        return [record for (task, _), record in self.subtasks.items() if task == number and "cost_usd" in record]

    def _bill_task(self, number: int) -> None:
        for name in ("cost_usd", "energy_j"):
            self.tasks[number][name] = math.fsum(record[name] for record in self._billed(number))

    # ------------------------------------------------------------------ items and transfers

    def _create(self, item: Any, node: int) -> None:
        self.birthplace[item] = node
        self.holders[item] = {node}

    def _want(self, item: Any, node: int, priority: float, consumer: Key, then: Callable[[], None]) -> None:
        """Run `then` once the item is at the node; send it there unless it is on its way already."""
        if (item, node) in self.coming:
            self.coming[item, node].append(then)
            return
        self.coming[item, node] = [then]
        kind, number, subtask = item
        task = self.tasks_in[number]
        size = task.payload_bytes[subtask] if kind == "payload" else self.bytes_per_token * task.output[subtask]
        transfer = {
            "item": item,
            "to": node,
            "priority": priority,
            "consumer": consumer,
            "bytes": size,
            "legs": self._legs(self.birthplace[item], node),
        }
        self._go_on(transfer)

    def _legs(self, a: int, b: int) -> list[tuple[str, float]]:
        """The way from a to b: ("wait", seconds) and ("link", number), in order."""
        from_node, to_node = self.nodes[a], self.nodes[b]
        if from_node.is_cloud and to_node.is_cloud:
            return [("wait", from_node.delay + to_node.delay)]
        if to_node.is_cloud:
            return [*self._over(3 * a, to_node.delay)]
        if from_node.is_cloud:
            return [("wait", from_node.delay), *self._over(3 * b + 1, 0.0)]
        if from_node.site == to_node.site:
            return [*self._over(3 * a + 2, 0.0)]
        return [*self._over(3 * a, 0.0), *self._over(3 * b + 1, 0.0)]

    def _over(self, link: int, further_delay: float) -> list[tuple[str, float]]:
        if link not in self.links:
            return [("wait", further_delay)]
        return [("link", link), ("wait", self.links[link].delay + further_delay)]

    def _go_on(self, transfer: dict[str, Any]) -> None:
        """Take the next leg of the way, or be delivered."""
        if not transfer["legs"]:
            self.holders[transfer["item"]].add(transfer["to"])
            for then in self.coming.pop((transfer["item"], transfer["to"])):
                then()
            return
        kind, value = transfer["legs"].pop(0)
        if kind == "wait" and value == 0:
            self._leg_done(transfer)
        elif kind == "wait":
            self._later(self.now + value, COMPLETION, len(self.nodes), self._leg_done, transfer)
        else:
            self.entered_order += 1
            row = {
                "task": transfer["consumer"][0],
                "subtask": transfer["consumer"][1],
                "link": value,
                "bytes": transfer["bytes"],
                "queued_s": self.now,
            }
            transfer["row"], transfer["order"] = row, self.entered_order
            self.link_queue[value].append(transfer)
            self._carry_next(value)

    def _leg_done(self, transfer: dict[str, Any]) -> None:
        row = transfer.pop("row", None)
        if row is not None:
            row["delivered_s"] = self.now
            self.transfers.append(row)
        self._go_on(transfer)

    def _carry_next(self, number: int) -> None:
        link = self.links[number]
        while self.link_queue[number] and self.link_busy[number] < link.copies:
            transfer = self._next_transfer(number)
            self.link_queue[number].remove(transfer)
            self.link_busy[number] += 1
            transfer["row"]["start_s"] = self.now
            end = finish_time(self.paths[number], self.now, 8 * transfer["bytes"])
            if end == math.inf:
                self._later(known_until(self.paths[number]), COMPLETION, -1, self._path_ends, number)
            else:
                self._later(end, COMPLETION, len(self.nodes) + 1 + number, self._carried, number, transfer)

    def _next_transfer(self, number: int) -> dict[str, Any]:
        """The one of those that wait at a link that goes first."""
        by_priority = self.links[number].by_priority
        return min(self.link_queue[number], key=lambda t: (t["priority"] if by_priority else 0.0, t["order"]))

    def _path_ends(self, number: int) -> None:
        raise AssertionError(f"the rate path given of link {number} is too short")

    def _carried(self, number: int, transfer: dict[str, Any]) -> None:
        transfer["row"]["end_s"] = self.now
        self.link_busy[number] -= 1
        if self.release_first:
            self._go_on(transfer)
            self._carry_next(number)
        else:
            self._carry_next(number)
            self._go_on(transfer)

    # ------------------------------------------------------------------ service

    def _serve_next(self, n: int) -> None:
        kind = self.nodes[n].server.kind
        if kind == "slots":
            self._slots_next(n)
        elif kind == "api":
            self._api_next(n)
        else:
            self._batch_next(n)

    def _in_line(self, n: int) -> list[Key]:
        """Those who wait at the node, first in line first."""
        return sorted(self.queue[n], key=lambda key: (self._rank(n, key), self.subtasks[key]["order"]))

    def _rank(self, n: int, key: Key) -> float:
        return 0.0 if self.nodes[n].discipline == "fifo" else self.subtasks[key]["priority"]

    def _model(self, key: Key) -> Model:
        graph = self.tasks_in[key[0]].graph
        return self.nodes[self.subtasks[key]["node"]].model_for(graph.stages[key[1]], graph.modalities[key[1]])

    def _before_tokens(self, key: Key) -> float:
        """Encoder, prefill overhead and further demand, in s at speed 1; without tokens only the demand."""
        task, record, model = self.tasks_in[key[0]], self.subtasks[key], self._model(key)
        if record["prompt"] == 0 and record["output"] == 0:
            return task.demand_s[key[1]]
        encoder = 0.0
        if task.graph.stages[key[1]] == 0:
            encoder = model.encoder.get(MODALITIES[task.graph.modalities[key[1]]], 0.0)
        return encoder + model.law.prefill_overhead + task.demand_s[key[1]]

    def _alone(self, key: Key) -> tuple[float, float]:
        """(seconds to the first token, seconds to the last) of a subtask served alone, without swap or API overhead."""
        record, law, node = self.subtasks[key], self._model(key).law, self.nodes[self.subtasks[key]["node"]]
        first = self._before_tokens(key) + record["prompt"] / law.prefill
        decode = 0.0
        for i in range(record["output"] - 1):
            decode += law.decode + law.decode_per_sequence * 1 + law.decode_per_context * (record["prompt"] + 1 + i)
        return first / node.speed, (first + decode) / node.speed

    def _first_residents(self, node: Node) -> dict[str, float]:
        resident: dict[str, float] = {}
        used = 0.0
        for model in node.models:
            if used + model.weights <= node.memory:
                resident[model.name] = -math.inf
                used += model.weights
        return resident

    def _slots_next(self, n: int) -> None:
        started = True
        while started and len(self.in_service[n]) < self.nodes[n].server.slots:
            started = False
            for key in self._in_line(n):
                swap = self._make_resident(n, self._model(key))
                if swap is not None:
                    self._start_in_slot(n, key, swap)
                    started = True
                    break

    def _make_resident(self, n: int, model: Model) -> float | None:
        """Seconds of swapping before the model can serve; None (and nothing changed) if it cannot be made to fit."""
        node, resident = self.nodes[n], self.resident[n]
        if model.name in resident:
            return 0.0
        weights = {m.name: m.weights for m in node.models}
        in_use = {self._model(key).name for key in self.in_service[n]}
        free = node.memory - sum(weights[name] for name in resident)
        listed = [m.name for m in node.models]
        idle = sorted((name for name in resident if name not in in_use), key=lambda x: (resident[x], listed.index(x)))
        evicted = []
        while free < model.weights and idle:
            free += weights[idle[0]]
            evicted.append(idle.pop(0))
        if free < model.weights:
            return None
        for name in evicted:
            del resident[name]
        return node.load_s[model.name]

    def _start_in_slot(self, n: int, key: Key, swap: float) -> None:
        record, model = self.subtasks[key], self._model(key)
        self.resident[n][model.name] = self.now
        self.queue[n].remove(key)
        self.in_service[n].append(key)
        first, last = (self._worked(n, self.now + swap, work) for work in self._alone(key))
        record.update(start_s=self.now, swap_s=swap, first_token_s=first)
        self._later(last, COMPLETION, n, self._served, n, key)

    def _worked(self, n: int, begin: float, work: float) -> float:
        """When work of so many seconds that begins then is done at the node's pace."""
        if n not in self.paces:
            return begin + work
        end = finish_time(self.paces[n], begin, work)
        assert end < math.inf, "the pace given is too short"
        return end

    def _api_next(self, n: int) -> None:
        node = self.nodes[n]
        streams, request_rate = self._api_limits(n)
        while self.queue[n] and len(self.in_service[n]) < streams:
            next_start = self.api_last_start[n] + 1 / request_rate
            if self.now < next_start:
                if not self.api_wake_set[n]:
                    self.api_wake_set[n] = True
                    self._later(next_start, COMPLETION, n, self._api_wake, n)
                return
            key = self._in_line(n)[0]
            self.queue[n].remove(key)
            self.in_service[n].append(key)
            self.api_last_start[n] = self.now
            noise = self.tasks_in[key[0]].api_noise[key[1]]
            overhead = node.server.overhead_median * math.exp(node.server.overhead_sigma * noise)
            first, last = self._alone(key)
            self.subtasks[key].update(start_s=self.now, overhead_s=overhead, first_token_s=self.now + overhead + first)
            self._later(self.now + overhead + last, COMPLETION, n, self._served, n, key)

    def _api_limits(self, n: int) -> tuple[float, float]:
        """(requests in service, requests per second) that the interface lets through at most."""
        server = self.nodes[n].server
        return server.streams or math.inf, server.request_rate or math.inf

    def _api_wake(self, n: int) -> None:
        self.api_wake_set[n] = False
        self._serve_next(n)

    def _served(self, n: int, key: Key) -> None:
        self.in_service[n].remove(key)
        if self.release_first:
            self._finish(key)
            self._serve_next(n)
        else:
            self._serve_next(n)
            self._finish(key)

    def _batch_server(self, node: Node) -> BatchServer | None:
        if node.server.kind != "batching":
            return None
        law = node.models[0].law
        return BatchServer(
            decode=law.decode,
            per_sequence=law.decode_per_sequence,
            per_context=law.decode_per_context,
            prefill=law.prefill,
            speed=node.speed,
            max_batch=node.server.max_batch,
            kv_tokens=node.kv_tokens,
            chunk=None if node.server.chunk is None else int(node.server.chunk),
        )

    def _batch_next(self, n: int) -> None:
        """Hand those who wait to the batch; if it stands still this instant is a boundary."""
        server = self.batch[n]
        for key in self.queue[n]:
            task, record = self.tasks_in[key[0]], self.subtasks[key]
            server.waiting.append(
                Request(
                    key=key,
                    priority=self._rank(n, key),
                    order=record["order"],
                    prompt=record["prompt"],
                    output=record["output"],
                    reserve=record["prompt"] + task.max_output,
                    fixed_s=self._before_tokens(key),
                )
            )
        self.queue[n].clear()
        if server.running is None:
            self._boundary(n)

    def _boundary(self, n: int) -> None:
        duration = self.batch[n].begin(self.now)
        if duration is not None:
            end = self._worked(n, self.now, duration)
            self.batch[n].stretch(end - self.now)
            self._later(end, COMPLETION, n, self._iteration_over, n)

    def _iteration_over(self, n: int) -> None:
        gone = self.batch[n].end(self.now)
        for request in gone:
            self.subtasks[request.key].update(
                start_s=request.start_s,
                first_token_s=request.first_token_s,
                share_s=request.share_s,
                iterations=request.iterations,
            )
        if self.release_first:
            self.batch[n].running = ("held", 0.0)
            for request in gone:
                self._finish(request.key)
            self.batch[n].running = None
            self._boundary(n)
        else:
            self._boundary(n)
            for request in gone:
                self._finish(request.key)

    # ------------------------------------------------------------------ cost and energy

    def _bill(self, key: Key) -> None:
        record = self.subtasks[key]
        node = self.nodes[record["node"]]
        if node.server.kind == "slots":
            record["share_s"] = (record["finish_s"] - record["start_s"]) / node.server.slots
        self._charge(key, record["output"])

    def _charge(self, key: Key, written: int) -> None:
        """Cost and energy of an attempt that has had its share of the node and written so many tokens."""
        record, law, node = self.subtasks[key], self._model(key).law, self.nodes[self.subtasks[key]["node"]]
        share = 0.0 if node.server.kind == "api" else record["share_s"]
        energy = node.busy_power * share
        if node.server.kind == "api":
            energy = 0.0
        elif node.server.kind == "batching" and (law.energy_per_token > 0 or law.energy_per_iteration > 0):
            tokens = record["prompt"] + written
            energy = law.energy_per_token * tokens + law.energy_per_iteration * record["iterations"]
        record["energy_j"] = energy
        if node.price is not None:
            record["cost_usd"] = record["prompt"] * node.price.input + written * node.price.output
        else:
            record["cost_usd"] = energy * node.tariff + node.amortisation * share
