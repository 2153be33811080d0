"""Whatever a file holds, loading it gives a scenario or a ScenarioError, never anything else."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simoffload.schema import Scenario, ScenarioError, load_scenario, load_scenario_text
from simoffload.schema.document import Source, plain
from simoffload.schema.reader import parse

from .sample import TEXT

SAMPLE: Any = plain(parse(Source("sample", TEXT, Path())))

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["20 ms", "-1 s", "40 Mbit/s", "all", "auto", "text", "press", "radio", "1e999 s", "50 %", "poisson"]
    )
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=6) | st.sampled_from(["id", "kind", "file", "extends", "edges"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to all values inside a nested one."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way for key, part in parts for way in [(*path, key), *paths(part, (*path, key))]]


PATHS = paths(SAMPLE)


@st.composite
def mutations(draw: st.DrawFn) -> Any:
    """The sample with values changed, dropped, doubled or moved."""
    data = copy.deepcopy(SAMPLE)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(PATHS))
        holder = data
        try:
            for part in way:
                holder = holder[part]
            kind = draw(st.sampled_from(["set", "drop", "add", "swap"]))
            if kind == "set":
                holder[last] = draw(anything)
            elif kind == "drop":
                del holder[last]
            elif isinstance(holder, list):
                holder.insert(last, draw(anything) if kind == "add" else copy.deepcopy(holder[last]))
            else:
                holder[draw(st.text(max_size=8))] = draw(anything) if kind == "add" else holder.pop(last)
        except (KeyError, IndexError, TypeError, AttributeError):
            continue
    return data


def written(data: Any) -> str:
    """As YAML; by libyaml where there is one, which is faster."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(data, Dumper=dumper, allow_unicode=True))


def load(text: str) -> Scenario | None:
    try:
        return load_scenario_text(text)
    except ScenarioError as error:
        assert error.problems
        assert all(problem.message and problem.line >= 0 for problem in error.problems)
        assert "Input should" not in str(error)
        return None


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(mutations())
def test_a_changed_scenario_loads_or_is_told_wrong(data: Any) -> None:
    load(written(data))


@settings(max_examples=100)
@given(anything)
def test_any_values_load_or_are_told_wrong(data: Any) -> None:
    load(written(data))


@settings(max_examples=150)
@given(
    st.integers(0, len(TEXT)),
    st.integers(0, 30),
    st.text(max_size=6) | st.sampled_from(["\t", ": ", "- ", "{", "&a ", "*a"]),
)
def test_a_scenario_with_its_text_damaged_loads_or_is_told_wrong(place: int, length: int, text: str) -> None:
    load(TEXT[:place] + text + TEXT[place + length :])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=60))
def test_any_bytes_in_a_file_are_told_wrong(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(data)
    try:
        load_scenario(path)
    except ScenarioError as error:
        assert str(error)


@settings(max_examples=150)
@given(
    st.sampled_from(PATHS), st.text(max_size=10) | st.sampled_from(["1", "[1", "{a: b}", "20 ms"]), st.text(max_size=3)
)
def test_any_setting_is_made_or_told_wrong(path: tuple[Any, ...], value: str, noise: str) -> None:
    for override in (f"{'.'.join(map(str, path))}{noise}={value}", f"{noise}{value}"):
        try:
            load_scenario_text(TEXT, overrides=[override])
        except ScenarioError as error:
            assert str(error)


@settings(max_examples=50)
@given(st.text(max_size=30))
def test_any_name_of_a_scenario_is_found_or_told_unknown(name: str) -> None:
    try:
        load_scenario(name)
    except ScenarioError as error:
        assert str(error)
