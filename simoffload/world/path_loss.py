"""Radio in a factory hall: path loss, chance of line of sight, noise, and the rate that a signal carries.

Path loss and line of sight follow 3GPP TR 38.901, indoor factory (InF), tables 7.4.1-1 and 7.4.2-1. The letters of an
environment: S or D for sparse or dense clutter, L or H for a base station below or above the clutter; HH, base station
and device both above it, always sees. Losses in dB, distances and heights in m, frequencies in Hz.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Environment = Literal["SL", "DL", "SH", "DH", "HH"]

SIGHT_SHADOWING_DB = 4.3
"""Standard deviation of the shadowing with line of sight."""

_BLOCKED: dict[Environment, tuple[float, float, float, float]] = {
    "SL": (33.0, 25.5, 20.0, 5.7),
    "DL": (18.6, 35.7, 20.0, 7.2),
    "SH": (32.4, 23.0, 20.0, 5.9),
    "DH": (33.63, 21.9, 20.0, 4.0),
}
"""Without line of sight: constant, factors of log10 of metres and of GHz, standard deviation of the shadowing."""

_THERMAL_NOISE_DBM_PER_HZ = -174.0
_DEEPEST = 40.0
"""Where an exponentially distributed variate is cut off: exp(-40) is less than the rounding of 1."""

_STEPS = 256


def sight_loss_db(distance_m: float, carrier_hz: float) -> float:
    """Path loss with line of sight; `distance_m` is the straight (3D) distance."""
    return 31.84 + 21.5 * math.log10(distance_m) + 19.0 * math.log10(carrier_hz / 1e9)


def blocked_loss_db(environment: Environment, distance_m: float, carrier_hz: float) -> float:
    """Path loss without line of sight, never below the one with it (nor, for DL, below that of SL)."""
    least = sight_loss_db(distance_m, carrier_hz)
    if environment == "HH":
        return least
    if environment == "DL":
        least = blocked_loss_db("SL", distance_m, carrier_hz)
    constant, per_distance, per_frequency, _ = _BLOCKED[environment]
    loss = constant + per_distance * math.log10(distance_m) + per_frequency * math.log10(carrier_hz / 1e9)
    return max(least, loss)


def blocked_shadowing_db(environment: Environment) -> float:
    """Standard deviation of the shadowing without line of sight."""
    return SIGHT_SHADOWING_DB if environment == "HH" else _BLOCKED[environment][3]


@dataclass(frozen=True, slots=True)
class Clutter:
    """The machines that stand in the way: typical size, share of the floor (0 to 1, both excluded), height."""

    size_m: float
    density: float
    height_m: float


def sight_probability(
    environment: Environment, distance_m: float, clutter: Clutter, base_height_m: float, device_height_m: float
) -> float:
    """Chance of line of sight: exp(-d2D / k), k = -size / ln(1 - density).

    Where the base station stands above the clutter (SH, DH), k grows by (base - device) / (clutter - device) heights:
    the ray passes through clutter only on its last part. A device above the clutter is always seen.
    """
    if environment == "HH":
        return 1.0
    rise = base_height_m - device_height_m
    reach = -clutter.size_m / math.log1p(-clutter.density)
    if environment in ("SH", "DH"):
        if clutter.height_m <= device_height_m:
            return 1.0
        if rise <= 0:
            raise ValueError(f"environment {environment} needs a base station higher than the device")
        reach *= rise / (clutter.height_m - device_height_m)
    return math.exp(-math.sqrt(max(distance_m * distance_m - rise * rise, 0.0)) / reach)


def noise_dbm(bandwidth_hz: float, noise_figure_db: float) -> float:
    """Thermal noise at 290 K in the band, and the receiver's own."""
    return _THERMAL_NOISE_DBM_PER_HZ + 10.0 * math.log10(bandwidth_hz) + noise_figure_db


def from_db(ratio_db: float) -> float:
    """A ratio of powers."""
    return math.pow(10.0, ratio_db / 10.0)


@dataclass(frozen=True, slots=True)
class Modem:
    """An attenuated, capped Shannon rate: B min(efficiency log2(1 + SNR), most) (3GPP TR 36.942, annex A.2)."""

    bandwidth_hz: float
    efficiency: float
    most_bps_per_hz: float

    def rate_bps(self, snr: float) -> float:
        """Rate at a signal-to-noise ratio."""
        return self.bandwidth_hz * min(self.efficiency * math.log1p(snr) / math.log(2.0), self.most_bps_per_hz)

    def faded_mean_bps(self, snr: float) -> float:
        """Mean rate when Rayleigh fading multiplies the mean ratio `snr` by an Exp(1) variate H.

        E[min(e log2(1 + snr H), most)] = integral from 0 to most of P(e log2(1 + snr H) > y) dy, and that chance is
        exp(-(2^(y/e) - 1) / snr). Simpson's rule, up to where the chance vanishes.
        """
        if snr <= 0:
            return 0.0
        per_bit = math.log(2.0) / self.efficiency
        top = min(self.most_bps_per_hz, math.log1p(_DEEPEST * snr) / per_bit)
        values = [math.exp(-math.expm1(per_bit * top * k / _STEPS) / snr) for k in range(_STEPS + 1)]
        inner = 4.0 * math.fsum(values[1:-1:2]) + 2.0 * math.fsum(values[2:-1:2])
        return self.bandwidth_hz * (values[0] + inner + values[-1]) * top / (3 * _STEPS)

    def shadowed_mean_bps(self, snr_db: float, shadowing_db: float) -> float:
        """Mean rate when normal shadowing of that standard deviation comes on top of the fading.

        The trapezoid rule, which converges faster than any power of its step on smooth bell-shaped integrands.
        """
        points = [k / 2 for k in range(-16, 17)]
        weights = [math.exp(-z * z / 2) for z in points]
        means = [self.faded_mean_bps(from_db(snr_db + shadowing_db * z)) for z in points]
        return math.fsum(w * m for w, m in zip(weights, means, strict=True)) / math.fsum(weights)
