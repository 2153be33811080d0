"""Bounds hold and approximations are exact where they say they are, and near elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.analysis.theory import service
from simoffload.analysis.theory.arguments import UnstableError
from simoffload.analysis.theory.gig1 import GIG1, GIGc
from simoffload.analysis.theory.markovian import MMc
from simoffload.analysis.theory.mg1 import MG1

from .routes import waits

LOADS, CVS = st.floats(0.05, 0.95), st.floats(0.0, 3.0)


@settings(max_examples=40)
@given(LOADS, CVS)
def test_poisson_arrivals_make_them_exact(load: float, cv: float) -> None:
    queue = GIG1(load, 1.0, 1.0, cv)
    exact = MG1(load, service.ServiceLaw(1.0, 1 + cv**2)).means.wait_s
    assert queue.marchal_wait_s == pytest.approx(exact)
    assert queue.klb_wait_s == pytest.approx(exact)
    assert queue.means.wait_s == queue.klb_wait_s


@settings(max_examples=40)
@given(LOADS, CVS, CVS)
def test_no_approximation_is_above_the_bound(load: float, arrival_cv: float, service_cv: float) -> None:
    queue = GIG1(load, arrival_cv, 1.0, service_cv)
    assert queue.marchal_wait_s <= queue.kingman_bound_s * (1 + 1e-12)
    assert queue.klb_wait_s >= 0


@pytest.mark.parametrize(("shape", "cv"), [(4.0, 0.5), (0.5, math.sqrt(2))])
@pytest.mark.parametrize("load", [0.5, 0.9])
def test_a_simulated_queue_with_gamma_arrivals_is_near(shape: float, cv: float, load: float) -> None:
    generator = np.random.default_rng(11)
    gaps = generator.gamma(shape, 1 / (shape * load), 300_000)
    mean_s = waits(gaps, generator.exponential(1.0, 300_000)).mean()
    queue = GIG1(load, cv, 1.0, 1.0)
    assert mean_s < queue.kingman_bound_s
    near = 0.1 if load == 0.9 else 0.3
    assert queue.klb_wait_s == pytest.approx(mean_s, rel=near)
    assert queue.marchal_wait_s == pytest.approx(mean_s, rel=near)


def test_nothing_that_varies_nobody_that_waits() -> None:
    assert GIG1(0.9, 0.0, 1.0, 0.0).klb_wait_s == 0.0
    assert GIG1(0.9, 0.0, 1.0, 0.0).kingman_bound_s == 0.0


def test_several_servers_are_exact_for_mmc_and_near_for_constant_services() -> None:
    assert GIGc(2.4, 1.0, 1.0, 1.0, 3).means.wait_s == pytest.approx(MMc(2.4, 1.0, 3).means.wait_s)
    assert GIGc(0.8, 1.0, 1.0, 0.5, 1).means.wait_s == pytest.approx(MG1(0.8, service.gamma(1.0, 0.5)).means.wait_s)
    generator = np.random.default_rng(3)
    mean_s = waits(generator.exponential(1 / 2.4, 200_000), np.ones(200_000), servers=3).mean()
    assert GIGc(2.4, 1.0, 1.0, 0.0, 3).means.wait_s == pytest.approx(mean_s, rel=0.15)


def test_too_much_work_is_refused() -> None:
    with pytest.raises(UnstableError):
        GIG1(1.0, 1.0, 1.0, 1.0)
    with pytest.raises(UnstableError):
        GIGc(2.0, 1.0, 1.0, 1.0, 2)
    with pytest.raises(ValueError, match="arrival_cv"):
        GIG1(0.5, math.nan, 1.0, 1.0)
