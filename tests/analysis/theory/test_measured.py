"""A run's stations are compared with what its own rows say came to them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from simoffload.analysis.runs import open_run
from simoffload.analysis.theory.measured import Compared, compared
from simoffload.record.durable import RecordError
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario


@cache
def stations(name: str, agent: str, *settings: str) -> tuple[dict[str, Compared], tuple[str, ...]]:
    directory = Path(mkdtemp()) / "run"
    simulate(load_scenario(name, ["records.level=full", "telemetry_interval=1 h", *settings]), agent, directory)
    found, few = compared(open_run(directory))
    return {each.verdict.offered.station: each for each in found}, few


def test_mm1_is_recognised_and_comes_out() -> None:
    (each,) = stations("theory/mm1", "all-edge", "horizon.tasks=10000")[0].values()
    assert each.verdict.name == "M/M/1"
    assert each.verdict.remarks == ()
    assert each.visits == pytest.approx(9_200, rel=0.05)
    assert each.verdict.means is not None
    assert each.measured.wait_s == pytest.approx(each.verdict.means.wait_s, rel=0.3)
    assert each.measured.utilisation == pytest.approx(each.verdict.means.utilisation, rel=0.02)
    assert each.measured.queue_length == pytest.approx(
        each.verdict.offered.arrival_rate * each.measured.wait_s, rel=0.02
    )


def test_priorities_are_recognised_by_who_overtakes_whom() -> None:
    (each,) = stations("theory/priority", "all-edge", "horizon.tasks=10000")[0].values()
    assert each.verdict.name == "M/M/1, priorities"
    assert list(each.measured_by_class) == list(each.verdict.means_by_class) == ["priority 0.25", "priority 1"]
    urgent, others = (each.measured_by_class[name].wait_s for name in each.measured_by_class)
    theory = each.verdict.means_by_class
    assert urgent == pytest.approx(theory["priority 0.25"].wait_s, rel=0.15)
    assert others == pytest.approx(theory["priority 1"].wait_s, rel=0.3)


def test_what_a_policy_does_to_a_plant_is_said() -> None:
    found, few = stations("tiny", "eft", "horizon.tasks=400")
    assert found["cloud"].verdict.name == "M/M/1, batch of 4"
    told = " ".join(str(remark) for each in found.values() for remark in each.verdict.remarks)
    assert "chosen by news of the queues" in told
    assert "came together with another one" in told
    assert set(found).isdisjoint(few)


def test_a_run_without_all_its_rows_is_refused(tmp_path: Path) -> None:
    simulate(load_scenario("tiny", ["records.level=off", "horizon.tasks=20"]), "random", tmp_path / "run")
    with pytest.raises(RecordError, match="no rows of all its tasks"):
        compared(open_run(tmp_path / "run"))
