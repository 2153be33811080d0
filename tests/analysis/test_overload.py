"""Where no steady state was found, the load that was offered is told as a reason, if it is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simoffload.analysis.account import Quantity, account
from simoffload.analysis.overload import explained, overload
from simoffload.analysis.runs import Run, open_run
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario


def queue(directory: Path, rate: float, records: str) -> Run:
    settings = [f"workloads.customers.arrivals.rate={rate} /s", "horizon={tasks: 1500}", "warm_up=10 s"]
    simulate(load_scenario("theory/mm1", [*settings, f"records.level={records}"]), "all-edge", directory)
    return open_run(directory)


def test_a_station_that_gets_more_than_it_can_do_is_named(tmp_path: Path) -> None:
    assert "at station, where queues grow without end" in overload(queue(tmp_path / "run", 1.5, "full"))


def test_without_rows_the_scenario_tells(tmp_path: Path) -> None:
    assert overload(queue(tmp_path / "run", 1.5, "off")).startswith("the offered load is 1.50 under any policy")


def test_a_load_that_can_be_carried_is_no_reason(tmp_path: Path) -> None:
    run = queue(tmp_path / "run", 0.5, "full")
    assert overload(run) == ""
    rising = account(Quantity("wait", "s"), np.linspace(0, 1, 2000))
    assert rising.reason
    assert explained(rising, run) == rising


def test_only_what_has_no_steady_state_is_explained(tmp_path: Path) -> None:
    run = queue(tmp_path / "run", 1.5, "off")
    rising = account(Quantity("wait", "s"), np.linspace(0, 1, 2000))
    steady = account(Quantity("wait", "s"), np.random.default_rng(0).random(2000))
    assert "offered load" in explained(rising, run).reason
    assert explained(steady, run) == steady
