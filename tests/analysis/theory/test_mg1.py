"""M/G/1 and its relatives agree with inverted transforms, with exact special cases and with simulated queues."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from simoffload.analysis.theory import service
from simoffload.analysis.theory.arguments import UnstableError
from simoffload.analysis.theory.markovian import mm1
from simoffload.analysis.theory.mg1 import MD1, MG1, MG1PS

from .routes import assert_near, balance, mg1_wait_cdf, waits

TIMES_S = np.array([0.0, 0.3, 1.0, 2.5, 7.0, 15.0])
LOGNORMAL = service.lognormal(1.0, math.sqrt(math.expm1(0.8**2)))


def test_a_lognormal_service_is_the_published_one() -> None:
    assert MG1(0.8, LOGNORMAL).means.wait_s == pytest.approx(3.793, abs=5e-4)


def test_constant_services_halve_the_wait() -> None:
    assert MD1(0.8, 1.0).means == MG1(0.8, service.constant(1.0)).means
    assert MD1(0.8, 1.0).means.wait_s == pytest.approx(mm1(0.8, 1.0).means.wait_s / 2)


def test_exponential_services_are_mm1() -> None:
    queue, known = MG1(0.8, service.exponential(1.0)), mm1(0.8, 1.0)
    assert queue.means.wait_s == pytest.approx(known.means.wait_s)
    assert queue.wait_cdf(TIMES_S) == pytest.approx(known.wait_cdf(TIMES_S), abs=1e-5)
    assert queue.sojourn_cdf(TIMES_S) == pytest.approx(known.sojourn_cdf(TIMES_S), abs=1e-5)
    assert queue.wait_quantile(0.99) == pytest.approx(known.wait_quantile(0.99), rel=1e-3)
    assert queue.sojourn_quantile(0.99) == pytest.approx(known.sojourn_quantile(0.99), rel=1e-3)
    assert queue.wait_second_moment_s2 == pytest.approx(2 * 0.8 / 0.2**2)
    assert queue.sojourn_second_moment_s2 == pytest.approx(2 / 0.2**2)


@settings(max_examples=15)
@given(st.floats(0.1, 0.9), st.floats(0.3, 2.0), st.floats(0.1, 20.0))
def test_gamma_services_agree_with_the_inverted_transform(load: float, cv: float, time_s: float) -> None:
    shape = cv**-2
    queue = MG1(load, service.gamma(1.0, cv))
    second = mg1_wait_cdf(load, 1.0, lambda s: (1 + s / shape) ** -shape, time_s)
    low, high = queue.wait_cdf_bounds(time_s)
    assert low - 1e-6 <= second <= high + 1e-6
    assert float(queue.wait_cdf(time_s)) == pytest.approx(second, abs=2e-4)


@pytest.mark.parametrize("load", [0.3, 0.8, 0.95])
def test_constant_services_lie_between_the_bounds_of_any_service(load: float) -> None:
    low, high = MG1(load, service.constant(1.0)).wait_cdf_bounds(TIMES_S)
    exact = MD1(load, 1.0).wait_cdf(TIMES_S)
    assert (low <= exact + 1e-12).all() and (exact <= high + 1e-12).all()
    assert (high - low).max() < 0.01


def test_constant_services_agree_with_the_inverted_transform() -> None:
    for time_s in (0.5, 2.3, 6.7):
        second = mg1_wait_cdf(0.8, 1.0, lambda s: cmath.exp(-s), time_s)
        assert float(MD1(0.8, 1.0).wait_cdf(time_s)) == pytest.approx(second, abs=2e-3)


def test_constant_services_far_out_keep_their_digits() -> None:
    """Where the formula with alternating signs has long lost them all, the tail goes on falling as it should.

    It falls by exp(-theta) a second, theta > 0 the root of lambda (e^theta - 1) = theta.
    """
    queue = MD1(0.8, 1.0)
    theta = brentq(lambda x: 0.8 * math.expm1(x) - x, 0.1, 2.0)
    beyond = 1 - queue.wait_cdf(np.array([20.0, 40.0]))
    assert beyond[1] / beyond[0] == pytest.approx(math.exp(-20 * theta), rel=1e-3)


@settings(max_examples=8)
@given(st.floats(0.05, 0.85))
def test_numbers_with_constant_services_are_those_left_behind(load: float) -> None:
    """The chain at ends of service, cut off far out, solved as it stands."""
    size = 150
    arrivals = np.exp(np.arange(size) * math.log(load) - load - np.cumsum(np.log(np.maximum(np.arange(size), 1))))
    steps = np.zeros((size, size))
    for n in range(size):
        steps[n, max(n - 1, 0) :] = arrivals[: size - max(n - 1, 0)]
    steps[:, -1] += 1 - steps.sum(axis=1)
    law = balance(steps - np.diag(steps.diagonal()))
    queue = MD1(load, 1.0)
    assert queue.in_system_pmf(60) == pytest.approx(law[:61], abs=1e-6)
    assert queue.queue_pmf(60)[1:] == pytest.approx(law[2:62], abs=1e-6)
    numbers = queue.in_system_pmf(2000)
    assert float(numbers @ np.arange(2001)) == pytest.approx(queue.means.in_system, rel=1e-6)


def test_quantiles_of_constant_services() -> None:
    queue = MD1(0.8, 1.0)
    assert queue.wait_quantile(0.1) == 0.0
    assert float(queue.wait_cdf(queue.wait_quantile(0.95))) == pytest.approx(0.95)
    assert queue.sojourn_quantile(0.95) == queue.wait_quantile(0.95) + 1.0
    assert queue.sojourn_cdf([0.5, 1.0]).tolist() == pytest.approx([0.0, 0.2])


def test_a_simulated_queue_agrees() -> None:
    generator = np.random.default_rng(5)
    gaps, services = generator.exponential(1 / 0.6, 200_000), np.exp(generator.normal(-0.32, 0.8, 200_000))
    found, queue = waits(gaps, services), MG1(0.6, LOGNORMAL)
    assert_near(found, queue.means.wait_s)
    assert_near(found**2, queue.wait_second_moment_s2)
    assert_near((found + services) ** 2, queue.sojourn_second_moment_s2)
    for time_s in (0.5, 4.0):
        assert_near((found <= time_s).astype(float), float(queue.wait_cdf(time_s)))
        assert_near((found + services <= time_s).astype(float), float(queue.sojourn_cdf(time_s)))
    assert queue.wait_quantile(0.95) == pytest.approx(np.quantile(found, 0.95), rel=0.05)


def test_the_distribution_has_the_mean_of_pollaczek_and_khinchine() -> None:
    queue = MG1(0.7, service.uniform(0.5, 1.5))
    grid = np.linspace(0, 60, 4001)
    assert np.trapezoid(1 - queue.wait_cdf(grid), grid) == pytest.approx(queue.means.wait_s, rel=1e-3)
    assert np.trapezoid(1 - queue.sojourn_cdf(grid), grid) == pytest.approx(queue.means.sojourn_s, rel=1e-3)


def test_what_is_not_known_of_a_service_is_said() -> None:
    queue = MG1(0.8, service.ServiceLaw(1.0, 2.0))
    assert queue.means.wait_s == pytest.approx(4.0)
    with pytest.raises(ValueError, match="third moment"):
        _ = queue.wait_second_moment_s2
    with pytest.raises(ValueError, match="only moments"):
        queue.wait_cdf(1.0)


def test_an_infinite_second_moment_makes_the_mean_wait_infinite() -> None:
    assert math.isinf(MG1(0.5, service.ServiceLaw(1.0, math.inf)).means.wait_s)


def test_sharing_is_insensitive_to_the_law_of_services() -> None:
    """Served in turn by small slices, as many are there as theory says, exponential or constant services alike."""
    queue = MG1PS(0.8, 1.0)
    assert queue.means.sojourn_s == pytest.approx(5.0)
    assert queue.sojourn_given_s(2.0) == pytest.approx(10.0)
    assert queue.in_system_pmf(3) == pytest.approx(mm1(0.8, 1.0).in_system_pmf(3))


@pytest.mark.parametrize("constant", [True, False])
def test_simulated_sharing_agrees(constant: bool) -> None:
    generator = np.random.default_rng(8)
    arrivals = np.cumsum(generator.exponential(2.0, 30_000))
    services = np.ones(30_000) if constant else generator.exponential(1.0, 30_000)
    assert_near(_shared_sojourns(arrivals, services), MG1PS(0.5, 1.0).means.sojourn_s)


def _shared_sojourns(arrivals_s: np.ndarray, services_s: np.ndarray) -> np.ndarray:
    """Egalitarian sharing, from event to event."""
    left: dict[int, float] = {}
    now, found = 0.0, np.zeros(len(arrivals_s))
    for number, arrival in enumerate([*arrivals_s.tolist(), math.inf]):
        while left:
            first = min(left, key=left.__getitem__)
            end = now + left[first] * len(left)
            if end > arrival:
                break
            passed = left[first]
            left = {key: each - passed for key, each in left.items() if key != first}
            now, found[first] = end, end - arrivals_s[first]
        if number < len(arrivals_s):
            left = {key: each - (arrival - now) / len(left) for key, each in left.items()}
            left[number], now = float(services_s[number]), arrival
    return found


@pytest.mark.parametrize(
    "form", [lambda: MG1(1.0, service.constant(1.0)), lambda: MD1(2.0, 1.0), lambda: MG1PS(1.5, 1.0)]
)
def test_too_much_work_is_refused(form) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UnstableError):
        form()
