"""Why a run has no steady state, where the reason is that more work came than could be done."""

from __future__ import annotations

from dataclasses import replace

from simoffload.record.durable import RecordError
from simoffload.record.manifest import SCENARIO_FILE
from simoffload.run.load import offered_load
from simoffload.schema import ScenarioError, load_scenario

from .account import Account
from .numbers import listed, rounded
from .runs import Run
from .theory.measured import compared


def explained(account: Account, run: Run) -> Account:
    """With the offered load as a further reason, where no steady state was found and the load is one."""
    why = overload(run) if account.reason else ""
    return replace(account, reason=f"{account.reason}; {why}") if why else account


def overload(run: Run) -> str:
    """What was offered more than it can do: stations by what came to them, else the scenario whatever the policy.

    Empty where nothing was, or where neither rows nor the scenario tell.
    """
    stations = _stations(run)
    if stations:
        named = listed([f"{rounded(load)} at {name}" for name, load in stations])
        return f"the offered load is {named}, where queues grow without end from 1 on"
    bound = _bound(run)
    return f"the offered load is {rounded(bound)} under any policy, and queues grow without end" if bound >= 1 else ""


def _stations(run: Run) -> list[tuple[str, float]]:
    """Nodes and links with an offered load of 1 or more, by their arrivals and services, the largest first."""
    if not run.has_rows:
        return []
    try:
        found, _ = compared(run)
    except RecordError:
        return []
    loads = [(each.verdict.offered.station, each.verdict.load) for each in found if each.verdict.load >= 1]
    return sorted(loads, key=lambda pair: -pair[1])


def _bound(run: Run) -> float:
    """The least offered load that any policy can reach in this scenario; 0 where this version cannot read it."""
    try:
        return offered_load(load_scenario(run.directory / SCENARIO_FILE))[-1].load
    except ScenarioError:
        return 0.0
