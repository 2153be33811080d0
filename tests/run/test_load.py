"""Offered loads are what one gets by hand, and the bound for all resources is below every way to place work."""

from __future__ import annotations

import math

import pytest

from simoffload.run.load import OfferedLoad, offered_load
from simoffload.schema import load_scenario, load_scenario_text

EDGES, CLOUD, BEST = "everything on edge nodes", "everything in the cloud", "everything, split best"
BOUND = "lower bound for any policy"
PLANT = """\
schema_version: 1
name: by-hand
seed: 1
horizon: {tasks: 10}
catalogue:
  hardware:
    box: {memory: 16 GB, bandwidth: 100 GB/s, compute: 10 TFLOP/s}
  models:
    eye: {parameters: 1e9, weights: 2 GB, modalities: [image], kv_per_token: 1 MB/tok, encoder: {image: 100 ms}}
    mind: {parameters: 1e9, weights: 2 GB, modalities: [text, image], kv_per_token: 1 MB/tok}
  laws:
    - {hardware: box, model: eye, prefill_overhead: 50 ms, prefill: 1000 tok/s, decode: 10 ms/tok}
    - {hardware: box, model: mind, prefill: 2000 tok/s, decode: 20 ms/tok, decode_per_sequence: 2 ms/tok}
edges:
  - {id: press, hardware: box, models: [eye], uplink: {channel: 8 Mbit/s}}
  - {id: paint, hardware: box, models: [eye], speed: 0.5, uplink: {channel: 8 Mbit/s, copies: 2}}
clouds:
  - {id: cloud, hardware: box, models: [mind], server: {kind: batching, max_batch: 5}}
workloads:
  - id: work
    arrivals: {kind: poisson, rate: 0.1 /s}
    template: {kind: explain-analyze-generate, analyze: {min: 2, max: 2}}
    modalities: {image: {tokens: 400 tok, payload: 1 MB}}
    stages:
      explain: {prompt: 100 tok, output: 101 tok}
      analyze: {prompt: 99 tok, output: 51 tok}
      generate: {prompt: 98 tok, output: 1 tok}
    max_output: 1000
"""
READER_AND_WRITER = """\
schema_version: 1
name: reader-and-writer
seed: 1
horizon: {tasks: 10}
catalogue:
  hardware:
    box: {memory: 16 GB, bandwidth: 100 GB/s, compute: 10 TFLOP/s}
  models:
    mind: {parameters: 1e9, weights: 2 GB, modalities: [text]}
edges:
  - {id: reader, hardware: box, models: [mind], law: {mind: {prefill: 10 ktok/s, decode: 100 ms/tok}}}
  - {id: writer, hardware: box, models: [mind], law: {mind: {prefill: 100 tok/s, decode: 1 ms/tok}}}
workloads:
  - id: work
    homes: [reader]
    arrivals: {kind: poisson, rate: 0.1 /s}
    template: {kind: written, subtasks: [{id: only, prompt: 1000 tok, output: 1001 tok}]}
"""
EXPLAIN_S = 0.1 + 0.05 + 500 / 1000 + 100 * 0.01
"""On the edge node of speed 1."""
CLOUD_S = {
    "explain": 500 / 2000 + 100 * (0.02 / 5 + 0.002),
    "analyze": 200 / 2000 + 50 * (0.02 / 5 + 0.002),
    "generate": 200 / 2000,
}
"""In a batch that is always full."""


def loads(text: str, *overrides: str) -> dict[str, float]:
    return {each.resource: each.load for each in offered_load(load_scenario_text(text, overrides=overrides))}


@pytest.mark.parametrize(
    ("name", "rho"),
    [
        ("theory/mm1", 0.8),
        ("theory/mmc", 0.8),
        ("theory/mg1", 0.8),
        ("theory/md1", 0.8),
        ("theory/priority", 0.8),
        ("theory/tandem", 0.7),
    ],
)
def test_the_load_of_a_station_is_rho(name: str, rho: float) -> None:
    found = {each.resource: each.load for each in offered_load(load_scenario(name))}
    assert found[EDGES] == pytest.approx(rho, rel=1e-9)
    assert found[BEST] == pytest.approx(rho, rel=1e-9)
    assert found[BOUND] == pytest.approx(rho, rel=1e-9)
    assert CLOUD not in found


def test_a_station_that_slows_down_has_that_much_less_to_offer() -> None:
    spells = "edges.station.slowdown={kind: random, factor: 4, mean_between: 30 s, mean_lasting: 10 s}"
    found = {each.resource: each.load for each in offered_load(load_scenario("theory/mm1", [spells]))}
    assert found[EDGES] == found[BOUND] == pytest.approx(0.8 / (0.75 + 0.25 / 4))


def test_first_stages_are_shared_out_over_the_nodes_that_read_them() -> None:
    capacity = 1 / EXPLAIN_S + 0.5 / EXPLAIN_S
    assert loads(PLANT)["explain image on edge nodes"] == pytest.approx(0.2 / capacity)


def test_a_cloud_runs_its_batch_full() -> None:
    per_task = CLOUD_S["explain"] + 2 * CLOUD_S["analyze"] + CLOUD_S["generate"]
    assert loads(PLANT)[CLOUD] == pytest.approx(0.2 * per_task)


def test_a_batch_that_memory_bounds_is_smaller() -> None:
    room = 0.9 * (16e9 - 2e9) / 1e6
    share_of_explain, share_of_analyze = (500 + 6000) / room, (200 + 6000) / room
    per_task = 500 / 2000 + 100 * (0.02 * share_of_explain + 0.002)
    per_task += 2 * (200 / 2000 + 50 * (0.02 * share_of_analyze + 0.002)) + 200 / 2000
    assert share_of_explain > 1 / 5
    assert loads(PLANT, "workloads.work.max_output=6000")[CLOUD] == pytest.approx(0.2 * per_task)


def test_chunks_of_prompts_ride_on_iterations() -> None:
    per_task = 500 / 2000 + 100 * (0.02 / 5 + 0.002) + 0.02 * 5 / 5
    per_task += 2 * (200 / 2000 + 50 * (0.02 / 5 + 0.002) + 0.02 * 2 / 5) + 200 / 2000 + 0.02 * 2 / 5
    assert loads(PLANT, "clouds.cloud.server.chunk=100 tok")[CLOUD] == pytest.approx(0.2 * per_task)


def test_an_api_is_bounded_by_its_streams_or_its_request_rate() -> None:
    alone = 4 * 0.6 * math.exp(0.5**2 / 2) + 500 / 2000 + 100 * 0.022 + 2 * (200 / 2000 + 50 * 0.022) + 200 / 2000
    by_streams = loads(PLANT, "clouds.cloud.server={kind: api, streams: 3, request_rate: 10 /s}")
    assert by_streams[CLOUD] == pytest.approx(0.2 * alone / 3)
    by_requests = loads(PLANT, "clouds.cloud.server={kind: api, streams: 100, request_rate: 2 /s}")
    assert by_requests[CLOUD] == pytest.approx(0.2 * 4 / 2)
    assert loads(PLANT, "clouds.cloud.server={kind: api}")[CLOUD] == 0


def test_ways_that_are_not_possible_are_left_out() -> None:
    found = loads(PLANT)
    assert EDGES not in found
    assert "explain text on edge nodes" not in found


def test_an_uplink_carries_the_payloads_of_its_home() -> None:
    pytest.importorskip("simoffload.world.channels")
    found = loads(PLANT)
    assert found["press/uplink with all payloads"] == pytest.approx(0.1 * 8e6 / 8e6)
    assert found["paint/uplink with all payloads"] == pytest.approx(0.1 * 8e6 / 16e6)


def test_loads_grow_in_proportion_to_the_rate() -> None:
    once, twice = loads(PLANT), loads(PLANT, "workloads.work.arrivals.rate=0.2 /s")
    assert twice == {resource: pytest.approx(2 * load) for resource, load in once.items()}


PLANTS = ["smart-factory", "inspection-line", "campus-5g", "tiny", "alarm-storm"]


@pytest.mark.parametrize("name", PLANTS)
def test_no_way_to_place_all_work_is_below_the_bound(name: str) -> None:
    found = {each.resource: each.load for each in offered_load(load_scenario(name))}
    assert 0 < found[BOUND] <= found[BEST] * (1 + 1e-9)
    assert found[BEST] <= min(found[EDGES], found[CLOUD]) * (1 + 1e-9)


@pytest.mark.parametrize("name", PLANTS)
def test_bundled_scenarios_can_be_stable(name: str) -> None:
    found = {each.resource: each.load for each in offered_load(load_scenario(name))}
    assert 0.1 < found[BEST] < 0.85


def test_the_bound_allows_for_sorting_by_length() -> None:
    """One node reads fast, the other writes fast; taken apart, prompts and answers can each have their own."""
    found = loads(READER_AND_WRITER)
    assert found[BEST] == pytest.approx(0.1 / (1 / (0.1 + 100) + 1 / (10 + 1)))
    assert found[BOUND] == pytest.approx(0.1 * (0.1 + 100) / (1 + 100))


def test_the_smart_factory_needs_both_sides() -> None:
    found = {each.resource: each for each in offered_load(load_scenario("smart-factory"))}
    assert found[EDGES].unstable
    assert found[CLOUD].unstable
    assert not found[BEST].unstable


def test_a_load_of_one_is_unstable() -> None:
    assert OfferedLoad("x", 1.0).unstable
    assert not OfferedLoad("x", 0.999).unstable
    best = offered_load(load_scenario_text(PLANT, overrides=["workloads.work.arrivals.rate=9 /s"]))[-1]
    assert (best.resource, best.unstable) == (BOUND, True)
