"""The laws on the records of a run: what stations counted on one side, what rows add up to on the other.

Stations integrate their numbers while the run goes on, step by step; rows are written when something ends. They share
no arithmetic, so that a row lost on its way, or written twice, is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from ..numbers import counted, rounded
from ..runs import Run
from ..sources.database import real
from ..sources.rows import Columns, Rows, open_rows
from .laws import CONSERVATION, FLOW, LITTLE, UTILISATION, Law, flow_balance, little, utilisation
from .visits import link_numbers

_STRETCHES = """
    SELECT time_s, time_s - coalesce(lag(time_s) OVER (ORDER BY time_s), 0) AS elapsed_s
    FROM (SELECT DISTINCT time_s FROM rows)
"""
_SEEN = f"""
    SELECT node, fsum((in_queue + in_service) * elapsed_s) AS present_s, fsum(in_service * elapsed_s) AS serving_s,
        max(time_s) AS end_s
    FROM rows JOIN ({_STRETCHES}) USING (time_s) GROUP BY node ORDER BY node
"""
_SERVED = """
    SELECT node, count(*) AS n, fsum(finish_s - entered_s) AS present_s, fsum(finish_s - start_s) AS serving_s,
        count(*) FILTER (entered_s < {begin}) - count(*) FILTER (finish_s < {begin}) AS before,
        count(*) FILTER (entered_s <= {end}) - count(*) FILTER (finish_s <= {end}) AS after
    FROM rows GROUP BY node
"""
_CARRIED = """
    SELECT link, fsum(greatest(least(start_s, {end}) - greatest(queued_s, {begin}), 0)) AS waiting_s
    FROM rows GROUP BY link
"""


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A law that these records cannot be held against, and why."""

    name: str
    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Laws:
    """All that could be checked, and what could not."""

    checked: tuple[Law, ...]
    unchecked: tuple[Unchecked, ...]

    @property
    def hold(self) -> bool:
        """Whether all hold that could be checked."""
        return all(law.holds() for law in self.checked)


@dataclass(frozen=True, slots=True)
class _Records:
    """The rows of a run, opened."""

    run: Run
    tasks: Rows
    subtasks: Rows
    nodes: Rows
    links: Rows


def laws_of(run: Run) -> Laws:
    """All laws on the records of a run: of the system, each node and each link; RecordError when it has no rows.

    In bounded memory, but for the instants of tasks.
    """
    with ExitStack() as stack:
        kinds = ("tasks", "subtasks", "nodes", "links")
        seen = _Records(run, *(stack.enter_context(open_rows(run.directory, kind)) for kind in kinds))
        found = [_little_of_tasks(seen), *_conservation(seen), *_of_nodes(seen), *_of_links(seen)]
    return Laws(
        tuple(each for each in found if isinstance(each, Law)),
        tuple(each for each in found if isinstance(each, Unchecked)),
    )


def laws_of_all(runs: Iterable[Run]) -> Laws:
    """The laws on the records of several runs; RecordError when one has no rows."""
    found = [laws_of(run) for run in runs]
    return Laws(
        tuple(law for laws in found for law in laws.checked),
        tuple(each for laws in found for each in laws.unchecked),
    )


def laws_in_words(laws: Laws) -> str:
    """What was checked, and what came of it."""
    broken = [law for law in laws.checked if not law.holds()]
    checked = counted(len(laws.checked), "check")
    left = "".join(
        f" {why}" for why in sorted({f"Not checked: {each.name}, {each.reason}." for each in laws.unchecked})
    )
    if broken:
        worst = max(broken, key=lambda law: law.residual)
        return (
            f"{len(broken)} of {checked} of conservation laws FAIL, worst {worst.name} at {worst.where}: "
            f"{worst.left_is} is {rounded(worst.left, 6)} {worst.unit}, {worst.right_is} "
            f"{rounded(worst.right, 6)}.{left}"
        )
    largest = max((law.residual for law in laws.checked), default=0.0)
    return (
        f"Little's law, flow balance, utilisation and the conservation of cost and energy hold in all {checked}; the "
        f"largest residual is {largest:.1e}.{left}"
    )


def _lost(run: Run) -> int:
    """Attempts of measured tasks that ended without an answer."""
    return 0 if run.summary.faults is None else sum(run.summary.faults.attempts_lost.values())


def _gap(run: Run) -> str:
    """Why stations saw what has no rows; empty where they did not."""
    if run.manifest.kept_one_in != 1:
        return f"rows are kept of one task in {run.manifest.kept_one_in}"
    if run.summary.tasks.in_system or not run.is_complete:
        return f"{run.summary.tasks.in_system} tasks were in the system at the end; what is under way has no rows"
    if _lost(run) or run.summary.tasks.dropped:
        return f"{_lost(run)} attempts were lost, which have no rows"
    return ""


def _little_of_tasks(seen: _Records) -> Law:
    """The number of tasks in the system, from their instants, against their latencies as they were written."""
    rows = seen.tasks.arrays(["arrival_s", "finish_s", "latency_s"])
    instants = np.concatenate([rows["arrival_s"], rows["finish_s"], seen.nodes.arrays(["time_s"])["time_s"]])
    end_s = float(np.nanmax(instants, initial=0.0))
    dropped = np.isnan(rows["latency_s"])
    spent = np.where(dropped, rows["finish_s"] - rows["arrival_s"], rows["latency_s"])
    return little(rows["arrival_s"], rows["finish_s"], spent, end_s)


def _conservation(seen: _Records) -> Iterator[Law | Unchecked]:
    """What measured tasks cost and used against what their subtasks did, and the attempts that were lost.

    Tasks are numbered by their arrival, so those measured are those from a number on.
    """
    run, faults = seen.run, seen.run.summary.faults
    first = seen.tasks.query(f"SELECT min(task) AS n FROM rows WHERE arrival_s >= {real(run.warm_up_s)}")["n"][0]
    measured = "false" if np.isnan(first) else f"task >= {int(first)}"
    for quantity, column, unit in (("cost", "cost_usd", "USD"), ("energy", "energy_j", "J")):
        lost = 0.0
        if faults is not None and _lost(run):
            if run.manifest.kept_one_in != 1:
                yield Unchecked(CONSERVATION, "system", f"{_gap(run)}, and attempts were lost")
                continue
            lost = faults.lost_cost_usd if column == "cost_usd" else faults.lost_energy_j
        left, right = (rows.sums(column, measured).sum for rows in (seen.tasks, seen.subtasks))
        right_is = f"{quantity} of subtasks" + (" and of lost attempts" if _lost(run) else "")
        yield Law(CONSERVATION, "system", left, right + lost, f"{quantity} of tasks", right_is, unit)


def _of_nodes(seen: _Records) -> Iterator[Law | Unchecked]:
    """Over the whole run Little's law and the utilisation law, in the measured time the balance of flows."""
    names, gap = list(seen.run.summary.nodes), _gap(seen.run)
    if gap:
        yield from (Unchecked(law, name, gap) for law in (LITTLE, UTILISATION, FLOW) for name in names)
        return
    telemetry = seen.nodes.query(_SEEN)
    served = _by(seen.subtasks.query(_in_window(_SERVED, _window(seen))), "node")
    for place, number in enumerate(telemetry["node"].tolist()):
        name = names[number]
        present_s, serving_s, end_s = (float(telemetry[key][place]) for key in ("present_s", "serving_s", "end_s"))
        own = served.get(number, dict.fromkeys(("n", "present_s", "serving_s", "before", "after"), 0.0))
        n = int(own["n"])
        yield Law(
            LITTLE, name, present_s, own["present_s"], "integral of the number present", "sum of times spent", "s"
        )
        yield utilisation(serving_s / end_s, n, own["serving_s"] / n if n else 0.0, end_s, name)
        counted = seen.run.summary.nodes[name]
        yield flow_balance(counted.arrivals, counted.completions, int(own["before"]), int(own["after"]), name)


def _of_links(seen: _Records) -> Iterator[Law | Unchecked]:
    """Little's law of the transfers that wait, in the measured time."""
    gap = _gap(seen.run)
    window = _window(seen)
    duration_s = window[1] - window[0]
    carried = _by(seen.links.query(_in_window(_CARRIED, window)), "link")
    for name, number in link_numbers(seen.run).items():
        if gap:
            yield Unchecked(LITTLE, name, gap)
            continue
        waited_s = carried[number]["waiting_s"] if number in carried else 0.0
        left = seen.run.summary.links[name].queue_length.mean * duration_s
        yield Law(LITTLE, name, left, waited_s, "integral of the number waiting", "sum of waits", "s")


def _window(seen: _Records) -> tuple[float, float]:
    """The time that the averages of a summary are over: from the end of the warm-up to the last arrival."""
    last = seen.tasks.query("SELECT max(arrival_s) AS s FROM rows")["s"][0]
    return seen.run.warm_up_s, float(np.nan_to_num(last))


def _in_window(sql: str, window: tuple[float, float]) -> str:
    begin, end = map(real, window)
    return sql.format(begin=begin, end=end)


def _by(rows: Columns, key: str) -> dict[int, dict[str, float]]:
    """Rows by the number in a column."""
    others = [name for name in rows if name != key]
    return {
        number: {name: float(rows[name][place]) for name in others} for place, number in enumerate(rows[key].tolist())
    }
