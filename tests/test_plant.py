"""A scenario's names become numbers, its laws are scaled by speed, and routes take the links that there are."""

from __future__ import annotations

import math

import pytest

from simoffload.laws import ServingLaw
from simoffload.plant import KV_SHARE, Plant, PlantNode, Route, build_plant, derive_law, find_law
from simoffload.schema import load_scenario_text, whole_catalogue

TEXT = """\
schema_version: 1
name: plant
seed: 1
horizon: {tasks: 1}
catalogue:
  hardware:
    box: {memory: 10 GB, bandwidth: 100 GB/s, compute: 8 TFLOP/s, idle_power: 5 W, busy_power: 40 W,
          load_rate: 2 GB/s, load_overhead: 500 ms, amortisation: 3 USD/h}
  models:
    small: {parameters: 1e9, weights: 2 GB, modalities: [text], kv_per_token: 10 kB/tok}
    seeing: {parameters: 4e9, weights: 6 GB, modalities: [image, text], encoder: {image: 400 ms},
             skill: {explain: 1, analyze: 2, generate: 3}, modality_skill: {image: 0.5}}
    hearing: {parameters: 4e9, weights: 3 GB, modalities: [audio]}
  laws:
    - {hardware: box, model: small, prefill: 100 tok/s, decode: 30 ms/tok}
    - {hardware: box, model: small, prefill_overhead: 100 ms, prefill: 400 tok/s, decode: 20 ms/tok,
       decode_per_sequence: 2 ms/tok, decode_per_context: 1e-6,
       energy_per_token: 2 J/tok, energy_per_iteration: 3 J/tok}
  prices:
    list: {input: 1 USD/Mtok, output: 4 USD/Mtok}
links:
  radio: {channel: 20 Mbit/s, delay: 10 ms}
sites: [{id: north}, {id: south}]
edges:
  - {id: a, site: north, hardware: box, models: [small], server: {kind: batching, max_batch: 4}, speed: 2,
     uplink: radio, downlink: {channel: 50 Mbit/s, delay: 20 ms}, lan: {channel: 1 Gbit/s, delay: 1 ms}}
  - {id: b, site: north, hardware: box, models: [hearing, small, seeing], discipline: wspt, tariff: 0.36 USD/kWh,
     uplink: radio, downlink: radio}
  - {id: c, site: south, hardware: box, models: [seeing], memory: 20 GB, idle_power: 1 W, busy_power: 2 W,
     amortisation: 0 USD/h, downlink: radio, server: {kind: slots, slots: 3}}
clouds:
  - {id: big, hardware: box, models: [seeing], price: list, delay: 30 ms, server: {kind: api}}
  - {id: own, hardware: box, models: [small], delay: 50 ms, server: {kind: batching, max_batch: 2, kv_tokens: 5000 tok},
     law: {small: {prefill: 1000 tok/s, decode: 10 ms/tok}}}
workloads:
  - id: work
    arrivals: {kind: poisson, rate: 1 /s}
    template: {kind: explain-analyze-generate}
    modalities: {text: {tokens: 10 tok}}
    max_output: 100
"""
SCENARIO = load_scenario_text(TEXT)
PLANT = build_plant(SCENARIO, whole_catalogue(SCENARIO))
A, B, C, BIG, OWN = PLANT.nodes


def test_edges_come_first_in_the_order_of_the_scenario() -> None:
    assert [(node.number, node.id, node.is_cloud, node.site) for node in PLANT.nodes] == [
        (0, "a", False, 0), (1, "b", False, 0), (2, "c", False, 1), (3, "big", True, -1), (4, "own", True, -1),
    ]  # fmt: skip
    assert PLANT.edge_count == 3


def test_links_are_numbered_three_to_an_edge() -> None:
    assert {number: link.id for number, link in PLANT.links.items()} == {
        0: "a/uplink", 1: "a/downlink", 2: "a/lan", 3: "b/uplink", 4: "b/downlink", 7: "c/downlink",
    }  # fmt: skip
    assert {link.number for link in PLANT.links.values()} == set(PLANT.links)
    assert PLANT.links[0].spec == PLANT.links[3].spec == SCENARIO.links["radio"]
    assert PLANT.links[1].spec.delay == 0.02


def test_of_measured_laws_the_last_one_counts_with_its_times_divided_by_the_speed() -> None:
    assert A.models[0].law == ServingLaw(
        prefill_overhead_s=0.05,
        prefill_s_per_token=1 / 800,
        decode_s=0.01,
        decode_s_per_sequence=0.001,
        decode_s_per_context_token=5e-7,
        energy_j_per_token=2.0,
        energy_j_per_iteration=3.0,
    )


def test_a_nodes_own_law_goes_before_measured_ones_and_these_before_the_roofline() -> None:
    catalogue = whole_catalogue(SCENARIO)
    assert find_law(SCENARIO.clouds[1], "small", catalogue).prefill == 1000
    assert find_law(SCENARIO.edges[1], "small", catalogue).prefill == 400
    assert find_law(SCENARIO.edges[1], "hearing", catalogue).source.startswith("derived")


def test_the_roofline_reads_all_weights_for_a_token_and_computes_twice_the_parameters() -> None:
    catalogue = whole_catalogue(SCENARIO)
    law = derive_law(catalogue.models["seeing"], catalogue.hardware["box"])
    assert law.prefill == pytest.approx(0.25 * 8e12 / (2 * 4e9))
    assert law.decode == pytest.approx(6e9 / (0.65 * 100e9))
    assert C.models[0].law.prefill_s_per_token == pytest.approx(1 / 250)


def test_a_modality_goes_to_the_first_model_that_serves_it() -> None:
    assert A.model_for == (0, -1, -1, -1)
    assert B.model_for == (1, 2, 0, -1)
    assert [model.name for model in B.models] == ["hearing", "small", "seeing"]


def test_models_are_in_memory_from_the_start_as_far_as_they_fit_in_their_order() -> None:
    assert B.resident == (0, 1)
    assert (B.memory_bytes, C.memory_bytes) == (10e9, 20e9)
    assert C.resident == (0,)


def test_a_model_is_loaded_at_the_rate_of_the_hardware() -> None:
    assert [model.swap_s for model in B.models] == [0.5 + 1.5, 0.5 + 1.0, 0.5 + 3.0]


def test_encoders_and_skills_go_by_modality() -> None:
    seeing = C.models[0]
    assert seeing.serves == (True, True, False, False)
    assert seeing.encoder_s == (0.0, 0.4, 0.0, 0.0)
    assert (seeing.skill, seeing.modality_skill) == ((1.0, 2.0, 3.0), (0.0, 0.5, 0.0, 0.0))


def test_kv_memory_is_a_share_of_what_the_weights_leave_unless_it_is_given() -> None:
    assert A.kv_tokens == pytest.approx(KV_SHARE * 8e9 / 10e3)
    assert OWN.kv_tokens == 5000
    assert C.kv_tokens == math.inf


def test_power_and_wear_are_the_hardwares_unless_the_node_has_its_own() -> None:
    def seen(node: PlantNode) -> tuple[float, float, float]:
        return node.idle_power_w, node.busy_power_w, node.amortisation_usd_per_s

    assert seen(A) == (5.0, 40.0, 3 / 3600)
    assert seen(C) == (1.0, 2.0, 0.0)
    assert B.tariff_usd_per_j == pytest.approx(0.36 / 3.6e6)


def test_only_clouds_have_prices() -> None:
    assert (BIG.is_priced, BIG.price_in_usd, BIG.price_out_usd) == (True, pytest.approx(1e-6), pytest.approx(4e-6))
    assert (OWN.is_priced, OWN.price_in_usd) == (False, 0.0)
    assert not A.is_priced


def test_capacity_is_slots_or_sequences_or_streams() -> None:
    assert [node.capacity for node in PLANT.nodes] == [4, 1, 3, 0, 2]


ROUTES = {
    "to itself": (0, 0, Route(0.0, ())),
    "to a cloud": (0, 3, Route(0.0, ((0, 0.01 + 0.03),))),
    "to a cloud without an up-link": (2, 4, Route(0.05, ())),
    "from a cloud": (4, 0, Route(0.05, ((1, 0.02),))),
    "between clouds": (3, 4, Route(0.03 + 0.05, ())),
    "within a site": (0, 1, Route(0.0, ((2, 0.001),))),
    "within a site without a port": (1, 0, Route(0.0, ())),
    "to another site": (1, 2, Route(0.0, ((3, 0.01), (7, 0.01)))),
    "to another site without an up-link": (2, 0, Route(0.0, ((1, 0.02),))),
}


@pytest.mark.parametrize("way", ROUTES)
def test_routes(way: str) -> None:
    source, target, route = ROUTES[way]
    assert PLANT.route(source, target) == route


def test_a_plant_without_links_is_infinitely_fast() -> None:
    bare = Plant(PLANT.nodes, {}, 3)
    assert {bare.route(here, there) for here in range(3) for there in range(3)} == {Route(0.0, ())}
