"""An account gives intervals where they hold, and words where they do not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simoffload.analysis.account import (
    SHARES,
    Quantity,
    account,
    account_of_batches,
    account_of_replications,
    remarks,
    share_name,
)
from simoffload.analysis.steady.result import Flag
from simoffload.record.batches import Batches

from .queues import waits

WAIT = Quantity("wait", "s", "customer")


def quantile(rho: float, share: float) -> float:
    """Of the wait in M/M/1 at service rate 1."""
    return max(0.0, math.log(rho / (1 - share)) / (1 - rho))


def test_a_long_run_has_intervals_that_hold_the_truth() -> None:
    found = account(WAIT, waits(0.5, 400_000, 3), wanted=0.05)
    assert found.mean.low < 1.0 < found.mean.high
    for share in (0.9, 0.95, 0.99):
        state = found.quantiles[share]
        assert state.low < quantile(0.5, share) < state.high
    assert tuple(found.quantiles) == SHARES
    assert found.reason == ""


def test_a_short_run_has_none_but_says_how_long_it_must_be() -> None:
    found = account(WAIT, waits(0.9, 5_000, 4))
    assert Flag.TOO_SHORT in found.flags
    assert math.isinf(found.mean.half_width)
    (said,) = remarks(found)
    assert said.startswith("Too short for an interval of the mean, p50")
    assert "customers are worth" in said
    assert "a run of about" in said


def test_a_queue_that_grows_has_no_steady_state() -> None:
    found = account(WAIT, waits(1.1, 50_000, 5))
    assert found.reason
    assert any("No steady state was found: the level goes on rising" in remark for remark in remarks(found))
    assert math.isinf(found.mean.half_width)


def test_what_never_varies_is_called_so() -> None:
    found = account(WAIT, np.ones(1000))
    assert remarks(found)[0] == "The wait hardly varies, or hangs on few rare customers."


def test_few_replications_are_pooled_and_many_stand_for_themselves() -> None:
    runs = [waits(0.5, 20_000, seed) for seed in range(12)]
    assert account_of_replications(WAIT, runs[:3]).mean.method == "pooled batches"
    many = account_of_replications(WAIT, runs)
    assert (many.mean.method, many.mean.batches) == ("replications", 12)
    assert many.mean.low < 1.0 < many.mean.high


def test_batches_tell_what_the_values_tell() -> None:
    values = waits(0.5, 100_000, 7)
    batches = Batches()
    for value in values.tolist():
        batches.add(value)
    streamed, whole = account_of_batches(WAIT, batches), account(WAIT, values)
    assert streamed.mean.value == pytest.approx(whole.mean.value, rel=0.02)
    assert streamed.quantiles[0.95].value == pytest.approx(whole.quantiles[0.95].value, rel=0.03)
    assert streamed.mean.half_width == pytest.approx(whole.mean.half_width, rel=0.8)


def test_shares_have_names() -> None:
    assert [share_name(share) for share in SHARES] == ["p50", "p90", "p95", "p99", "p99.9"]


def test_replications_and_batches_say_why_there_is_no_steady_state() -> None:
    batches = Batches()
    batches.add_many(waits(1.1, 50_000, 5))
    several = account_of_replications(WAIT, [waits(1.1, 20_000, seed) for seed in range(3)])
    for found in (several, account_of_batches(WAIT, batches)):
        assert any("No steady state was found: the level goes on rising" in remark for remark in remarks(found))


def test_nothing_is_said_of_intervals_that_are_not_there() -> None:
    found = account(WAIT, waits(1.1, 50_000, 5))
    assert Flag.CORRELATED_BATCHES in found.flags
    assert not any("intervals may be" in remark for remark in remarks(found))


def test_a_single_value_is_worth_nothing_that_is_known() -> None:
    assert remarks(account(WAIT, np.ones(1)))[0].endswith("the mean, p50, p90, p95, p99, p99.9.")


def test_a_forecast_has_two_digits() -> None:
    short = account(WAIT, waits(0.9, 5_000, 4))
    needed = max(each.needed_n or 0 for each in (short.mean, *short.quantiles.values()))
    said = remarks(short)[0].split("a run of about ")[1].removesuffix(" would do.").replace("\N{THIN SPACE}", "")
    assert needed <= int(said) < 1.1 * needed
    assert said[2:].strip("0") == ""


@pytest.mark.parametrize("few", [3, 9])
def test_quantiles_of_few_runs_are_pooled_too(few: int) -> None:
    found = account_of_replications(WAIT, [waits(0.5, 20_000, seed) for seed in range(few)])
    assert {each.method for each in found.quantiles.values()} == {"pooled sections"}
