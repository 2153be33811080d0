"""Laws of service times have the moments of their distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.analysis.theory import service
from simoffload.analysis.theory.service import ServiceLaw

LAWS = [
    service.exponential(0.7),
    service.uniform(0.5, 2.0),
    service.gamma(1.3, 0.6),
    service.lognormal(0.9, 0.8),
    service.discrete([0.2, 1.0, 3.0], [1, 2, 1]),
    service.constant(1.5),
    service.mixture([service.exponential(0.5), service.uniform(1.0, 2.0)], [1.0, 3.0]),
]


@pytest.mark.parametrize("law", LAWS)
def test_moments_are_integrals_of_the_distribution(law: ServiceLaw) -> None:
    """E[S^k] is the integral of k x^(k-1) P(S > x)."""
    assert law.distribution is not None
    grid = np.linspace(0, 60, 600_001)
    beyond = 1 - law.distribution.cdf(grid)
    for k, moment in ((1, law.mean_s), (2, law.second_s2), (3, law.third_s3)):
        assert np.trapezoid(k * grid ** (k - 1) * beyond, grid) == pytest.approx(moment, rel=1e-3)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("most", [0.0, 0.3, 1.1, 40.0])
def test_limited_means_are_integrals_of_the_distribution(law: ServiceLaw, most: float) -> None:
    assert law.distribution is not None
    grid = np.linspace(0, most, 20_001)
    area = np.trapezoid(1 - law.distribution.cdf(grid), grid)
    assert float(law.distribution.limited_mean(np.asarray(most))) == pytest.approx(area, abs=2e-3)


@settings(max_examples=40)
@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=30))
def test_a_sample_has_its_own_moments(times_s: list[float]) -> None:
    law = service.discrete(times_s)
    assert law.mean_s == pytest.approx(np.mean(times_s))
    assert law.squared_cv == pytest.approx((np.std(times_s) / np.mean(times_s)) ** 2, abs=1e-9)


def test_a_mixture_of_one_is_that_one() -> None:
    law = service.exponential(2.0)
    assert service.mixture([law, service.constant(1.0)], [1.0, 0.0]) is law


def test_a_mixture_with_an_unknown_part_has_moments_only() -> None:
    law = service.mixture([ServiceLaw(1.0, 2.0), service.exponential(3.0)], [1, 1])
    assert law.mean_s == 2.0
    assert law.distribution is None and math.isnan(law.third_s3)


def test_what_is_left_of_an_exponential_service_is_as_long_as_all_of_it() -> None:
    assert service.exponential(2.0).residual_s == pytest.approx(2.0)
    assert service.constant(2.0).residual_s == pytest.approx(1.0)


def test_moments_that_no_time_has_are_refused() -> None:
    with pytest.raises(ValueError, match="second moment"):
        ServiceLaw(1.0, 0.5)
    with pytest.raises(ValueError, match="third moment"):
        ServiceLaw(1.0, 2.0, 3.0)
    with pytest.raises(ValueError, match="high_s"):
        service.uniform(1.0, 1.0)
    with pytest.raises(ValueError, match="one at least"):
        service.discrete([])
    with pytest.raises(ValueError, match="weights"):
        service.discrete([1.0], [0.0])
    with pytest.raises(ValueError, match="mean_s"):
        service.exponential(-1.0)
