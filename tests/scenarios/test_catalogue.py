"""The bundled catalogue says where each number is from, and its laws are what the machines could do."""

from __future__ import annotations

import re

import pytest

from simoffload.plant import derive_law
from simoffload.schema import bundled_catalogue, bundled_scenarios, load_scenario
from simoffload.schema.nodes import MeasuredLaw

CATALOGUE = bundled_catalogue()
LAWS = {f"{law.model} on {law.hardware}": law for law in CATALOGUE.laws}
MIXTURE = re.compile(r"-a\d+b")
DECODE_FACTOR = 2.5
"""What is measured with one sequence is within this of the roofline; Llama2-70B of 2023 on 8 GPUs is furthest."""
PREFILL_FACTOR = 1.5
PARTS = {
    **{f"hardware {name}": entry for name, entry in CATALOGUE.hardware.items()},
    **{f"model {name}": entry for name, entry in CATALOGUE.models.items()},
    **{f"law {name}": entry for name, entry in LAWS.items()},
    **{f"price {name}": entry for name, entry in CATALOGUE.prices.items()},
}


@pytest.mark.parametrize("name", PARTS)
def test_an_entry_has_its_source_and_date(name: str) -> None:
    assert len(PARTS[name].source) > 10
    assert re.fullmatch(r"20\d\d-\d\d(-\d\d)?", PARTS[name].date)


def test_no_law_is_given_twice() -> None:
    assert len(LAWS) == len(CATALOGUE.laws)


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_a_law_is_of_a_known_machine_that_holds_its_model(law: MeasuredLaw) -> None:
    assert CATALOGUE.models[law.model].weights <= CATALOGUE.hardware[law.hardware].memory


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_what_is_measured_is_near_the_roofline(law: MeasuredLaw) -> None:
    roofline = derive_law(CATALOGUE.models[law.model], CATALOGUE.hardware[law.hardware])
    prefill, decode = law.prefill / roofline.prefill, (law.decode + law.decode_per_sequence) / roofline.decode
    if MIXTURE.search(law.model):  # the roofline reads all experts, a single sequence a few of them
        assert 0.45 < prefill < 0.55
        assert decode < DECODE_FACTOR
    else:
        assert 1 / PREFILL_FACTOR < prefill < PREFILL_FACTOR
        assert 1 / DECODE_FACTOR < decode < DECODE_FACTOR


def test_the_two_jetsons_reach_the_published_rates() -> None:
    published = {
        "llama-3.2-3b-w4": ((52.6, 241), (65.8, 331)),
        "qwen3-4b-w4": ((42.2, 194), (56.5, 273)),
        "qwen3-8b-w4": ((26.5, 143), (41.6, 229)),
        "llama-3.1-8b-w4": ((28.1, 112), (44.0, 251)),
        "qwen3-30b-a3b-w4": ((31.4, 76.7), (61.0, 226)),
        "qwen3-32b-w4": ((6.2, 16.8), (13.2, 79)),
        "llama-3.3-70b-w4": ((2.9, 7.4), (6.3, 41.5)),
    }
    for model, machines in published.items():
        for hardware, rates in zip(("jetson-agx-orin-64gb", "jetson-agx-thor"), machines, strict=True):
            law = LAWS[f"{model} on {hardware}"]
            for streams, rate in zip((1, 8), rates, strict=True):
                assert streams / (law.decode + streams * law.decode_per_sequence) == pytest.approx(rate, rel=0.012)


def test_the_orin_nano_starts_a_model_in_five_to_ten_seconds() -> None:
    machine = CATALOGUE.hardware["jetson-orin-nano-super-8gb"]
    for name in ("qwen2.5-1.5b-w4", "cosmos-reason2-2b-w4", "llama-3.2-3b-w4", "qwen2.5-vl-3b-w4"):
        seconds = machine.load_overhead + CATALOGUE.models[name].weights / machine.load_rate
        assert 5 <= seconds <= 10


def test_the_cloud_is_ahead_in_reasoning_more_than_in_perception() -> None:
    cloud = CATALOGUE.models["qwen3-vl-235b-a22b-fp8"].skill
    for name, model in CATALOGUE.models.items():
        if model.parameters < 10e9 and not MIXTURE.search(name):
            assert cloud.analyze > model.skill.analyze
            assert cloud.explain - model.skill.explain < cloud.analyze - model.skill.analyze + 0.1


def test_an_audio_specialist_beats_the_cloud_on_audio() -> None:
    edge, cloud = CATALOGUE.models["qwen2-audio-7b-w4"], CATALOGUE.models["qwen3-vl-235b-a22b-fp8"]
    assert edge.skill.explain + edge.modality_skill["audio"] > cloud.skill.explain + cloud.modality_skill["audio"]


def test_first_stage_modalities_of_the_smart_factory_have_two_edge_nodes_each_and_all_read_text() -> None:
    assert "smart-factory" in bundled_scenarios()
    edges = load_scenario("smart-factory").edges
    served = [CATALOGUE.models[edge.models[0]].modalities for edge in edges]
    assert all("text" in modalities for modalities in served)
    for modality in ("image", "audio", "sensor"):
        assert sum(modality in modalities for modalities in served) == 2
