"""A cell is a run like any other, kept on disk as soon as it has ended, and known by what it depends on."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import simoffload
from simoffload.record.durable import RecordError
from simoffload.run.references import with_references
from simoffload.run.simulation import simulate
from simoffload.schema import Scenario, load_scenario
from simoffload.study.cells import Cell, Cells, Stopped, mean_outcome, outcome, place_key, policy_key
from simoffload.study.provenance import UNKNOWN

from .examples import outcome_of

BUNDLED = Path(simoffload.__file__).parent / "scenarios"
CELL = Cell("place", "eft", 7, "eft")


def tiny(*settings: str) -> Scenario:
    return with_references(load_scenario("tiny", ["horizon={tasks: 40}", *settings]))


@pytest.mark.parametrize("warm_up", ["0 s", "100 s"])
@pytest.mark.parametrize("agent", ["eft", "all-cloud"])
def test_a_cell_says_what_the_summary_of_a_run_says(agent: str, warm_up: str) -> None:
    scenario = tiny(f"warm_up={warm_up}")
    found = outcome(scenario, agent, lambda: True)
    summary = simulate(scenario, agent)
    assert found.objective == summary["objective"]["mean"]
    assert found.latency_s == summary["latency_s"]["mean"]
    assert found.latency_p95_s == summary["latency_s"]["p95"]
    assert found.cost_usd == summary["cost_usd"]["mean"]
    assert found.cloud_share == pytest.approx(summary["nodes"]["cloud"]["share_of_subtasks"] or 0.0)
    assert (found.completed, found.measured) == (40, summary["tasks"]["measured"])


def test_a_backlog_that_grows_is_noted() -> None:
    slow = tiny("workloads.request.arrivals.rate=0.005 /s")
    flooded = tiny("workloads.request.arrivals.rate=2 /s", "horizon={tasks: 200}")
    assert not outcome(slow, "eft", lambda: True).grew
    assert outcome(flooded, "eft", lambda: True).grew


def test_a_run_in_which_nothing_is_measured_is_refused() -> None:
    with pytest.raises(RecordError, match="tiny: no task arrived after its warm-up of 1e\\+06 s"):
        outcome(tiny().model_copy(update={"warm_up": 1e6}), "eft", lambda: True)


def test_a_run_ends_when_it_is_told_to() -> None:
    with pytest.raises(Stopped):
        outcome(tiny(), "eft", lambda: False)


def test_the_key_of_a_place_is_that_of_all_its_seeds_and_of_nothing_else() -> None:
    scenario = tiny()
    assert place_key(scenario) == place_key(scenario.model_copy(update={"seed": 99}))
    assert place_key(scenario) != place_key(tiny("telemetry_interval=1 s"))
    assert place_key(scenario) == place_key(tiny("records={level: full, resolution: 1 us}"))


def test_a_trace_is_known_by_its_content_wherever_it_lies(tmp_path: Path) -> None:
    trace = (BUNDLED / "traces/requests.csv").read_bytes()

    def key(folder: str, content: bytes) -> str:
        file = tmp_path / folder / "requests.csv"
        file.parent.mkdir()
        file.write_bytes(content)
        replayed = tiny(f"workloads.request.arrivals={{kind: trace, file: '{file}', repeat: true}}")
        return place_key(replayed)

    assert key("here", trace) == key("thère", trace) != key("changed", trace[: trace.rindex(b"\n", 0, -1) + 1])


def test_the_key_of_a_policy_is_of_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text("{}", encoding="utf-8")
    alone = policy_key(tmp_path / "policy")
    (tmp_path / "policy.safetensors").write_bytes(b"weights")
    both = policy_key(tmp_path / "policy")
    (tmp_path / "curve.csv").write_text("", encoding="utf-8")
    assert alone != both == policy_key(tmp_path / "policy")


def test_policies_of_one_name_in_two_places_have_keys_of_their_own_however_they_are_written(tmp_path: Path) -> None:
    for folder, weights in (("x", b"some"), ("y", b"others")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "policy.json").write_text("{}", encoding="utf-8")
        (tmp_path / folder / "policy.safetensors").write_bytes(weights)
    written = ("policy", "policy.json", "policy.safetensors", ".")
    mine, other = ({policy_key(tmp_path / folder / name) for name in written} for folder in "xy")
    assert len(mine) == len(other) == 1
    assert mine != other


@pytest.mark.parametrize("name", ["policy", "policy.json", "policy.safetensors"])
def test_a_policy_that_is_not_there_has_no_key(tmp_path: Path, name: str) -> None:
    (tmp_path / "policy.csv").write_text("", encoding="utf-8")
    with pytest.raises(RecordError, match=rf"there is no policy .*{name}"):
        policy_key(tmp_path / name)


@given(objective=st.floats(0.001, 1e6), seed=st.integers(1, 10**9))
def test_what_is_kept_is_read_back_to_the_last_digit(
    tmp_path_factory: pytest.TempPathFactory, objective: float, seed: int
) -> None:
    directory = tmp_path_factory.mktemp("cells")
    cell = Cell("place", "eft", seed, "eft")
    Cells(directory).add(cell, outcome_of(objective), "state")
    assert Cells(directory)[cell] == outcome_of(objective)
    assert Cells(directory).code_of(cell) == "state"


def test_a_cell_that_was_measured_before_the_code_was_noted_counts_and_its_code_is_unknown(tmp_path: Path) -> None:
    line = {"agent": CELL.key, "seed": CELL.seed, **asdict(outcome_of(1.5))}
    (tmp_path / "place.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    assert Cells(tmp_path)[CELL] == outcome_of(1.5)
    assert Cells(tmp_path).code_of(CELL) == UNKNOWN


def test_a_line_that_was_cut_off_is_forgotten_and_measured_again(tmp_path: Path) -> None:
    cells = Cells(tmp_path)
    cells.add(CELL, outcome_of(1.0), "state")
    path = tmp_path / "place.jsonl"
    whole = path.read_bytes()
    other = Cell("place", "eft", 8, "eft")
    cells.add(other, outcome_of(2.0), "state")
    path.write_bytes(path.read_bytes()[:-10])
    again = Cells(tmp_path)
    assert CELL in again
    assert other not in again
    assert path.read_bytes() == whole


@pytest.mark.parametrize("line", ["{}", "nothing", "[1]", '{"agent": "eft", "seed": 1, "objective": 2}'])
def test_a_file_of_something_else_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "place.jsonl").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(RecordError, match=r"place\.jsonl:1 is no cell of a study"):
        Cells(tmp_path)


def test_trainings_count_with_their_mean() -> None:
    mean = mean_outcome([outcome_of(1.0), outcome_of(2.0, grew=True), outcome_of(4.5, grew=True)])
    assert mean.objective == 2.5
    assert mean.latency_s == 50.0
    assert mean.grew
    assert not mean_outcome([outcome_of(1.0), outcome_of(2.0, grew=True)]).grew


def test_what_stands_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "place.jsonl").mkdir()
    with pytest.raises(RecordError, match=r"cannot read .*place\.jsonl: Is a directory"):
        Cells(tmp_path)
    (tmp_path / "policy.json").mkdir()
    with pytest.raises(RecordError, match=r"cannot read .*policy\.json: Is a directory"):
        policy_key(tmp_path / "policy")
