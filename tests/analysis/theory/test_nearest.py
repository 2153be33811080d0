"""Each station gets the form that fits it best, with what does not fit in words."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from simoffload.analysis.theory import service
from simoffload.analysis.theory.nearest import Offered, Pace, nearest
from simoffload.analysis.theory.priority import PriorityClass

STATION = Offered("station", 0.8, 1.0, service.exponential(1.0), 1)
CHANGES = ((0.0, 0.05), (0.1, 0.0))


def words(offered: Offered) -> list[str]:
    return list(map(str, nearest(offered).remarks))


@pytest.mark.parametrize(
    ("changed", "name", "wait_s"),
    [
        ({}, "M/M/1", 4.0),
        ({"service": service.constant(1.0)}, "M/D/1", 2.0),
        ({"service": service.gamma(1.0, 1.5)}, "M/G/1", 6.5),
        ({"service": service.lognormal(1.0, 1.0)}, "M/G/1", 4.0),
        ({"arrival_rate": 2.4, "servers": 3}, "M/M/3", 1.0787),
        ({"arrival_rate": 2.4, "servers": 3, "service": service.constant(1.0)}, "M/D/3, approximate", 1.0787 / 2),
        ({"servers": 0}, "M/G/∞", 0.0),
        ({"arrival_cv": math.nan}, "M/M/1", 4.0),
        ({"end_rates": (1.0, 1.0, 1.0)}, "M/M/1, batch of 3", 4.0 - 0.8 * (1 + 0.8)),
    ],
)
def test_the_form_and_its_wait(changed: dict[str, object], name: str, wait_s: float) -> None:
    verdict = nearest(replace(STATION, **changed))  # type: ignore[arg-type]
    assert verdict.name == name
    assert verdict.means is not None
    assert verdict.means.wait_s == pytest.approx(wait_s, rel=1e-4, abs=1e-9)


def test_a_station_that_fits_has_no_remark() -> None:
    assert words(STATION) == []


def test_arrivals_that_vary_more_are_approximated_and_said() -> None:
    offered = replace(STATION, arrival_cv=1.4)
    assert nearest(offered).name == "GI/G/1, approximate"
    assert words(offered) == ["arrivals are not Poisson, the times between them have a CV of 1.40, not 1"]


def test_a_changing_pace_asks_for_exponential_services() -> None:
    offered = replace(
        STATION, arrival_rate=0.5, service=service.constant(1.0), pace=Pace((1.0, 0.2), CHANGES), arrival_cv=2.0
    )
    assert nearest(offered).name == "M/M/1, pace changes"
    assert nearest(offered).load == pytest.approx(0.5 / (2 / 3 + 0.2 / 3))
    first, second = words(offered)
    assert first.endswith("CV of 2.00, not 1; the form takes them for Poisson")
    assert second == "services are not exponential, as the form has them, but have a CV of 0"


def test_several_servers_have_the_mean_of_the_pace() -> None:
    offered = replace(STATION, arrival_rate=0.5, servers=2, pace=Pace((1.0, 0.2), CHANGES))
    assert nearest(offered).name == "M/M/2"
    assert words(offered) == ["the pace of service changes at random; the form has its mean"]
    assert nearest(offered).load == pytest.approx(0.25 / (2 / 3 + 0.2 / 3))


def test_classes_are_told_apart_at_one_server_only() -> None:
    law = service.exponential(1.0)
    classes = (PriorityClass(0.3, law), PriorityClass(0.5, law))
    offered = replace(STATION, classes=classes, class_names=("urgent", "others"))
    verdict = nearest(offered)
    assert verdict.name == "M/M/1, priorities"
    assert {name: round(means.wait_s, 3) for name, means in verdict.means_by_class.items()} == {
        "urgent": 1.143,
        "others": 5.714,
    }
    assert words(replace(offered, servers=2)) == [
        "some classes go before others; the form has one queue in order of arrival"
    ]


def test_where_the_urgent_interrupt_the_form_has_it_too() -> None:
    """Sojourns as White and Christie have them; what is beyond the bare service is the wait."""
    law = service.exponential(1.0)
    classes = (PriorityClass(0.3, law), PriorityClass(0.5, law))
    offered = replace(STATION, classes=classes, class_names=("urgent", "others"), interrupts=True)
    verdict = nearest(offered)
    assert verdict.name == "M/M/1, preemptive priorities"
    assert {name: round(means.sojourn_s, 3) for name, means in verdict.means_by_class.items()} == {
        "urgent": 1.429,
        "others": 7.143,
    }
    assert verdict.remarks == ()


@pytest.mark.parametrize(
    "changed", [{"servers": 2}, {"arrival_cv": 2.0}, {"pace": Pace((1.0, 0.9), CHANGES)}, {"classes": ()}]
)
def test_interruptions_that_the_form_does_not_have_are_said(changed: dict[str, object]) -> None:
    law = service.exponential(1.0)
    classes = (PriorityClass(0.3, law), PriorityClass(0.5, law))
    offered = replace(STATION, classes=classes, class_names=("urgent", "others"), interrupts=True)
    told = words(replace(offered, **changed))  # type: ignore[arg-type]
    assert "more urgent subtasks interrupt services; in the form a service that has begun goes on to its end" in told


@pytest.mark.parametrize(
    "changed", [{"arrival_rate": 1.1}, {"servers": 2, "arrival_rate": 2.5}, {"end_rates": (1.0, 0.7)}]
)
def test_too_much_work_is_a_verdict(changed: dict[str, object]) -> None:
    verdict = nearest(replace(STATION, **changed))  # type: ignore[arg-type]
    assert verdict.form is None and verdict.means is None
    assert verdict.load >= 1


def test_a_mean_pace_over_several_servers_counts_in_the_steady_state() -> None:
    """Two servers that run at a quarter of the pace half of the time cannot do 1.5 a second."""
    half = Pace((1.0, 0.25), ((0.0, 1.0), (1.0, 0.0)))
    verdict = nearest(replace(STATION, arrival_rate=1.5, servers=2, pace=half))
    assert verdict.load == pytest.approx(0.75 / 0.625)
    assert verdict.form is None
