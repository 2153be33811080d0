"""A node that slows down works on at its pace: services under way follow it, in slots and in batches alike."""

from __future__ import annotations

import math
import pickle
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.random_streams import Streams
from simoffload.run.simulation import simulate
from simoffload.schema import Scenario, load_scenario
from simoffload.schema.nodes import RandomSlowdown, Slowdown, WrittenSlowdown
from simoffload.world.job import Job
from simoffload.world.line import FifoLine
from simoffload.world.pace import Pace, make_pace
from simoffload.world.slots import SlotsServer
from simoffload.world.telemetry import report_node
from tests.oracle.paths import Segment, finish_time

from .stations import Bench, job_of, model_of, node_of
from .test_batching import Loop, Machine, Wish, World, apart, on_a_grid, times, uses
from .worlds import Scripted, run, world_of

SEEDS, COUNTS = st.integers(0, 2**32), st.integers(1, 25)
FOR_EVER = (0.0, 1e9)
Spell = tuple[float, float]


def written(spells: list[Spell], factor: float = 4.0) -> Pace:
    return made(WrittenSlowdown.model_construct(factor=factor, spells=spells))


def made(slowdown: Slowdown) -> Pace:
    pace = make_pace(slowdown, Streams(1), "node:cell")
    assert pace is not None
    return pace


def path_of(spells: list[Spell], factor: float = 4.0) -> list[Segment]:
    """The same as durations and paces."""
    instants = [0.0, *(instant for spell in spells for instant in spell), math.inf]
    paces = [1.0 / factor if number % 2 else 1.0 for number in range(len(instants) - 1)]
    return [(after - before, pace) for (before, after), pace in zip(pairwise(instants), paces, strict=True)]


def slots(pace: Pace | None, number: int = 1, **node: Any) -> Bench:
    server = {"kind": "slots", "slots": number}
    return Bench(lambda kernel, done: SlotsServer(kernel, node_of(server, **node), FifoLine(), done, pace))


def instants(job: Job) -> tuple[float, float, float]:
    return job.start_s, job.first_token_s, job.finish_s


# ------------------------------------------------------------------------------------------------------------ slots


def test_all_services_under_way_follow_the_pace_as_it_changes() -> None:
    trial = slots(written([(10.0, 30.0)]), number=2)
    one, two, three = (trial.enter(job_of(service_s), at_s) for service_s, at_s in [(4.0, 8.0), (8.0, 9.0), (1.0, 9.5)])
    trial.run()
    assert instants(one) == (8.0, 10.0, 18.0)  # 2 s, then 2 s of work at a quarter of the pace
    assert instants(two) == (9.0, 22.0, 32.0)  # 1 s, 5 s of work in 20 s, 2 s
    assert instants(three) == (18.0, 20.0, 22.0)


def test_loading_a_model_is_no_slower() -> None:
    models = {"models": (model_of(3.0, 10.0), model_of(3.0, 20.0)), "memory_bytes": 4.0, "resident": (0,)}
    trial = slots(written([(5.0, 100.0)]), **models)
    job = trial.enter(job_of(2.0, model=1), 0.0)
    trial.run()
    assert (job.swap_s, *instants(job)) == (20.0, 0.0, 24.0, 28.0)


def test_a_slow_node_tells_what_it_would_tell_otherwise() -> None:
    plain, slow = slots(None), slots(written([FOR_EVER]))
    for trial in (plain, slow):
        for at_s in (0.0, 0.5, 0.7):
            trial.enter(job_of(2.0), at_s)
    for at_s in (0.6, 1.0, 1.9):
        told = [report_node(trial.run(at_s).station, at_s) for trial in (plain, slow)]
        assert told[0] == told[1]
    late = report_node(slow.run(7.0).station, 7.0)
    assert (late.queue_length, late.in_service, late.starts_s) == (2, 1, (11.0,)), "what is late is to end at once"


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0.01, 5)), min_size=1, max_size=20), st.integers(1, 3))
def test_a_node_that_is_slow_for_ever_is_one_of_less_speed(visits: list[tuple[float, float]], number: int) -> None:
    slow, plain, now = slots(written([FOR_EVER]), number), slots(None, number), 0.0
    pairs = []
    for gap_s, service_s in visits:
        now += gap_s
        pairs.append((slow.enter(job_of(service_s), now), plain.enter(job_of(4.0 * service_s), now)))
    slow.run()
    plain.run()
    for one, other in pairs:
        assert instants(one) == pytest.approx(instants(other), rel=1e-12)


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0.01, 5)), min_size=1, max_size=20), st.integers(0, 30))
def test_a_pickled_server_goes_on_at_its_pace(visits: list[tuple[float, float]], events: int) -> None:
    pace = made(RandomSlowdown.model_construct(factor=3.0, mean_between=4.0, mean_lasting=2.0))
    trial, now = slots(pace, 2), 0.0
    for gap_s, service_s in visits:
        now += gap_s
        trial.enter(job_of(service_s), now)
    trial.kernel.advance(math.inf, most=events)
    kernel, done = pickle.loads(pickle.dumps((trial.kernel, trial.done)))
    trial.run()
    kernel.advance(math.inf)
    assert [instants(job) for job in done] == [instants(job) for job in trial.done]
    assert len(done) == len(visits)


# ---------------------------------------------------------------------------------------------------------- batches


@dataclass
class Paced(Loop):
    """The loop over iterations, each of them stretched along the path of the pace."""

    path: list[Segment] = field(default_factory=list)

    def _begin(self, now: float) -> float:
        duration = self.server.begin(now)
        if duration is None:
            return math.inf
        end = finish_time(self.path, now, duration)
        self.server.stretch(end - now)
        return end


def spells_on_a_grid(seed: int) -> list[Spell]:
    """Spells of multiples of 1/16 s from the first second on."""
    random = np.random.default_rng(seed)
    found = np.cumsum(random.integers(1, 64, size=2 * int(random.integers(1, 12)))) / 16
    return [(float(begin), float(end)) for begin, end in zip(found[::2], found[1::2], strict=True)]


@settings(max_examples=150)
@given(SEEDS, COUNTS)
def test_times_are_those_of_the_loop_over_stretched_iterations_ties_included(seed: int, count: int) -> None:
    machine, wishes = on_a_grid(seed, count)
    spells = spells_on_a_grid(seed)
    world = World(machine, wishes, pace=written(spells)).run()
    expected = Paced(machine.oracle(), path=path_of(spells)).run(wishes)
    assert times(world.jobs) == times(expected)
    assert np.array(uses(world.jobs)) == pytest.approx(np.array(uses(expected)), abs=1e-9)


@settings(max_examples=80)
@given(SEEDS, COUNTS)
def test_times_and_uses_are_those_of_the_loop_but_for_its_rounding(seed: int, count: int) -> None:
    """The clock stands at 10 000 s, where the loop rounds each of some thousand instants to 2e-12 s."""
    machine, wishes = apart(seed, count)
    began_s = wishes[0].entered_s
    spells = [(began_s + begin, began_s + end) for begin, end in spells_on_a_grid(seed)]
    world = World(machine, wishes, pace=written(spells, 3.5)).run()
    expected = Paced(machine.oracle(), path=path_of(spells, 3.5)).run(wishes)
    assert np.array(times(world.jobs)) == pytest.approx(np.array(times(expected)), abs=1e-8, rel=0)
    assert np.array(uses(world.jobs)) == pytest.approx(np.array(uses(expected)), abs=1e-8, rel=0)


@settings(max_examples=60)
@given(SEEDS, COUNTS)
def test_a_batch_that_is_slow_for_ever_is_one_of_less_speed(seed: int, count: int) -> None:
    machine, wishes = on_a_grid(seed, count)
    slower = Machine(
        decode_s=4 * machine.decode_s, per_sequence_s=4 * machine.per_sequence_s,
        per_context_s=4 * machine.per_context_s, prefill_rate=machine.prefill_rate / 4, max_batch=machine.max_batch,
        kv_tokens=machine.kv_tokens, chunk=machine.chunk,
    )  # fmt: skip
    longer = [Wish(w.entered_s, w.prompt, w.output, w.most, 4 * w.before_s, w.priority, w.rank) for w in wishes]
    slow = World(machine, wishes, pace=written([FOR_EVER])).run()
    plain = World(slower, longer).run()
    assert times(slow.jobs) == times(plain.jobs)
    assert np.array(uses(slow.jobs)) == pytest.approx(np.array(uses(plain.jobs)))


@settings(max_examples=40)
@given(SEEDS, COUNTS, st.integers(0, 150))
def test_a_pickled_batch_goes_on_at_its_pace_bit_for_bit(seed: int, count: int, events: int) -> None:
    machine, wishes = apart(seed, count)
    pace = made(RandomSlowdown.model_construct(factor=3.0, mean_between=1.0, mean_lasting=0.5))
    world = World(machine, wishes, pace=pace)
    world.kernel.advance(math.inf, most=events)
    copied = pickle.loads(pickle.dumps(world))
    assert times(copied.run().jobs) == times(world.run().jobs)


# ----------------------------------------------------------------------------------------------------- whole worlds

SPELLS = "{{kind: random, factor: {factor}, mean_between: 40 s, mean_lasting: 20 s}}"


def factory(*settings_: str) -> Scenario:
    references = "objective={latency_reference: 20 s, cost_reference: 0.001 USD}"
    return load_scenario("smart-factory", ["horizon={tasks: 60}", "warm_up=0 s", references, *settings_])


def on_every_node(value: str) -> list[str]:
    plant = factory()
    edges = [f"edges.{edge.id}.slowdown={value}" for edge in plant.edges]
    return [*edges, *(f"clouds.{cloud.id}.slowdown={value}" for cloud in plant.clouds)]


def mean_s(scenario: Scenario) -> float:
    summary = simulate(scenario, "eft")
    assert summary["tasks"]["completed"] == 60
    return float(summary["latency_s"]["mean"])


def test_slowdowns_that_hardly_slow_down_hardly_matter_and_others_do() -> None:
    plain = mean_s(factory())
    assert mean_s(factory(*on_every_node(SPELLS.format(factor=1 + 1e-13)))) == pytest.approx(plain, rel=1e-6)
    assert mean_s(factory(*on_every_node(SPELLS.format(factor=4)))) > 1.2 * plain


def test_a_spell_that_never_comes_leaves_the_run_as_it_was_to_the_bit() -> None:
    never = on_every_node("{kind: timetable, factor: 4, spells: [[1e6 s, 2e6 s]]}")
    assert simulate(factory(*never), "eft")["fingerprint"] == simulate(factory(), "eft")["fingerprint"]


def test_energy_and_wear_are_billed_by_the_time_it_really_took() -> None:
    ever = "{kind: timetable, factor: 4, spells: [[0 s, 1e7 s]]}"
    bills = []
    for scenario in (factory("clouds=[]"), factory("clouds=[]", *on_every_node(ever)[:-1])):
        keeper: Any = run(world_of(scenario, Scripted())).recorder
        bills.append({(job.task.number, job.subtask): (job.energy_j, job.cost_usd) for job in keeper.jobs})
    plain, slow = bills
    assert len(plain) > 200
    assert all(slow[key] == pytest.approx((4 * energy_j, 4 * usd)) for key, (energy_j, usd) in plain.items())
