"""Path loss, line of sight and rates agree with the published formulas, check values and numerical integrals."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from simoffload.world.path_loss import (
    Clutter,
    Environment,
    Modem,
    blocked_loss_db,
    blocked_shadowing_db,
    from_db,
    noise_dbm,
    sight_loss_db,
    sight_probability,
)

ENVIRONMENTS: tuple[Environment, ...] = ("SL", "DL", "SH", "DH", "HH")
DISTANCES = st.floats(1, 600)
CARRIERS = st.floats(0.5e9, 100e9)
DENSE = Clutter(size_m=2, density=0.6, height_m=6)


def test_losses_at_3700_mhz_and_100_m_are_the_published_ones() -> None:
    assert sight_loss_db(100, 3.7e9) == pytest.approx(85.64, abs=0.005)
    assert blocked_loss_db("DH", 100, 3.7e9) == pytest.approx(88.79, abs=0.005)


@pytest.mark.parametrize(
    ("environment", "loss"),
    [("SL", 33 + 51 + 20), ("DL", 18.6 + 71.4 + 20), ("SH", 32.4 + 46 + 20), ("DH", 33.63 + 43.8 + 20)],
)
def test_a_blocked_path_of_100_m_at_10_ghz_loses_the_sum_of_its_coefficients(
    environment: Environment, loss: float
) -> None:
    assert blocked_loss_db(environment, 100, 10e9) == pytest.approx(loss)


@given(st.sampled_from(ENVIRONMENTS), DISTANCES, CARRIERS)
def test_no_sight_never_loses_less_than_sight(environment: Environment, distance: float, carrier: float) -> None:
    assert blocked_loss_db(environment, distance, carrier) >= sight_loss_db(distance, carrier)


@given(DISTANCES, CARRIERS)
def test_dense_low_clutter_never_loses_less_than_sparse(distance: float, carrier: float) -> None:
    assert blocked_loss_db("DL", distance, carrier) >= blocked_loss_db("SL", distance, carrier)


def test_above_the_clutter_there_is_always_sight() -> None:
    assert sight_probability("HH", 600, DENSE, 8, 1.5) == 1
    assert blocked_loss_db("HH", 100, 3.7e9) == sight_loss_db(100, 3.7e9)
    assert blocked_shadowing_db("HH") == 4.3
    for environment in ("SH", "DH"):
        assert sight_probability(environment, 600, DENSE, 8, 6) == 1


@pytest.mark.parametrize(
    ("environment", "reach"),
    [
        ("SL", -2 / math.log(0.4)),
        ("DL", -2 / math.log(0.4)),
        ("SH", -2 / math.log(0.4) * 6.5 / 4.5),
        ("DH", -2 / math.log(0.4) * 6.5 / 4.5),
    ],
)
def test_sight_fades_exponentially_with_the_horizontal_distance(environment: Environment, reach: float) -> None:
    for horizontal in (0.0, 1.0, 5.0, 20.0):
        chance = sight_probability(environment, math.hypot(horizontal, 6.5), DENSE, 8, 1.5)
        assert chance == pytest.approx(math.exp(-horizontal / reach), rel=1e-6)
    assert sight_probability(environment, 2.0, DENSE, 8, 1.5) == 1


@pytest.mark.parametrize("environment", ["SH", "DH"])
def test_a_high_base_station_below_the_device_is_refused(environment: Environment) -> None:
    with pytest.raises(ValueError, match="base station higher than the device"):
        sight_probability(environment, 50, DENSE, 1.5, 1.5)


def test_noise_of_20_mhz_with_a_figure_of_7_db_is_minus_94_dbm() -> None:
    assert noise_dbm(20e6, 7) == pytest.approx(-93.99, abs=0.001)


def test_decibels_are_tenths_of_powers_of_ten() -> None:
    assert [from_db(ratio) for ratio in (0, 10, -30)] == [1, 10, 0.001]


def test_a_rate_is_a_share_of_shannons_until_the_modem_can_do_no_more() -> None:
    modem = Modem(bandwidth_hz=20e6, efficiency=0.65, most_bps_per_hz=7.4)
    assert modem.rate_bps(0) == 0
    assert modem.rate_bps(15) == pytest.approx(20e6 * 0.65 * 4)
    assert modem.rate_bps(1e9) == 20e6 * 7.4


def integrated(function: Any, low: float, high: float, points: list[float]) -> float:
    value, _ = integrate.quad(function, low, high, points=points, limit=500, epsabs=1e-12, epsrel=1e-10)
    return float(value)


def faded(modem: Modem, snr: float) -> float:
    """E[rate(snr H)], H ~ Exp(1), by the definition of the mean."""
    cap = math.expm1(min(modem.most_bps_per_hz / modem.efficiency * math.log(2), 100)) / snr
    points = [point for point in (1e-6, 1e-4, 0.01, 0.1, 1.0, 5.0, cap) if point < 60]
    return integrated(lambda h: modem.rate_bps(snr * h) * math.exp(-h), 0, 60, points)


@given(st.floats(-40, 70), st.sampled_from([0.3, 0.65, 1.0]), st.sampled_from([1.0, 5.5, 7.4, 1e30]))
def test_the_mean_under_fading_is_the_integral_over_the_fading(snr_db: float, efficiency: float, most: float) -> None:
    modem = Modem(20e6, efficiency, most)
    assert modem.faded_mean_bps(from_db(snr_db)) == pytest.approx(faded(modem, from_db(snr_db)), rel=1e-5)


@pytest.mark.parametrize("snr_db", [-10.0, 8.0, 30.0])
@pytest.mark.parametrize("shadowing_db", [4.0, 7.2])
def test_the_mean_under_shadowing_is_the_integral_over_the_shadowing(snr_db: float, shadowing_db: float) -> None:
    modem = Modem(20e6, 0.65, 7.4)

    def density(z: float) -> float:
        return math.exp(-z * z / 2) / math.sqrt(2 * math.pi) * modem.faded_mean_bps(from_db(snr_db + shadowing_db * z))

    expected = integrated(density, -9, 9, [0.0])
    assert modem.shadowed_mean_bps(snr_db, shadowing_db) == pytest.approx(expected, rel=1e-6)


def test_no_signal_has_no_rate() -> None:
    assert Modem(20e6, 0.65, 7.4).faded_mean_bps(0) == 0
