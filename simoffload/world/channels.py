"""The channel of each kind that a scenario can name."""

from __future__ import annotations

import math
from typing import assert_never

from ..random_streams import Streams
from ..schema import network as spec
from ..schema.faults import Faults
from .channel_fading import AutoregressiveSegments, FactorySegments
from .channel_markov import MarkovSegments
from .channel_path import Channel, ChannelError, ConstantChannel, PathChannel, Segments
from .channel_trace import TraceSegments
from .faults import Interrupted, Steady, availability, expected_end_s, make_spells

__all__ = [
    "Channel",
    "ChannelError",
    "ConstantChannel",
    "PathChannel",
    "Segments",
    "make_channel",
    "make_segments",
    "persistence_s",
]

TRACE_PERSISTENCE_S = 5.0
"""What is taken for the persistence of a rate that is played back from a file."""

VaryingChannel = (
    spec.GilbertElliottChannel
    | spec.MarkovChannel
    | spec.LogAutoregressiveChannel
    | spec.IndoorFactoryChannel
    | spec.TraceChannel
)


def make_channel(channel: spec.Channel, streams: Streams, entity: str, outages: Faults | None = None) -> Channel:
    """A channel at time 0, at rate 0 in outages; `entity`, the link's name, picks its random streams.

    ChannelError when it would never carry anything; TraceError when a trace cannot be read.
    """
    if isinstance(channel, spec.ConstantChannel):
        if outages is None:
            return ConstantChannel(channel.rate)
        path: Segments = Steady(channel.rate)
    else:
        path = make_segments(channel, streams, entity)
    if outages is not None:
        path = Interrupted(path, make_spells(outages, streams, entity, "outages"), availability(outages))
    return PathChannel(path)


def make_segments(channel: VaryingChannel, streams: Streams, entity: str) -> Segments:
    """The path of a channel that varies, from time 0 on."""
    if isinstance(channel, spec.GilbertElliottChannel):
        rates, sojourns = (channel.good, channel.bad), (channel.mean_good, channel.mean_bad)
        return MarkovSegments(rates, sojourns, None, streams, entity)
    if isinstance(channel, spec.MarkovChannel):
        return MarkovSegments(channel.rates, channel.mean_sojourn, channel.transition, streams, entity)
    if isinstance(channel, spec.LogAutoregressiveChannel):
        return AutoregressiveSegments(channel, streams, entity)
    if isinstance(channel, spec.IndoorFactoryChannel):
        return FactorySegments(channel, streams, entity)
    if isinstance(channel, spec.TraceChannel):
        return _playback(channel)
    assert_never(channel)


def persistence_s(link: spec.Link, rate_bps: float, now_s: float) -> float:
    """How long the rate of a link stays near a rate it has now: a mean sojourn or a correlation time, s.

    What a node that has watched its own link for long can tell; nothing of the path to come is looked at, but for
    outages by a timetable. Where there may be outages, a rate of 0 is taken for one.
    """
    if rate_bps == 0.0 and link.outages is not None:
        return expected_end_s(link.outages, now_s) - now_s
    channel = link.channel
    if isinstance(channel, spec.ConstantChannel):
        return math.inf
    if isinstance(channel, spec.GilbertElliottChannel):
        return channel.mean_good if rate_bps == channel.good else channel.mean_bad
    if isinstance(channel, spec.MarkovChannel):
        return channel.mean_sojourn[channel.rates.index(rate_bps)]
    if isinstance(channel, spec.LogAutoregressiveChannel):
        return channel.step / (1.0 - channel.rho)
    if isinstance(channel, spec.IndoorFactoryChannel):
        return channel.block
    return TRACE_PERSISTENCE_S


def _playback(channel: spec.TraceChannel) -> TraceSegments:
    from ..traces import read_rates

    trace = read_rates(channel.file, channel.format, channel.column)
    return TraceSegments(trace.ends_s, [channel.scale * rate for rate in trace.rates_bps], channel.offset)
