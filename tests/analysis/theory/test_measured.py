"""A run's stations are compared with what its own rows say came to them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from simoffload.analysis.runs import open_run
from simoffload.analysis.theory.measured import Compared, compared
from simoffload.analysis.theory.stations import overview
from simoffload.record.durable import RecordError
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario

from .checked import CHECKED


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


RESUME = "edges.station.server={kind: slots, slots: %d, preemption: resume}"
ASKED = "edges.station.discipline=agent"


def test_the_work_of_services_within_services_is_told_from_their_rows() -> None:
    """Spans from start to finish would add up to more than the server has."""
    (each,) = stations("theory/priority", "all-edge", "horizon.tasks=10000", RESUME % 1)[0].values()
    assert each.verdict.name == "M/M/1, preemptive priorities"
    assert each.verdict.remarks == ()
    assert each.verdict.load == pytest.approx(each.measured.utilisation, rel=0.01)
    assert each.measured.wait_s > each.measured_by_class["priority 0.25"].wait_s
    for name, theory in each.verdict.means_by_class.items():
        measured = each.measured_by_class[name]
        assert measured.sojourn_s == pytest.approx(theory.sojourn_s, rel=0.3)
        assert measured.queue_length == pytest.approx(theory.queue_length, rel=0.35)
    assert each.measured.in_system == pytest.approx(each.measured.queue_length + each.measured.utilisation, rel=0.01)


def test_where_an_agent_was_asked_who_goes_next_nobody_was_interrupted() -> None:
    (each,) = stations("theory/priority", "ucb-coma", "horizon.tasks=2000", RESUME % 1, ASKED)[0].values()
    assert "preemptive" not in each.verdict.name
    assert not each.verdict.offered.interrupts


def test_of_several_servers_that_are_interrupted_the_mean_work_is_known() -> None:
    settings = ("horizon.tasks=6000", RESUME % 2, "workloads.customers.arrivals.rate=1.2 /s")
    (each,) = stations("theory/priority", "all-edge", *settings)[0].values()
    assert each.verdict.load == pytest.approx(each.measured.utilisation, rel=0.01)
    assert "of services that were interrupted, rows tell the mean alone; the form has it" in map(
        str, each.verdict.remarks
    )


def test_answers_that_failed_a_check_count_though_they_have_no_rows() -> None:
    """0.4 a second come, a quarter is wrong and comes again once; the form of the scenario says the same."""
    rework = (*CHECKED, "quality.verify={detection: 100 %, false_alarm: 0 %, limit: 1}", "horizon.tasks=10000")
    found, _ = stations("theory/mm1", "all-cloud", *rework)
    office = found["office"]
    assert office.verdict.offered.arrival_rate == pytest.approx(0.5, rel=0.03)
    assert office.verdict.load == pytest.approx(office.measured.utilisation, rel=0.03)
    assert office.measured.in_system == pytest.approx(
        office.verdict.offered.arrival_rate * office.measured.sojourn_s, rel=0.02
    )
    told = " ".join(map(str, office.verdict.remarks))
    assert "of what came failed a check afterwards and has no rows; it is taken to be like the rest" in told
    (before,) = overview(load_scenario("theory/mm1", list(rework))).verdicts
    assert before.load == pytest.approx(0.5)
    assert before.means is not None
    assert office.measured.wait_s == pytest.approx(before.means.wait_s, rel=0.2)


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
