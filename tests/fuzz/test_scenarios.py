"""A scenario that has been changed in any way is refused with its places, or runs to an end: nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from simoffload.schema import ScenarioError, diagnose, load_scenario, load_scenario_text
from simoffload.schema.bundled import bundled_scenarios
from simoffload.schema.document import Mark, Source, Tree, plain
from simoffload.schema.layers import Layers, merged
from simoffload.schema.limits import MOST_IN_SYSTEM

from .inputs import NASTY, QUICK, answered, damaged, paths, replaced

BUNDLED = {name: path.read_bytes() for name, path in bundled_scenarios().items()}


def whole(name: str) -> Any:
    """A bundled scenario with all that it extends, as plain data."""
    path = bundled_scenarios()[name]
    return plain(Layers(bundled_scenarios()).file(path, name))


WHOLE = {name: whole(name) for name in ("tiny", "campus-5g", "bad-day", "trace-replay", "theory/mm1")}


def told(text: str) -> None:
    try:
        load_scenario_text(text, "s.yaml")
    except ScenarioError as error:
        assert error.problems
        assert all("\n" not in problem.headline and problem.headline.isprintable() for problem in error.problems)


@QUICK
@given(data=st.data())
def test_a_bundled_file_that_is_damaged_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    content = data.draw(st.sampled_from(sorted(BUNDLED)).flatmap(lambda name: damaged(BUNDLED[name])))
    file = tmp_path / "s.yaml"
    file.write_bytes(content)
    diagnosis = diagnose(file)
    assert diagnosis.scenario is not None or diagnosis.problems


@QUICK
@given(data=st.data())
def test_a_bundled_scenario_with_a_nasty_value_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(WHOLE)))
    path = data.draw(st.sampled_from(paths(WHOLE[name])))
    told(yaml.safe_dump(replaced(WHOLE[name], path, data.draw(st.sampled_from(NASTY))), allow_unicode=True))


SHORT = ["objective={latency_weight: 0.5, latency_reference: 20 s, cost_reference: 0.001 USD}", "horizon={tasks: 3}"]
NUMBERS = [
    ".".join(map(str, path))
    for path in paths(whole("tiny"))
    if path[0] in ("links", "telemetry_interval", "edges", "clouds", "workloads") and path[-1] not in ("hardware", "id")
]


@QUICK
@given(path=st.sampled_from(NUMBERS), value=st.sampled_from(["1e-6", "1e-3", "1", "1e3", "1e6", "1e9", "1e12"]))
def test_what_is_accepted_runs_to_an_end(tmp_path_factory: pytest.TempPathFactory, path: str, value: str) -> None:
    out = tmp_path_factory.mktemp("runs") / "out"
    settings = [part for setting in (*SHORT, f"{path}={value}") for part in ("--set", setting)]
    code = answered("run", "tiny", "--agent", "eft", "--quiet", "--out", str(out), *settings)
    assert code in (0, 2)
    assert out.exists() == (code == 0)


ABSURD = {
    "workloads.request.arrivals.rate=1e12 /s": "must be at most 1000000 /s",
    "horizon.tasks=1e10": "must be at most 1000000000",
    "workloads.request.arrivals.rate=1e-12 /s": "50 tasks at 2e-12 a second take more than",
    "telemetry_interval=1e-12 s": "must be 0 or at least 1 ms",
    "horizon={time: 1e10 s}; telemetry_interval=1 ms": "reports of nodes in a run of 1e+10 s; at most 1e+11",
    "edges.text.crashes={kind: timetable, spells: [[1 s, 1e10 s]]}; telemetry_interval=1 ms": "in a run of 1e+10 s",
    "links.radio.copies=1e9": "must be at most 1000",
    "links.radio.channel={kind: ar1, median: 1 Mbit/s, sigma: 1, rho: 0, step: 1e-12 s}": "must be at least 1 ms",
    "links.radio.channel={kind: ar1, median: 1e-3 bit/s, sigma: 1, rho: 0, step: 1 ms}": "its rate changes",
    "links.radio.channel=1e-3 bit/s": "a large payload takes 1.6e+10 s to go through on average",
    "links.radio.outages={kind: exponential, mean_up: 1 ms, mean_down: 1e10 s}": "a large payload takes",
    "workloads.request.stages.analyze.prompt=1e12 tok": "1e+12 tokens are more than any model reads",
    "clouds.cloud.server={kind: api, request_rate: 1e-20 /s}": "must be at least",
    "links.radio.channel={kind: inf, distance: 10 m, bandwidth: 1e-20 Hz}": "the signal is lost in the noise",
    "edges.text.slowdown={kind: random, factor: 2, mean_between: 1e-9 s, mean_lasting: 1 s}": "must be at least 1 ms",
    "records.sample=1e-30": "must be at least 1e-06",
    "edges.text.speed=1e-30": "must be at least 1e-06",
    "edges.text.server={kind: slots, slots: 1e9}": "must be at most 100000",
    "clouds.cloud.server={kind: api, streams: 1e18}": "must be at most 100000",
    "workloads.request.arrivals={kind: gamma, rate: 1 /s, cv: 1e30}": "must be at most 100",
    "workloads.request.arrivals={kind: periodic, period: 1e-29 s}": "must be at least 1 us",
    "workloads.request.arrivals={kind: mmpp, rates: [1e-8 /s, 0], mean_sojourn: [1 ms, 1 ms]}": "phases go by",
    "workloads.request.template={kind: layered, jump: 1e18}": "must be at most 200",
    "workloads.request.template={kind: plan-execute-aggregate, execute: {min: 1e9, max: 1e9}}": "is above 200 subtasks",
    f"links.radio.channel={{kind: markov, rates: {['1 bit/s'] * 100}, mean_sojourn: {['1 s'] * 100}}}": "more than 64",
    "edges.text.speed=0x" + "f" * 5000: "expected a finite number of sensible size",
    "edges.text.timeout=0x" + "f" * 5000: "has no unit",
}


@pytest.mark.parametrize("setting", ABSURD)
def test_an_absurd_size_is_refused_with_what_is_allowed(setting: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario("tiny", setting.split("; "))
    assert ABSURD[setting] in str(caught.value)


def test_a_trace_that_is_too_fast_or_too_slow_is_refused() -> None:
    for speed in ("1e30", "1e-30"):
        with pytest.raises(ScenarioError, match=r"must be at (most 1000000|least 1e-06)"):
            load_scenario("trace-replay", [f"workloads.request.arrivals.speed={speed}"])


def test_rates_that_change_faster_than_once_a_millisecond_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "rates.txt"
    file.write_text("0 1\n1e-9 2\n2e-9 3\n")
    with pytest.raises(ScenarioError, match="last less than 1 ms on average"):
        load_scenario("tiny", [f"links.radio.channel={{kind: trace, file: {file}}}"])


def test_a_laughing_document_is_refused_before_it_is_written_out() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(ScenarioError, match="its aliases expand to more than"):
        load_scenario_text("\n".join(lines))


def test_a_chain_of_files_has_an_end(tmp_path: Path) -> None:
    for number in range(400):
        (tmp_path / f"{number}.yaml").write_text(f"extends: {number + 1}.yaml\n")
    (tmp_path / "400.yaml").write_text("extends: tiny\n")
    with pytest.raises(ScenarioError, match=r"64\.yaml:1:10: extends: extends goes through more than 64 files"):
        load_scenario(tmp_path / "0.yaml")
    with pytest.raises(ScenarioError, match="extends: has 1000 items; at most 64"):
        load_scenario_text(f"extends: [{', '.join(['tiny'] * 1000)}]")


def test_long_lists_with_ids_are_merged_in_linear_time() -> None:
    mark = Mark(Source("s.yaml", "", Path()), 1, 1)
    items = [Tree({"id": Tree(f"n{number}", mark)}, mark) for number in range(20_000)]
    began = time.process_time()
    whole = merged(Tree(items, mark), Tree(items[::-1], mark))
    assert time.process_time() - began < 2
    assert plain(whole) == [{"id": f"n{number}"} for number in range(20_000)]


@pytest.mark.parametrize("kind", ["directory", "pipe", "nothing", "zeros", "latin"])
def test_what_is_no_text_file_is_refused(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "s.yaml"
    if kind == "directory":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "zeros":
        file.write_bytes(bytes(1000))
    elif kind == "latin":
        file.write_bytes("name: Süd".encode("latin-1"))
    assert answered("validate", str(file)) == 2


def test_names_longer_than_a_file_may_have_are_refused(tmp_path: Path) -> None:
    name = "a" * 1000
    assert answered("validate", name) == 2
    assert answered("run", "tiny", "--agent", "eft", "--out", str(tmp_path / name)) == 2
    assert answered("report", name) == 2
    assert answered("resume", name) == 2
    assert answered("analyze", name) != 0


def test_a_run_that_fills_the_memory_ends_as_unstable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_IN_SYSTEM >= 100_000
    monkeypatch.setattr("simoffload.run.simulation.MOST_IN_SYSTEM", 20)
    monkeypatch.setattr("simoffload.run.simulation._EVENTS_PER_LOOK", 100)
    overload = ["--set", "workloads.customers.arrivals.rate=100 /s", "--quiet"]
    assert answered("run", "theory/mm1", "--agent", "eft", "--out", str(tmp_path / "run"), *overload) == 3
    assert answered("resume", str(tmp_path / "run")) == 3
    summary = (tmp_path / "run" / "summary.json").read_text()
    assert "more than 20 subtasks and waiting transfers would fill the memory" in summary
    sought = ["--until", "latency +- 2%", "--budget", "1e5 tasks", "--out", str(tmp_path / "until")]
    assert answered("run", "theory/mm1", "--agent", "eft", *sought, *overload) == 1
