"""Spells of faults come when they should, and what they interrupt goes on afterwards as it would have been."""

from __future__ import annotations

import math
import pickle
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from simoffload.random_streams import Streams
from simoffload.schema.faults import Faults
from simoffload.schema.network import ConstantChannel as ConstantSpec
from simoffload.schema.network import GilbertElliottChannel, Link
from simoffload.world.channels import make_channel, make_segments, persistence_s
from simoffload.world.faults import NEVER, Interrupted, Recurring, Steady, availability, expected_end_s, make_spells
from simoffload.world.kernel import Kernel

from ..oracle.paths import finish_time

_FAULTS: TypeAdapter[Any] = TypeAdapter(Faults)
EXPONENTIAL = {"kind": "exponential", "mean_up": "60 s", "mean_down": "20 s"}
WEIBULL = {"kind": "weibull", "mean_up": "60 s", "mean_down": "20 s", "shape": 0.6, "down_shape": 2}
WRITTEN = {"kind": "timetable", "spells": [["1 s", "3 s"], ["3 s", "4 s"], ["10 s", "12 s"]]}
CYCLES = 20_000


def faults_of(data: dict[str, Any]) -> Any:
    return _FAULTS.validate_python(data)


def spells_of(data: dict[str, Any], number: int = CYCLES, seed: int = 1, entity: str = "node:a") -> list[Any]:
    spells = make_spells(faults_of(data), Streams(seed), entity, "crashes")
    return list(islice(iter(spells.next, NEVER), number))


def lengths(data: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Times between faults and of them."""
    begins, ends = np.array(spells_of(data)).T
    return begins - np.concatenate([[0.0], ends[:-1]]), ends - begins


@pytest.mark.parametrize("data", [EXPONENTIAL, WEIBULL], ids=["exponential", "weibull"])
def test_times_between_faults_and_of_them_have_the_means_asked_for(data: dict[str, Any]) -> None:
    for values, mean in zip(lengths(data), (60.0, 20.0), strict=True):
        assert values.min() > 0
        assert abs(values.mean() - mean) < 4 * values.std() / math.sqrt(CYCLES)


@pytest.mark.parametrize(("data", "shapes"), [(EXPONENTIAL, (1.0, 1.0)), (WEIBULL, (0.6, 2.0))])
def test_times_have_the_spread_of_their_weibull_law(data: dict[str, Any], shapes: tuple[float, float]) -> None:
    for values, shape in zip(lengths(data), shapes, strict=True):
        squared = math.gamma(1 + 2 / shape) / math.gamma(1 + 1 / shape) ** 2 - 1
        assert (values.std() / values.mean()) ** 2 == pytest.approx(squared, rel=0.1)


@pytest.mark.parametrize("data", [EXPONENTIAL, WEIBULL], ids=["exponential", "weibull"])
def test_a_node_is_up_for_mtbf_over_mtbf_and_mttr_of_the_time(data: dict[str, Any]) -> None:
    up, down = lengths(data)
    share = up.sum() / (up + down).sum()
    deviation = (up - 0.75 * (up + down)).std() / (up + down).mean() / math.sqrt(CYCLES)
    assert availability(faults_of(data)) == 0.75
    assert abs(share - 0.75) < 3 * deviation < 0.02


def test_faults_of_a_timetable_come_as_written_and_then_no_more() -> None:
    assert spells_of(WRITTEN) == [(1.0, 3.0), (3.0, 4.0), (10.0, 12.0)]
    assert availability(faults_of(WRITTEN)) == availability(None) == 1.0


def test_another_entity_or_seed_has_other_faults_and_the_same_has_the_same() -> None:
    first = spells_of(EXPONENTIAL, 5)
    assert spells_of(EXPONENTIAL, 5) == first
    assert spells_of(EXPONENTIAL, 5, entity="node:b") != first
    assert spells_of(EXPONENTIAL, 5, seed=2) != first


def test_the_end_of_a_fault_is_expected_a_mean_repair_from_now_or_when_the_timetable_says() -> None:
    assert expected_end_s(faults_of(EXPONENTIAL), 7.0) == 27.0
    assert [expected_end_s(faults_of(WRITTEN), now_s) for now_s in (1.0, 2.9, 3.0, 11.0)] == [3.0, 3.0, 4.0, 12.0]


# ----------------------------------------------------------------------------------------------------------- recurring


class Log:
    def __init__(self) -> None:
        self.kernel = Kernel()
        self.seen: list[tuple[str, float]] = []
        spells = make_spells(faults_of(WRITTEN), Streams(1), "x", "y")
        self.fault = Recurring(self.kernel, spells, self.begins, self.ends, "node")
        self.fault.start()

    def begins(self, item: str) -> None:
        self.seen.append((f"{item} down", self.kernel.now))

    def ends(self, item: str) -> None:
        self.seen.append((f"{item} up", self.kernel.now))


def test_both_ends_of_every_spell_are_told_and_its_time_is_counted() -> None:
    log = Log()
    log.kernel.advance(math.inf)
    assert [time_s for _, time_s in log.seen] == [1.0, 3.0, 3.0, 4.0, 10.0, 12.0]
    assert [what for what, _ in log.seen] == ["node down", "node up"] * 3
    assert (log.fault.count, log.fault.spent_s(20.0)) == (3, 5.0)


def test_a_spell_under_way_counts_as_far_as_it_has_come_and_from_a_reset_on() -> None:
    log = Log()
    log.kernel.advance(2.0)
    assert (log.fault.count, log.fault.spent_s(2.5)) == (1, 1.5)
    log.fault.reset(2.5)
    log.kernel.advance(11.0)
    assert (log.fault.count, log.fault.spent_s(11.0)) == (2, 0.5 + 1.0 + 1.0)


def test_a_pickled_fault_goes_on() -> None:
    log = Log()
    log.kernel.advance(3.5)
    copy = pickle.loads(pickle.dumps(log))
    for each in (log, copy):
        each.kernel.advance(math.inf)
    assert copy.seen == log.seen
    assert len(log.seen) == 6


# ------------------------------------------------------------------------------------------------------------- outages


def channel_of(spec: Any, outages: dict[str, Any] | None) -> Any:
    return make_channel(spec, Streams(3), "link:x", None if outages is None else faults_of(outages))


def test_a_transfer_waits_out_an_outage_and_goes_on_where_it_stood() -> None:
    channel = channel_of(ConstantSpec(rate="8 bit/s"), WRITTEN)
    assert channel.finish(0.0, 4.0) == 0.5
    assert channel.finish(0.0, 16.0) == 5.0  # 1 s, outages to 4 s, 1 s
    assert channel.finish(0.5, 8.0 * 7) == 12.5  # 0.5 s, from 4 to 10 s, an outage of 2 s, 0.5 s
    assert channel.rate_bps(3.5) == 0.0
    assert channel.rate_bps(4.0) == 8.0
    assert channel.finish(20.0, 8e6) == 20.0 + 1e6


def test_the_mean_rate_is_that_of_the_channel_times_the_share_of_the_time_without_outages() -> None:
    assert channel_of(ConstantSpec(rate="8 bit/s"), EXPONENTIAL).mean_bps == 6.0
    assert channel_of(ConstantSpec(rate="8 bit/s"), WRITTEN).mean_bps == 8.0


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.lists(st.tuples(st.floats(0, 30), st.floats(0, 400)), min_size=1, max_size=8))
def test_a_varying_channel_keeps_its_own_path_between_outages(seed: int, wishes: list[tuple[float, float]]) -> None:
    """Against the product of both paths, cut at the ends of either."""
    spec = GilbertElliottChannel(
        kind="gilbert-elliott", good="100 bit/s", bad="10 bit/s", mean_good="2 s", mean_bad="1 s"
    )
    outages = faults_of({"kind": "exponential", "mean_up": "3 s", "mean_down": "0.7 s"})
    plain = make_segments(spec, Streams(seed), "link:x")
    ends, rates = [0.0], []
    while ends[-1] < 200.0:
        more_ends, more_rates = plain.next_block()
        ends += more_ends
        rates += more_rates
    spells = make_spells(outages, Streams(seed), "link:x", "outages")
    out: list[tuple[float, float]] = []
    while not out or out[-1][1] < ends[-1]:
        out.append(spells.next())
    marks = sorted({*ends, *(mark for spell in out for mark in spell if mark < ends[-1])})
    begins, finishes = np.array(out).T
    path = []
    for begin, end in pairwise(marks):
        spell = int(np.searchsorted(begins, begin, side="right")) - 1
        is_out = spell >= 0 and begin < finishes[spell]
        rate = rates[int(np.searchsorted(ends, begin, side="right")) - 1]
        path.append((end - begin, 0.0 if is_out else rate))
    channel = make_channel(spec, Streams(seed), "link:x", outages)
    for start_s, bits in sorted(wishes):
        assert channel.finish(start_s, bits) == pytest.approx(finish_time(path, start_s, bits), rel=1e-9, abs=1e-9)


def test_an_interrupted_path_pickles_and_goes_on() -> None:
    path = Interrupted(Steady(1.0), make_spells(faults_of(EXPONENTIAL), Streams(1), "x", "y"), 0.75)
    path.next_block()
    copy = pickle.loads(pickle.dumps(path))
    assert copy.next_block() == path.next_block()


def test_a_link_that_is_out_is_expected_back_after_a_mean_outage() -> None:
    link = Link(channel="8 bit/s", outages=EXPONENTIAL)
    assert persistence_s(link, 0.0, 5.0) == 20.0
    assert persistence_s(link, 8.0, 5.0) == math.inf
    assert persistence_s(Link(channel="8 bit/s", outages=WRITTEN), 0.0, 2.0) == 1.0
