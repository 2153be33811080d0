"""The JSON Schema that editors use agrees with the loader wherever a schema can."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from simoffload.schema import bundled_scenarios, dump_scenario, json_schema, load_scenario_text
from simoffload.schema.document import Source, plain
from simoffload.schema.reader import parse

from ..strategies import scenarios
from .sample import TEXT, changed, headlines
from .test_messages import MISTAKES

VALIDATOR = Draft202012Validator(json_schema())

ONLY_THE_LOADER_SEES = (
    "unknown hardware", "unknown model '", "unknown link", "unknown site", "unknown price", "unknown edge node",
    "unknown subtask", "duplicate", "is listed twice", "in a circle", "no node hosts", "needs", "no serving law",
    "no node uses", "hosts no model", "hosts one model", "KV memory", "warm-up", "weight", "exactly one", "is above",
    "is below", "give one", "at least 1 tok", "half the period", "every rate", "add up", "no modality",
    "must be more than 0", "must be at most 600", "negative", "begins before", "no later than", "no slow-downs",
    "without a limit", "at least 1 ms", "at least 1e-", "no cloud in which", "nobody to interrupt",
    "hold all its models",
)  # fmt: skip


def accepts(data: Any) -> bool:
    return bool(VALIDATOR.is_valid(data))


def data_of(text: str) -> Any:
    """The plain values, as an editor reads them."""
    return plain(parse(Source("s.yaml", text, Path())))


def test_the_schema_is_valid_itself() -> None:
    Draft202012Validator.check_schema(json_schema())
    assert json_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_sample_and_its_complete_form_are_accepted() -> None:
    assert accepts(data_of(TEXT))
    assert accepts(data_of(dump_scenario(load_scenario_text(TEXT))))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios())
def test_any_scenario_is_accepted(data: dict[str, object]) -> None:
    assert accepts(data)


@pytest.mark.parametrize(
    "changes",
    [changes for changes, told in MISTAKES if not any(word in line for word in ONLY_THE_LOADER_SEES for line in told)],
    ids=lambda changes: str(changes[0][1])[:50],
)
def test_mistakes_of_form_are_refused(changes: list[tuple[str, str]]) -> None:
    text = changed(*changes)
    assert headlines(text)
    assert not accepts(data_of(text))


def test_a_file_that_extends_another_may_leave_out_anything_but_adds_no_unknown_key() -> None:
    assert accepts({"extends": "base.yaml"})
    assert accepts({"extends": ["a", "b"], "edges": [{"id": "press", "speed": 2}], "horizon": {"time": "1 h"}})
    assert not accepts({"extends": 3})
    assert not accepts({"extends": "base.yaml", "edges": [{"id": "press", "sped": 2}]})
    assert not accepts({"extends": "base.yaml", "warm_up": 30})


def test_a_plain_quantity_may_stand_for_a_constant() -> None:
    part = {"extends": "x", "links": {"a": {"channel": "3 Mbit/s"}}, "workloads": [{"id": "w", "weight": 2}]}
    assert accepts(part)
    part["links"] = {"a": {"channel": 3}}
    assert not accepts(part)


def test_fields_have_descriptions_and_defaults_have_units() -> None:
    scenario = json_schema()["$defs"]["Scenario"]["properties"]
    assert scenario["telemetry_interval"]["description"].startswith("How often nodes tell the others their state")
    assert scenario["telemetry_interval"]["default"] == "5 s"
    assert json_schema()["$defs"]["ConstantChannel"]["description"] == "A rate that never changes."


def test_the_schema_that_bundled_scenarios_point_editors_to_is_the_present_one() -> None:
    shipped = bundled_scenarios()["tiny"].parent / "scenario.schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == json_schema(), (
        f"write it anew: simoffload schema --out {shipped}"
    )
