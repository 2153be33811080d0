"""The oracle itself, on cases worked out by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from tests.oracle.batching import BatchServer, Request, serve
from tests.oracle.paths import finish_time
from tests.oracle.world import Oracle

LAW = SimpleNamespace(
    prefill_overhead=0.05,
    prefill=1000.0,
    decode=0.01,
    decode_per_sequence=0.001,
    decode_per_context=1e-5,
    energy_per_token=0.0,
    energy_per_iteration=0.0,
)
SLOT = SimpleNamespace(kind="slots", slots=1)
MODELS = {
    "wide": SimpleNamespace(weights=6.0, modalities=["text", "image"], encoder={"image": 0.3}, kv_per_token=0.0),
    "ear": SimpleNamespace(weights=6.0, modalities=["audio"], encoder={}, kv_per_token=0.0),
}
HARDWARE = SimpleNamespace(
    memory=10.0, load_overhead=0.2, load_rate=10.0, busy_power=10.0, idle_power=1.0, amortisation=1e-5
)


def node(name: str, models: list[str], **changes: Any) -> SimpleNamespace:
    fields: dict[str, Any] = {
        "id": name,
        "hardware": "machine",
        "models": models,
        "law": {},
        "memory": None,
        "server": SLOT,
        "discipline": "agent",
        "speed": 1.0,
        "idle_power": None,
        "busy_power": None,
        "tariff": 1e-6,
        "amortisation": None,
    }
    return SimpleNamespace(**(fields | changes))


def link(delay: float = 0.01) -> SimpleNamespace:
    return SimpleNamespace(delay=delay, discipline="agent", copies=1)


def world(edges: list[Any], clouds: list[Any]) -> SimpleNamespace:
    laws = [SimpleNamespace(model=name, hardware="machine", **vars(LAW)) for name in MODELS]
    return SimpleNamespace(
        bytes_per_token=4.0,
        links={},
        edges=edges,
        clouds=clouds,
        catalogue=SimpleNamespace(hardware={"machine": HARDWARE}, models=MODELS, laws=laws, prices={}),
    )


class Graph:
    def __init__(self, stages: list[int], modalities: list[int], predecessors: list[tuple[int, ...]]) -> None:
        self.stages, self.modalities, self.predecessors = stages, modalities, predecessors
        every = range(len(stages))
        self.successors = [tuple(j for j in every if i in predecessors[j]) for i in every]
        self.sinks = [i for i in every if not self.successors[i]]

    def __len__(self) -> int:
        return len(self.stages)


def task(graph: Graph, arrival_s: float = 0.0, **changes: Any) -> SimpleNamespace:
    n = len(graph)
    fields: dict[str, Any] = {
        "home": 0,
        "arrival_s": arrival_s,
        "graph": graph,
        "max_output": 10,
        "prompt": [0] * n,
        "output": [0] * n,
        "payload_bytes": [0.0] * n,
        "demand_s": [0.0] * n,
        "api_noise": [0.0] * n,
    }
    return SimpleNamespace(**(fields | changes))


def test_a_transfer_follows_the_rate_as_it_changes() -> None:
    path = [(1.0, 100.0), (2.0, 0.0), (1.0, 50.0), (math.inf, 10.0)]
    assert finish_time(path, 0.5, 50) == 1.0
    assert finish_time(path, 0.5, 60) == 3.2
    assert finish_time(path, 1.5, 60) == 5.0
    assert finish_time(path, 2.0, 0) == 2.0
    assert finish_time(path[:3], 2.0, 51) == math.inf


def test_a_subtask_goes_to_the_cloud_and_its_answer_comes_home() -> None:
    scenario = world(
        [node("edge", ["wide"], site="plant", uplink=link(), downlink=link(0.005), lan=None)],
        [node("cloud", ["wide"], speed=2.0, price=None, delay=0.02)],
    )
    one = task(Graph([0], [1], [()]), 1.0, prompt=[100], output=[3], payload_bytes=[1e6], demand_s=[0.4])
    steady = {0: [(100.0, 8e6)], 1: [(100.0, 96.0)]}
    oracle = Oracle(scenario, [one], lambda *_: (1, 0.0), steady).run()
    row = oracle.subtasks[0, 0]
    first = (0.3 + 0.05 + 0.1 + 0.4) / 2
    decode = (0.01 + 0.001 + 101e-5 + 0.01 + 0.001 + 102e-5) / 2
    assert row["entered_s"] == row["start_s"] == pytest.approx(1 + 1 + 0.01 + 0.02)
    assert row["first_token_s"] == pytest.approx(2.03 + first)
    assert row["finish_s"] == pytest.approx(2.03 + first + decode)
    assert row["energy_j"] == pytest.approx(10 * (first + decode))
    assert row["cost_usd"] == pytest.approx(row["energy_j"] * 1e-6 + 1e-5 * (first + decode))
    assert oracle.tasks[0]["latency_s"] == pytest.approx(1.03 + first + decode + 0.02 + 1.0 + 0.005)
    assert [r["link"] for r in oracle.transfers] == [0, 1]


def test_an_answer_two_successors_need_on_one_node_travels_once() -> None:
    scenario = world(
        [node("edge", ["wide"], site="plant", uplink=link(), downlink=link(), lan=None)],
        [node("cloud", ["wide"], price=None, delay=0.0)],
    )
    graph = Graph([0, 1, 1, 2], [0, 0, 0, 0], [(), (0,), (0,), (1, 2)])
    one = task(graph, output=[10, 0, 0, 1], demand_s=[1.0, 1.0, 2.0, 1.0], prompt=[1] * 4)
    oracle = Oracle(scenario, [one], lambda _, i: (0 if i == 0 else 1, 0.0), {0: [(99, 320)], 1: [(99, 320)]}).run()
    assert [(r["link"], r["bytes"]) for r in oracle.transfers] == [(0, 40.0), (1, 4.0)]
    assert oracle.subtasks[0, 1]["entered_s"] == oracle.subtasks[0, 2]["entered_s"]
    assert oracle.subtasks[0, 2]["start_s"] == oracle.subtasks[0, 1]["finish_s"]
    assert oracle.subtasks[0, 3]["prompt"] == 1


def test_between_sites_a_payload_is_stored_and_forwarded() -> None:
    a = node("a", ["wide"], site="north", uplink=link(0.5), downlink=link(), lan=link())
    b = node("b", ["wide"], site="south", uplink=link(), downlink=link(0.25), lan=link())
    one = task(Graph([0], [0], [()]), payload_bytes=[100.0], demand_s=[1.0])
    paths = {0: [(99.0, 800.0)], 4: [(99.0, 400.0)], 3: [(99.0, 1.0)], 1: [(99.0, 1.0)]}
    oracle = Oracle(world([a, b], []), [one], lambda *_: (1, 0.0), paths).run()
    assert [(r["link"], r["queued_s"], r["end_s"], r["delivered_s"]) for r in oracle.transfers] == [
        (0, 0.0, 1.0, 1.5),
        (4, 1.5, 3.5, 3.75),
        (3, 4.75, 4.75, 4.76),
        (1, 4.76, 4.76, 4.77),
    ]
    assert oracle.subtasks[0, 0]["start_s"] == 3.75


def test_an_idle_model_makes_room_and_a_busy_one_is_passed_over() -> None:
    two = SimpleNamespace(kind="slots", slots=2)
    edge = node("edge", ["wide", "ear"], server=two, site="plant", uplink=None, downlink=None, lan=None)
    text, audio = Graph([0], [0], [()]), Graph([0], [2], [()])
    tasks = [
        task(text, 0.0, demand_s=[1.0]),
        task(audio, 0.1, demand_s=[1.0]),
        task(text, 0.2, demand_s=[1.0]),
        task(audio, 0.3, demand_s=[1.0]),
    ]
    oracle = Oracle(world([edge], []), tasks, lambda *_: (0, 0.0), {}).run()
    rows = [oracle.subtasks[k, 0] for k in range(4)]
    assert [row["start_s"] for row in rows] == pytest.approx([0.0, 1.2, 0.2, 1.2])
    assert [row["swap_s"] for row in rows] == pytest.approx([0.0, 0.8, 0.0, 0.0])
    assert [row["finish_s"] for row in rows] == pytest.approx([1.0, 3.0, 1.2, 2.2])


def batch(requests: list[Request], **changes: Any) -> None:
    fields: dict[str, Any] = {
        "decode": 1.0,
        "per_sequence": 0.1,
        "per_context": 0.01,
        "prefill": 10.0,
        "speed": 1.0,
        "max_batch": 4,
        "kv_tokens": 1000,
        "chunk": None,
    }
    serve(BatchServer(**(fields | changes)), requests)


def request(order: int, entered_s: float, prompt: int, output: int, **changes: Any) -> Request:
    fields: dict[str, Any] = {"priority": 0.0, "reserve": prompt + 10, "fixed_s": 0.5}
    return Request(key=order, order=order, prompt=prompt, output=output, entered_s=entered_s, **(fields | changes))


def test_a_prompt_stalls_the_batch_and_is_taken_at_the_next_boundary() -> None:
    a, b = request(0, 0.0, 10, 3), request(1, 2.0, 20, 2)
    batch([a, b])
    assert a.first_token_s == 1.5
    assert b.start_s == pytest.approx(1.5 + 1 + 0.1 + 0.11)
    assert b.first_token_s == pytest.approx(2.71 + 2.5)
    assert a.finish_s == b.finish_s == pytest.approx(5.21 + 1 + 0.2 + 0.01 * (12 + 21))
    assert a.share_s == pytest.approx(1.5 + 1.21 + 1.53 / 2)
    assert (a.iterations, b.iterations) == (2.5, 1.5)


def test_a_head_that_does_not_fit_blocks_those_behind() -> None:
    a = request(0, 0.0, 10, 5)
    b = request(1, 0.1, 30, 1)
    c = request(2, 0.2, 1, 1)
    batch([a, b, c], kv_tokens=40)
    assert b.start_s == a.finish_s
    assert c.start_s == b.finish_s


def test_chunks_of_a_prompt_ride_along_with_the_decoding_members() -> None:
    a, b = request(0, 0.0, 4, 3), request(1, 0.1, 5, 1)
    batch([a, b], chunk=4)
    assert a.first_token_s == pytest.approx(1 + 0.4 + 0.5)
    first_chunk = 1.9 + 1 + 0.1 + 0.01 * 5 + 0.4 + 0.5
    second_chunk = first_chunk + 1 + 0.1 + 0.01 * 6 + 0.1
    assert a.finish_s == b.first_token_s == b.finish_s == pytest.approx(second_chunk)
    assert b.iterations == 1.0
