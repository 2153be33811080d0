"""Lines are drawn as they were: their means over time, their extremes, and the share of time of each length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simoffload.analysis.figures_queues import longest_lines, queue_view, queues_figure
from simoffload.analysis.runs import Run

from .pictures import assert_readable
from .simulated import simulated


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return simulated(tmp_path_factory.mktemp("lines") / "run", "theory/mm1", "horizon={tasks: 3000}")


def test_the_mean_line_is_that_of_the_summary(run: Run) -> None:
    view = queue_view(run, "station")
    assert view is not None
    assert view.distribution.mean == pytest.approx(run.summary.nodes["station"].queue_length.mean, rel=0.01)
    assert view.distribution.shares.sum() == pytest.approx(1.0)
    assert np.all(view.over_time.low <= view.over_time.mean)
    assert np.all(view.over_time.mean <= view.over_time.high)


def test_the_picture_has_a_row_for_each_station(run: Run) -> None:
    views = [view for node in longest_lines(run) if (view := queue_view(run, node)) is not None]
    figure = queues_figure(views * 3)
    assert_readable(figure)
    assert len(figure.axes) == 6
    assert figure.axes[0].get_title(loc="left").startswith("station: ")


def test_a_node_that_nobody_came_to_has_no_picture(tmp_path: Path) -> None:
    spare = [
        "catalogue.models.seer={parameters: 1e6, weights: 1 MB, modalities: [image]}",
        "edges=[{id: station, hardware: counter, models: [clerk]}, {id: spare, hardware: counter, models: [seer]}]",
        "workloads.customers.homes=[station]",
    ]
    run = simulated(tmp_path / "run", "theory/mm1", "horizon={tasks: 20}", "warm_up=0 s", *spare)
    assert queue_view(run, "station") is not None
    assert queue_view(run, "spare") is None
