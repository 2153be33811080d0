"""What a home knows: itself and its links as they are, the others as telemetry told, and what it sent there since."""

from __future__ import annotations

import math
from contextlib import ExitStack
from typing import Any
from unittest import mock

import numpy as np
import pytest

from simoffload.decision import Decision, Observation, Setting
from simoffload.decision.knowledge import Knowledge
from simoffload.run.agents import load_agent
from simoffload.run.recorder import statistics_of
from simoffload.run.world import World
from simoffload.schema import Scenario, load_scenario
from simoffload.tasks import Task
from simoffload.world.job import Job
from tests.decision.by_hand import (
    CLOUD,
    ONE,
    ONE_AUDIO,
    ONE_IMAGE,
    PAINT,
    PRESS,
    TWO,
    Told,
    plant,
    play,
    see,
    task,
    world_of,
)
from tests.world.worlds import Keeper

REFERENCES = "objective={latency_weight: 0.5, latency_reference: 20 s, cost_reference: 0.001 USD}"


def second(arrival_s: float, **fields: object) -> Task:
    """A subtask of 1 s at press, 2 s at paint, 0.25 s in the cloud; nothing needs to be carried."""
    return task(ONE, arrival_s, demand_s=1.0, **fields)


def every(interval_s: float, *overrides: str) -> Scenario:
    return plant(f"telemetry_interval={interval_s} s", *overrides)


def test_an_idle_plant_makes_nobody_wait() -> None:
    seen = see(plant(), Told(PRESS), second(1.0))[0]
    assert seen.wait_s.tolist() == seen.queue_length.tolist() == seen.in_service.tolist() == [0.0, 0.0, 0.0]


def test_a_home_sees_its_own_line_as_it_is() -> None:
    # three on the way at home: one in service until 1.0, two behind it until 3.0
    seen = see(every(60), Told(*[PRESS] * 4), *[second(at) for at in (0.0, 0.2, 0.3, 0.6)])[-1]
    assert seen.wait_s.tolist() == pytest.approx([2.4, 0.0, 0.0])
    assert seen.queue_length.tolist() == [2.0, 0.0, 0.0]
    assert seen.in_service.tolist() == [1.0, 0.0, 0.0]


def test_what_others_send_shows_with_the_next_notice() -> None:
    # from paint's home, three in the cloud from 4.90 on; each takes 0.25 s; the notice is written at 5 s
    others = [second(at, home=PAINT) for at in (4.9, 4.91, 4.92)]
    before, after = see(every(5), Told(*[CLOUD] * 3, PRESS, PRESS), *others, second(4.99), second(5.02))[3:]
    assert before.queue_length[CLOUD] == before.wait_s[CLOUD] == 0.0
    # at 5 s the first is served until 5.15, two wait until 5.65; all of it is taken to be so at 5.02
    assert (after.in_service[CLOUD], after.queue_length[CLOUD]) == (1.0, 2.0)
    assert after.wait_s[CLOUD] == pytest.approx(5.65 - 5.02)


def test_between_notices_the_news_stays_the_same_and_grows_old() -> None:
    ages = [seen.age_s for seen in see(every(5), Told(*[PRESS] * 4), *[second(t) for t in (1.0, 4.5, 5.5, 12.0)])]
    assert ages == pytest.approx([1.0, 4.5, 0.5, 2.0])


def test_with_an_interval_of_0_the_news_is_always_fresh() -> None:
    others = [second(at, home=PAINT) for at in (4.9, 4.91, 4.92)]
    seen = see(plant(), Told(*[CLOUD] * 3, PRESS), *others, second(5.02))[-1]
    assert seen.age_s == 0.0
    assert seen.queue_length[CLOUD] == 2.0
    assert seen.wait_s[CLOUD] == pytest.approx(5.65 - 5.02)


def test_a_notice_of_the_instant_of_an_arrival_is_known_to_it() -> None:
    seen = see(every(5), Told(PAINT, PRESS), second(4.0, home=PAINT), second(5.0))[-1]
    assert seen.age_s == 0.0
    assert seen.in_service[PAINT] == 1.0


def test_own_dispatches_count_from_the_moment_of_sending() -> None:
    # nothing was known of the cloud but that it has one free slot: the first takes it, the others stand in line
    seen = see(every(60), Told(CLOUD, CLOUD, CLOUD, PRESS), *[second(at) for at in (1.0, 1.1, 1.2, 1.25)])
    assert [each.in_service[CLOUD] for each in seen] == [0.0, 1.0, 1.0, 1.0]
    assert [each.queue_length[CLOUD] for each in seen] == [0.0, 0.0, 1.0, 2.0]


def test_a_subtask_waits_for_those_sent_to_a_single_server_before_it() -> None:
    # there at once and served until 1.25, then until 1.5
    seen = see(every(60), Told(CLOUD, CLOUD, PRESS), *[second(at) for at in (1.0, 1.01, 1.02)])
    assert [each.wait_s[CLOUD] for each in seen] == pytest.approx([0.0, 1.25 - 1.01, 1.5 - 1.02])


def test_the_line_a_dispatch_joins_moves_on_with_time() -> None:
    seen = see(every(60), Told(CLOUD, CLOUD, PRESS, PRESS), *[second(at) for at in (1.0, 1.0, 1.4, 9.0)])
    assert [each.wait_s[CLOUD] for each in seen[2:]] == pytest.approx([1.5 - 1.4, 0.0])


def test_dispatches_beyond_the_free_places_wait_at_the_pace_of_all_places() -> None:
    # of two slots the second dispatch takes the last one
    scenario = every(60, "clouds.cloud.server={kind: slots, slots: 2}")
    seen = see(scenario, Told(*[CLOUD] * 3, PRESS), *[second(1.0) for _ in range(4)])
    assert [each.wait_s[CLOUD] for each in seen] == pytest.approx([0.0, 0.0, 0.125, 0.25])


def test_dispatches_are_served_in_the_order_in_which_they_come() -> None:
    # the first carries 2 MB and is there at 3.03; the second is there at once and done at 1.25
    sent = second(1.0, payload_bytes=2e6), second(1.0)
    early, late = see(every(60), Told(CLOUD, CLOUD, PRESS, PRESS), *sent, second(1.1), second(3.1))[2:]
    assert early.wait_s[CLOUD] == pytest.approx(1.25 - 1.1)
    assert late.wait_s[CLOUD] == pytest.approx(3.03 + 0.25 - 3.1)


def test_a_dispatch_is_forgotten_once_a_notice_can_tell_of_it() -> None:
    # in the cloud from 4.9 on; told of at 5; over at 5.15
    seen = see(every(5), Told(CLOUD, PRESS, PRESS), second(4.9), second(5.1), second(10.1))
    assert [each.in_service[CLOUD] for each in seen[1:]] == [1.0, 0.0]
    assert seen[1].wait_s[CLOUD] == pytest.approx(5.15 - 5.1)


def test_a_dispatch_still_on_its_way_at_a_notice_is_remembered() -> None:
    # 0.1 MB sent at 4.99 are there at 5.12: the notice at 5 knows nothing of it
    sent = second(4.99, payload_bytes=1e5)
    here, late = see(every(5), Told(CLOUD, PRESS, PRESS), sent, second(5.01), second(5.01, payload_bytes=2e5))[1:]
    assert here.in_service[CLOUD] == 1.0
    assert here.wait_s[CLOUD] == 0.0, "who is there now goes before who comes later"
    assert late.wait_s[CLOUD] == pytest.approx(5.12 + 0.25 - 5.01)


def test_a_home_remembers_what_is_on_its_way_to_itself() -> None:
    # an answer of 1 MB leaves paint at 0.1 and is at press at 1.11; what is ready there before goes before
    big = task(TWO, expected_output=[1.0, 0.0], demand_s=[0.0, 1.0])
    seen = see(plant("bytes_per_token=1000000 B/tok"), Told(PAINT, PRESS, PRESS), big, second(0.5))
    assert seen[1].transfer_s[PRESS] == pytest.approx(1.01)
    assert (seen[2].in_service[PRESS], seen[2].wait_s[PRESS]) == (1.0, 0.0)


def test_a_newcomer_of_small_service_waits_only_for_smaller_ones() -> None:
    # at paint, half as fast: one of 2 s in service until 2.01 + ..., in line one of 2 s and one of 8 s
    line = [second(0.0, home=PAINT), second(0.1, home=PAINT), task(ONE, 0.2, home=PAINT, demand_s=4.0)]
    newcomers = [task(ONE, 1.0, demand_s=demand) for demand in (0.5, 1.0, 2.0, 5.0)]
    agent = Told(PAINT, PAINT, PAINT, *[PRESS] * 4, order="wspt")
    seen = see(plant(), agent, *line, *newcomers)[3:]
    assert [each.wait_s[PAINT] for each in seen] == pytest.approx([1.0, 3.0, 3.0, 11.0])


def test_of_own_dispatches_too_only_smaller_ones_go_before() -> None:
    sent = [task(ONE, 1.0, demand_s=4.0), task(ONE, 1.0, demand_s=8.0), task(ONE, 1.0, demand_s=2.0)]
    newcomer = task(ONE, 1.005, demand_s=4.0)
    seen = see(every(60), Told(CLOUD, CLOUD, CLOUD, PRESS, order="wspt"), *sent, newcomer)[-1]
    # of 1 s, 2 s and 0.5 s the first and the last go before one of 1 s
    assert seen.wait_s[CLOUD] == pytest.approx(1.0 + 1.0 + 0.5 - 1.005)


def test_who_finds_a_free_place_begins_whatever_its_priority() -> None:
    # 8 s of priority 2 begin in the idle cloud at 1.0 and last until 3.0, before the 2 s of priority 0.5
    sent = [task(ONE, 1.0, demand_s=8.0), task(ONE, 1.0, demand_s=2.0)]
    seen = see(every(60), Told(CLOUD, CLOUD, PRESS, order="wspt"), *sent, task(ONE, 1.5, demand_s=4.0))[-1]
    assert seen.wait_s[CLOUD] == pytest.approx(3.0 + 0.5 - 1.5)


def test_a_fifo_line_knows_no_priority() -> None:
    line = [second(0.0, home=PAINT), second(0.1, home=PAINT)]
    agent = Told(PAINT, PAINT, PRESS, order="wspt")
    seen = see(plant("edges.paint.discipline=fifo"), agent, *line, task(ONE, 1.0, demand_s=0.5))[-1]
    assert seen.wait_s[PAINT] == pytest.approx(3.0)


def test_a_subtask_without_priority_goes_before_those_that_are_to_come_last() -> None:
    # the agent puts its second subtask at the end of the line: the third, of priority 0, overtakes it
    agent = Told(PAINT, PAINT, PRESS, priorities=[None, 7.0, None])
    line = [second(0.0, home=PAINT), second(0.1, home=PAINT)]
    assert see(plant(), agent, *line, second(1.0))[-1].wait_s[PAINT] == pytest.approx(1.0)


def test_several_slots_serve_a_line_side_by_side() -> None:
    # two slots until 2.0 and 2.5, one in line: it starts at 2.0 and ends at 4.0, a newcomer starts at 2.5
    line = [second(at, home=PAINT) for at in (0.0, 0.5, 0.6)]
    scenario = plant("edges.paint.server={kind: slots, slots: 2}")
    seen = see(scenario, Told(PAINT, PAINT, PAINT, PRESS), *line, second(1.0))[-1]
    assert seen.wait_s[PAINT] == pytest.approx(1.5)


def test_a_service_that_takes_longer_than_expected_is_taken_to_end_at_once() -> None:
    late = task(ONE, 0.0, demand_s=10.0, expected_demand_s=1.0)
    seen = see(plant(), Told(PRESS, PRESS, PRESS), late, second(3.0), second(3.5))
    assert [each.wait_s[PRESS] for each in seen[1:]] == pytest.approx([0.0, 1.0])


def test_models_in_memory_are_known_as_of_the_last_notice() -> None:
    both = ("edges.paint.models=[wide, ear]",)
    # paint holds one of two models of 6 GB: it begins with wide and loads ear at 4 s, 0.5 s + 6 GB at 1 GB/s
    audio = task(ONE_AUDIO, 4.0, home=PAINT, prompt=50)
    agent = Told(PAINT, PRESS, PRESS)
    seen = see(every(5, *both), agent, audio, task(ONE_IMAGE, 4.5), task(ONE_IMAGE, 5.5))
    assert seen[0].candidates.tolist() == [PAINT]
    assert seen[0].swap_s.tolist() == [6.5]
    assert [each.swap_s.tolist() for each in seen[1:]] == [[0.0, 0.0, 0.0], [0.0, 6.5, 0.0]]


def test_a_transfer_waits_for_those_on_the_own_link() -> None:
    # 3 MB at 1 MB/s from 0 s on; at 1 s 2 MB are left, and then come the 4 MB behind them
    tasks = [task(ONE, 0.0, payload_bytes=3e6), task(ONE, 0.5, payload_bytes=4e6), task(ONE, 1.0, payload_bytes=1e6)]
    seen = see(plant(), Told(CLOUD, CLOUD, PRESS), *tasks)[-1]
    assert seen.transfer_s.tolist() == pytest.approx([0.0, 1.01, 2.0 + 4.0 + 1.0 + 0.03])


def test_on_a_link_too_a_newcomer_waits_only_for_smaller_priorities() -> None:
    ahead = [
        task(ONE, 0.0, payload_bytes=3e6, demand_s=1.0),
        task(ONE, 0.5, payload_bytes=4e6, demand_s=3.0),
        task(ONE, 0.6, payload_bytes=2e6, demand_s=0.5),
    ]
    newcomer = task(ONE, 1.0, payload_bytes=1e6, demand_s=1.0)
    seen = see(plant(), Told(CLOUD, CLOUD, CLOUD, PRESS, order="wspt"), *ahead, newcomer)[-1]
    assert seen.transfer_s[CLOUD] == pytest.approx(2.0 + 2.0 + 1.0 + 0.03)


def test_anothers_link_is_taken_to_be_free_and_at_its_mean() -> None:
    # both need what lies at paint; the first occupies paint's LAN port for 4 s
    scenario = plant("bytes_per_token=1000000 B/tok")
    tasks = [task(TWO, expected_output=[4.0, 0.0]), task(TWO, expected_output=[2.0, 0.0])]
    seen = see(scenario, Told(PAINT, PAINT, PRESS, PRESS), *tasks)
    assert [each.transfer_s[PRESS] for each in seen[2:]] == pytest.approx([4.01, 2.01])


BAD_WEATHER = """uplink={channel: {kind: markov, rates: [80 kbit/s, 8 Mbit/s], mean_sojourn: [10 s, 30 s],
    transition: [[0, 1], [1, 0]]}, delay: 10 ms}"""


@pytest.mark.parametrize("seed", range(6))
def test_an_own_link_in_a_bad_state_is_expected_to_stay_in_it_for_a_mean_sojourn(seed: int) -> None:
    scenario = plant(f"edges.press.{BAD_WEATHER}", f"seed={seed}")
    world = world_of(scenario, Told(PRESS, PRESS))
    rate_bps = next(link for link in world.links if link.link.number == 0).channel.rate_bps(0.0)
    small, large = play(world, task(ONE, payload_bytes=1e3), task(ONE, payload_bytes=1e8))
    mean_bps = (10 * 8e4 + 30 * 8e6) / 40
    persistence_s = 10 if rate_bps == 8e4 else 30
    assert small.transfer_s[CLOUD] == pytest.approx(8e3 / rate_bps + 0.03)
    carried = rate_bps * persistence_s
    assert large.transfer_s[CLOUD] == pytest.approx(persistence_s + (8e8 - carried) / mean_bps + 0.03)


def test_nothing_to_carry_takes_no_time_even_where_a_link_is_down() -> None:
    down = """{channel: {kind: gilbert-elliott, good: 8 Mbit/s, bad: 0 bit/s, mean_good: 1 ms, mean_bad: 1000 s},
        delay: 10 ms}"""
    scenario = plant(f"edges.press.uplink={down}")
    world = world_of(scenario, Told(PRESS, PRESS))
    seen = play(world, task(TWO, 100.0, demand_s=1.0))[1]
    link = next(link for link in world.links if link.link.number == 0)
    assert link.channel.rate_bps(1000.0) == 0.0
    assert seen.transfer_s[CLOUD] == pytest.approx(0.03)


def test_an_absent_link_takes_no_time() -> None:
    without = ["edges.press.uplink=null", "edges.press.lan=null"]
    seen = see(plant(*without), Told(PRESS), task(ONE, payload_bytes=1e9))[0]
    assert seen.transfer_s.tolist() == [0.0, 0.0, 0.02]


def test_an_api_lets_requests_through_at_even_intervals() -> None:
    api = "clouds.cloud.server={kind: api, overhead_median: 0 s, overhead_sigma: 0, streams: 9, request_rate: 0.5 /s}"
    scenario = plant(api, "clouds.cloud.discipline=fifo")
    seen = see(scenario, Told(CLOUD, CLOUD, PRESS), *[second(at) for at in (0.0, 0.0, 1.0)])
    # requests at 0 s and 2 s; the third can be made at 4 s
    assert seen[2].wait_s[CLOUD] == pytest.approx(3.0)


def test_what_a_home_does_not_know_of_an_api_is_not_a_number_of_places() -> None:
    api = "clouds.cloud.server={kind: api, overhead_median: 0 s, overhead_sigma: 0}"
    seen = see(every(60, api), Told(*[CLOUD] * 5, PRESS), *[second(1.0) for _ in range(6)])[-1]
    assert (seen.in_service[CLOUD], seen.queue_length[CLOUD], seen.wait_s[CLOUD]) == (5.0, 0.0, 0.0)
    assert math.isfinite(seen.finish_s[CLOUD])


class Bookkeeper:
    """Keeps books of its own on what was sent where and on what each node told when, and compares what is known."""

    order = "fifo"
    world: World
    keeper: Keeper

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        self.generator = generator
        self.compared = 0

    def decide(self, observation: Observation) -> Decision:
        told = self.world.telemetry.nodes
        assert [report.time_s for report in told] == pytest.approx([observation.now_s - observation.age_s] * len(told))
        for row, node in enumerate(observation.candidates.tolist()):
            report = self.world.telemetry.node(node) if node == observation.home else told[node]
            unheard = [job for job in self.sent(observation.home, node) if not job.entered_s <= report.time_s]
            expected = report.in_service + report.queue_length + len(unheard)
            assert observation.in_service[row] + observation.queue_length[row] == expected
            self.compared += 1
        return Decision(int(self.generator.integers(len(observation.candidates))))

    def sent(self, home: int, node: int) -> list[Job]:
        """All subtasks of a home that were ever given to a node."""
        under_way = [job for course in self.world.dispatcher.courses.values() for job in course.under_way()]
        return [job for job in {*self.keeper.jobs, *under_way} if (job.task.home, job.node) == (home, node)]


@pytest.mark.parametrize("interval", ["0 s", "0.5 s", "5 s", "40 s"])
def test_known_numbers_are_those_of_the_last_notice_and_own_dispatches_not_in_it(interval: str) -> None:
    settings = ["horizon={tasks: 60}", "warm_up=0 s", f"telemetry_interval={interval}", REFERENCES]
    scenario = load_scenario("smart-factory", settings)
    agent = Bookkeeper()
    agent.keeper = Keeper(scenario)
    agent.world = world = World(scenario, agent, agent.keeper)
    world.begin()
    world.kernel.advance(math.inf)
    assert agent.compared > 1000


class Fitful:
    """Looks at how things stand at some decisions only, and remembers what it saw."""

    order = "fifo"

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        self.generator = generator
        self.seen: list[Any] = []

    def decide(self, observation: Observation) -> Decision:
        if self.generator.random() < 0.1:
            sight = observation.wait_s, observation.in_service, observation.queue_length, observation.is_up
            self.seen.append((observation.now_s, observation.age_s, *(each.tolist() for each in sight)))
        return Decision(int(self.generator.integers(len(observation.candidates))))


@pytest.mark.parametrize("name", ["smart-factory", "bad-day", "flaky-wan"])
@pytest.mark.parametrize("interval", ["0 s", "5 s"])
def test_who_looks_now_and_then_sees_what_one_sees_who_always_looks(name: str, interval: str) -> None:
    look = Knowledge.look

    def look_and_see(knowledge: Knowledge, now_s: float) -> None:
        look(knowledge, now_s)
        knowledge.see()

    settings = ["horizon={tasks: 60}", "warm_up=0 s", f"telemetry_interval={interval}", REFERENCES]
    now_and_then, always = Fitful(), Fitful()
    for agent, how in ((now_and_then, ExitStack()), (always, mock.patch.object(Knowledge, "look", look_and_see))):
        scenario = load_scenario(name, settings)
        world = World(scenario, agent, statistics_of(scenario))
        world.begin()
        with how:
            world.kernel.advance(math.inf)
    assert now_and_then.seen == always.seen
    assert len(always.seen) > 10


def test_dispatches_that_nobody_asks_about_do_not_pile_up() -> None:
    scenario = load_scenario("tiny", ["horizon={tasks: 1000}", "warm_up=0 s", REFERENCES])
    world = World(scenario, load_agent("round-robin"), statistics_of(scenario))
    world.begin()
    world.kernel.advance(math.inf)
    for knowledge in world.dispatcher._knowledge:
        assert len(knowledge._unseen) + sum(map(len, knowledge._sent.values())) < 300
