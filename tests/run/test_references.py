"""The references of the objective are what tasks take and cost in the cloud, one at a time."""

from __future__ import annotations

import pytest

from simoffload.run.references import with_references
from simoffload.schema import Scenario, load_scenario, load_scenario_text

PLANT = """\
schema_version: 1
name: by-hand
seed: 1
horizon: {tasks: 5}
telemetry_interval: 0 s
catalogue:
  hardware:
    box: {memory: 10 GB, bandwidth: 100 GB/s, compute: 10 TFLOP/s, busy_power: 20 W}
  models:
    mind: {parameters: 1e9, weights: 6 GB, modalities: [text], kv_per_token: 0 B/tok}
  laws:
    - {hardware: box, model: mind, prefill: 1000 tok/s, decode: 10 ms/tok}
edges:
  - id: press
    hardware: box
    models: [mind]
    tariff: 1e-6 USD/J
    uplink: {channel: 8 Mbit/s, delay: 10 ms}
    downlink: {channel: 8 Mbit/s, delay: 10 ms}
clouds:
  - {id: cloud, hardware: box, models: [mind], speed: 4, delay: 20 ms, price: {input: 1 USD/Mtok, output: 2 USD/Mtok}}
workloads:
  - id: work
    arrivals: {kind: poisson, rate: 100 /s}
    template: {kind: written, subtasks: [{id: look, prompt: 200 tok, output: 51 tok},
                                         {id: think, after: [look], prompt: 99 tok, output: 1 tok}]}
    modalities: {text: {payload: 1 MB}}
"""
LOOK_S, THINK_S = 200 / 1000 + 50 * 0.01, (99 + 51) / 1000
WAYS_S = 1.0 + 0.03 + 0.03 + 4e-6
"""1 MB up, and an answer of one token home."""


def references(*overrides: str, text: str = PLANT) -> tuple[float, float]:
    objective = with_references(load_scenario_text(text, overrides=overrides)).objective
    assert isinstance(objective.latency_reference, float)
    assert isinstance(objective.cost_reference, float)
    return objective.latency_reference, objective.cost_reference


def test_a_task_alone_in_the_cloud_is_the_reference() -> None:
    # a hundred tasks a second arrive, and still each is served by itself
    latency_s, cost_usd = references()
    assert latency_s == pytest.approx(WAYS_S + (LOOK_S + THINK_S) / 4)
    assert cost_usd == pytest.approx((200 + 150) * 1e-6 + 52 * 2e-6)


def test_without_a_cloud_it_is_a_task_alone_at_home() -> None:
    latency_s, cost_usd = references("clouds=[]")
    assert latency_s == pytest.approx(LOOK_S + THINK_S)
    assert cost_usd == pytest.approx((LOOK_S + THINK_S) * 20 * 1e-6)


def test_where_the_home_cannot_another_edge_node_does_it() -> None:
    deaf = "{id: deaf, hardware: box, models: [ear], uplink: {channel: 8 Mbit/s}}"
    ear = "catalogue.models.ear={parameters: 1e9, weights: 6 GB, modalities: [audio]}"
    listener = "{id: press, hardware: box, models: [mind], downlink: {channel: 8 Mbit/s, delay: 10 ms}}"
    latency_s, _ = references(
        "clouds=[]", ear, f"edges=[{deaf}, {listener}]", "workloads.work.homes=[deaf]", "sites=[{id: plant}]"
    )
    assert latency_s == pytest.approx(LOOK_S + THINK_S), "within a site, over LAN ports that neither has"


def test_references_are_the_same_for_every_seed() -> None:
    found = [with_references(load_scenario("smart-factory", [f"seed={seed}"])).objective for seed in (1, 2)]
    assert found[0] == found[1]


def test_only_what_is_left_open_is_filled_in() -> None:
    assert references("objective.latency_reference=7 s") == (7.0, pytest.approx(350e-6 + 104e-6))
    latency_s, cost_usd = references("objective.cost_reference=3 USD")
    assert (latency_s, cost_usd) == (pytest.approx(WAYS_S + (LOOK_S + THINK_S) / 4), 3.0)
    given = load_scenario_text(PLANT, overrides=["objective={latency_reference: 7 s, cost_reference: 3 USD}"])
    assert with_references(given) is given


def test_nothing_else_of_the_scenario_changes() -> None:
    before: Scenario = load_scenario_text(PLANT)
    after = with_references(before)
    assert after.model_copy(update={"objective": before.objective}) == before
    assert after.objective.latency_weight == before.objective.latency_weight


def test_where_nothing_costs_anything_the_reference_is_1() -> None:
    assert references("clouds=[]", "edges.press.tariff=0 USD/J")[1] == 1.0


def test_workloads_count_as_often_as_their_tasks_arrive() -> None:
    # three in four tasks are of 1 s, the others of 9 s: 3 s on average, give or take four standard errors
    text = (
        PLANT[: PLANT.index("workloads:")]
        + "workloads:\n"
        + "".join(
            f"  - {{id: {name}, arrivals: {{kind: poisson, rate: {rate} /s}}, template: {{kind: written, subtasks: "
            f"[{{id: s, demand: {demand} s}}]}}}}\n"
            for name, rate, demand in (("short", 3, 4), ("long", 1, 36))
        )
    )
    latency_s, _ = references(text=text)
    assert latency_s == pytest.approx(3.0 + 0.03, abs=4 * 8 * (0.75 * 0.25 / 200) ** 0.5)


def test_between_tasks_channels_move_on() -> None:
    # 1 kB takes 1 ms in good and 10 ms in bad times; 200 tasks follow one another for hours, not for two seconds
    fading = "{kind: gilbert-elliott, good: 8 Mbit/s, bad: 800 kbit/s, mean_good: 5 s, mean_bad: 5 s}"
    text = PLANT.replace("payload: 1 MB", "payload: 1 kB")
    for seed in ("a", "b", "c"):
        latency_s, _ = references(f"edges.press.uplink.channel={fading}", f"edges.press.id={seed}", text=text)
        up_s = latency_s - (LOOK_S + THINK_S) / 4 - 0.06 - 4e-6
        assert up_s == pytest.approx(5.5e-3, abs=4 * 4.5e-3 / 200**0.5)
