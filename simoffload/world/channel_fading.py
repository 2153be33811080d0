"""Radio channels on a time grid: log-rate autoregression, and fading over the path loss of a factory hall."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from ..random_streams import Exponentials, Normals, Streams, Uniforms
from ..schema.network import IndoorFactoryChannel, LogAutoregressiveChannel
from .channel_path import ChannelError
from .path_loss import (
    SIGHT_SHADOWING_DB,
    Clutter,
    Modem,
    blocked_loss_db,
    blocked_shadowing_db,
    from_db,
    noise_dbm,
    sight_loss_db,
    sight_probability,
)

_BLOCK = 128


class AutoregressiveSegments:
    """Steps of x' = rho x + sqrt(1 - rho^2) z, rate = median exp(sigma x); x starts in its law, the standard normal."""

    __slots__ = ("_innovation", "_level", "_normals", "_number", "_spec")

    def __init__(self, spec: LogAutoregressiveChannel, streams: Streams, entity: str) -> None:
        self._spec = spec
        self._innovation = math.sqrt((1.0 - spec.rho) * (1.0 + spec.rho))
        self._normals = Normals(streams.generator(entity, "channel rate"))
        self._level = self._normals.next()
        self._number = 0

    @property
    def mean_bps(self) -> float:
        """The mean of a lognormal variate: median exp(sigma^2 / 2)."""
        return self._spec.median * math.exp(self._spec.sigma**2 / 2)

    def next_block(self) -> tuple[list[float], list[float]]:
        """The next steps."""
        median, sigma, rho, step = self._spec.median, self._spec.sigma, self._spec.rho, self._spec.step
        level, innovation = self._level, self._innovation
        rates = []
        for variate in self._normals.take(_BLOCK):
            rates.append(median * math.exp(sigma * level))
            level = rho * level + innovation * variate
        self._level = level
        first = self._number + 1
        self._number += _BLOCK
        return [step * k for k in range(first, first + _BLOCK)], rates


class FactorySegments:
    """Shannon rates over TR 38.901 InF; sight and shadowing last a `shadowing_time`, Rayleigh fading a `block`."""

    __slots__ = (
        "_block", "_factory", "_fade", "_fading", "_period", "_shadowing", "_sight", "_snr", "_spec", "mean_bps",
    )  # fmt: skip

    def __init__(self, spec: IndoorFactoryChannel, streams: Streams, entity: str) -> None:
        self._spec = spec
        self._factory = _factory(spec)
        self.mean_bps = factory_mean_bps(spec)
        if self.mean_bps < 1.0:
            raise ChannelError(f"the signal is lost in the noise: {self.mean_bps:.2g} bit/s on average")
        self._sight = Uniforms(streams.generator(entity, "channel sight"))
        self._shadowing = Normals(streams.generator(entity, "channel shadowing"))
        self._fading = Exponentials(streams.generator(entity, "channel fading"))
        self._block = self._period = 0
        self._fade = self._fading.next()
        self._snr = self._shadowed()

    def next_block(self) -> tuple[list[float], list[float]]:
        """The next segments; one ends where the fading changes, or the shadowing, or both."""
        ends, rates = [], []
        rate = self._factory.modem.rate_bps
        for _ in range(_BLOCK):
            fade_end = self._spec.block * (self._block + 1)
            shadow_end = self._spec.shadowing_time * (self._period + 1)
            ends.append(min(fade_end, shadow_end))
            rates.append(rate(self._snr * self._fade))
            if fade_end <= shadow_end:
                self._block += 1
                self._fade = self._fading.next()
            if shadow_end <= fade_end:
                self._period += 1
                self._snr = self._shadowed()
        return ends, rates

    def _shadowed(self) -> float:
        """A newly drawn signal-to-noise ratio, before fading."""
        seen = self._sight.next() < self._factory.sight
        mean_db, deviation_db = self._factory.seen if seen else self._factory.blocked
        return from_db(mean_db + deviation_db * self._shadowing.next())


@dataclass(frozen=True, slots=True)
class _Factory:
    """Chance of sight; mean and standard deviation of the signal-to-noise ratio in dB, with sight and without."""

    modem: Modem
    sight: float
    seen: tuple[float, float]
    blocked: tuple[float, float]


def _factory(spec: IndoorFactoryChannel) -> _Factory:
    clutter = Clutter(spec.clutter_size, spec.clutter_density, spec.clutter_height)
    try:
        sight = sight_probability(spec.environment, spec.distance, clutter, spec.base_height, spec.device_height)
    except ValueError as error:
        raise ChannelError(str(error)) from None
    ratio_db = spec.power - noise_dbm(spec.bandwidth, spec.noise_figure)
    return _Factory(
        modem=Modem(spec.bandwidth, spec.efficiency, spec.max_spectral_efficiency),
        sight=sight,
        seen=(ratio_db - sight_loss_db(spec.distance, spec.carrier), SIGHT_SHADOWING_DB),
        blocked=(
            ratio_db - blocked_loss_db(spec.environment, spec.distance, spec.carrier),
            blocked_shadowing_db(spec.environment),
        ),
    )


@lru_cache(maxsize=256)
def factory_mean_bps(spec: IndoorFactoryChannel) -> float:
    """Ergodic rate: over sight, shadowing and fading."""
    factory = _factory(spec)
    seen = factory.modem.shadowed_mean_bps(*factory.seen)
    blocked = factory.modem.shadowed_mean_bps(*factory.blocked)
    return factory.sight * seen + (1.0 - factory.sight) * blocked
