"""Notices tell when a newcomer would start, as far as a node can know it, and are as old as the interval says."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.agents.ucb_coma import UcbComa
from simoffload.decision import Decision, Observation
from simoffload.plant import PlantLink
from simoffload.run.recorder import statistics_of
from simoffload.run.world import World
from simoffload.schema import load_scenario
from simoffload.schema.network import Link
from simoffload.world.api import UNBOUNDED
from simoffload.world.channel_path import ConstantChannel
from simoffload.world.channels import Channel
from simoffload.world.item import Item
from simoffload.world.job import Job
from simoffload.world.kernel import COMPLETION, Kernel
from simoffload.world.line import FifoLine, PriorityLine
from simoffload.world.link import LinkStation, Transfer
from simoffload.world.servers import make_server
from simoffload.world.telemetry import (
    MOST_SCHEDULED,
    LinkReport,
    NodeReport,
    Telemetry,
    report_link,
    report_node,
)

from .paths import READER, channel_of
from .stations import Bench, job_of, model_of, node_of, task_of


def bench(server: dict[str, Any], line: type[Any] = FifoLine, **node: Any) -> Bench:
    def make(kernel: Kernel, done: Callable[[Job], None]) -> Any:
        return make_server(kernel, node_of(server, **node), line(), done)

    return Bench(make)


def report(trial: Bench) -> NodeReport:
    return report_node(trial.station, trial.kernel.now)


def slots(count: int, line: type[Any] = FifoLine, **node: Any) -> Bench:
    return bench({"kind": "slots", "slots": count}, line, **node)


def test_an_idle_node_starts_a_newcomer_at_once() -> None:
    told = report(slots(3).run(5.0))
    assert (told.time_s, told.queue_length, told.in_service, told.capacity, told.free) == (5.0, 0, 0, 3, 3)
    assert (told.priorities, told.starts_s, told.by_priority) == ((), (5.0,), False)


def test_behind_a_line_a_newcomer_starts_when_all_before_it_are_expected_to_be_done() -> None:
    trial = slots(1)
    for expected_s in (4.0, 2.0, 3.0):
        trial.enter(job_of(9.0, expected_s), 0.0)
    told = report(trial.run(1.0))
    assert (told.queue_length, told.in_service, told.free, told.starts_s) == (2, 1, 0, (9.0,))


def test_several_servers_share_the_line() -> None:
    trial = slots(2)
    for expected_s in (4.0, 2.0, 3.0, 1.5):
        trial.enter(job_of(9.0, expected_s), 0.0)
    assert report(trial.run(1.0)).starts_s == (5.0,)


def test_who_takes_longer_than_expected_is_expected_to_end_at_once() -> None:
    trial = slots(1)
    for expected_s in (1.0, 2.0):
        trial.enter(job_of(9.0, expected_s), 0.0)
    assert report(trial.run(3.0)).starts_s == (5.0,)


def test_at_every_decision_a_report_counts_those_that_the_server_holds() -> None:
    looked: list[bool] = []

    class Witness(UcbComa):
        def decide(self, observation: Observation) -> Decision:
            servers = world.servers
            told = [report_node(server, world.kernel.now).in_service for server in servers]
            looked.append(told == [len(server.in_service) for server in servers])
            return super().decide(observation)

    references = "objective={latency_weight: 0.5, latency_reference: 20 s, cost_reference: 0.001 USD}"
    scenario = load_scenario("tiny", [references, "workloads.request.arrivals.rate=0.3 /s"])
    world = World(scenario, Witness(), statistics_of(scenario))
    world.begin()
    world.kernel.advance(math.inf)
    assert len(looked) > 200
    assert all(looked)


def test_loading_a_model_is_part_of_a_service_under_way() -> None:
    models = model_of(3.0, 10.0), model_of(3.0, 20.0)
    trial = slots(1, models=models, memory_bytes=4.0, resident=(0,))
    trial.enter(job_of(9.0, 4.0, model=1), 0.0)
    told = report(trial.run(1.0))
    assert (told.resident, told.starts_s) == ((1,), (24.0,))


def test_where_priorities_count_all_that_wait_are_listed() -> None:
    trial = slots(1, PriorityLine)
    for expected_s, priority in [(4.0, 0.0), (2.0, 5.0), (3.0, 1.0)]:
        trial.enter(job_of(9.0, expected_s, priority=priority), 0.0)
    told = report(trial.run(1.0))
    assert (told.by_priority, told.priorities, told.starts_s) == (True, (1.0, 5.0), (4.0, 7.0, 9.0))


def list_schedule(places: list[float], services: list[float]) -> list[float]:
    """Starts of jobs that take the place that is free first, one after the other, and of one more."""
    starts = []
    for service in [*services, 0.0]:
        first = min(range(len(places)), key=places.__getitem__)
        starts.append(places[first])
        places[first] += service
    return starts


VISITS = st.lists(st.tuples(st.floats(0, 2), st.floats(0.1, 5), st.integers(-2, 2)), max_size=25)


@given(st.integers(1, 4), VISITS, st.floats(0, 1), st.booleans())
def test_expected_starts_are_those_of_a_literal_list_schedule(
    count: int, visits: list[tuple[float, float, int]], rest: float, ranked: bool
) -> None:
    trial = slots(count, PriorityLine if ranked else FifoLine)
    now = 0.0
    for wait, service, priority in visits:
        now += wait
        trial.enter(job_of(service, service, priority=float(priority)), now)
    now += rest
    trial.run(now)
    told, server = report(trial), trial.station
    busy = [max(job.start_s + job.expected_service_s, now) for job in server.in_service]
    waiting = list(server.line.in_order())
    starts = list_schedule(busy + [now] * (count - len(busy)), [job.expected_service_s for _, job in waiting])
    if not told.by_priority:
        starts = starts[-1:]
    assert told.starts_s == pytest.approx(starts, rel=1e-12)
    assert told.priorities == (tuple(priority for priority, _ in waiting) if told.by_priority else ())
    assert told.free == max(count - len(busy) - len(waiting), 0)


@pytest.mark.parametrize("ranked", [False, True])
def test_far_back_in_a_long_line_the_pace_is_the_mean(ranked: bool) -> None:
    trial = slots(4, PriorityLine if ranked else FifoLine)
    for _ in range(MOST_SCHEDULED + 4 + 40):
        trial.enter(job_of(2.0, 2.0, priority=float(ranked)), 0.0)
    told = report(trial.run(0.0))
    last = 2.0 + (MOST_SCHEDULED + 40) * 2.0 / 4
    assert told.starts_s[-1] == pytest.approx(last)
    if ranked:
        assert len(told.starts_s) == len(told.priorities) + 1 == MOST_SCHEDULED + 41
        exact = [2.0 + 2.0 * (place // 4) for place in range(MOST_SCHEDULED)]
        assert list(told.starts_s[:MOST_SCHEDULED]) == exact
        assert list(told.starts_s) == sorted(told.starts_s)


def interface(line: type[Any] = FifoLine, **limits: Any) -> Bench:
    return bench({"kind": "api", "overhead_median": 0, **limits}, line)


def test_an_interface_without_limits_never_makes_anybody_wait() -> None:
    trial = interface()
    for _ in range(3):
        trial.enter(job_of(5.0), 0.0)
    told = report(trial.run(1.0))
    assert (told.capacity, told.free, told.starts_s) == (UNBOUNDED, UNBOUNDED - 3, (1.0,))


def test_even_intervals_between_requests_delay_a_newcomer() -> None:
    trial = interface(request_rate="0.5 /s")
    for _ in range(3):
        trial.enter(job_of(1.0), 0.0)
    assert report(trial.run(0.5)).starts_s == (6.0,)


def test_a_line_may_wait_for_the_next_request_while_nobody_is_served() -> None:
    trial = interface(streams=1, request_rate="0.1 /s")
    for _ in range(2):
        trial.enter(job_of(1.0), 0.0)
    told = report(trial.run(5.0))
    assert (told.queue_length, told.in_service, told.starts_s) == (1, 0, (20.0,))


def test_where_priorities_count_requests_are_listed_at_their_intervals() -> None:
    trial = interface(PriorityLine, request_rate="0.5 /s")
    for priority in (0.0, 2.0, 1.0):
        trial.enter(job_of(1.0, priority=priority), 0.0)
    told = report(trial.run(0.5))
    assert (told.priorities, told.starts_s) == ((1.0, 2.0), (2.0, 4.0, 6.0))


def batch(kv_tokens: float = math.inf, max_batch: int = 8) -> Bench:
    return bench({"kind": "batching", "max_batch": max_batch}, kv_tokens=kv_tokens)


def request(prompt: int, output: int, expected_s: float, most: int = 100) -> Job:
    return job_of(0.0, expected_s, task=task_of(max_output=most), prompt=prompt, output=output)


def test_a_batch_tells_how_many_fit_by_their_reservations() -> None:
    trial = batch(kv_tokens=450)
    for _ in range(2):
        trial.enter(request(8, 40, 10.0), 0.0)
    told = report(trial.run(5.0))
    assert (told.in_service, told.capacity, told.free) == (2, 4, 2)


def test_a_batch_tells_the_context_it_holds() -> None:
    trial = batch()
    trial.enter(request(8, 40, 10.0), 0.0)
    prefill_s, first_s = 8 * 0.25, 0.125 + 0.0625 + 9 * 0.03125
    assert report(trial.run(prefill_s)).context_tokens == 9
    assert report(trial.run(prefill_s + first_s)).context_tokens == 10


def test_an_empty_batch_is_as_large_as_it_may_be() -> None:
    assert report(batch(kv_tokens=450, max_batch=3)).capacity == 3


@given(
    st.sampled_from(["slots", "api", "batching"]),
    st.lists(st.tuples(st.floats(0, 0.5), st.integers(0, 3), st.floats(0.1, 5)), min_size=1, max_size=12),
    st.floats(0, 0.5),
    st.booleans(),
)
def test_a_report_does_not_depend_on_true_lengths(
    kind: str, visits: list[tuple[float, int, float]], rest: float, ranked: bool
) -> None:
    servers = {
        "slots": {"kind": "slots", "slots": 2},
        "api": {"kind": "api", "streams": 2, "request_rate": "3 /s"},
        "batching": {"kind": "batching", "max_batch": 3, "kv_tokens": "400 tok"},
    }
    told = []
    for factor in (1, 7):
        trial = bench(servers[kind], PriorityLine if ranked else FifoLine, kv_tokens=400)
        now = 0.0
        for wait, priority, expected_s in visits:
            now += wait
            task = task_of(max_output=150, api_noise=[float(factor)])
            job = job_of(
                50.0 * factor, expected_s, task,
                prompt=4, output=20 * factor, before_tokens_s=0.0, priority=float(priority),
            )  # fmt: skip
            trial.enter(job, now)
        told.append(report(trial.run(min(now + rest, 5.0))))
        assert not trial.done, "the truth has not shown"
    assert told[0] == told[1]


def link_of(spec: Any = "8 bit/s", channel: Channel | None = None, line: type[Any] = FifoLine) -> Bench:
    link = PlantLink(0, "edge/uplink", Link.model_validate({"channel": spec}))

    def make(kernel: Kernel, carried: Callable[[Transfer], None]) -> LinkStation:
        return LinkStation(kernel, link, channel or ConstantChannel(8.0), line(), COMPLETION, carried)

    return Bench(make)


def send(trial: Bench, size_bytes: float, priority: float = 0.0) -> None:
    trial.enter(Transfer(Item(0, size_bytes), 1, job_of(), priority, ()), 0.0)


def test_a_link_tells_its_rate_and_the_bytes_that_go_first() -> None:
    trial = link_of()
    for size in (3.0, 4.0, 5.0):
        send(trial, size)
    assert report_link(trial.run(1.0).station, 1.0) == LinkReport(1.0, 8.0, math.inf, (), (11.0,))


def test_an_idle_link_has_nothing_ahead() -> None:
    assert report_link(link_of().run(1.0).station, 1.0).bytes_ahead == (0.0,)


def test_where_priorities_count_a_link_lists_what_goes_before_whom() -> None:
    trial = link_of(line=PriorityLine)
    for size, priority in [(3.0, 9.0), (4.0, 2.0), (5.0, 1.0)]:
        send(trial, size, priority)
    told = report_link(trial.run(1.0).station, 1.0)
    assert (told.priorities, told.bytes_ahead) == ((1.0, 2.0), (2.0, 7.0, 11.0))


def test_a_link_tells_how_long_a_rate_lasts() -> None:
    spec = {
        "kind": "gilbert-elliott", "good": "20 Mbit/s", "bad": "1 Mbit/s", "mean_good": "4 s", "mean_bad": "1 s",
    }  # fmt: skip
    assert READER.validate_python(spec)
    trial = link_of(spec, channel_of("two states"))
    seen = set()
    for now in range(60):
        told = report_link(trial.station, float(now))
        seen.add((told.rate_bps, told.persistence_s))
    assert seen == {(20e6, 4.0), (1e6, 1.0)}


class Board:
    """A notice board over one node, and when it was heard of."""

    def __init__(self, interval_s: float) -> None:
        self.trial = slots(1)
        self.heard: list[float] = []
        self.telemetry = Telemetry(self.trial.kernel, [self.trial.station], [], interval_s, self.heard.append)

    def lengths(self, *times: float) -> list[tuple[float, int]]:
        """Age and content of the notice when it is read at these times."""
        read = []
        for now in times:
            self.trial.run(now)
            self.telemetry.refresh()
            (told,) = self.telemetry.nodes
            read.append((now - told.time_s, told.queue_length + told.in_service))
        return read


def test_between_two_writings_everybody_reads_the_same_ageing_news() -> None:
    board = Board(2.0)
    board.telemetry.start(2.0)
    for at in (1.0, 1.0, 3.0):
        board.trial.enter(job_of(50.0), at)
    assert board.lengths(0.5, 1.5, 2.0, 3.5, 4.5) == [(0.5, 0), (1.5, 0), (0.0, 2), (1.5, 2), (0.5, 3)]
    assert board.heard == [2.0, 4.0]
    assert board.telemetry.version == 3


def test_without_an_interval_the_news_is_always_fresh() -> None:
    board = Board(0.0)
    board.telemetry.start(5.0)
    board.trial.enter(job_of(50.0), 1.0)
    assert board.lengths(0.5, 1.5, 12.0) == [(0.0, 0), (0.0, 1), (0.0, 1)]
    assert board.heard == [5.0, 10.0]


def test_news_of_an_instant_has_what_was_completed_and_not_what_arrives_in_it() -> None:
    board = Board(2.0)
    board.telemetry.start(2.0)
    board.trial.enter(job_of(2.0), 0.0)
    board.trial.enter(job_of(9.0), 1.0)
    board.trial.enter(job_of(9.0), 2.0)
    assert board.lengths(2.0) == [(0.0, 1)]


def test_a_home_sees_itself_as_it_is() -> None:
    board = Board(60.0)
    board.telemetry.start(60.0)
    board.trial.enter(job_of(50.0), 1.0)
    assert board.lengths(1.5) == [(1.5, 0)]
    assert board.telemetry.node(0).in_service == 1
