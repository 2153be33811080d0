"""A scenario written back as YAML reads as an equal one, number for number."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simoffload.schema import Scenario, dump_scenario, load_scenario_text

from ..strategies import scenarios
from .sample import TEXT, changed


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios())
def test_any_scenario_reads_back_equal(data: dict[str, object]) -> None:
    scenario = load_scenario_text(yaml.safe_dump(data))
    assert load_scenario_text(dump_scenario(scenario)) == scenario


def test_what_is_written_is_complete_and_has_units() -> None:
    text = dump_scenario(load_scenario_text(TEXT))
    assert "telemetry_interval: 5 s\n" in text
    assert "rate: 40 Mbit/s\n" in text
    assert "input: 0.5 USD/Mtok\n" in text
    assert "null" not in text
    assert dump_scenario(load_scenario_text(text)) == text


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_descriptions_of_any_text_survive(description: str) -> None:
    scenario = load_scenario_text(TEXT).model_copy(update={"description": description})
    assert load_scenario_text(dump_scenario(scenario)).description == description


@pytest.mark.parametrize(
    "name", ["no", "1e-3", "0o17", "12-30", "017", "1.5", "true", "null", "2026-11-24", "0x1F", "1e5", "5."]
)
def test_names_that_look_like_something_else_survive(name: str) -> None:
    text = changed(("name: sample", f"name: '{name}'"), ("- id: press", f"- id: '{name}'"), ("[press, paint]", "all"))
    written = dump_scenario(load_scenario_text(text))
    assert load_scenario_text(written).edges[0].id == name
    assert yaml.safe_load(written)["name"] == name


@given(st.floats(min_value=1e-3, max_value=1e9), st.floats(min_value=1e-6, max_value=1e6))
def test_floats_survive_bit_for_bit(seconds: float, speed: float) -> None:
    scenario: Scenario = load_scenario_text(TEXT)
    edge = scenario.edges[0].model_copy(update={"speed": speed})
    scenario = scenario.model_copy(update={"telemetry_interval": seconds, "edges": [edge, *scenario.edges[1:]]})
    again = load_scenario_text(dump_scenario(scenario))
    assert math.copysign(again.telemetry_interval, 1) == seconds
    assert again.edges[0].speed == speed
