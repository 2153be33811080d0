"""Log-rates are correlated as the law says; sight, shadowing and fading have their laws and last their times."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from simoffload.random_streams import Streams
from simoffload.world.channels import ChannelError, make_channel, make_segments
from simoffload.world.path_loss import Clutter, blocked_loss_db, noise_dbm, sight_loss_db, sight_probability

from .paths import LiteralPath, read, segments_of


def test_log_rates_have_the_moments_and_the_correlation_of_the_law() -> None:
    path = LiteralPath(segments_of("autoregression"))
    path.draw_up_to(100_000)
    logs = np.log(np.array(path.rates) / 10e6)
    effective = len(logs) * (1 - 0.9) / (1 + 0.9)
    assert abs(logs.mean()) < 4 * 0.8 / math.sqrt(effective)
    assert logs.std() == pytest.approx(0.8, rel=0.03)
    for lag in (1, 2, 5):
        assert np.corrcoef(logs[:-lag], logs[lag:])[0, 1] == pytest.approx(0.9**lag, abs=0.02)
    assert path.ends[:3] == [0.5, 1.0, 1.5]
    assert path.ends[100_000] == 0.5 * 100_001


def test_sight_is_as_frequent_as_its_chance_and_fading_is_exponential() -> None:
    """Mean and variance of the signal-to-noise ratio in dB: a mixture of two normal laws, plus 10 log10 of Exp(1)."""
    spec = read(
        {"kind": "inf", "environment": "DL", "distance": "20 m", "clutter_size": "10 m", "clutter_density": 0.4,
         "block": "10 s", "shadowing_time": "10 s", "max_spectral_efficiency": 1000, "efficiency": 1, "power": "0 dBm"}
    )  # fmt: skip
    path = LiteralPath(make_segments(spec, Streams(4), "x"))
    path.draw_up_to(200_000)
    snr = np.expm1(np.array(path.rates) / spec.bandwidth * math.log(2))
    sight = sight_probability("DL", 20, Clutter(10, 0.4, 6), 8, 1.5)
    base_db = -noise_dbm(20e6, 7)
    ratios = 10 * np.log10(snr)
    fading_mean_db = -10 / math.log(10) * 0.5772156649015329
    expected = base_db - sight * sight_loss_db(20, 3.7e9) - (1 - sight) * blocked_loss_db("DL", 20, 3.7e9)
    assert ratios.mean() == pytest.approx(expected + fading_mean_db, abs=4 * ratios.std() / math.sqrt(len(ratios)))
    gap = blocked_loss_db("DL", 20, 3.7e9) - sight_loss_db(20, 3.7e9)
    variance = (10 / math.log(10)) ** 2 * math.pi**2 / 6
    variance += sight * 4.3**2 + (1 - sight) * 7.2**2 + sight * (1 - sight) * gap**2
    assert ratios.var() == pytest.approx(variance, rel=0.05)


def test_shadowing_lasts_its_time_and_fading_its_block() -> None:
    """With fading blocks of 0.5 s and shadowing of 2 s, rates share their shadowing in groups of four."""
    spec = read({"kind": "inf", "distance": "100 m", "block": "500 ms", "shadowing_time": "2 s"})
    path = LiteralPath(make_segments(spec, Streams(4), "x"))
    path.draw_up_to(40_000)
    assert path.ends[:8] == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]
    logs = np.log(np.array(path.rates[:80_000])).reshape(-1, 4)
    within = np.corrcoef(logs[:, 0], logs[:, 3])[0, 1]
    across = np.corrcoef(logs[:-1, 3], logs[1:, 0])[0, 1]
    assert within > 0.2
    assert abs(across) < 4 / math.sqrt(len(logs))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"power": "-200 dBm"}, "the signal is lost in the noise"),
        ({"power": "-1000 dBm", "noise_figure": "1000 dB"}, "the signal is lost in the noise"),
        ({"environment": "DH", "base_height": "1 m"}, "base station higher than the device"),
    ],
)
def test_a_factory_without_signal_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ChannelError, match=message):
        make_channel(read({"kind": "inf", "distance": "100 m"} | change), Streams(0), "x")
