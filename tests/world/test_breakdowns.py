"""A station that breaks down breaks off what it serves, keeps who waits, and goes on when it is mended."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.random_streams import Streams
from simoffload.schema.nodes import WrittenSlowdown
from simoffload.world.api import ApiServer
from simoffload.world.batching import BatchingServer
from simoffload.world.job import Broken, Job
from simoffload.world.kernel import FAULT, Call
from simoffload.world.line import PriorityLine
from simoffload.world.pace import Pace, make_pace
from simoffload.world.servers import make_server
from simoffload.world.service import alone_s
from simoffload.world.slots import SlotsServer

from .stations import LAW, Bench, job_of, model_of, node_of, task_of

SLOTS = {"kind": "slots", "slots": 1}
BATCH = {"kind": "batching", "max_batch": 4}
CHUNKS = {"kind": "batching", "max_batch": 4, "chunk": "2 tok"}
API = {"kind": "api", "overhead_median": "1 s", "overhead_sigma": 0, "streams": 2}


class Trial(Bench):
    """A bench on which stations are broken and mended, and jobs withdrawn, at instants."""

    def __init__(self, server: dict[str, Any], pace: Pace | None = None, **node: Any) -> None:
        super().__init__(lambda kernel, done: make_server(kernel, node_of(server, **node), PriorityLine(), done, pace))
        self.broken: list[Broken] = []

    def crash(self, at_s: float, until_s: float) -> None:
        self.kernel.at(at_s, FAULT, Call(self._crash))
        self.kernel.at(until_s, FAULT, Call(self._repair))

    def withdraw(self, job: Job, at_s: float) -> None:
        self.kernel.at(at_s, FAULT, Call(self._withdraw, job))

    def _crash(self, item: None) -> None:
        self.broken += self.station.crash()

    def _repair(self, item: None) -> None:
        self.station.repair()

    def _withdraw(self, job: Job) -> None:
        broken = self.station.withdraw(job)
        if broken is not None:
            self.broken.append(broken)


def talker(prompt: int, output: int, **changes: Any) -> Job:
    """A job of so many tokens, with the times it takes alone at the bench's law."""
    first, last = alone_s(model_of(), LAW.prefill_overhead_s, prompt, output)
    fields = {"prompt": prompt, "output": output, "first_after_s": first, "last_after_s": last}
    task = task_of(prompt=[prompt], output=[output], max_output=output)
    return job_of(LAW.prefill_overhead_s, task=task, **(fields | changes))


def counts(trial: Trial) -> tuple[int, int, int, int]:
    seen = trial.station.occupancy.summary(trial.kernel.now)
    assert seen.little_residual < 1e-12
    return seen.arrivals, seen.starts, seen.completions, trial.station.occupancy.waiting


# --------------------------------------------------------------------------------------------------------------- slots


def test_a_crash_breaks_off_the_service_and_those_that_wait_are_served_after_the_repair() -> None:
    trial = Trial(SLOTS)
    one, two, three = (trial.enter(job_of(4.0), at_s) for at_s in (0.0, 1.0, 3.0))
    trial.crash(2.0, 10.0)
    trial.run()
    assert trial.broken == [Broken(one, 0)]
    assert math.isnan(one.finish_s)
    assert [(job.start_s, job.finish_s) for job in (two, three)] == [(10.0, 14.0), (14.0, 18.0)]
    assert trial.done == [two, three]
    assert counts(trial) == (3, 3, 2, 0)


def test_what_ends_at_the_instant_of_the_crash_has_ended() -> None:
    trial = Trial(SLOTS)
    one = trial.enter(job_of(2.0), 0.0)
    trial.crash(2.0, 10.0)
    trial.run()
    assert (trial.done, trial.broken) == ([one], [])


def test_a_job_in_service_is_withdrawn_and_the_next_one_begins() -> None:
    trial = Trial(SLOTS)
    one, two, three = (trial.enter(job_of(4.0), at_s) for at_s in (0.0, 1.0, 2.0))
    trial.withdraw(two, 2.5)
    trial.withdraw(one, 3.0)
    trial.run()
    assert trial.broken == [Broken(one, 0)]
    assert trial.done == [three]
    assert (three.start_s, three.finish_s) == (3.0, 7.0)
    assert counts(trial) == (3, 2, 1, 0)


def test_as_many_tokens_are_written_as_the_work_done_allows() -> None:
    """0.5 s overhead, 0.5 s prompt; then tokens of context 3, 4, 5 after 0.28125, 0.3125, 0.34375 s."""
    for at_s, written in [(0.9, 0), (1.0, 1), (1.28, 1), (1.29, 2), (1.59, 2), (1.6, 3)]:
        trial = Trial(SLOTS)
        job = trial.enter(talker(2, 5), 0.0)
        trial.crash(at_s, 10.0)
        trial.run()
        assert trial.broken == [Broken(job, written)]


def test_on_a_slow_node_less_is_written() -> None:
    spell = WrittenSlowdown.model_construct(factor=4.0, spells=[(0.0, 1e6)])
    trial = Trial(SLOTS, make_pace(spell, Streams(1), "x"))
    job = trial.enter(talker(2, 5), 0.0)
    trial.crash(4 * 1.3, 100.0)
    trial.run()
    assert trial.broken == [Broken(job, 2)]


def test_nothing_is_written_while_a_model_is_loaded_and_after_a_repair_the_first_models_are_there() -> None:
    models = model_of(3.0, 10.0), model_of(3.0, 20.0)
    trial = Trial(SLOTS, models=models, memory_bytes=4.0, resident=(0,))
    other = trial.enter(talker(2, 5, model=1), 0.0)
    trial.crash(15.0, 30.0)
    first, again = trial.enter(job_of(1.0), 16.0), trial.enter(job_of(1.0, model=1), 17.0)
    trial.run()
    assert trial.broken == [Broken(other, 0)]
    assert (first.start_s, first.swap_s, again.start_s, again.swap_s) == (30.0, 0.0, 31.0, 20.0)


# ------------------------------------------------------------------------------------------------------------- batches


def test_a_batch_is_broken_off_with_what_its_members_have_written_and_their_shares_of_the_time() -> None:
    """Alone: read in 1 s, then tokens at 1.28125 and 1.59375 s. The other is read from 1.59375 s to 2.59375 s."""
    trial = Trial(BATCH)
    one, two = trial.enter(talker(2, 9), 0.0), trial.enter(talker(2, 9), 1.3)
    trial.crash(2.0, 10.0)
    trial.run(5.0)
    assert trial.broken == [Broken(one, 3), Broken(two, 0)]
    assert one.share_s + two.share_s == pytest.approx(2.0)
    assert two.share_s == pytest.approx(2.0 - 1.59375)
    assert (one.iterations, two.iterations) == (3.0, 0.0)
    assert not trial.station.in_service
    assert trial.station.context_tokens(5.0) == 0


def test_a_batch_begins_anew_after_its_repair() -> None:
    trial, fresh = Trial(BATCH), Trial(BATCH)
    trial.enter(talker(3, 4), 0.0)
    trial.crash(1.0, 10.0)
    jobs = [trial.enter(talker(2, 5), 2.0), trial.enter(talker(1, 7), 3.0)]
    same = [fresh.enter(talker(2, 5), 10.0, FAULT), fresh.enter(talker(1, 7), 10.0, FAULT)]
    trial.run()
    fresh.run()
    assert [job.finish_s for job in jobs] == [job.finish_s for job in same]
    assert [job.share_s for job in jobs] == pytest.approx([job.share_s for job in same])


@pytest.mark.parametrize("server", [BATCH, CHUNKS], ids=["whole prompts", "chunks"])
def test_the_shares_of_all_members_add_up_to_the_time_whoever_leaves_before_the_end(server: dict[str, Any]) -> None:
    trial = Trial(server)
    jobs = [trial.enter(talker(5 + k, 6 + 3 * k), 0.7 * k) for k in range(5)]
    trial.withdraw(jobs[1], 4.1)
    trial.withdraw(jobs[4], 4.2)
    trial.withdraw(jobs[0], 6.3)
    trial.crash(9.0, 20.0)
    trial.run()
    served = [*trial.done, *(broken.job for broken in trial.broken)]
    busy_s = trial.station.occupancy.busy_area
    assert len(served) >= 4
    assert math.fsum(job.share_s for job in served) == pytest.approx(busy_s)
    assert counts(trial)[3] == 0


def test_one_that_waits_and_is_withdrawn_spares_nobody_the_rest_of_a_prompt_read_in_chunks() -> None:
    trial, alone = Trial(CHUNKS), Trial(CHUNKS)
    one, gone = trial.enter(talker(9, 3), 0.0), trial.enter(talker(2, 2), 0.1)
    trial.enter(talker(2, 2), 0.2)
    trial.withdraw(gone, 0.3)
    trial.run()
    begun = alone.enter(talker(9, 3), 0.0)
    alone.run()
    assert one.first_token_s == begun.first_token_s


def test_a_writer_that_is_withdrawn_while_a_prompt_is_read_does_not_disturb_the_reader() -> None:
    trial, alone = Trial(BATCH), Trial(BATCH)
    one, two = trial.enter(talker(2, 9), 0.0), trial.enter(talker(4, 2), 1.3)
    trial.withdraw(one, 2.0)
    trial.run()
    assert trial.broken == [Broken(one, 3)]
    begun = alone.enter(talker(4, 2), 1.59375)
    alone.run()
    assert (two.start_s, two.finish_s) == (1.59375, begun.finish_s)


def test_a_reader_that_is_withdrawn_makes_way_at_once() -> None:
    trial = Trial(BATCH)
    one, two = trial.enter(talker(8, 1), 0.0), trial.enter(talker(2, 1), 0.5)
    trial.withdraw(one, 1.0)
    trial.run()
    assert trial.broken == [Broken(one, 0)]
    assert one.share_s == 1.0
    assert (two.start_s, two.finish_s) == (1.0, 2.0)


def test_those_behind_a_large_one_that_is_withdrawn_from_the_line_begin_at_the_next_iteration() -> None:
    trial = Trial(BATCH, kv_tokens=20.0)
    trial.enter(talker(1, 12), 0.0)
    large, small = trial.enter(talker(9, 9), 0.1), trial.enter(talker(1, 1), 0.2)
    trial.withdraw(large, 2.0)
    trial.run()
    law = LAW
    ends = [0.75]
    while ends[-1] <= 2.0:
        context = 1 + len(ends)
        ends.append(ends[-1] + law.decode_s + law.decode_s_per_sequence + law.decode_s_per_context_token * context)
    assert small.start_s == pytest.approx(ends[-1])


# ----------------------------------------------------------------------------------------------------------------- api


def test_an_interface_that_is_down_breaks_off_all_streams() -> None:
    """1 s overhead, 0.5 s and 0.5 s for the prompt, 0.28125 s for the second token."""
    trial = Trial(API)
    one, two, three = (trial.enter(talker(2, 5), at_s) for at_s in (0.0, 0.5, 0.6))
    trial.crash(2.3, 10.0)
    trial.run()
    assert trial.broken == [Broken(one, 2), Broken(two, 0)]
    assert three.start_s == 10.0
    assert counts(trial) == (3, 3, 1, 0)


BROWN = {"times": {"kind": "timetable", "spells": [["2 s", "9 s"]]}}


def browned(**limits: Any) -> Trial:
    trial = Trial({"kind": "api", "overhead_median": "0 s", "overhead_sigma": 0, "brownouts": BROWN | limits})
    trial.kernel.at(2.0, FAULT, Call(trial.station.brown_out))
    trial.kernel.at(9.0, FAULT, Call(trial.station.recover))
    return trial


def test_a_brown_out_takes_streams_away_and_leaves_those_in_service() -> None:
    trial = browned(streams=1)
    jobs = [trial.enter(job_of(3.0), at_s) for at_s in (0.0, 1.0, 3.0, 3.5, 5.0, 8.0)]
    trial.run()
    assert [job.start_s for job in jobs] == [0.0, 1.0, 4.0, 7.0, 9.0, 9.0]
    assert trial.station.streams == math.inf


def test_a_brown_out_spaces_requests_further_apart_and_its_end_lets_the_next_one_through_at_once() -> None:
    trial = browned(request_rate="0.25 /s")
    jobs = [trial.enter(job_of(1.0), at_s) for at_s in (1.5, 2.5, 3.0, 3.5, 8.0)]
    trial.run()
    assert [job.start_s for job in jobs] == [1.5, 5.5, 9.0, 9.0, 9.0]


def test_the_tighter_of_two_limits_holds() -> None:
    trial = Trial({**API, "brownouts": BROWN | {"streams": 7, "request_rate": "1 /s"}})
    trial.station.brown_out(None)
    assert (trial.station.streams, trial.station.gap_s) == (2, 1.0)
    trial.station.recover(None)
    assert (trial.station.streams, trial.station.gap_s) == (2, 0.0)


# ---------------------------------------------------------------------------------------------------------- all of them

SERVERS = st.sampled_from([SLOTS, {"kind": "slots", "slots": 3}, BATCH, CHUNKS, API])
VISITS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 9), st.integers(1, 9), st.integers(-2, 2)), min_size=1, max_size=15
)
CRASHES = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 20)), max_size=4)
WITHDRAWN = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 60)), max_size=5)


def drawn(server: dict[str, Any], visits: Any, crashes: Any, withdrawn: Any) -> tuple[Trial, list[Job]]:
    """Visits a quarter of a second apart, crashes in turn, and jobs that are withdrawn while they are here."""
    trial = Trial(server)
    now, jobs = 0, []
    for gap, prompt, output, priority in visits:
        now += gap
        jobs.append(trial.enter(talker(prompt, output, priority=float(priority)), now / 4))
    begin = 0
    for gap, lasting in crashes:
        trial.crash((begin + gap) / 4 + 0.1, (begin + gap + lasting) / 4 + 0.1)
        begin += gap + lasting
    for number, after in withdrawn:
        if number < len(jobs):
            trial.kernel.at(now / 4 + after / 7, FAULT, Call(Leave(trial, jobs[number]).go))
    return trial, jobs


class Leave:
    """Withdraws a job if it is at the station."""

    def __init__(self, trial: Trial, job: Job) -> None:
        self.trial, self.job = trial, job

    def go(self, item: None) -> None:
        station = self.trial.station
        if self.job in station.in_service or any(job is self.job for _, job in station.line.in_order()):
            self.trial._withdraw(self.job)


@settings(max_examples=150)
@given(SERVERS, VISITS, CRASHES, WITHDRAWN)
def test_every_job_is_served_or_broken_off_or_withdrawn_and_the_time_is_shared_out(
    server: dict[str, Any], visits: Any, crashes: Any, withdrawn: Any
) -> None:
    trial, jobs = drawn(server, visits, crashes, withdrawn)
    trial.run()
    station = trial.station
    assert not station.in_service
    assert not len(station.line)
    assert station.line.work == 0.0
    broken = [each.job for each in trial.broken]
    begun = [job for job in jobs if not math.isnan(job.start_s)]
    assert sorted(map(id, [*trial.done, *broken])) == sorted(map(id, begun))
    assert all(0 <= each.written <= each.job.output for each in trial.broken)
    arrivals, starts, completions, waiting = counts(trial)
    assert (arrivals, starts, completions, waiting) == (len(jobs), len(begun), len(trial.done), 0)
    if isinstance(station, BatchingServer):
        assert math.fsum(job.share_s for job in begun) == pytest.approx(station.occupancy.busy_area)
        assert all(job.share_s >= 0 for job in begun)
        assert all(job.iterations >= 0 for job in begun)
    else:
        assert isinstance(station, (SlotsServer, ApiServer))
        done_s = math.fsum(job.finish_s - job.start_s for job in trial.done)
        assert done_s <= station.occupancy.serving_area * (1 + 1e-9)


@settings(max_examples=60)
@given(SERVERS, VISITS, CRASHES, WITHDRAWN, st.integers(0, 40))
def test_a_station_pickled_in_the_middle_of_it_all_goes_on_the_same(
    server: dict[str, Any], visits: Any, crashes: Any, withdrawn: Any, events: int
) -> None:
    trial, _ = drawn(server, visits, crashes, withdrawn)
    trial.kernel.advance(math.inf, most=events)
    copy = pickle.loads(pickle.dumps(trial))
    for each in (trial, copy):
        each.run()
    times = [[(job.start_s, job.finish_s, job.share_s) for job in each.done] for each in (trial, copy)]
    assert times[0] == times[1]
    assert [each.written for each in copy.broken] == [each.written for each in trial.broken]
