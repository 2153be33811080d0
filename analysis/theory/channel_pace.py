"""The pace of a link: its full rate, and how that changes at random where it is a Markov chain."""

from __future__ import annotations

from simoffload.plant import PlantLink
from simoffload.random_streams import Streams
from simoffload.schema.network import GilbertElliottChannel, MarkovChannel
from simoffload.world.channels import make_channel

from .modulated import is_connected, markov_changes
from .nearest import Pace
from .remarks import Remark


def pace_of(link: PlantLink) -> tuple[float, Pace | None, list[Remark]]:
    """Its rate at full pace, bit/s, how the pace changes, and what to say of its carriage that no closed form knows."""
    channel = link.spec.channel
    remarks: list[Remark] = []
    if link.spec.outages is not None:
        remarks.append(Remark("it has outages; the form has none"))
    if isinstance(channel, GilbertElliottChannel):
        rates, sojourns_s = [channel.good, channel.bad], [channel.mean_good, channel.mean_bad]
        following = [[0.0, 1.0], [1.0, 0.0]]
    elif isinstance(channel, MarkovChannel) and (channel.transition is None or is_connected(channel.transition)):
        rates, sojourns_s, others = channel.rates, channel.mean_sojourn, len(channel.rates) - 1
        following = channel.transition or [
            [float(i != j) / others for j in range(len(rates))] for i in range(len(rates))
        ]
    else:
        if channel.kind != "constant":
            remarks.append(Remark("the rate of the channel changes; the form has its mean"))
        return make_channel(channel, Streams(0), link.id).mean_bps, None, remarks
    full_bps = max(rates)
    return full_bps, Pace(tuple(rate / full_bps for rate in rates), markov_changes(sojourns_s, following)), remarks
