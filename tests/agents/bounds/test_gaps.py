"""Gaps hold the simulated objective of every agent against the optimum of every instance."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from simoffload.agents.bounds import Gap, Optimum, gaps, instances, optimum, static_instance, summarise
from simoffload.run.agents import AgentError
from simoffload.run.simulation import simulate

from .plants import small, static_small

AGENTS = ("eft", "weighted-greedy")
PROVED = Optimum("optimal", 2.0, 2.0, (), 0.1)


def test_every_agent_plays_every_instance() -> None:
    scenarios = instances(static_small(1), 2)
    rows = gaps(scenarios, AGENTS)
    assert [(row.scenario, row.seed, row.agent) for row in rows] == [
        ("static-small", seed, agent) for seed in (1, 2) for agent in AGENTS
    ]
    for row, scenario in zip(rows, [each for each in scenarios for _ in AGENTS], strict=True):
        assert row.objective == pytest.approx(simulate(scenario, row.agent)["objective"]["mean"], rel=1e-12)
        assert row.optimum.bound == optimum(static_instance(scenario)).bound
        assert row.ratio == row.objective / row.optimum.bound >= 1


def test_an_unknown_agent_is_refused_before_anything_is_solved() -> None:
    with pytest.raises(AgentError, match="unknown agent 'nobody'"):
        gaps([small("warm_up=1 s")], ["nobody"])


def test_a_summary_has_a_line_per_agent() -> None:
    open_ = replace(PROVED, status="feasible", objective=3.0)
    rows = [
        Gap("small", 1, "good", 2.0, PROVED),
        Gap("small", 1, "bad", 6.0, PROVED),
        Gap("small", 2, "good", 3.0, open_),
        Gap("small", 2, "bad", 8.0, open_),
    ]
    good, bad = summarise(rows)
    assert (good.agent, good.instances, good.proved, good.mean_ratio, good.worst_ratio) == ("good", 2, 1, 1.25, 1.5)
    assert (bad.agent, bad.mean_ratio, bad.worst_ratio) == ("bad", 3.5, 4.0)
    assert bad.half_width == pytest.approx(12.7062 * 0.5, rel=1e-4)


def test_a_single_instance_says_nothing_of_the_spread() -> None:
    (line,) = summarise([Gap("small", 1, "good", 3.0, PROVED)])
    assert line.mean_ratio == line.worst_ratio == 1.5
    assert math.isinf(line.half_width)
