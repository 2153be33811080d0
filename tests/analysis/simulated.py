"""A small run of the simulator itself, for what made-up rows cannot show."""

from __future__ import annotations

from pathlib import Path

from simoffload.analysis.runs import Run, open_run
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario


def simulated(directory: Path, scenario: str = "tiny", *settings: str) -> Run:
    """A run of `eft` with all its rows."""
    simulate(load_scenario(scenario, ["records.level=full", *settings]), "eft", directory)
    return open_run(directory)
