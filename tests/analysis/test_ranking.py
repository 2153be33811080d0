"""Agents are ranked by their objective, and no rank claims more than the replications support."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simoffload.analysis.ranking import Ranks, ranked, standings
from simoffload.analysis.runs import Results

from .results import results_of

NOISE = [0.0, 0.01, -0.01, 0.02, -0.02]


def far_apart(**levels: float) -> Results:
    """Agents with these objectives, which hardly vary."""
    scales = range(1, len(levels) + 1)
    return results_of(
        {
            name: [level + scale * noise for noise in NOISE]
            for (name, level), scale in zip(levels.items(), scales, strict=True)
        }
    )


def test_the_lowest_objective_comes_first() -> None:
    results = far_apart(a=3.0, b=1.0, c=2.0)
    assert ranked(results) == ["b", "c", "a"]
    assert [standing.agent for standing in standings(results)] == ["b", "c", "a"]


def test_clear_differences_give_single_ranks() -> None:
    assert [standing.ranks for standing in standings(far_apart(a=3.0, b=1.0, c=2.0))] == [
        Ranks(k, k) for k in (1, 2, 3)
    ]


def test_agents_that_cannot_be_told_apart_share_their_ranks() -> None:
    results = results_of(
        {"a": [1.0, 1.2, 0.9, 1.1], "b": [1.1, 1.0, 1.05, 1.0], "far": [9.0, 9.1, 9.3, 9.2]},
    )
    first, second, third = standings(results)
    assert first.ranks == second.ranks == Ranks(1, 2)
    assert second.ties
    assert third.ranks == Ranks(3, 3)
    assert not third.ties


def test_the_first_is_behind_nobody() -> None:
    first = standings(far_apart(a=1.0, b=2.0))[0]
    assert first.behind is None
    assert not first.ties


def test_how_far_behind_is_the_mean_difference_by_seed() -> None:
    results = results_of({"a": [1.0, 2.0, 3.0], "b": [1.5, 2.25, 3.75]})
    behind = standings(results)[1].behind
    assert behind is not None
    assert behind.difference.mean == pytest.approx(0.5)
    assert behind.p_value == pytest.approx(stats.ttest_rel([1.5, 2.25, 3.75], [1.0, 2.0, 3.0]).pvalue)


def test_a_difference_counts_among_those_of_all_pairs() -> None:
    a, b, c = [1.0, 2.0, 3.0, 4.0], [1.4, 2.1, 3.4, 4.3], [1.9, 2.4, 3.8, 4.4]
    alone = [float(stats.ttest_rel(x, y).pvalue) for x, y in ((a, b), (a, c), (b, c))]
    assert sorted(alone) == [alone[1], alone[0], alone[2]]
    first, second, third = standings(results_of({"a": a, "b": b, "c": c}))
    assert first.behind is None
    assert second.behind is not None and third.behind is not None
    assert third.behind.p_value == pytest.approx(3 * alone[1])
    assert second.behind.p_value == pytest.approx(max(3 * alone[1], 2 * alone[0]))


def test_with_one_replication_every_rank_is_possible() -> None:
    for standing in standings(results_of({"a": [1.0], "b": [2.0], "c": [900.0]})):
        assert standing.ranks == Ranks(1, 3)


def test_an_agent_without_a_result_on_some_seed_comes_last_and_is_not_compared() -> None:
    results = results_of({"gap": [0.1, math.nan, 0.1], "a": [1.0, 1.1, 1.2], "b": [2.0, 2.1, 2.3]})
    order = standings(results)
    assert [standing.agent for standing in order] == ["a", "b", "gap"]
    assert order[2].ranks is None
    assert order[2].behind is None
    assert order[1].ranks == Ranks(2, 2)


def test_an_agent_that_lacks_a_replication_is_not_compared_either() -> None:
    results = results_of({"short": [0.1, 0.1], "a": [1.0, 1.1, 1.2]})
    assert [standing.ranks for standing in standings(results)] == [Ranks(1, 1), None]


def test_agents_without_any_objective_have_no_rank() -> None:
    results = results_of({"a": [math.nan], "b": [math.nan]})
    assert [standing.ranks for standing in standings(results)] == [None, None]


@given(st.lists(st.lists(st.integers(0, 400).map(lambda k: k / 8), min_size=4, max_size=4), min_size=1, max_size=6))
def test_the_place_in_the_list_is_among_the_possible_ranks(rows: list[list[float]]) -> None:
    order = standings(results_of({f"agent-{k}": row for k, row in enumerate(rows)}))
    for place, standing in enumerate(order, start=1):
        assert standing.ranks is not None
        assert 1 <= standing.ranks.best <= place <= standing.ranks.worst <= len(rows)


@given(st.lists(st.lists(st.integers(0, 400).map(lambda k: k / 8), min_size=4, max_size=4), min_size=2, max_size=5))
def test_whom_only_chance_parts_from_the_first_is_not_excluded_by_it(rows: list[list[float]]) -> None:
    order = standings(results_of({f"agent-{k}": row for k, row in enumerate(rows)}))
    assert order[0].ranks is not None
    assert order[0].ranks.worst >= 1 + sum(standing.ties for standing in order[1:])
