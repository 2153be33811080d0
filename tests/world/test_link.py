"""Transfers wait for a carrier, go at the rate of the moment, and are through when the rate's integral says so."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from heapq import heapify, heapreplace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.plant import PlantLink
from simoffload.schema.network import Link
from simoffload.world.channel_path import ConstantChannel, PathChannel
from simoffload.world.channels import Channel
from simoffload.world.item import Item
from simoffload.world.kernel import COMPLETION, Kernel
from simoffload.world.line import FifoLine, Line, PriorityLine
from simoffload.world.link import LinkStation, Transfer

from .paths import LiteralPath, channel_of, segments_of
from .stations import Bench, job_of

NUMBER = 4


class Steps:
    """A path of given ends in s and rates in bit/s, the last one for ever."""

    mean_bps = 1.0

    def __init__(self, *steps: tuple[float, float]) -> None:
        self.steps = list(steps)

    def next_block(self) -> tuple[list[float], list[float]]:
        (end, rate), *rest = self.steps
        self.steps = rest or [(end * 10, rate)]
        return [end], [rate]


def bench(channel: Channel | None = None, copies: int = 1, line: type[Any] = FifoLine) -> Bench:
    """A link, of 8 bit/s unless told otherwise."""
    link = PlantLink(NUMBER, "edge/uplink", Link.model_validate({"channel": "8 bit/s", "copies": copies}))

    def make(kernel: Kernel, carried: Callable[[Transfer], None]) -> LinkStation:
        waiting: Line = line()
        return LinkStation(kernel, link, channel or ConstantChannel(8.0), waiting, COMPLETION + 9, carried)

    return Bench(make)


def transfer_of(size_bytes: float, priority: float = 0.0) -> Transfer:
    return Transfer(Item(0, size_bytes), 1, job_of(), priority, ((NUMBER, 0.0),))


def instants(transfers: list[Transfer]) -> list[tuple[float, float, float]]:
    return [(transfer.queued_s, transfer.start_s, transfer.end_s) for transfer in transfers]


def test_a_carrier_takes_one_transfer_at_a_time() -> None:
    trial = bench()
    transfers = [trial.enter(transfer_of(size), at) for at, size in [(1.0, 3.0), (2.0, 1.0), (9.0, 2.0)]]
    trial.run()
    assert instants(transfers) == [(1.0, 1.0, 4.0), (2.0, 4.0, 5.0), (9.0, 9.0, 11.0)]
    assert trial.done == transfers
    assert {transfer.link for transfer in transfers} == {NUMBER}
    assert trial.station.carried_bytes == 6.0


def test_several_carriers_each_go_at_the_full_rate() -> None:
    trial = bench(copies=2)
    transfers = [trial.enter(transfer_of(size), 0.0) for size in (3.0, 1.0, 1.0)]
    trial.run()
    assert instants(transfers) == [(0.0, 0.0, 3.0), (0.0, 0.0, 1.0), (0.0, 1.0, 2.0)]


def test_the_smallest_priority_goes_first_but_stops_nobody() -> None:
    trial = bench(line=PriorityLine)
    plans = [(0.0, 5.0), (0.25, 1.0), (0.5, -1.0), (0.75, 1.0)]
    first, late, urgent, equal = (trial.enter(transfer_of(1.0, priority), at) for at, priority in plans)
    trial.run()
    assert trial.done == [first, urgent, late, equal]


def test_a_transfer_under_way_follows_the_rate() -> None:
    trial = bench(PathChannel(Steps((1.0, 8.0), (3.0, 0.0), (4.0, 4.0), (99.0, 80.0))))
    transfers = [trial.enter(transfer_of(size), 0.5) for size in (1.0, 1.0)]
    trial.run()
    assert instants(transfers) == [(0.5, 0.5, 4.0), (0.5, 4.0, 4.1)]


def test_what_is_left_is_what_has_not_gone_through() -> None:
    trial = bench(PathChannel(Steps((1.0, 8.0), (3.0, 0.0), (99.0, 4.0))), copies=2)
    for size in (1.5, 3.0):
        trial.enter(transfer_of(size), 0.0)
    left = []
    for now in (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0):
        trial.run(now)
        left.append(trial.station.left_bytes())
    assert left == pytest.approx([4.5, 3.5, 2.5, 2.5, 2.5, 1.5, 1.0, 0.0])


def test_nothing_takes_no_time() -> None:
    trial = bench()
    transfer = trial.enter(transfer_of(0.0), 2.0)
    trial.run()
    assert instants([transfer]) == [(2.0, 2.0, 2.0)]


def test_the_next_transfer_has_begun_when_somebody_hears_of_the_last() -> None:
    seen: list[list[float]] = []
    trial = bench()
    trial.station._carried = lambda transfer: seen.append([other.start_s for other in trial.station.in_transit])
    for _ in range(2):
        trial.enter(transfer_of(2.0), 0.0)
    trial.run()
    assert seen == [[2.0], []]


@given(
    st.sampled_from(["two states", "three states", "autoregression", "factory"]),
    st.integers(1, 3),
    st.lists(st.tuples(st.floats(0, 2), st.floats(1.0, 2e6)), min_size=1, max_size=15),
)
def test_instants_are_those_of_a_literal_walk_along_the_path(
    kind: str, copies: int, plans: list[tuple[float, float]]
) -> None:
    trial, path = bench(channel_of(kind), copies), LiteralPath(segments_of(kind))
    free = [0.0] * copies
    heapify(free)
    now, transfers, expected = 0.0, [], []
    for wait, size in plans:
        now += wait
        transfers.append(trial.enter(transfer_of(size), now))
        start = max(now, free[0])
        expected.append((now, start, path.finish(start, 8.0 * size)))
        heapreplace(free, expected[-1][2])
    trial.run()
    assert instants(transfers) == [pytest.approx(each, rel=1e-12) for each in expected]
    assert trial.station.occupancy.summary(trial.kernel.now).little_residual < 1e-12


def test_a_pickled_link_goes_on_as_it_would_have() -> None:
    trial = bench(channel_of("factory"))
    for _ in range(3):
        trial.enter(transfer_of(2e6), 0.0)
    trial.kernel.advance(0.0)
    copy = pickle.loads(pickle.dumps(trial))
    for each in (trial, copy):
        each.run()
    assert instants(copy.done) == instants(trial.done)
    assert len(copy.done) == 3
