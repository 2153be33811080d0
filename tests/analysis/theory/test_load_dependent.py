"""Stations whose pace depends on the number there are the known ones where they should be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.analysis.theory.arguments import UnstableError
from simoffload.analysis.theory.load_dependent import LoadDependent, MGInfinity
from simoffload.analysis.theory.markovian import MMc
from simoffload.analysis.theory.mg1 import MG1PS

from .routes import birth_death


@settings(max_examples=40)
@given(st.floats(0.05, 0.95), st.integers(1, 12))
def test_servers_that_do_not_disturb_each_other_are_mmc(load: float, servers: int) -> None:
    station = LoadDependent(load * servers, tuple(float(n) for n in range(1, servers + 1)))
    queue = MMc(load * servers, 1.0, servers)
    assert station.means.wait_s == pytest.approx(queue.means.wait_s)
    assert station.means.in_system == pytest.approx(queue.means.in_system)
    assert station.in_system_pmf(40) == pytest.approx(queue.in_system_pmf(40))
    assert station.queue_pmf(10) == pytest.approx(queue.queue_pmf(10))
    assert station.wait_cdf([0.0, 1.0]) == pytest.approx(queue.wait_cdf([0.0, 1.0]))


def test_one_pace_for_all_is_processor_sharing() -> None:
    station = LoadDependent(0.8, (1.0,) * 400)
    assert station.means.sojourn_s == pytest.approx(MG1PS(0.8, 1.0).means.sojourn_s)
    assert station.means.wait_s == pytest.approx(0.0, abs=1e-12)


@settings(max_examples=10)
@given(st.lists(st.floats(0.2, 5.0), min_size=1, max_size=6))
def test_any_pace_solves_its_balance_equations(end_rates: list[float]) -> None:
    station = LoadDependent(0.6 * end_rates[-1], tuple(end_rates))
    law = birth_death(station.arrival_rate, [*end_rates, *[end_rates[-1]] * 150])
    assert station.in_system_pmf(30) == pytest.approx(law[:31], abs=1e-10)
    assert station.means.in_system == pytest.approx(float(law @ np.arange(len(law))))
    assert station.means.utilisation == pytest.approx(1 - law[0])


def test_a_batch_that_is_too_slow_when_full_is_unstable() -> None:
    with pytest.raises(UnstableError):
        LoadDependent(1.0, (2.0, 1.0))


def test_with_a_server_for_everybody_the_number_is_poisson() -> None:
    station = MGInfinity(3.0, 0.5)
    assert station.means.wait_s == 0.0
    assert station.means.in_system == pytest.approx(1.5)
    law = birth_death(3.0, [2.0 * n for n in range(1, 60)])
    assert station.in_system_pmf(20) == pytest.approx(law[:21])
    assert station.means.utilisation == pytest.approx(1 - law[0])
