"""Directories that several tests read, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from simoffload.analysis.runs import Comparison, Run, open_comparison, open_run

from .synthetic import Behaviour, Setup, write_comparison, write_run

AGENTS = {
    "ucb-coma": Behaviour(0.5),
    "weighted-greedy": Behaviour(1.5),
    "random": Behaviour(2.0, cloud=0.5),
    "all-edge": Behaviour(30.0, growth=60.0, cloud=0.0, away=0.0),
}
"""From the best to one that does not carry the load."""


@pytest.fixture(scope="session")
def comparison_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four agents on three seeds, rows of the first; not to be written into."""
    return write_comparison(tmp_path_factory.mktemp("comparison"), AGENTS, setup=Setup(tasks=200))


@pytest.fixture(scope="session")
def comparison(comparison_directory: Path) -> Comparison:
    """The same, opened."""
    return open_comparison(comparison_directory)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with all rows."""
    directory = tmp_path_factory.mktemp("runs") / "run"
    write_run(directory, setup=Setup(tasks=200))
    return open_run(directory)
