"""Selection: the best agent is found with the stated probability, and whoever is beaten costs nothing more."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.analysis.selection import Selection, ocba

NAMES = ("a", "b", "c", "d")


def results(means: tuple[float, ...], seed: int, noise: float = 1.0, shared: float = 0.0) -> Iterator[dict[str, float]]:
    """Seed after seed; `shared` is the deviation of what all agents have in common."""
    rng = np.random.default_rng(seed)
    while True:
        values = np.array(means) + shared * rng.normal() + noise * rng.normal(size=len(means))
        yield dict(zip(NAMES, values.tolist(), strict=False))


def raced(race: Selection, source: Iterator[Mapping[str, float]]) -> Selection:
    while race.best is None:
        race.take(next(source))
    return race


def test_the_best_is_left_and_the_others_dropped_out_the_worst_first() -> None:
    race = raced(Selection(NAMES, 0.95, 0.5), results((10.0, 11.0, 13.0, 30.0), 1))
    assert race.best == "a"
    assert [drop.agent for drop in race.drops] == ["d", "c", "b"]
    assert [drop.seeds for drop in race.drops] == sorted(drop.seeds for drop in race.drops)
    assert all(len(race.values(drop.agent)) == drop.seeds for drop in race.drops)
    assert len(race.values("a")) == race.seeds == race.drops[-1].seeds
    assert race.replications + race.saved == 4 * race.seeds


def test_nobody_is_dropped_before_the_first_stage_is_over() -> None:
    race, source = Selection(NAMES, 0.95, 0.5, first_stage=6), results((0.0, 100.0, 200.0, 300.0), 2)
    for _ in range(5):
        race.take(next(source))
        assert race.left == NAMES
        assert (race.forecast, race.most_seeds) == (None, None)
    race.take(next(source))
    assert race.best == "a"
    assert (race.saved, race.replications) == (0, 24)


def test_an_agent_drops_out_by_the_published_rule() -> None:
    """Kim and Nelson (2001) with c = 1, k = 3, n0 = 4, worked out here by itself."""
    n0, zone, alpha = 4, 0.5, 0.1
    eta = 0.5 * ((2 * alpha / 2) ** (-2 / (n0 - 1)) - 1)
    h2 = 2 * eta * (n0 - 1)
    race, source = Selection(NAMES[:3], 1 - alpha, zone, first_stage=n0), results((0.0, 0.8, 0.9), 7)
    rows: list[list[float]] = []
    left = {0, 1, 2}
    while race.best is None:
        found = next(source)
        rows.append([found[name] for name in NAMES[:3]])
        race.take(found)
        r = len(rows)
        if r >= n0:
            first, means = np.array(rows[:n0]), np.array(rows).mean(axis=0)
            going = {
                i
                for i in left
                for j in left - {i}
                if means[i] - means[j]
                > max(0.0, zone / (2 * r) * (h2 * np.var(first[:, i] - first[:, j], ddof=1) / zone**2 - r))
            }
            left -= going
        assert set(race.left) == {NAMES[i] for i in left}
    assert race.seeds > n0


def test_the_race_is_over_by_the_seed_that_was_announced() -> None:
    for seed in range(20):
        race = raced(Selection(NAMES, 0.95, 0.4), results((1.0, 1.0, 1.0, 1.0), seed))
        assert race.most_seeds is not None
        assert race.seeds <= race.most_seeds


def test_the_best_is_found_at_least_as_often_as_was_promised() -> None:
    """The hardest case: all others are worse by just the zone."""
    found = [raced(Selection(NAMES, 0.9, 0.5), results((1.0, 1.5, 1.5, 1.5), seed)).best for seed in range(200)]
    assert found.count("a") / 200 >= 0.9


def test_common_random_numbers_make_the_race_shorter() -> None:
    apart = [raced(Selection(NAMES, 0.95, 0.5), results((1, 1.5, 1.5, 2), s, 1.0)).replications for s in range(20)]
    shared = [
        raced(Selection(NAMES, 0.95, 0.5), results((1, 1.5, 1.5, 2), s, 0.5, 0.87)).replications for s in range(20)
    ]
    assert sum(shared) < 0.6 * sum(apart)


def test_agents_that_always_agree_are_not_told_apart_for_ever() -> None:
    race, source = Selection(NAMES[:2], 0.95, 0.01), results((1.0, 1.0), 3, noise=0.0, shared=1.0)
    raced(race, source)
    assert (race.best, race.seeds) == ("a", race.first_stage)
    assert (race.drops[0].agent, race.drops[0].behind) == ("b", 0.0)


def test_a_relative_zone_is_a_share_of_the_least_mean_of_the_first_stage() -> None:
    race, source = Selection(NAMES[:2], 0.95, 0.02, is_relative=True), results((5.0, 5.01), 4, noise=2.0)
    first = [next(source) for _ in range(race.first_stage)]
    assert race.zone is None
    for found in first:
        race.take(found)
    means = [sum(found[name] for found in first) / len(first) for name in NAMES[:2]]
    assert race.zone == pytest.approx(0.02 * min(means))


@given(st.floats(0.01, 100.0), st.integers(0, 1000))
def test_the_race_does_not_depend_on_the_unit(factor: float, seed: int) -> None:
    plain = raced(Selection(NAMES, 0.95, 0.5), results((1.0, 1.6, 2.0, 3.0), seed))
    scaled_results = ({name: factor * v for name, v in r.items()} for r in results((1.0, 1.6, 2.0, 3.0), seed))
    scaled = raced(Selection(NAMES, 0.95, 0.5 * factor), scaled_results)
    assert [(drop.agent, drop.seeds) for drop in scaled.drops] == [(drop.agent, drop.seeds) for drop in plain.drops]


def test_the_forecast_is_what_was_spent_once_the_race_is_over() -> None:
    race, source = Selection(NAMES, 0.95, 0.5), results((1.0, 1.7, 2.4, 3.0), 6)
    for _ in range(race.first_stage):
        race.take(next(source))
    early = race.forecast
    raced(race, source)
    assert race.forecast == race.replications
    assert early is not None
    assert race.replications / 3 < early < 3 * race.replications


def test_a_result_that_is_missing_is_told() -> None:
    race = Selection(NAMES[:2], 0.95, 0.5)
    with pytest.raises(ValueError, match="agent 'b' has no result on one of the seeds: nan"):
        race.take({"a": 1.0, "b": math.nan})
    assert race.seeds == 0


def test_nobody_races_on_after_the_end() -> None:
    race = raced(Selection(NAMES, 0.95, 0.5), results((0.0, 9.0, 9.0, 9.0), 1))
    with pytest.raises(ValueError, match="over"):
        race.take({"a": 1.0})


@pytest.mark.parametrize(
    ("agents", "probability", "zone", "first_stage", "fault"),
    [
        (["a"], 0.95, 1.0, 10, "at least two different agents"),
        (["a", "a"], 0.95, 1.0, 10, "at least two different agents"),
        (["a", "b"], 0.5, 1.0, 10, "ask for more"),
        (["a", "b"], 1.0, 1.0, 10, "below 1"),
        (["a", "b"], 0.9, 0.0, 10, "more than 0"),
        (["a", "b"], 0.9, math.nan, 10, "more than 0"),
        (["a", "b"], 0.9, 1.0, 1, "at least 2 seeds"),
    ],
)
def test_what_cannot_be_promised_is_refused(
    agents: list[str], probability: float, zone: float, first_stage: int, fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        Selection(agents, probability, zone, first_stage=first_stage)


# ---------------------------------------------------------------------------------------------------------------- ocba


def test_ocba_spreads_replications_by_its_two_ratios() -> None:
    means, deviations = np.array([1.0, 1.5, 2.0, 4.0]), np.array([1.0, 2.0, 1.0, 3.0])
    counts = ocba(means, deviations, 1_000_000).astype(float)
    weights = (deviations[1:] / (means[1:] - means[0])) ** 2
    assert counts[1:] / counts[1] == pytest.approx(weights / weights[0], rel=1e-4)
    assert counts[0] == pytest.approx(deviations[0] * math.sqrt(((counts[1:] / deviations[1:]) ** 2).sum()), rel=1e-4)


def test_two_agents_get_replications_in_proportion_to_their_deviations() -> None:
    assert ocba([3.0, 2.0], [1.0, 3.0], 400).tolist() == [100, 300]


@given(
    st.lists(st.tuples(st.floats(0.1, 100), st.floats(0.01, 10)), min_size=2, max_size=8, unique_by=lambda p: p[0]),
    st.integers(0, 10_000),
)
def test_allocations_add_up(agents: list[tuple[float, float]], total: int) -> None:
    counts = ocba([mean for mean, _ in agents], [deviation for _, deviation in agents], total)
    assert counts.sum() == total
    assert (counts >= 0).all()


def test_what_ocba_cannot_tell_apart_is_refused() -> None:
    with pytest.raises(ValueError, match="share the least mean"):
        ocba([1.0, 1.0], [1.0, 1.0], 10)
    with pytest.raises(ValueError, match="positive"):
        ocba([1.0, 2.0], [0.0, 1.0], 10)
    with pytest.raises(ValueError, match="at least two"):
        ocba([1.0], [1.0], 10)
