"""Open networks solve their traffic equations and have the product form that balance equations have."""

from __future__ import annotations

import numpy as np
import pytest

from simoffload.analysis.theory.arguments import UnstableError
from simoffload.analysis.theory.jackson import JacksonNetwork
from simoffload.analysis.theory.markovian import mm1

from .routes import balance


def test_a_tandem_is_the_published_one() -> None:
    tandem = JacksonNetwork((0.8, 0.0), (1.0, 1.2), (1, 1), ((0.0, 1.0), (0.0, 0.0)))
    assert tandem.arrival_rates == pytest.approx((0.8, 0.8))
    assert tandem.sojourn_s == pytest.approx(7.5)
    assert tandem.sojourn_s == pytest.approx(mm1(0.8, 1.0).means.sojourn_s + mm1(0.8, 1.2).means.sojourn_s)


def test_feedback_multiplies_the_visits() -> None:
    again = JacksonNetwork((0.3,), (1.0,), (1,), ((0.5,),))
    assert again.arrival_rates == pytest.approx((0.6,))
    assert again.sojourn_s == pytest.approx(2 * mm1(0.6, 1.0).means.sojourn_s)


def test_two_stations_with_feedback_solve_their_balance_equations() -> None:
    external, service, routing = (0.15, 0.1), (1.0, 0.8), ((0.1, 0.5), (0.3, 0.2))
    network = JacksonNetwork(external, service, (1, 2), routing)
    most = 22
    rates = np.zeros(((most + 1) ** 2,) * 2)
    for i in range(most + 1):
        for j in range(most + 1):
            here, paces = (i, j), (service[0] * min(i, 1), service[1] * min(j, 2))
            for station in range(2):
                up = [each + (k == station) for k, each in enumerate(here)]
                if max(up) <= most:
                    rates[i * (most + 1) + j, up[0] * (most + 1) + up[1]] += external[station]
                if here[station]:
                    for target in (0, 1, None):
                        chance = 1 - sum(routing[station]) if target is None else routing[station][target]
                        to = [each - (k == station) + (k == target) for k, each in enumerate(here)]
                        if max(to) <= most and target != station:
                            rates[i * (most + 1) + j, to[0] * (most + 1) + to[1]] += paces[station] * chance
    law = balance(rates).reshape(most + 1, most + 1)
    for numbers in ((0, 0), (1, 0), (2, 3), (4, 1)):
        assert network.in_system_pmf(numbers) == pytest.approx(law[numbers], rel=1e-4)
    assert network.in_system == pytest.approx(sum((i + j) * law[i, j] for i in range(23) for j in range(23)), rel=1e-4)


def test_a_station_that_nobody_comes_to_is_left_out() -> None:
    network = JacksonNetwork((0.5, 0.0), (1.0, 1.0), (1, 1), ((0.0, 0.0), (1.0, 0.0)))
    assert network.stations[1] is None
    assert network.in_system == pytest.approx(1.0)
    assert network.in_system_pmf((0, 1)) == 0.0


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="for ever"):
        JacksonNetwork((0.5, 0.0), (1.0, 1.0), (1, 1), ((0.0, 1.0), (1.0, 0.0)))
    with pytest.raises(ValueError, match=r"routing\[0\] adds up to 1\.2"):
        JacksonNetwork((0.5, 0.0), (1.0, 1.0), (1, 1), ((0.2, 1.0), (0.0, 0.0)))
    with pytest.raises(ValueError, match="an entry for every station"):
        JacksonNetwork((0.5, 0.0), (1.0,), (1, 1), ((0.0, 1.0), (0.0, 0.0)))
    with pytest.raises(ValueError, match="sum_of_external_rates"):
        JacksonNetwork((0.0,), (1.0,), (1,), ((0.0,),))
    with pytest.raises(UnstableError, match="station 1 has no steady state"):
        JacksonNetwork((0.8, 0.0), (1.0, 0.8), (1, 1), ((0.0, 1.0), (0.0, 0.0)))
