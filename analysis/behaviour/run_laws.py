"""The laws on the records of a run: what stations counted on one side, what rows add up to on the other.

Stations integrate their numbers while the run goes on, step by step; rows are written when something ends. They share
no arithmetic, so that a row lost on its way, or written twice, is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np

from simoffload.record.rounding import BITS
from simoffload.record.rows import LOSSES

from ..numbers import counted, listed, rounded
from ..runs import Run, Window
from ..sources.database import real
from ..sources.rows import Columns, Rows, open_rows
from .laws import CONSERVATION, FLOW, LITTLE, UTILISATION, Law, flow_balance, utilisation
from .visits import interrupting_slots, link_numbers

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
_AT_WORK = """
    SELECT node, fsum(greatest(finish_s - greatest(start_s, until_s), 0)) AS serving_s FROM (
        SELECT node, start_s, finish_s, coalesce(max(finish_s) OVER (
            PARTITION BY node ORDER BY start_s ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), start_s) AS until_s
        FROM rows WHERE node IN ({nodes})
    ) GROUP BY node
"""
"""Time with some service under way: what a single server works, also where services interrupt one another."""
_LOST = f"""
    SELECT node, count(*) AS lost, fsum(CASE WHEN isnan(gone_s) THEN 0 ELSE gone_s - entered_s END) AS present_s,
        count(*) FILTER (NOT isnan(start_s)) AS n,
        fsum(CASE WHEN isnan(start_s) THEN 0 ELSE gone_s - start_s END) AS serving_s,
        count(*) FILTER (entered_s < {{begin}}) - count(*) FILTER (gone_s < {{begin}}) AS before,
        count(*) FILTER (entered_s <= {{end}}) - count(*) FILTER (gone_s <= {{end}}) AS after,
        count(*) FILTER (gone_s BETWEEN {{begin}} AND {{end}} AND cause <> {LOSSES.index("rejected")}) AS unserved
    FROM (SELECT *, CASE WHEN isnan(entered_s) THEN entered_s ELSE lost_s END AS gone_s FROM rows) GROUP BY node
"""
"""Attempts leave their node when they are lost, unless they never came there; rejected ones have been served."""
_CARRIED = """
    SELECT link, fsum(greatest(least(start_s, {end}) - greatest(queued_s, {begin}), 0)) AS waiting_s
    FROM rows GROUP BY link
"""


_STAYS = """
    SELECT fsum(until_s - arrival_s) AS present_s,
        fsum(CASE WHEN isnan(finish_s) OR isnan(latency_s) THEN until_s - arrival_s ELSE latency_s END) AS spent_s
    FROM (SELECT *, CASE WHEN isnan(finish_s) THEN {end} ELSE finish_s END AS until_s FROM rows)
"""


_KEPT = ("n", "lost", "present_s", "serving_s", "before", "after", "unserved")
"""What rows tell of a node: visits with a service, attempts lost, times there and in service, the numbers there when
the measured time begins and when it ends, and how many left unserved in it."""


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
    attempts: Rows


def laws_of(run: Run) -> Laws:
    """All laws on the records of a run: of the system, each node and each link; RecordError when it has no rows.

    In bounded memory, however many rows there are.
    """
    with ExitStack() as stack:
        kinds = ("tasks", "subtasks", "nodes", "links", "attempts")
        seen = _Records(run, *(stack.enter_context(open_rows(run.directory, kind)) for kind in kinds))
        found = [_little_of_tasks(seen), *_conservation(seen), *_of_nodes(seen), *_of_links(seen)]
    resolution_s, end_s = run.manifest.resolution_s, run.summary.simulated_s
    times = 2.0 * (seen.tasks.count + seen.subtasks.count + seen.attempts.count + seen.links.count)
    return Laws(
        tuple(_with_slack(each, resolution_s, times, end_s) for each in found if isinstance(each, Law)),
        tuple(each for each in found if isinstance(each, Unchecked)),
    )


def _with_slack(law: Law, resolution_s: float, times: float, end_s: float) -> Law:
    """A law on rows with so many times in them, each of which may be off by the resolution."""
    if resolution_s <= 0.0 or law.name == FLOW:
        return law
    if law.name == CONSERVATION:
        return replace(law, slack=max(law.left, law.right) * 2.0**-BITS)
    off_s = times * resolution_s
    return replace(law, slack=off_s if law.name == LITTLE else off_s / end_s)


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
    if broken:
        told = f"{len(broken)} of {checked} FAIL: {'; '.join(map(_failing, _by_name(broken).values()))}."
    elif laws.checked:
        names = list(_by_name(laws.checked))
        largest = max(law.residual for law in laws.checked)
        held = "hold in all" if len(names) > 1 else "holds in"
        told = f"{listed(names)} {held} {checked}; the largest residual is {largest:.1e}."
    else:
        told = "No law could be checked."
    reasons: dict[str, list[Unchecked]] = {}
    for each in laws.unchecked:
        reasons.setdefault(each.reason, []).append(each)
    return " ".join([told, *(_left_out(reason, left) for reason, left in reasons.items())])


def _by_name(laws: Iterable[Law]) -> dict[str, list[Law]]:
    found: dict[str, list[Law]] = {}
    for law in laws:
        found.setdefault(law.name, []).append(law)
    return found


def _failing(laws: Sequence[Law]) -> str:
    """A law that fails at these places, the worst with its sides."""
    worst = max(laws, key=lambda law: law.residual)
    others = f", and at {counted(len(laws) - 1, 'other place')}" if len(laws) > 1 else ""
    left, right = (str(side) if isinstance(side, int) else rounded(side, 6) for side in (worst.left, worst.right))
    unit = f" {worst.unit}" if worst.unit else ""
    return f"{worst.name} at {worst.where}, {worst.left_is} is {left}{unit}, {worst.right_is} {right}{others}"


def _left_out(reason: str, left: Sequence[Unchecked]) -> str:
    names, places = (listed(list(dict.fromkeys(each))) for each in zip(*((u.name, u.where) for u in left), strict=True))
    count = len({each.where for each in left})
    return f"Not checked: {names} at {places if count == 1 else counted(count, 'place')}, {reason}."


def _lost(run: Run) -> int:
    """Attempts of measured tasks that ended without an answer."""
    return 0 if run.summary.faults is None else sum(run.summary.faults.attempts_lost.values())


def _gap(run: Run) -> str:
    """Why stations saw what has no rows; empty where they did not."""
    if run.manifest.kept_one_in != 1:
        return f"rows are kept of one task in {run.manifest.kept_one_in}"
    if run.summary.tasks.in_system or not run.is_complete:
        return f"{run.summary.tasks.in_system} tasks were in the system at the end; what is under way has no rows"
    return ""


def _left_behind(seen: _Records) -> str:
    """Why links may have seen what has no rows; empty where they have not."""
    count = seen.attempts.count
    return (
        f"{counted(count, 'attempt')} lost; a transfer for one that was under way at the end has no row"
        if count
        else ""
    )


def _little_of_tasks(seen: _Records) -> Law:
    """The number of tasks in the system, from their instants, against their latencies as they were written.

    Each adds 1 to the number from its arrival to its end, so that the integral is the sum of these stretches.
    """
    last = "SELECT greatest(max(arrival_s), coalesce(max(finish_s) FILTER (NOT isnan(finish_s)), 0)) AS s FROM rows"
    ends = [seen.tasks.query(last)["s"], seen.nodes.query("SELECT max(time_s) AS s FROM rows")["s"]]
    found = seen.tasks.query(_STAYS.format(end=real(float(np.nanmax(np.concatenate(ends), initial=0.0)))))
    present_s, spent_s = (float(np.nan_to_num(found[side][0])) for side in ("present_s", "spent_s"))
    return Law(LITTLE, "system", present_s, spent_s, "integral of the number present", "sum of times spent", "s")


def _conservation(seen: _Records) -> Iterator[Law | Unchecked]:
    """What measured tasks cost and used against what their subtasks did, and the attempts that were lost.

    Tasks are numbered by their arrival, so those measured are those from a number on.
    """
    run = seen.run
    first = seen.tasks.query(f"SELECT min(task) AS n FROM rows WHERE arrival_s >= {real(run.warm_up_s)}")["n"][0]
    measured = "false" if np.isnan(first) else f"task >= {int(first)}"
    for quantity, column, unit in (("cost", "cost_usd", "USD"), ("energy", "energy_j", "J")):
        left, right, lost = (rows.sums(column, measured).sum for rows in (seen.tasks, seen.subtasks, seen.attempts))
        right_is = f"{quantity} of subtasks" + (" and of lost attempts" if _lost(run) else "")
        yield Law(CONSERVATION, "system", left, right + lost, f"{quantity} of tasks", right_is, unit)


def _of_nodes(seen: _Records) -> Iterator[Law | Unchecked]:
    """Over the whole run Little's law and the utilisation law, in the measured time the balance of flows."""
    names, gap = list(seen.run.summary.nodes), _gap(seen.run)
    if gap:
        yield from (Unchecked(law, name, gap) for law in (LITTLE, UTILISATION, FLOW) for name in names)
        return
    slots = interrupting_slots(seen.run)
    visits = _visits(seen, [names.index(name) for name, count in slots.items() if count == 1])
    telemetry = seen.nodes.query(_SEEN)
    for place, number in enumerate(telemetry["node"].tolist()):
        name, own = names[number], visits[number]
        present_s, serving_s, end_s = (float(telemetry[key][place]) for key in ("present_s", "serving_s", "end_s"))
        yield Law(
            LITTLE, name, present_s, own["present_s"], "integral of the number present", "sum of times spent", "s"
        )
        if end_s <= 0.0:
            yield Unchecked(UTILISATION, name, "the run was shorter than the resolution of its rows")
        elif name in slots and (slots[name] > 1 or own["lost"]):
            yield Unchecked(UTILISATION, name, "services were interrupted, and rows do not tell for how long")
        else:
            mean_s = own["serving_s"] / own["n"] if own["n"] else 0.0
            yield utilisation(serving_s / end_s, int(own["n"]), mean_s, end_s, name)
        node = seen.run.summary.nodes[name]
        gone = node.completions + int(own["unserved"])
        yield flow_balance(node.arrivals, gone, int(own["before"]), int(own["after"]), name)


def _visits(seen: _Records, single: Sequence[int]) -> dict[int, dict[str, float]]:
    """By node what its subtasks and lost attempts did there; `single` are nodes of one server that is interrupted."""
    window = seen.run.summary.window_s
    served = _by(seen.subtasks.query(_in_window(_SERVED, window)), "node")
    if single:
        at_work = _by(seen.subtasks.query(_AT_WORK.format(nodes=", ".join(map(str, single)))), "node")
        for number, own in at_work.items():
            served[number] |= own
    lost = _by(seen.attempts.query(_in_window(_LOST, window)), "node")
    return {
        number: {key: served.get(number, {}).get(key, 0.0) + lost.get(number, {}).get(key, 0.0) for key in _KEPT}
        for number in range(len(seen.run.summary.nodes))
    }


def _of_links(seen: _Records) -> Iterator[Law | Unchecked]:
    """Little's law of the transfers that wait, in the measured time."""
    gap = _gap(seen.run) or _left_behind(seen)
    window = seen.run.summary.window_s
    duration_s = window.end - window.begin
    carried = _by(seen.links.query(_in_window(_CARRIED, window)), "link")
    for name, number in link_numbers(seen.run).items():
        if gap:
            yield Unchecked(LITTLE, name, gap)
            continue
        waited_s = carried[number]["waiting_s"] if number in carried else 0.0
        left = seen.run.summary.links[name].queue_length.mean * duration_s
        yield Law(LITTLE, name, left, waited_s, "integral of the number waiting", "sum of waits", "s")


def _in_window(sql: str, window: Window) -> str:
    return sql.format(begin=real(window.begin), end=real(window.end))


def _by(rows: Columns, key: str) -> dict[int, dict[str, float]]:
    """Rows by the number in a column."""
    others = [name for name in rows if name != key]
    return {
        number: {name: float(rows[name][place]) for name in others} for place, number in enumerate(rows[key].tolist())
    }
