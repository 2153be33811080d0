"""Stopping: a target says what is to be known how precisely; a rule stops when it is, twice, or cannot be."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.analysis.stopping import (
    BUDGET,
    NO_STEADY_STATE,
    ONE_RUN,
    REACHED,
    REPLICATIONS,
    Budget,
    Pace,
    StoppingRule,
    Target,
    TargetError,
    parse_budget,
    parse_target,
    replicated,
    stopping_rule,
)
from simoffload.estimates import mean_and_half_width
from simoffload.record.batches import Batches
from simoffload.record.measures import MEASURES

from .queues import waits

# ------------------------------------------------------------------------------------------------------------- targets


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("latency.p99 +- 2%", Target("latency", 0.99, 0.02, True)),
        ("objective +- 0.01", Target("objective", None, 0.01, False)),
        ("waiting.mean +- 5 %", Target("waiting", None, 0.05, True)),
        ("latency.p99.9±1.5%", Target("latency", 0.999, 0.015, True)),
        ("  service.p50 +/- 20 ms ", Target("service", 0.5, 0.02, False)),
        ("cost ± 0.3", Target("cost", None, 0.3, False)),
    ],
)
def test_a_target_is_read_as_it_is_written(text: str, target: Target) -> None:
    found = parse_target(text)
    assert (found.measure, found.is_relative) == (target.measure, target.is_relative)
    assert found.share == (None if target.share is None else pytest.approx(target.share))
    assert found.half_width == pytest.approx(target.half_width)


@given(
    st.sampled_from(MEASURES),
    st.sampled_from([None, 0.5, 0.9, 0.95, 0.99, 0.999]),
    st.integers(1, 99),
    st.booleans(),
)
def test_what_a_target_is_written_as_is_read_as_that_target(
    measure: str, share: float | None, hundredths: int, is_relative: bool
) -> None:
    target = Target(measure, share, hundredths / 100, is_relative)
    again = parse_target(str(target))
    assert (again.measure, again.is_relative, str(again)) == (measure, is_relative, str(target))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("latncy.p99 +- 2%", "unknown measure 'latncy'; allowed: latency, .*; did you mean 'latency'"),
        ("latency.P99 +- 2%", "unknown statistic 'P99'; allowed: mean, p50, .*did you mean 'p99'"),
        ("latency.meen +- 2%", "did you mean 'mean'"),
        ("latency.p0 +- 2%", "unknown statistic 'p0'"),
        ("latency.p100 +- 2%", "unknown statistic 'p100'"),
        ("latency.p99 2%", "is no target; write one as in 'latency.p99 \\+- 2%'"),
        ("latency.mean +- 0.1", "0.1.*unit.*or a share of the estimate, as in 2%"),
        ("latency.mean +- 2 sec", "did you mean '2 s'|sec"),
        ("objective +- 1 s", "'1 s' is no number"),
        ("objective +- 0", "a half-width is more than 0"),
        ("objective +- -3%", "a half-width is more than 0"),
        ("objective +- nan", "a half-width is more than 0"),
        ("objective +- 100%", "less than 100 %"),
    ],
)
def test_what_is_no_target_is_told_with_what_is_allowed(text: str, fault: str) -> None:
    with pytest.raises(TargetError, match=fault):
        parse_target(text)


@given(st.text(max_size=30))
def test_any_other_text_is_a_target_error_and_nothing_else(text: str) -> None:
    for parse in (parse_target, parse_budget):
        try:
            parse(text)
        except TargetError as error:
            assert str(error)


# ------------------------------------------------------------------------------------------------------------- budgets


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("2e6 tasks", Budget(tasks=2_000_000)),
        ("10 min", Budget(wall_s=600.0)),
        ("500 replications", Budget(replications=500)),
        ("3000 tasks, 1 h", Budget(tasks=3000, wall_s=3600.0)),
    ],
)
def test_a_budget_is_of_tasks_replications_or_time(text: str, budget: Budget) -> None:
    assert parse_budget(text) == budget


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("10 minuts", "is no budget; allowed: tasks, replications, a time.*did you mean '10 min"),
        ("10", "is no budget"),
        ("2e6 taks", "did you mean '2e6 tasks'"),
        ("2.5 tasks", "whole"),
        ("0 tasks", "more than 0"),
        ("inf tasks", "up to 1e9"),
        ("1 h, 2 h", "limits the time twice"),
    ],
)
def test_what_is_no_budget_is_told(text: str, fault: str) -> None:
    with pytest.raises(TargetError, match=fault):
        parse_budget(text)


def test_a_budget_of_what_is_not_spent_is_refused() -> None:
    target = parse_target("objective +- 1%")
    with pytest.raises(TargetError, match="a budget of replications limits nothing here; allowed: tasks, a time"):
        stopping_rule(target, ONE_RUN, Budget(replications=5))
    with pytest.raises(TargetError, match="a budget of tasks limits nothing here; allowed: replications"):
        stopping_rule(target, REPLICATIONS, Budget(tasks=5))


# ------------------------------------------------------------------------------------------------------------ the rule


def rule_for(text: str, pace: Pace = ONE_RUN, **budget: Any) -> StoppingRule:
    return stopping_rule(parse_target(text), pace, Budget(**budget))


def followed(rule: StoppingRule, values: Callable[[int], list[float]], per_task_s: float = 0.0) -> int:
    """Where the rule ends a run whose k-th task has the k-th value."""
    batches, seen, wanted = Batches(), 0, rule.first
    while wanted > seen:
        for value in values(wanted)[seen:]:
            batches.add(value)
        seen = wanted
        wanted = rule.see_batches(batches, seen, seen * per_task_s)
    return seen


def independent(seed: int = 1, mean: float = 10.0) -> Callable[[int], list[float]]:
    values = np.random.default_rng(seed).gamma(4.0, mean / 4, 200_000).tolist()
    return lambda n: values[:n]


def test_a_run_ends_at_the_second_narrow_interval_in_a_row() -> None:
    rule = rule_for("latency.mean +- 1%")
    end = followed(rule, independent())
    assert rule.reason == REACHED
    spent = [check.spent for check in rule.checks]
    assert spent == [2000, *(math.ceil(1.5 * before) for before in spent[:-1])]
    assert [check.is_met for check in rule.checks[-2:]] == [True, True]
    assert not any(a.is_met and b.is_met for a, b in zip(rule.checks[:-2], rule.checks[1:-1], strict=True))
    state = rule.checks[-1].state
    assert end == rule.checks[-1].spent
    assert state.half_width <= 0.01 * state.value
    assert state.low < 10.0 < state.high


def test_an_absolute_half_width_is_held_against_the_interval_itself() -> None:
    rule = rule_for("latency.mean +- 100 ms")
    followed(rule, independent())
    assert rule.reason == REACHED
    assert rule.checks[-1].state.half_width <= 0.1
    assert rule.checks[0].state.half_width > 0.1
    forecast = rule.checks[0].state.needed_n
    assert forecast is not None
    assert forecast == pytest.approx(2000 * (rule.checks[0].state.half_width / 0.1) ** 2, rel=0.8)


def test_a_quantile_needs_a_longer_run_than_the_mean() -> None:
    ends = {name: followed(rule_for(f"latency.{name} +- 2%"), independent()) for name in ("mean", "p99")}
    assert ends["p99"] > ends["mean"]


def test_a_run_that_is_too_short_is_never_precise_enough() -> None:
    rule = rule_for("latency.mean +- 99%", tasks=10_000)
    batches = Batches()
    for value in waits(0.95, 2000, 5).tolist():
        batches.add(value)
    rule.see_batches(batches, 2000, 0.0)
    assert rule.checks[0].state.flags
    assert not rule.checks[0].is_met
    assert not rule.reason


def test_no_observation_at_all_is_no_estimate() -> None:
    rule = rule_for("latency.p99 +- 5%")
    assert rule.see_batches(Batches(), 2000, 1.0) == 3000
    assert not rule.checks[0].is_met
    assert rule.forecast is None
    assert json.loads(json.dumps(rule.to_dict(), allow_nan=False))["estimate"]["value"] is None


def test_the_budget_of_tasks_is_spent_to_the_last_and_not_beyond() -> None:
    rule = rule_for("latency.mean +- 0.01%", tasks=5000)
    assert followed(rule, independent()) == 5000
    assert rule.reason == BUDGET
    assert [check.spent for check in rule.checks] == [2000, 3000, 4500, 5000]


def test_a_last_check_soon_after_the_one_before_does_not_confirm_it() -> None:
    rule = rule_for("latency.mean +- 20%", tasks=2100)
    assert followed(rule, independent()) == 2100
    assert [check.is_met for check in rule.checks] == [True, True]
    assert rule.reason == BUDGET


def test_a_pilot_is_no_longer_than_the_budget() -> None:
    rule = rule_for("latency.mean +- 20%", tasks=300)
    assert (rule.first, followed(rule, independent()), rule.reason) == (300, 300, BUDGET)


def test_the_budget_of_time_is_not_overrun_by_the_next_stretch() -> None:
    rule = rule_for("latency.mean +- 0.01%", wall_s=10.0)
    assert followed(rule, independent(), per_task_s=0.002) == 5000
    assert rule.reason == BUDGET
    assert not rule.is_out_of_time(9.9)
    assert rule.is_out_of_time(10.0)


def test_a_level_that_keeps_rising_has_no_steady_state() -> None:
    noise = np.random.default_rng(2).gamma(2.0, 1.0, 100_000)
    rising = (noise + 0.01 * np.arange(100_000)).tolist()
    rule = rule_for("latency.mean +- 5%")
    assert followed(rule, lambda n: rising[:n]) < 40_000
    assert rule.reason == NO_STEADY_STATE
    assert rule.forecast == rule.checks[-1].spent


def test_a_heavily_loaded_queue_is_not_taken_for_an_unstable_one() -> None:
    for seed in range(4):
        values = waits(0.95, 40_000, seed).tolist()
        rule = rule_for("latency.mean +- 1%", tasks=40_000)
        followed(rule, lambda n, values=values: values[:n])  # type: ignore[misc]
        assert rule.reason == BUDGET


def test_the_forecast_after_the_pilot_is_near_the_end() -> None:
    rule = rule_for("latency.mean +- 0.5%")
    forecasts = []
    batches, values, wanted, seen = Batches(), independent()(200_000), rule.first, 0
    while wanted > seen:
        for value in values[seen:wanted]:
            batches.add(value)
        seen, wanted = wanted, rule.see_batches(batches, wanted, 0.0)
        forecasts.append(rule.forecast)
    assert forecasts[0] is not None
    assert seen / 2.3 <= forecasts[0] <= 2.3 * seen
    assert forecasts[-1] == seen


def test_halving_the_width_takes_four_times_as_long() -> None:
    needed = []
    for text in ("latency.mean +- 0.4%", "latency.mean +- 0.2%"):
        rule, batches = rule_for(text), Batches()
        for value in independent()(2000):
            batches.add(value)
        rule.see_batches(batches, 2000, 0.0)
        needed.append(rule.checks[0].state.needed_n)
    assert needed[0] is not None
    assert needed[1] == pytest.approx(4 * needed[0], rel=0.01)


# -------------------------------------------------------------------------------------------------------- replications


def test_replications_without_skewness_have_students_interval() -> None:
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]
    state = replicated(values, 0.95, 0.05, 10)
    mean, half_width = mean_and_half_width(values)
    assert (state.value, state.half_width) == (pytest.approx(mean), pytest.approx(half_width))
    assert state.needed_n == math.ceil(10 * (half_width / mean / 0.05) ** 2)
    assert not state.flags


def test_few_replications_have_no_interval() -> None:
    for values in ([], [1.0], [1.0, 2.0]):
        state = replicated(values, 0.95, 0.05, 10)
        assert math.isinf(state.half_width)
        assert state.flags


def test_a_replication_without_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        replicated([1.0, math.nan], 0.95, 0.05, 10)


def replicate(rule: StoppingRule, values: list[float]) -> int:
    seen, wanted = 0, rule.first
    while wanted > seen:
        seen, wanted = wanted, rule.see_replications(values[:wanted], 0.0)
    return seen


def test_replications_become_more_by_a_quarter_until_they_suffice() -> None:
    rule = rule_for("latency.p99 +- 3%", REPLICATIONS)
    values = np.random.default_rng(4).normal(10.0, 1.0, 1000).tolist()
    end = replicate(rule, values)
    assert rule.reason == REACHED
    assert [check.spent for check in rule.checks][:4] == [10, 13, 17, 22]
    assert end == rule.checks[-1].spent
    assert [check.is_met for check in rule.checks[-2:]] == [True, True]


def test_intervals_of_stopped_replications_cover() -> None:
    rng, covered, many = np.random.default_rng(5), 0, 300
    for _ in range(many):
        rule = rule_for("objective +- 10%", REPLICATIONS)
        replicate(rule, rng.exponential(1.0, 1000).tolist())
        state = rule.checks[-1].state
        covered += state.low <= 1.0 <= state.high
    assert covered / many >= 0.92
