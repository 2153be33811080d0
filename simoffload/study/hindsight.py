"""Policies that were trained against the rule that does best at each place, of those that the part lists, in hindsight.

None of them is the best everywhere, and nobody knows beforehand which one will be. So this asks more of a policy than
any comparison with one rule: to be as good as a choice of rules that was made on the very seeds that count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .cells import place_key
from .comparing import Comparison, Tally, compared, tally_of
from .lines import Line, best_rule
from .reading import Study, Survey


@dataclass(frozen=True, slots=True)
class Contest:
    """A policy at a place, and the best there of the rules that are listed."""

    what: str
    """What the place's survey varies."""
    at: float | str
    policy: Line
    rule: Line
    behind: Comparison
    """The policy's objective minus the rule's, adjusted for all contests."""


def contests(study: Study, found: Sequence[tuple[Survey, Sequence[Line]]]) -> list[Contest]:
    """Every policy at every place of some surveys that has a rule; what surveys have in common counts once."""
    pairs: list[tuple[str, Line, Line]] = []
    seen: set[tuple[str, str]] = set()
    for survey, lines in found:
        policies = [agent for agent in survey.agents if not study.is_rule(agent)]
        for place in survey.places:
            here = [line for line in lines if line.at == place.at]
            rule, key = best_rule(study, here), place_key(place.scenario)
            if rule is None:
                continue
            by_agent = {line.agent: line for line in here}
            new = [policy for policy in policies if (key, policy) not in seen]
            seen.update((key, policy) for policy in new)
            pairs += [(survey.title, by_agent[policy], rule) for policy in new]
    behind = compared([(own.found, rule.found) for _, own, rule in pairs], study.plan.level)
    return [
        Contest(what, own.at, own, rule, difference)
        for (what, own, rule), difference in zip(pairs, behind, strict=True)
    ]


def tally_by_policy(found: Sequence[Contest]) -> dict[str, tuple[Tally, Contest]]:
    """Of each policy how its contests came out, and the one that came out worst."""
    by_policy: dict[str, list[Contest]] = {}
    for each in found:
        by_policy.setdefault(each.policy.agent, []).append(each)
    return {
        policy: (tally_of([each.behind for each in own]), max(own, key=lambda each: each.behind.percent.mean))
        for policy, own in by_policy.items()
    }
