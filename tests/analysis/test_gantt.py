"""The chart of a task shows each of its subtasks and transfers, where and when they were, and what led to what."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from simoffload.analysis.gantt import TaskChart, caption, gantt_figure, task_at, task_chart, task_pictures
from simoffload.analysis.runs import Run, open_run, read_columns
from simoffload.record.manifest import read_manifest, write_manifest
from simoffload.record.parts import PartWriter
from simoffload.record.rows import LAYOUTS, LINKS, NODES, SUBTASKS, TASKS, Layout

from .pictures import assert_readable, texts, tick_names
from .synthetic import Setup, write_run

TEXT_1, IMAGE_1, CLOUD = 0, 1, 3
NAN = float("nan")


def subtask(number: int, stage: int, node: int, times: tuple[float, ...], swap_s: float = 0.0) -> tuple[object, ...]:
    """A row of task 5; times are ready, entered, start, first token, finish."""
    return (5, number, stage, 1, node, *times, 400, 120, 100.0, swap_s, 0.001, 30.0, 0.0, NAN, -1)


TASK = (5, 0, TEXT_1, 100.0, 110.0, 0, 3, 10.0, 0.003, 90.0, 1.0, 0.5, 1, 1)
WORK = [
    subtask(0, 0, TEXT_1, (100.0, 100.0, 100.5, 101.0, 103.0)),
    subtask(1, 0, IMAGE_1, (100.0, 101.0, 101.0, 102.5, 104.0), swap_s=1.0),
    subtask(2, 2, CLOUD, (104.0, 105.5, 106.0, 106.5, 109.0)),
]
MOVES = [
    (5, 1, 2, 8e5, 100.0, 100.25, 100.75, 101.0),  # the raw payload, over the LAN port of text-1
    (5, 2, 0, 900.0, 104.0, 104.0, 104.125, 104.5),  # the first answer, over the up-link of text-1
    (5, 2, 3, 900.0, 104.0, 104.5, 105.0, 105.5),  # the second, over that of image-1
    (5, 2, 1, 480.0, 109.25, 109.25, 109.5, 110.0),  # the way home, over the down-link of text-1
]


def recorded(tmp_path: Path, rows: dict[Layout, list[tuple[object, ...]]]) -> Run:
    """A run that consists of these rows."""
    write_run(tmp_path / "run", setup=Setup(tasks=1), rows=False)
    parts: tuple[object, ...] = ()
    for layout in LAYOUTS:
        writer = PartWriter(tmp_path / "run", layout)
        writer.write(np.array(rows.get(layout, []), dtype=layout.dtype).tobytes())
        writer.flush()
        parts += writer.parts
    write_manifest(tmp_path / "run", read_manifest(tmp_path / "run").model_copy(update={"parts": parts}))
    return open_run(tmp_path / "run")


@pytest.fixture
def chart(tmp_path: Path) -> TaskChart:
    return task_chart(recorded(tmp_path, {TASKS: [TASK], SUBTASKS: WORK, LINKS: MOVES}), 5)


def test_lanes_are_the_nodes_and_links_in_use_with_home_first(chart: TaskChart) -> None:
    assert [(lane.name, lane.is_link) for lane in chart.lanes] == [
        ("text-1", False), ("text-1 uplink", True), ("text-1 downlink", True), ("text-1 lan", True),
        ("image-1", False), ("image-1 uplink", True), ("cloud", False),
    ]  # fmt: skip
    assert [lane.row for lane in chart.lanes] == list(range(7))


def test_the_clock_starts_when_the_task_arrives(chart: TaskChart) -> None:
    second = chart.work[1]
    assert (second.entered_s, second.start_s, second.loaded_s, second.first_token_s, second.finish_s) == (
        1.0, 1.0, 2.0, 2.5, 4.0,
    )  # fmt: skip
    assert (chart.transfers[0].queued_s, chart.transfers[0].delivered_s) == (0.0, 1.0)
    assert chart.latency_s == 10


def test_bars_lie_in_the_lane_of_their_node_or_link(chart: TaskChart) -> None:
    rows = {lane.name: lane.row for lane in chart.lanes}
    assert [each.row for each in chart.work] == [rows["text-1"], rows["image-1"], rows["cloud"]]
    assert [move.row for move in chart.transfers] == [
        rows[name] for name in ("text-1 lan", "text-1 uplink", "image-1 uplink", "text-1 downlink")
    ]


def test_lines_lead_from_what_was_waited_for(chart: TaskChart) -> None:
    rows = {lane.name: lane.row for lane in chart.lanes}
    assert set(chart.waits) == {
        ((rows["text-1 lan"], 1.0), (rows["image-1"], 1.0)),
        ((rows["image-1"], 4.0), (rows["text-1 uplink"], 4.0)),
        ((rows["image-1"], 4.0), (rows["image-1 uplink"], 4.0)),
        ((rows["text-1 uplink"], 4.5), (rows["cloud"], 5.5)),
        ((rows["image-1 uplink"], 5.5), (rows["cloud"], 5.5)),
        ((rows["cloud"], 9.0), (rows["text-1 downlink"], 9.25)),
    }


def test_a_transfer_of_two_hops_is_a_chain(tmp_path: Path) -> None:
    work = [subtask(0, 0, IMAGE_1, (100.0, 102.0, 102.0, 103.0, 104.0))]
    moves = [(5, 0, 0, 8e5, 100.0, 100.0, 100.5, 101.0), (5, 0, 4, 8e5, 101.0, 101.0, 101.5, 102.0)]
    chart = task_chart(recorded(tmp_path, {TASKS: [TASK], SUBTASKS: work, LINKS: moves}), 5)
    rows = {lane.name: lane.row for lane in chart.lanes}
    assert set(chart.waits) == {
        ((rows["text-1 uplink"], 1.0), (rows["image-1 downlink"], 1.0)),
        ((rows["image-1 downlink"], 2.0), (rows["image-1"], 2.0)),
    }


def test_subtasks_at_one_node_at_one_time_have_rows_of_their_own(tmp_path: Path) -> None:
    times = [(100.0, 100.0, 100.0 + k, 101.0 + k, 103.0 + k) for k in range(3)]
    work = [*(subtask(k, 0, TEXT_1, each) for k, each in enumerate(times)),
            subtask(3, 2, TEXT_1, (105.0, 105.0, 105.0, 106.0, 109.0))]  # fmt: skip
    chart = task_chart(recorded(tmp_path, {TASKS: [TASK], SUBTASKS: work}), 5)
    assert [each.row for each in chart.work] == [0, 1, 2, 0]
    assert [(lane.name, lane.rows) for lane in chart.lanes] == [("text-1", 3)]


def test_transfers_of_one_link_share_a_row(tmp_path: Path) -> None:
    moves = [(5, 0, 2, 900.0, 100.0, 100.0 + k, 101.0 + k, 101.0 + k) for k in range(3)]
    chart = task_chart(recorded(tmp_path, {TASKS: [TASK], SUBTASKS: WORK, LINKS: moves}), 5)
    assert len({move.row for move in chart.transfers}) == 1
    assert [lane.rows for lane in chart.lanes] == [1] * 4


def test_a_task_without_record_is_named(run: Run) -> None:
    with pytest.raises(ValueError, match="no record of task 12345"):
        task_chart(run, 12345)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_the_task_of_a_quantile_is_near_it(run: Run, share: float) -> None:
    task = task_at(run, share)
    rows = read_columns(run, "tasks", ["task", "arrival_s", "latency_s", "subtasks"])
    measured = rows["latency_s"][rows["arrival_s"] >= run.warm_up_s]
    (own,) = rows["latency_s"][rows["task"] == task]
    assert np.mean(measured <= own) == pytest.approx(share, abs=0.03)


def test_tasks_without_all_of_their_rows_are_not_chosen(tmp_path: Path) -> None:
    second = (6, *TASK[1:])
    run = recorded(tmp_path, {TASKS: [TASK, second], SUBTASKS: WORK})
    assert task_at(run, 0.99) == 5
    assert task_at(recorded(tmp_path / "none", {TASKS: [TASK], SUBTASKS: WORK[:2]}), 0.5) is None


def test_no_measured_task_no_chart(tmp_path: Path) -> None:
    write_run(tmp_path / "run", setup=Setup(tasks=1))
    run = replace(open_run(tmp_path / "run"), warm_up_s=1e9)
    assert task_at(run, 0.5) is None
    assert task_pictures(run, tmp_path / "figures") == []


def test_all_that_was_recorded_is_drawn(chart: TaskChart) -> None:
    figure = gantt_figure(chart)
    assert_readable(figure)
    axes = figure.axes[0]
    assert tick_names(axes) == [lane.name for lane in chart.lanes]
    spans = {
        (round(bar.get_y() + bar.get_height() / 2), bar.get_x(), bar.get_x() + bar.get_width())  # type: ignore[attr-defined]
        for bar in axes.patches
    }
    for each in chart.work:
        instants = (each.entered_s, each.start_s, each.loaded_s, each.first_token_s, each.finish_s)
        assert spans >= {(each.row, begin, end) for begin, end in pairwise(instants) if begin < end}
    for move in chart.transfers:
        assert (move.row, move.start_s, move.end_s) in spans
    assert "answer at home, 10.0 s" in texts(axes)
    assert "0 image" in texts(axes)


def test_the_legend_names_what_there_is(chart: TaskChart) -> None:
    def names(shown: TaskChart) -> list[str]:
        (legend,) = gantt_figure(shown).legends
        return [text.get_text() for text in legend.get_texts()]

    assert names(chart) == ["explain", "generate", "waiting", "loading the model", "transfer"]
    alone = replace(chart, transfers=(), work=chart.work[:1], waits=())
    assert names(alone) == ["explain", "waiting"]


def test_the_caption_adds_up_what_was_done(chart: TaskChart) -> None:
    words = caption(chart, "about the median")
    assert words.startswith("Task 5, which came to text-1, under ucb-coma, about the median: 10.0 s for 3 subtasks, ")
    assert "served for 8.50 s and waited for 1.00 s" in words


def test_two_tasks_are_drawn_of_a_run(run: Run, tmp_path: Path) -> None:
    pictures = task_pictures(run, tmp_path)
    assert [picture.name for picture in pictures] == ["gantt-median", "gantt-p95"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "gantt-median.png", "gantt-median.svg", "gantt-p95.png", "gantt-p95.svg",
    ]  # fmt: skip
    for share in (0.5, 0.95):
        task = task_at(run, share)
        assert task is not None
        assert_readable(gantt_figure(task_chart(run, task)))


def test_nodes_rows_are_not_needed(tmp_path: Path) -> None:
    run = recorded(tmp_path, {TASKS: [TASK], SUBTASKS: WORK, LINKS: MOVES, NODES: []})
    assert len(task_chart(run, 5).work) == 3
