"""What a run directory says is true whenever the run is killed, and what is left of the run can be gone on with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simoffload.record import durable
from simoffload.record.durable import RecordError
from simoffload.record.manifest import PartInfo, read_manifest
from simoffload.record.parts import read_table
from simoffload.run import journal, resuming, simulation
from simoffload.run.journal import Journal, begin_journal, kept_one_in, sweep
from simoffload.run.resuming import resume
from simoffload.run.saving import Rhythm
from simoffload.run.simulation import simulate
from simoffload.schema import Scenario, load_scenario
from simoffload.schema.scenario import Horizon

from .test_checkpoint import REFERENCES
from .test_resuming import Looks, content

ROWS = 100
OFTEN = Rhythm(0.0, 0.0)


def scenario(*overrides: str) -> Scenario:
    return load_scenario("tiny", [REFERENCES, "horizon={tasks: 40}", "records.level=full", *overrides])


def begun(directory: Path | None) -> Journal:
    return begin_journal(scenario(), "eft", directory, ROWS, False)


def part(file: str, digest: str = "0") -> PartInfo:
    return PartInfo(file=file, rows=1, first_s=0.0, last_s=1.0, blake2b=digest * 32)


class Killed(BaseException):
    """The process is gone: nothing that follows is done."""


class Power:
    """Fails before the so-manieth change of what is on disk: files that get their names, and files that go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 10**9
        self.changes = 0
        monkeypatch.setattr(durable.os, "fsync", lambda descriptor: None)
        monkeypatch.setattr(durable.os, "replace", self._counted(durable.os.replace))
        for module in (journal, resuming):
            monkeypatch.setattr(module, "remove", self._counted(durable.remove))

    def _counted(self, change: Callable[..., None]) -> Callable[..., None]:
        def counted(*arguments: Any) -> None:
            if self.changes >= self.left:
                raise Killed
            self.changes += 1
            change(*arguments)

        return counted

    def fails_after(self, changes: int) -> None:
        self.left, self.changes = changes, 0

    def is_back(self) -> None:
        self.left = 10**9


@pytest.fixture
def power(monkeypatch: pytest.MonkeyPatch) -> Power:
    return Power(monkeypatch)


def kills(
    power: Power, act: Callable[[Path], object], tmp_path: Path, prepare: Callable[[Path], object]
) -> Iterator[Path]:
    """Directories in which `act` was killed before its first change, its second one, and so on, up to its end."""
    for changes in range(100):
        directory = tmp_path / str(changes)
        power.is_back()
        prepare(directory)
        power.fails_after(changes)
        try:
            act(directory)
        except Killed:
            power.is_back()
            yield directory
        else:
            power.is_back()
            assert changes > 1
            return
    raise AssertionError("it has no end")


def nothing_yet(directory: Path) -> None:
    """No run has been there."""


# ----------------------------------------------------------------------------------------------------- beginning


def test_a_run_that_begins_says_that_it_is_incomplete_and_what_it_is(tmp_path: Path) -> None:
    begun(tmp_path)
    manifest = read_manifest(tmp_path)
    assert (manifest.status, manifest.agent, manifest.rows_per_part, manifest.parts) == ("incomplete", "eft", ROWS, ())
    assert load_scenario(tmp_path / "scenario.yaml") == scenario()


def test_a_run_that_is_killed_as_it_begins_leaves_nothing_or_an_incomplete_run(power: Power, tmp_path: Path) -> None:
    left = list(kills(power, begun, tmp_path, nothing_yet))
    assert [sorted(path.suffix for path in directory.iterdir()) for directory in left] == [[".tmp"], [".json", ".tmp"]]
    nothing, without_scenario = left
    with pytest.raises(RecordError, match=f"{nothing} is no run directory"):
        resume(nothing)
    assert read_manifest(without_scenario).status == "incomplete"
    assert read_table(without_scenario, "tasks").num_rows == 0
    with pytest.raises(RecordError, match=r"no scenario\.yaml: was the run interrupted as it began\? .* run it again"):
        resume(without_scenario)


def test_a_run_may_begin_where_another_was_killed_before_it_began(power: Power, tmp_path: Path) -> None:
    for directory in kills(power, begun, tmp_path, nothing_yet):
        assert simulate(scenario(), "eft", directory)["status"] == "complete"
        assert not list(directory.glob("*.tmp"))
    (tmp_path / "empty").mkdir()
    assert simulate(scenario(), "eft", tmp_path / "empty")["status"] == "complete"


def test_without_a_directory_nothing_is_written() -> None:
    kept = begun(None)
    kept.parts_written((part("tasks/part-00000.parquet"),))
    kept.scenario_is(scenario("seed=2"))
    kept.end("complete", "ab" * 16, {"a": 1}, None)
    assert kept.directory is None


@pytest.mark.parametrize(
    ("records", "wanted"), [("level: off", 0), ("level: full", 1), ("level: sampled, sample: 0.1", 10)]
)
def test_rows_are_kept_of_one_task_in_so_many(records: str, wanted: int) -> None:
    assert kept_one_in(scenario(f"records={{{records}}}").records) == wanted


# ------------------------------------------------------------------------------------------------------ under way


def test_parts_are_vouched_for_once_they_are_written(tmp_path: Path) -> None:
    kept = begun(tmp_path)
    kept.parts_written((part("tasks/part-00000.parquet"),))
    assert read_manifest(tmp_path).parts == (part("tasks/part-00000.parquet"),)


def test_a_part_that_was_listed_before_remains_so_until_it_is_written_again(tmp_path: Path) -> None:
    kept = begun(tmp_path)
    first, second = part("tasks/part-00000.parquet"), part("tasks/part-00001.parquet")
    kept.parts_written((first, second))
    kept.parts_written((first,))
    assert read_manifest(tmp_path).parts == (first, second)


def test_of_a_run_that_is_ended_before_its_time_what_is_left_is_listed_at_the_very_end(tmp_path: Path) -> None:
    kept = begun(tmp_path)
    first, last = part("tasks/part-00000.parquet"), part("tasks/part-00001.parquet")
    kept.parts_written((first,))
    kept.closes((first,))
    kept.parts_written((first, last))
    assert read_manifest(tmp_path).parts == (first,)
    kept.end("incomplete", "ab" * 16, {"a": 1}, None)
    assert read_manifest(tmp_path).parts == (first, last)


def test_a_kill_between_a_new_scenario_and_the_manifest_that_vouches_for_it_is_found_out(
    power: Power, tmp_path: Path
) -> None:
    longer = scenario().model_copy(update={"horizon": Horizon(tasks=80)})
    before, between = kills(power, lambda at: Journal(at, read_manifest(at)).scenario_is(longer), tmp_path, begun)
    assert resume(before)["tasks"]["arrived"] == 40
    with pytest.raises(RecordError, match=r"scenario\.yaml is not the scenario that the run was begun with"):
        resume(between)


def test_what_the_manifest_does_not_list_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    kept = begun(tmp_path)
    kept.parts_written((part("tasks/part-00000.parquet"),))
    (tmp_path / "tasks").mkdir()
    for name in ("part-00000.parquet", "part-00001.parquet", "part-00002.parquet.tmp", "notes.txt"):
        (tmp_path / "tasks" / name).write_text(name)
    (tmp_path / "summary.json.tmp").write_text("half")
    sweep(tmp_path, kept.manifest)
    assert sorted(path.name for path in (tmp_path / "tasks").iterdir()) == ["notes.txt", "part-00000.parquet"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "scenario.yaml", "tasks"]


# ----------------------------------------------------------------------------------------------------- its end


def test_a_run_is_complete_only_with_its_summary(power: Power, tmp_path: Path) -> None:
    def end(directory: Path) -> None:
        Journal(directory, read_manifest(directory)).end("complete", "ab" * 16, {"a": 1}, None)

    for directory in kills(power, end, tmp_path, begun):
        assert read_manifest(directory).status == "incomplete"
        assert resume(directory)["status"] == "complete"


def test_a_summary_with_an_infinite_number_is_refused_and_the_run_stays_incomplete(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"cannot write .*summary\.json: .* infinite"):
        begun(tmp_path).end("complete", "ab" * 16, {"a": float("inf")}, None)
    assert read_manifest(tmp_path).status == "incomplete"
    assert not (tmp_path / "summary.json").exists()


# ------------------------------------------------------------------------------------------------------ going on


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The files of the run that nothing interrupted."""
    directory = tmp_path_factory.mktemp("whole")
    simulate(scenario(), "eft", directory, rows_per_part=ROWS)
    return content(directory)


def stopped(directory: Path) -> None:
    """A run that was stopped in order, with a checkpoint, part files and a summary."""
    simulate(scenario(), "eft", directory, Looks(2), rows_per_part=ROWS, rhythm=OFTEN)


FAULTS = (
    "edges.image.crashes={kind: exponential, mean_up: 20 s, mean_down: 5 s}",
    "faults={in_service: lose, retry: {limit: 1, first: 1 s}, drop_penalty: 1}",
)


@pytest.mark.parametrize("faults", [(), FAULTS], ids=["sound", "faulty"])
def test_a_run_that_is_killed_between_any_two_steps_of_being_stopped_goes_on_all_the_same(
    faults: tuple[str, ...], power: Power, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation, "_LOOK_S", 0.0)
    monkeypatch.setattr(simulation, "_EVENTS_PER_LOOK", 100)
    simulate(scenario(*faults), "eft", tmp_path / "whole", rows_per_part=ROWS)

    def stop(directory: Path) -> None:
        simulate(scenario(*faults), "eft", directory, Looks(4), rows_per_part=ROWS, rhythm=OFTEN)

    begins = 2
    for directory in [*kills(power, stop, tmp_path, nothing_yet)][begins:]:
        for layout in ("tasks", "subtasks", "attempts"):
            read_table(directory, layout)
        resume(directory)
        assert content(directory) == content(tmp_path / "whole")


@pytest.mark.parametrize("from_start", [False, True])
def test_a_run_that_is_killed_between_any_two_steps_of_going_on_goes_on_all_the_same(
    from_start: bool, power: Power, tmp_path: Path, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation, "_LOOK_S", 0.0)
    monkeypatch.setattr(simulation, "_EVENTS_PER_LOOK", 100)

    def begin_to_go_on(directory: Path) -> None:
        """All that comes before the first event."""
        with monkeypatch.context() as only_here:
            only_here.setattr(simulation.Underway, "finish", lambda underway, watch: {})
            resume(directory, from_start=from_start)

    for directory in kills(power, begin_to_go_on, tmp_path, stopped):
        resume(directory)
        assert content(directory) == whole
