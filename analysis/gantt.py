"""A Gantt chart of one task: what each node and link did for it, and what waited for what.

Time runs from the task's arrival. A node's lane shows the task's subtasks there, from when all they need has come:
waiting, loading a model, reading the prompt, writing the answer; those of the same time have a row each. A link's lane
shows the transfers, which go one after the other: queueing, sending, and the way through the air. Other tasks, for
which they wait, are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from simoffload.schema.base import MODALITIES, STAGES

from .behaviour.paths import last_predecessors, whole_tasks
from .labels import short
from .numbers import rounded
from .page import Picture, write_picture
from .palette import FAINT, INK, LINK_COLOUR, PALE, STAGE_COLOURS, new_figure, theme
from .runs import Columns, Run, read_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

_NEAR = 0.02
"""Tasks whose rank is this near to the wanted quantile may stand for it."""
_MOST_SUBTASKS = 12
_DIRECTIONS = ("uplink", "downlink", "lan")
_SUBTASKS = (
    "task", "subtask", "stage", "modality", "node", "ready_s", "entered_s", "start_s", "first_token_s", "finish_s",
    "swap_s",
)  # fmt: skip
_TRANSFERS = ("task", "subtask", "link", "queued_s", "start_s", "end_s", "delivered_s")


Point = tuple[int, float]
"""A row of the chart, and an instant in s since the task's arrival."""
Wait = tuple[Point, Point]
"""From something waited for to what waited for it."""


@dataclass(frozen=True, slots=True)
class Work:
    """A subtask on a node: instants in s since the task's arrival; `row` counts rows of the chart from the top."""

    subtask: int
    stage: str
    modality: str
    row: int
    entered_s: float
    start_s: float
    loaded_s: float
    first_token_s: float
    finish_s: float


@dataclass(frozen=True, slots=True)
class Transfer:
    """Bytes on a link, needed by a subtask; the same clock."""

    subtask: int
    row: int
    queued_s: float
    start_s: float
    end_s: float
    delivered_s: float


@dataclass(frozen=True, slots=True)
class Lane:
    """A node or link: its name, its first row and their number."""

    name: str
    row: int
    rows: int
    is_link: bool


@dataclass(frozen=True, slots=True)
class TaskChart:
    """All there is to draw of a task."""

    task: int
    agent: str
    home: str
    latency_s: float
    lanes: tuple[Lane, ...]
    work: tuple[Work, ...]
    transfers: tuple[Transfer, ...]
    waits: tuple[Wait, ...]


def task_at(run: Run, share: float) -> int | None:
    """The number of a task that stands for a quantile of latency; None if none was measured and kept all its rows.

    Of the tasks about that rank it is the one with the most subtasks, up to a dozen.
    """
    rows = read_columns(run, "tasks", ["task", "arrival_s", "status", "subtasks", "latency_s"])
    subtasks = read_columns(run, "subtasks", ["task"])["task"]
    usable = (rows["arrival_s"] >= run.warm_up_s) & (rows["status"] == 0) & whole_tasks(rows, subtasks)
    measured = np.flatnonzero(usable)
    if not len(measured):
        return None
    order = measured[np.argsort(rows["latency_s"][measured], kind="stable")]
    place = min(math.ceil(share * len(order)), len(order)) - 1
    reach = int(_NEAR * len(order))
    near = order[max(0, place - reach) : place + reach + 1]
    size = np.where(rows["subtasks"][near] <= _MOST_SUBTASKS, rows["subtasks"][near], 0)
    return int(rows["task"][near[int(np.argmax(size))]])


def task_chart(run: Run, task: int) -> TaskChart:
    """The chart of a task; ValueError when the record does not hold it whole."""
    tasks, subtasks, transfers = (
        _of_task(read_columns(run, kind, columns), task)
        for kind, columns in (
            ("tasks", ("task", "home", "arrival_s", "latency_s")), ("subtasks", _SUBTASKS), ("links", _TRANSFERS),
        )
    )  # fmt: skip
    if not len(tasks["task"]) or not len(subtasks["task"]):
        raise ValueError(f"{run.directory} has no record of task {task}")
    arrival, home = float(tasks["arrival_s"][0]), int(tasks["home"][0])
    names = list(run.summary.nodes)
    node_rows = _packed(*(subtasks[name].tolist() for name in ("node", "entered_s", "finish_s")))
    links = transfers["link"].tolist()
    lanes = _lanes(names, home, node_rows, links)
    top = {(lane.name, lane.is_link): lane.row for lane in lanes}
    work = tuple(_work(subtasks, i, top[names[node], False] + row, arrival) for i, (node, row) in enumerate(node_rows))
    moved = tuple(_transfer(transfers, i, top[_link_name(names, link), True], arrival) for i, link in enumerate(links))
    latency = float(tasks["latency_s"][0])
    waits = tuple(_waits(subtasks, work, moved, arrival))
    return TaskChart(task, run.summary.agent, names[home], latency, lanes, work, moved, waits)


def _of_task(rows: Columns, task: int) -> Columns:
    kept = rows["task"] == task
    return {name: column[kept] for name, column in rows.items()}


def _packed(places: Sequence[int], begins: Sequence[float], ends: Sequence[float]) -> list[tuple[int, int]]:
    """For each stay its place and the first row there that is free when it begins (rows count from 0 at each place)."""
    free: dict[int, list[float]] = {}
    found = [(0, 0)] * len(places)
    for index in sorted(range(len(places)), key=lambda i: (begins[i], i)):
        rows = free.setdefault(places[index], [])
        row = next((row for row, until in enumerate(rows) if until <= begins[index]), len(rows))
        rows[row : row + 1] = [ends[index]]
        found[index] = (places[index], row)
    return found


def _lanes(
    names: Sequence[str], home: int, node_rows: Iterable[tuple[int, int]], links: Iterable[int]
) -> tuple[Lane, ...]:
    """The home node first, the others in their order, each followed by its links."""
    keys: dict[tuple[bool, int, int], int] = {}
    for node, row in node_rows:
        key = (node != home, node, -1)
        keys[key] = max(keys.get(key, 0), row + 1)
    for link in links:
        keys[link // 3 != home, link // 3, link % 3] = 1
    lanes = []
    top = 0
    for (_, node, direction), rows in sorted(keys.items()):
        name = names[node] if direction < 0 else _link_name(names, 3 * node + direction)
        lanes.append(Lane(name, top, rows, direction >= 0))
        top += rows
    return tuple(lanes)


def _link_name(names: Sequence[str], link: int) -> str:
    return f"{names[link // 3]} {_DIRECTIONS[link % 3]}"


def _work(rows: Columns, i: int, row: int, arrival_s: float) -> Work:
    start = float(rows["start_s"][i]) - arrival_s
    return Work(
        subtask=int(rows["subtask"][i]),
        stage=STAGES[int(rows["stage"][i])],
        modality=MODALITIES[int(rows["modality"][i])],
        row=row,
        entered_s=float(rows["entered_s"][i]) - arrival_s,
        start_s=start,
        loaded_s=start + float(rows["swap_s"][i]),
        first_token_s=float(rows["first_token_s"][i]) - arrival_s,
        finish_s=float(rows["finish_s"][i]) - arrival_s,
    )


def _transfer(rows: Columns, i: int, row: int, arrival_s: float) -> Transfer:
    times = (float(rows[name][i]) - arrival_s for name in ("queued_s", "start_s", "end_s", "delivered_s"))
    return Transfer(int(rows["subtask"][i]), row, *times)


def _waits(subtasks: Columns, work: Sequence[Work], transfers: Sequence[Transfer], arrival_s: float) -> Iterable[Wait]:
    """What made each subtask ready, by way of transfers if there were any; and the answer's way home."""
    back = last_predecessors(subtasks["task"], subtasks["ready_s"], subtasks["finish_s"])
    for i, each in enumerate(work):
        moves = [move for move in transfers if move.subtask == each.subtask]
        inbound = [move for move in moves if move.queued_s < each.finish_s]
        before = work[back[i]] if back[i] >= 0 else None
        begin = (before.row, before.finish_s) if before is not None else None
        yield from _hops(inbound, begin, (each.row, each.entered_s))
        if begin is not None and not inbound:
            yield begin, (each.row, each.entered_s)
        yield from _hops([move for move in moves if move not in inbound], (each.row, each.finish_s), None)


def _hops(moves: Sequence[Transfer], begin: Point | None, end: Point | None) -> Iterable[Wait]:
    """Lines into transfers that start together, between the hops of those that take several, and out of the last."""
    arriving = {move.delivered_s: move for move in moves}
    leaving = {move.queued_s for move in moves}
    for move in moves:
        before = arriving.get(move.queued_s)
        if before is not None and before is not move:
            yield (before.row, before.delivered_s), (move.row, move.queued_s)
        elif begin is not None:
            yield begin, (move.row, move.queued_s)
        if end is not None and (move.delivered_s not in leaving or move.delivered_s == move.queued_s):
            yield (move.row, move.delivered_s), end


def gantt_figure(chart: TaskChart) -> Figure:
    """Lanes from top to bottom, the home node first; bars by stage, thin lines for what each waited for."""
    with theme():
        rows = sum(lane.rows for lane in chart.lanes)
        figure = new_figure(1.15 + 0.3 * rows)
        axes = figure.subplots()
        axes.set_xlim(0, 1.01 * chart.latency_s)
        axes.set_ylim(rows - 0.45, -0.55)
        _draw_lanes(axes, chart.lanes)
        for move in chart.transfers:
            _draw_transfer(axes, move)
        for each in chart.work:
            _draw_work(axes, each)
        links = {lane.row for lane in chart.lanes if lane.is_link}
        for begin, end in chart.waits:
            _draw_wait(axes, begin, end, into_link=end[0] in links)
        axes.axvline(chart.latency_s, color=INK, linewidth=1.2)
        axes.text(
            chart.latency_s, -0.6, f"answer at home, {rounded(chart.latency_s)} s", ha="right", va="bottom", fontsize=8
        )
        axes.set_xlabel("time since the task arrived (s)")
        axes.grid(axis="y", visible=False)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        figure.legend(handles=_legend(chart), loc="outside upper center", ncols=7, handlelength=1.3, columnspacing=1.1)
    return figure


def _draw_lanes(axes: Axes, lanes: Sequence[Lane]) -> None:
    axes.set_yticks([lane.row + (lane.rows - 1) / 2 for lane in lanes], [short(lane.name) for lane in lanes])
    for label, lane in zip(axes.get_yticklabels(), lanes, strict=True):
        label.set_color(FAINT if lane.is_link else INK)
        label.set_fontweight("normal" if lane.is_link else "bold")
        if lane.is_link:
            axes.axhspan(lane.row - 0.5, lane.row + lane.rows - 0.5, color="#f4f5f7", linewidth=0, zorder=0)
        axes.axhline(lane.row - 0.5, color=PALE, linewidth=0.6, zorder=0.5)


def _bar(axes: Axes, row: int, begin: float, end: float, colour: str, alpha: float = 1.0, hatch: str = "") -> None:
    if end > begin:
        axes.barh(
            row, end - begin, left=begin, height=0.62, color=colour, alpha=alpha, hatch=hatch, edgecolor="white",
            linewidth=0, zorder=2,
        )  # fmt: skip


def _tick(axes: Axes, row: int, at: float) -> None:
    """A line as high as a bar, so that the shortest of transfers is seen."""
    axes.vlines(at, row - 0.31, row + 0.31, color=LINK_COLOUR, linewidth=1.8, zorder=3.5)


def _draw_work(axes: Axes, work: Work) -> None:
    colour = STAGE_COLOURS[work.stage]
    _bar(axes, work.row, work.entered_s, work.start_s, PALE)
    _bar(axes, work.row, work.start_s, work.loaded_s, FAINT, hatch="////")
    _bar(axes, work.row, work.loaded_s, work.first_token_s, colour, alpha=0.5)
    _bar(axes, work.row, work.first_token_s, work.finish_s, colour)
    room = (work.finish_s - work.start_s) / axes.get_xlim()[1]
    for text in (f"{work.subtask} {work.modality}", str(work.subtask)):
        if (work.stage == "explain" or " " not in text) and room > 0.0135 * len(text):
            middle = (work.start_s + work.finish_s) / 2
            axes.text(middle, work.row + 0.03, text, ha="center", va="center", fontsize=8, color=INK, zorder=4)
            break


def _draw_transfer(axes: Axes, move: Transfer) -> None:
    _bar(axes, move.row, move.queued_s, move.start_s, PALE)
    _bar(axes, move.row, move.start_s, move.end_s, LINK_COLOUR)
    _tick(axes, move.row, move.start_s)
    axes.plot([move.end_s, move.delivered_s], [move.row] * 2, color=LINK_COLOUR, linewidth=1.4, zorder=2)


def _draw_wait(axes: Axes, begin: Point, end: Point, into_link: bool) -> None:
    """An arrow into a subtask, a faint line into a transfer: what is sent at once would be a heap of arrows."""
    style = "-" if into_link else "-|>,head_width=0.12,head_length=0.25"
    colour = FAINT if into_link else INK
    axes.annotate(
        "", xy=end[::-1], xytext=begin[::-1], zorder=2.5 if into_link else 3,
        arrowprops={"arrowstyle": style, "color": colour, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip


def _legend(chart: TaskChart) -> list[Patch]:
    """What there is in the chart."""
    from matplotlib.patches import Patch

    present = {each.stage for each in chart.work}
    patches = [Patch(facecolor=STAGE_COLOURS[stage], label=stage) for stage in STAGES if stage in present]
    if any(each.start_s > each.entered_s for each in chart.work) or any(
        move.start_s > move.queued_s for move in chart.transfers
    ):
        patches.append(Patch(facecolor=PALE, label="waiting"))
    if any(each.loaded_s > each.start_s for each in chart.work):
        patches.append(Patch(facecolor=FAINT, hatch="////", edgecolor="white", label="loading the model"))
    if chart.transfers:
        patches.append(Patch(facecolor=LINK_COLOUR, label="transfer"))
    return patches


def caption(chart: TaskChart, rank: str) -> str:
    """What the chart shows, in words."""
    waited = sum(each.start_s - each.entered_s for each in chart.work)
    served = sum(each.finish_s - each.start_s for each in chart.work)
    return (
        f"Task {chart.task}, which came to {chart.home}, under {chart.agent}, {rank}: {rounded(chart.latency_s)} s for "
        f"{len(chart.work)} subtasks, "
        f"which were served for {rounded(served)} s and waited for {rounded(waited)} s, side by side where they could. "
        "The lighter part of a bar is the reading of the prompt; arrows lead from what a subtask waited for last."
    )


def task_pictures(run: Run, directory: Path) -> list[Picture]:
    """Charts of a median task and of a slow one."""
    pictures = []
    for share, name, title, rank in (
        (0.5, "gantt-median", "A task of median latency", "about the median"),
        (0.95, "gantt-p95", "A slow task", "about the 95th percentile"),
    ):
        task = task_at(run, share)
        if task is not None:
            chart = task_chart(run, task)
            pictures.append(write_picture(gantt_figure(chart), directory, name, title, caption(chart, rank)))
    return pictures
