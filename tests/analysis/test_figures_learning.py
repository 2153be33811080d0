"""The learning curve shows what trainings have left, with an interval where there are several."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from matplotlib.collections import LineCollection

from simoffload.analysis.figures_learning import learning_curve, mean_curve, read_curve
from simoffload.record.durable import RecordError

from .pictures import assert_readable

RULES = {"eft": 1.0, "weighted-greedy": 1.2}


def training(directory: Path, validation: list[float], rules: dict[str, float] = RULES) -> Path:
    """What a training of as many batches leaves, as far as it is drawn; nan where it was not validated."""
    directory.mkdir(parents=True)
    rows = [f"{k},{1000 * k},{2.0},{value}" for k, value in enumerate(validation, 1)]
    (directory / "curve.csv").write_text("\n".join(["batch,decisions,objective,validation", *rows]), encoding="utf-8")
    (directory / "policy.json").write_text(json.dumps({"validation": {"policy": 0.9, **rules}}), encoding="utf-8")
    return directory


def test_a_curve_holds_the_batches_that_were_validated(tmp_path: Path) -> None:
    curve = read_curve(training(tmp_path / "a", [math.nan, 1.1, math.nan, 0.9]))
    assert curve.decisions == (2000.0, 4000.0)
    assert curve.validation == (1.1, 0.9)
    assert curve.rules == RULES


def test_seeds_are_averaged_as_far_as_all_have_come(tmp_path: Path) -> None:
    curves = [read_curve(training(tmp_path / str(k), values)) for k, values in enumerate(([1.0, 2.0, 3.0], [2.0, 4.0]))]
    mean = mean_curve(curves)
    assert mean.mean == (1.5, 3.0)
    assert mean.half_width[0] == pytest.approx(12.706204736 * 0.5)
    assert mean_curve(curves[:1]).half_width == (math.inf,) * 3


def test_schemes_are_lines_with_bands_and_rules_are_level(tmp_path: Path) -> None:
    directories = {
        "ucb-coma": [training(tmp_path / f"u{k}", [1.5 + 0.1 * k, 0.9, 0.8]) for k in range(3)],
        "dqn": [training(tmp_path / "d", [40.0, 1.5, 1.4])],
    }
    figure = learning_curve(directories)
    assert_readable(figure)
    (axes,) = figure.axes
    drawn = [[float(y) for y in line.get_ydata()] for line in axes.get_lines()]  # type: ignore[arg-type]
    assert drawn[0] == pytest.approx([1.6, 0.9, 0.8])
    assert drawn[2:] == [[1.0, 1.0], [1.2, 1.2]]
    assert len(axes.collections) == 1
    assert axes.get_ylim()[1] < 4
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "ucb-coma", "dqn", "eft (rule)", "weighted-greedy (rule)",
    ]  # fmt: skip


def test_of_many_schemes_the_interval_is_drawn_where_they_end(tmp_path: Path) -> None:
    names = ("ucb-coma", "dqn", "ippo", "mappo", "qmix")
    directories = {name: [training(tmp_path / f"{name}{k}", [1.5, 0.9 + 0.1 * k]) for k in range(2)] for name in names}
    figure = learning_curve(directories)
    assert_readable(figure)
    (axes,) = figure.axes
    bars = [bar.get_segments()[0] for bar in axes.collections if isinstance(bar, LineCollection)]
    assert len(bars) == len(axes.collections) == len(names)
    half = mean_curve([read_curve(each) for each in directories["dqn"]]).half_width[-1]
    assert [bar[:, 1] for bar in bars] == [pytest.approx([0.95 - half, 0.95 + half])] * len(names)


def test_a_single_validation_is_a_point(tmp_path: Path) -> None:
    assert_readable(learning_curve({"ucb-coma": [training(tmp_path / "a", [1.0])]}))


def test_trainings_that_were_validated_on_different_runs_are_kept_apart(tmp_path: Path) -> None:
    directories = {"a": [training(tmp_path / "a", [1.0])], "b": [training(tmp_path / "b", [1.0], {"eft": 2.0})]}
    with pytest.raises(ValueError, match="validated on different runs"):
        learning_curve(directories)


@pytest.mark.parametrize(
    "damage", [lambda path: (path / "curve.csv").unlink(), lambda path: (path / "policy.json").write_text("{}")]
)
def test_what_is_no_training_is_named(tmp_path: Path, damage: object) -> None:
    directory = training(tmp_path / "a", [1.0])
    damage(directory)  # type: ignore[operator]
    with pytest.raises(RecordError, match="a holds no training that can be drawn"):
        read_curve(directory)


def test_a_training_that_was_never_validated_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="holds no validation"):
        read_curve(training(tmp_path / "a", [math.nan]))
