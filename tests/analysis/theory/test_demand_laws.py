"""The distributions of scenarios have the moments of what the simulator draws."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter

from simoffload.analysis.theory.demand_laws import law_of
from simoffload.analysis.theory.service import scaled
from simoffload.random_streams import Streams
from simoffload.run.means import mean
from simoffload.schema.distributions import SecondDistribution
from simoffload.world.lengths import make_sampler

READ = TypeAdapter(SecondDistribution).validate_python
NAMED = [
    "1.5 s",
    {"kind": "exponential", "mean": "2 s"},
    {"kind": "uniform", "low": "1 s", "high": "3 s"},
    {"kind": "uniform", "low": "2 s", "high": "2 s"},
    {"kind": "lognormal", "mean": "1 s", "cv": 0.9},
    {"kind": "lognormal", "mean": "1 s", "cv": 0.9, "min": "0.5 s", "max": "3 s"},
    {"kind": "normal", "mean": "1 s", "sd": "0.8 s"},
    {"kind": "normal", "mean": "1 s", "sd": "0.8 s", "min": "0.9 s", "max": "2 s"},
    {"kind": "choice", "values": ["1 s", "0 s", "4 s"], "weights": [3, 1, 1]},
]  # fmt: skip


@pytest.mark.parametrize("named", NAMED, ids=str)
def test_moments_are_those_of_draws(named: object) -> None:
    spec = READ(named)
    law = law_of(spec)
    assert law is not None
    assert law.mean_s == pytest.approx(mean(spec), rel=1e-6)
    sampler = make_sampler(spec, Streams(1), "entity", "purpose", least=0.0)
    drawn = np.array([sampler.next() for _ in range(100_000)])
    assert law.second_s2 == pytest.approx((drawn**2).mean(), rel=0.03)
    assert law.third_s3 == pytest.approx((drawn**3).mean(), rel=0.12)
    assert law.distribution is not None
    for time_s in (0.3, 1.2, 2.5):
        assert float(law.distribution.cdf(np.asarray(time_s))) == pytest.approx((drawn <= time_s).mean(), abs=0.01)
        limited = float(law.distribution.limited_mean(np.asarray(time_s)))
        assert limited == pytest.approx(np.minimum(drawn, time_s).mean(), abs=0.01)


def test_no_time_at_all_has_no_law() -> None:
    assert law_of(READ("0 s")) is None


def test_a_slower_node_stretches_all_moments() -> None:
    law = law_of(READ({"kind": "uniform", "low": "1 s", "high": "3 s"}))
    assert law is not None
    slow = scaled(law, 4.0)
    assert (slow.mean_s, slow.squared_cv) == pytest.approx((4 * law.mean_s, law.squared_cv))
    assert slow.distribution is not None
    assert float(slow.distribution.cdf(np.asarray(8.0))) == pytest.approx(0.5)
    assert float(slow.distribution.limited_mean(np.asarray(4.0))) == pytest.approx(4.0)
