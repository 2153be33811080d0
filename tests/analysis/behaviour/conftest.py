"""A run of the simulator itself, for what made-up records cannot show."""

from __future__ import annotations

import pytest

from simoffload.analysis.runs import Run, open_run
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Some hundred tasks of the smart factory with all rows; not to be written into."""
    directory = tmp_path_factory.mktemp("simulated") / "run"
    references = "objective={latency_weight: 0.5, latency_reference: 20 s, cost_reference: 0.001 USD}"
    scenario = load_scenario(
        "smart-factory", ["horizon={tasks: 150}", "warm_up=20 s", "records.level=full", references]
    )
    simulate(scenario, "eft", directory)
    return open_run(directory)
