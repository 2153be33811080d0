"""Scenarios are read as the stations that one would draw by hand."""

from __future__ import annotations

import numpy as np
import pytest

from simoffload.analysis.theory.kinds import arrival_cv, kinds_of
from simoffload.analysis.theory.nearest import Verdict
from simoffload.analysis.theory.stations import BEST, ONE_WAY, Overview, overview
from simoffload.plant import build_plant
from simoffload.run.load import offered_load
from simoffload.schema import load_scenario, whole_catalogue

from .checked import CHECKED


def found(name: str, *settings: str) -> Overview:
    return overview(load_scenario(name, list(settings)))


def only(name: str, *settings: str) -> Verdict:
    (verdict,) = found(name, *settings).verdicts
    return verdict


@pytest.mark.parametrize(
    ("name", "form", "wait_s"),
    [
        ("mm1", "M/M/1", 4.0), ("mmc", "M/M/4", 2.98), ("md1", "M/D/1", 2.0), ("mg1", "M/G/1", 6.5),
        ("priority", "M/M/1, priorities", 4.0),
    ],
)  # fmt: skip
def test_theory_scenarios_are_what_their_names_say(name: str, form: str, wait_s: float) -> None:
    verdict = only(f"theory/{name}")
    assert verdict.name == form
    assert verdict.means is not None
    assert verdict.means.wait_s == pytest.approx(wait_s, rel=1e-3)
    assert verdict.remarks == ()


def test_urgent_customers_go_first() -> None:
    by_class = only("theory/priority").means_by_class
    assert {name: round(means.wait_s, 2) for name, means in by_class.items()} == {
        "1. urgent": 1.14,
        "2. customers": 5.71,
    }


def test_a_tandem_is_a_jackson_network() -> None:
    seen = found("theory/tandem")
    assert seen.is_jackson and seen.split == ONE_WAY
    assert [verdict.name for verdict in seen.verdicts] == ["M/M/1", "M/M/1"]
    assert all(verdict.remarks == () for verdict in seen.verdicts)
    assert sum(verdict.means.sojourn_s for verdict in seen.verdicts if verdict.means) == pytest.approx(5.15, abs=5e-3)


def test_a_tandem_after_constant_services_is_none() -> None:
    seen = found("theory/tandem", "workloads.customers.template.subtasks.look.demand=1 s")
    assert not seen.is_jackson
    assert list(map(str, seen.verdicts[1].remarks)) == ["arrivals from other stations are taken for Poisson"]


def test_slow_downs_are_a_pace_that_changes() -> None:
    spells = "edges.station.slowdown={kind: random, factor: 3, mean_between: 60 s, mean_lasting: 20 s}"
    verdict = only("theory/mm1", spells, "workloads.customers.arrivals.rate=0.5 /s")
    assert verdict.name == "M/M/1, pace changes"
    assert verdict.load == pytest.approx(0.5 / (0.75 + 0.25 / 3))


def test_an_overloaded_station_is_told_as_such() -> None:
    verdict = only("theory/mm1", "workloads.customers.arrivals.rate=1.1 /s")
    assert verdict.form is None
    assert verdict.load == pytest.approx(1.1)


def test_arrivals_that_are_not_poisson_are_said() -> None:
    verdict = only("theory/mm1", "workloads.customers.arrivals={kind: gamma, rate: 0.8 /s, cv: 2}")
    assert verdict.name == "GI/G/1, approximate"
    assert verdict.offered.arrival_cv == pytest.approx(2.0)


def test_a_whole_plant_is_split_as_evenly_as_validate_says() -> None:
    scenario = load_scenario("smart-factory")
    seen = overview(scenario)
    assert seen.split == BEST
    best = next(each.load for each in offered_load(scenario) if each.resource == "everything, split best")
    nodes = [each for each in seen.verdicts if "/" not in each.offered.station]
    assert max(each.load for each in nodes) == pytest.approx(best, rel=0.03)
    cloud = next(each for each in nodes if each.offered.station == "cloud")
    assert cloud.name == "M/M/1, batch of 10"
    uplink = next(each for each in seen.verdicts if each.offered.station == "text-1/uplink")
    assert uplink.name == "M/M/1, pace changes"
    assert "text-1/downlink" in seen.idle


def test_all_subtasks_arrive_somewhere() -> None:
    scenario = load_scenario("smart-factory")
    nodes = [each for each in overview(scenario).verdicts if "/" not in each.offered.station]
    assert sum(each.offered.arrival_rate for each in nodes) == pytest.approx(
        sum(kind.rate for kind in kinds_of(scenario))
    )


def test_a_batch_takes_of_its_time_less_the_fuller_it_is() -> None:
    scenario = load_scenario("smart-factory")
    cloud = build_plant(scenario, whole_catalogue(scenario)).nodes[-1]
    for kind in kinds_of(scenario):
        law, shares = kind.law(cloud), kind.share_of_batch_s(cloud, np.arange(1.0, 11.0))
        assert law is not None
        assert shares[0] == pytest.approx(law.mean_s)
        assert (np.diff(shares) < 0).all()


@pytest.mark.parametrize(
    ("arrivals", "cv"),
    [
        ("{kind: poisson, rate: 1 /s}", 1.0),
        ("{kind: weibull, rate: 1 /s, cv: 0.5}", 0.5),
        ("{kind: periodic, period: 2 s, jitter: 0.5 s}", np.sqrt(2 / 3) / 4),
        ("{kind: mmpp, rates: [1 /s, 2 /s], mean_sojourn: [1 s, 1 s]}", np.nan),
    ],
)
def test_the_cv_of_arrivals_is_that_of_their_law(arrivals: str, cv: float) -> None:
    scenario = load_scenario("theory/mm1", [f"workloads.customers.arrivals={arrivals}"])
    assert arrival_cv(scenario.workloads[0]) == pytest.approx(cv, nan_ok=True)


def test_the_remaining_scenarios_are_read_without_a_fault() -> None:
    for name in (
        "tiny",
        "alarm-storm",
        "campus-5g",
        "hidden-slowdown",
        "inspection-line",
        "trace-replay",
        "wan-constrained",
        "theory/routing",
    ):
        assert found(name).verdicts, name


RESUME = "edges.station.server={kind: slots, slots: %d, preemption: resume}"


def test_one_server_that_interrupts_has_the_preemptive_form() -> None:
    verdict = only("theory/priority", RESUME % 1)
    assert verdict.name == "M/M/1, preemptive priorities"
    assert {name: round(means.sojourn_s, 2) for name, means in verdict.means_by_class.items()} == {
        "1. urgent": 1.43,
        "2. customers": 7.14,
    }
    assert verdict.remarks == ()


def test_interruptions_that_no_form_has_are_said() -> None:
    words = list(map(str, only("theory/priority", RESUME % 2).remarks))
    assert any(word.startswith("more urgent subtasks interrupt services") for word in words)
    assert not any("interrupt" in str(remark) for remark in only("theory/priority").remarks)


def test_among_equals_nobody_interrupts() -> None:
    verdict = only("theory/priority", RESUME % 1, "workloads.urgent.weight=1")
    assert verdict.name == "M/M/1"
    assert verdict.remarks == ()


def test_answers_that_fail_their_check_come_to_the_cloud_again() -> None:
    """All goes to the cloud; of 0.4 a second, 0.75 are right and pass, 0.2 more are wrong and found out."""
    once = only("theory/mm1", *CHECKED, "quality.verify={detection: 80 %, false_alarm: 0 %, limit: 1}")
    assert once.offered.arrival_rate == pytest.approx(0.4 * 1.2, rel=1e-6)
    assert once.load == pytest.approx(0.4 * 1.2, rel=1e-6)
    assert list(map(str, once.remarks)) == [
        "16.7 % of what comes failed a check and is done again; it is taken for Poisson, and its services for new ones"
    ]
    often = only("theory/mm1", *CHECKED, "quality.verify={detection: 80 %, false_alarm: 0 %, limit: 3}")
    assert often.offered.arrival_rate == pytest.approx(0.4 * (1 + 0.25 * (0.8 + 0.8**2 + 0.8**3)), rel=1e-6)


def test_without_checks_nothing_comes_again() -> None:
    assert only("theory/mm1", *CHECKED).offered.arrival_rate == pytest.approx(0.4)
