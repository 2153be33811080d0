"""A run is saved when part files were completed or it is long since, and goes on without where it cannot be saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simoffload.record.manifest import read_manifest
from simoffload.run import saving, simulation
from simoffload.run.journal import begin_journal
from simoffload.run.saving import Rhythm, Saver
from simoffload.run.simulation import set_up, simulate
from simoffload.run.world import World
from simoffload.schema import Scenario, load_scenario

from .test_checkpoint import EFT, REFERENCES, Generating


def scenario() -> Scenario:
    return load_scenario("tiny", [REFERENCES, "horizon={tasks: 40}", "records.level=full"])


@pytest.fixture
def world(tmp_path: Path) -> World:
    return set_up(scenario(), EFT, begin_journal(scenario(), "eft", tmp_path, 100, False))


class Clock:
    """The wall clock, by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        monkeypatch.setattr(saving.time, "perf_counter", lambda: self.now_s)


def saver(directory: Path, rhythm: Rhythm) -> Saver:
    journal = begin_journal(scenario(), "eft", directory, 100, False)
    return Saver(journal, EFT, journal.manifest.scenario_sha256, rhythm)


def test_a_run_is_saved_after_parts_but_not_too_often_and_at_the_latest_after_a_while(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    keeps = saver(tmp_path, Rhythm(with_parts_s=5.0, at_latest_s=60.0))
    path = tmp_path / "checkpoint"

    def is_saved_at(now_s: float, cuts: int) -> bool:
        clock.now_s, world.recorder.cuts = now_s, cuts
        path.unlink(missing_ok=True)
        keeps.look(world, None, 0.0)
        return path.exists()

    assert not is_saved_at(1004.0, 1)
    assert is_saved_at(1005.0, 1)
    assert not is_saved_at(1030.0, 1)
    assert is_saved_at(1031.0, 2)
    assert not is_saved_at(1090.0, 2)
    assert is_saved_at(1091.0, 2)


def test_without_a_directory_nothing_is_saved() -> None:
    journal = begin_journal(scenario(), "eft", None, 100, False)
    Saver(journal, EFT, "", Rhythm(0.0, 0.0)).save(set_up(scenario(), EFT, journal), None, 0.0)
    assert journal.manifest.no_checkpoint is None


def test_a_run_that_cannot_be_saved_says_so_once_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Any] = []

    def packed(of: Any, state: Any) -> bytes:
        tried.append(state)
        return real(of, state)

    real = saving.packed
    monkeypatch.setattr(saving, "packed", packed)
    monkeypatch.setattr(simulation, "_EVENTS_PER_LOOK", 100)
    monkeypatch.setattr(simulation, "load_agent", lambda name: Generating())
    assert simulate(scenario(), "mine", tmp_path, rhythm=Rhythm(0.0, 0.0))["status"] == "complete"
    assert len(tried) == 1
    assert read_manifest(tmp_path).no_checkpoint == "cannot pickle 'generator' object"
