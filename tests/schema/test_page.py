"""The page on scenario files lists every key there is, with what holds where it is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, get_args

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from simoffload.schema import distributions, faults, network, nodes, scenario, workload
from tests.pages import dead_links, is_in_readme, page, rows, section

PAGE = page("scenarios.md")

TABLES: dict[str, type[BaseModel]] = {
    "The whole": scenario.Scenario,
    "Horizon": scenario.Horizon,
    "Objective": scenario.Objective,
    "Records": scenario.Records,
    "Quality": scenario.Quality,
    "Verify": scenario.Verify,
    "Every node": nodes._Node,
    "An edge node, besides": nodes.EdgeNode,
    "A cloud server, besides": nodes.CloudServer,
    "Sites": nodes.Site,
    "A link": network.Link,
    "A workload": workload.Workload,
    "A subtask that is written out": workload.WrittenSubtask,
    "A modality": workload.ModalitySpec,
    "A stage": workload.StageSpec,
    "What becomes of the work": faults.FaultPolicy,
    "Retries": faults.Retry,
    "Hardware": nodes.Hardware,
    "Models": nodes.Model,
    "Laws": nodes.MeasuredLaw,
    "Prices": nodes.Price,
}
KINDS: dict[str, Any] = {
    "Servers": nodes.Server,
    "Slow-downs": nodes.Slowdown,
    "Channels": network.Channel,
    "Arrivals": workload.Arrivals,
    "Templates": workload.Template,
    "Distributions": distributions.TokenDistribution,
    "Times of faults": faults.Faults,
}
COMMON = set(nodes._Node.model_fields)
KEY = re.compile(r"`(\w+)`(?: \(([^)]*)\))?")


def says(told: str, field: FieldInfo) -> bool:
    """Whether what is told of a key left out is so; what is no plain value may be told in words."""
    if field.is_required():
        return told == "*needed*"
    if not isinstance(field.default, (bool, int, float, str)) or field.default == "":
        return told not in ("", "*needed*")
    if isinstance(field.default, str):
        return told.strip("`") == field.default
    kind: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    try:
        return bool(TypeAdapter(kind).validate_python(yaml.safe_load(told.strip("`"))) == field.default)
    except ValidationError:
        return False


@pytest.mark.parametrize("heading", TABLES)
def test_a_table_lists_all_keys_and_what_holds_without_them(heading: str) -> None:
    fields = TABLES[heading].model_fields
    told = {cells[0].strip("`"): cells[-1] for cells in rows(section(PAGE, heading))}
    besides = COMMON if heading.endswith("besides") else set()
    assert set(told) == set(fields) - besides
    assert [key for key in told if not says(told[key], fields[key])] == []


def models_of(union: Any) -> dict[str, type[BaseModel]]:
    """The members of a union by their kind."""
    members = get_args(get_args(union)[0])
    return {get_args(member.model_fields["kind"].annotation)[0]: member for member in members}


@pytest.mark.parametrize("heading", KINDS)
def test_a_table_lists_all_kinds_with_their_keys(heading: str) -> None:
    models = models_of(KINDS[heading])
    told = {cells[0].strip("`"): dict(KEY.findall(cells[1])) for cells in rows(section(PAGE, heading))}
    assert set(told) == set(models)
    for kind, keys in told.items():
        fields = {name: field for name, field in models[kind].model_fields.items() if name != "kind"}
        assert set(keys) == set(fields)
        assert [key for key in keys if not says(keys[key] or "*needed*", fields[key])] == []


def within(kind: Any, seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """All models that a type holds, those that they hold included."""
    if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in seen:
        seen.add(kind)
        yield kind
        for field in kind.model_fields.values():
            yield from within(field.annotation, seen)
    for inner in get_args(kind):
        yield from within(inner, seen)


def test_no_key_of_any_part_is_left_out() -> None:
    code = " ".join(re.findall(r"`([^`\n]+)`", PAGE))
    words = set(re.findall(r"\w+", code))
    missing = {
        f"{model.__name__}.{name}"
        for model in within(scenario.Scenario, set())
        for name in model.model_fields
        if name not in words
    }
    assert missing == set()


def test_the_page_is_found_and_its_links_lead_somewhere() -> None:
    assert is_in_readme("scenarios.md")
    assert dead_links(PAGE) == []
