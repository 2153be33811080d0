"""M/M/c and M/M/c/K agree with their balance equations, with published numbers and with each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.analysis.theory.arguments import UnstableError
from simoffload.analysis.theory.markovian import MMc, MMcK, erlang_b, erlang_c, mm1

from .routes import assert_near, birth_death, waits

TIMES_S = np.array([0.0, 0.1, 1.0, 3.0, 10.0])
QUEUES = st.builds(
    lambda load, rate, servers: MMc(load * rate * servers, rate, servers),
    st.floats(0.01, 0.97), st.floats(1e-3, 1e3), st.integers(1, 30),
)  # fmt: skip


def test_mm1_is_the_textbook_one() -> None:
    queue = mm1(0.8, 1.0)
    assert queue.means.wait_s == pytest.approx(4.0)
    assert queue.means.in_system == pytest.approx(4.0)
    assert queue.means.utilisation == pytest.approx(0.8)
    assert queue.sojourn_cdf(TIMES_S) == pytest.approx(1 - np.exp(-0.2 * TIMES_S))
    assert queue.sojourn_quantile(0.95) == pytest.approx(-math.log(0.05) / 0.2)
    assert queue.in_system_pmf(6) == pytest.approx(0.2 * 0.8 ** np.arange(7))


def test_three_servers_are_the_published_ones() -> None:
    queue = MMc(2.4, 1.0, 3)
    assert queue.chance_of_waiting == pytest.approx(0.6472, abs=5e-5)
    assert queue.means.wait_s == pytest.approx(1.0787, abs=5e-5)


def test_erlang_b_is_the_table() -> None:
    """Ten lines carry 4.461 erlangs with 1 % lost, and 5.084 with 2 % (tables of teletraffic)."""
    assert erlang_b(10, 4.461) == pytest.approx(0.01, rel=1e-3)
    assert erlang_b(10, 5.084) == pytest.approx(0.02, rel=1e-3)
    assert erlang_b(0, 3.0) == 1.0


@settings(max_examples=40)
@given(QUEUES)
def test_numbers_are_those_of_the_balance_equations(queue: MMc) -> None:
    most = 60 + 2 * queue.servers
    long = [queue.service_rate * min(n, queue.servers) for n in range(1, 1500)]
    weights = np.cumsum(np.log(queue.arrival_rate / np.array(long)))
    law = np.exp(np.concatenate([[0.0], weights]))
    law /= law.sum()
    assert queue.in_system_pmf(most) == pytest.approx(law[: most + 1], rel=1e-6, abs=1e-12)
    assert queue.queue_pmf(20)[1:] == pytest.approx(law[queue.servers + 1 : queue.servers + 21], rel=1e-6, abs=1e-12)
    assert queue.means.in_system == pytest.approx(float(law @ np.arange(len(law))), rel=1e-5)


@settings(max_examples=40)
@given(QUEUES)
def test_means_are_those_of_the_distributions(queue: MMc) -> None:
    """E[T] is the integral of P(T > t)."""
    last_s = 40 * queue.means.sojourn_s / (1 - queue.load)
    grid = np.linspace(0, last_s, 200_001)
    assert np.trapezoid(1 - queue.sojourn_cdf(grid), grid) == pytest.approx(queue.means.sojourn_s, rel=1e-3)
    assert np.trapezoid(1 - queue.wait_cdf(grid), grid) == pytest.approx(
        queue.means.wait_s, rel=2e-2, abs=1e-6 * last_s
    )


@settings(max_examples=40)
@given(QUEUES, st.floats(0.0, 0.9999))
def test_quantiles_are_where_the_distribution_comes_to_a_share(queue: MMc, share: float) -> None:
    assert float(queue.sojourn_cdf(queue.sojourn_quantile(share))) == pytest.approx(share, abs=1e-9)
    wait_s = queue.wait_quantile(share)
    assert float(queue.wait_cdf(wait_s)) == pytest.approx(max(share, 1 - queue.chance_of_waiting), abs=1e-9)


def test_both_exponential_parts_of_a_sojourn_may_have_one_rate() -> None:
    """Two servers at half their load: c mu - lambda = mu. The distribution goes on smoothly there."""
    same, near = MMc(1.0, 1.0, 2), MMc(1.0 + 1e-9, 1.0, 2)
    assert same.sojourn_cdf(TIMES_S) == pytest.approx(near.sojourn_cdf(TIMES_S), abs=1e-8)


def test_a_simulated_queue_agrees() -> None:
    generator = np.random.default_rng(1)
    gaps, services = generator.exponential(1 / 2.4, 200_000), generator.exponential(1.0, 200_000)
    found = waits(gaps, services, servers=3)
    queue = MMc(2.4, 1.0, 3)
    assert_near(found, queue.means.wait_s)
    assert_near((found > 2.0).astype(float), 1 - float(queue.wait_cdf(2.0)))
    assert_near((found + services > 4.0).astype(float), 1 - float(queue.sojourn_cdf(4.0)))


def test_limited_room_is_the_published_one() -> None:
    queue = MMcK(3.0, 1.0, 2, 6)
    assert queue.blocking == pytest.approx(0.35964, abs=5e-6)
    assert queue.means.sojourn_s == pytest.approx(2.3451, abs=5e-5)


@settings(max_examples=40)
@given(st.floats(0.05, 5.0), st.integers(1, 6), st.integers(0, 20))
def test_limited_room_solves_its_balance_equations(load: float, servers: int, further: int) -> None:
    queue = MMcK(load * servers, 1.0, servers, servers + further)
    law = birth_death(queue.arrival_rate, [min(n, servers) for n in range(1, queue.places + 1)])
    assert queue.in_system_pmf() == pytest.approx(law, abs=1e-10)
    assert queue.means.in_system == pytest.approx(float(law @ np.arange(len(law))))
    assert queue.throughput == pytest.approx(queue.arrival_rate * (1 - queue.blocking))


def test_without_a_queue_it_is_erlangs_loss_system() -> None:
    queue = MMcK(3.0, 1.0, 4, 4)
    assert queue.blocking == pytest.approx(erlang_b(4, 3.0))
    assert queue.means.wait_s == 0.0
    assert queue.wait_cdf(TIMES_S) == pytest.approx(1.0)
    assert queue.sojourn_cdf(TIMES_S) == pytest.approx(1 - np.exp(-TIMES_S))


@pytest.mark.parametrize("servers", [1, 3])
def test_plenty_of_room_is_as_good_as_no_limit(servers: int) -> None:
    limited, free = MMcK(0.7 * servers, 1.0, servers, 200), MMc(0.7 * servers, 1.0, servers)
    assert limited.wait_cdf(TIMES_S) == pytest.approx(free.wait_cdf(TIMES_S))
    assert limited.sojourn_cdf(TIMES_S) == pytest.approx(free.sojourn_cdf(TIMES_S))
    assert limited.sojourn_quantile(0.9) == pytest.approx(free.sojourn_quantile(0.9))
    assert limited.wait_quantile(0.9) == pytest.approx(free.wait_quantile(0.9))
    assert limited.means.wait_s == pytest.approx(free.means.wait_s)


def test_limited_sojourns_have_their_mean() -> None:
    queue = MMcK(3.0, 1.0, 2, 6)
    grid = np.linspace(0, 40, 4001)
    assert np.trapezoid(1 - queue.sojourn_cdf(grid), grid) == pytest.approx(queue.means.sojourn_s, rel=1e-4)
    assert np.trapezoid(1 - queue.wait_cdf(grid), grid) == pytest.approx(queue.means.wait_s, rel=1e-4)


@pytest.mark.parametrize("cdf", [mm1(0.5, 1.0).wait_cdf, mm1(0.5, 1.0).sojourn_cdf, MMcK(1.0, 1.0, 1, 3).sojourn_cdf])
def test_nothing_takes_less_than_no_time(cdf) -> None:  # type: ignore[no-untyped-def]
    assert float(cdf(-1.0)) == 0.0


def test_too_much_work_is_refused() -> None:
    with pytest.raises(UnstableError, match=r"the load is 1\.2"):
        MMc(1.2, 1.0)
    with pytest.raises(UnstableError):
        erlang_c(2, 2.0)


def test_more_servers_than_places_are_refused() -> None:
    with pytest.raises(ValueError, match="places must be a whole number of at least 3, not 2"):
        MMcK(1.0, 1.0, 3, 2)
