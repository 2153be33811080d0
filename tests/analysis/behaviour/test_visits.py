"""Instants of a run's stations give the queues that the stations counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simoffload.analysis.behaviour.queues import number_present
from simoffload.analysis.behaviour.visits import (
    has_poisson_arrivals,
    link_numbers,
    link_visits,
    node_visits,
    task_visits,
)
from simoffload.analysis.runs import Run
from simoffload.record.durable import RecordError


def window(run: Run) -> tuple[float, float]:
    """What the averages of the summary are over."""
    return run.warm_up_s, float(task_visits(run).arrivals_s.max())


def test_queues_of_nodes_are_those_that_were_counted(simulated: Run) -> None:
    for name in ("text-1", "audio-2", "cloud"):
        node = simulated.summary.nodes[name]
        visits = node_visits(simulated, name)
        waiting = number_present(visits.arrivals_s, visits.starts_s, *window(simulated))
        present = number_present(visits.arrivals_s, visits.departures_s, *window(simulated))
        assert waiting.mean == pytest.approx(node.queue_length.mean, abs=1e-12)
        assert present.mean == pytest.approx(node.in_system.mean, abs=1e-12)
        assert waiting.values[waiting.durations_s > 0].max() == node.queue_length.max


def test_queues_of_links_are_those_that_were_counted(simulated: Run) -> None:
    for name in ("text-1/uplink", "image-1/downlink", "text-2/lan"):
        link = simulated.summary.links[name]
        visits = link_visits(simulated, name)
        assert len(visits.arrivals_s) > 0
        waiting = number_present(visits.arrivals_s, visits.starts_s, *window(simulated))
        assert waiting.mean == pytest.approx(link.queue_length.mean, abs=1e-12)
    assert len(set(link_numbers(simulated).values())) == len(simulated.summary.links)


def test_tasks_come_in_order_and_all_leave(simulated: Run) -> None:
    visits = task_visits(simulated)
    assert len(visits.arrivals_s) == simulated.summary.tasks.arrived
    assert (np.diff(visits.arrivals_s) >= 0).all()
    assert np.isfinite(visits.departures_s).all()


def test_a_station_that_is_not_there_is_told_with_the_nearest(simulated: Run) -> None:
    with pytest.raises(RecordError, match=r"has no node 'text1'; it has text-1, .*; did you mean 'text-1'"):
        node_visits(simulated, "text1")
    with pytest.raises(RecordError, match=r"has no link 'text-1/uplnk'; .*did you mean 'text-1/uplink'"):
        link_visits(simulated, "text-1/uplnk")


@pytest.mark.parametrize(
    ("arrivals", "poisson"),
    [
        ("{kind: poisson, rate: 1 /s}", True),
        ("{kind: poisson, rate: 1 /s, modulation: {period: 1 d, amplitude: 0.5}}", False),
        ("{kind: gamma, rate: 1 /s, cv: 1}", False),
    ],
)
def test_arrivals_are_poisson_where_the_scenario_says_so(simulated: Run, arrivals: str, poisson: bool) -> None:
    text = f"workloads:\n- {{id: a, arrivals: {arrivals}}}\n"
    assert has_poisson_arrivals(replace(simulated, scenario_text=text)) is poisson
    assert not has_poisson_arrivals(replace(simulated, scenario_text="workloads: []\n"))
    assert not has_poisson_arrivals(simulated)
