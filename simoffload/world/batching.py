"""A server that answers many requests at once by continuous batching, without a loop over its iterations.

Think of rowers in one boat: at each stroke everybody aboard writes one token, and only between strokes may somebody
board or leave. While the crew stays the same, each stroke takes longer than the last by the same amount, so that any
number of them has a closed form and is one event; who boards cuts that number at the next stroke. One counter of
strokes and a heap of the counts at which members will have finished say who leaves when. Where the node's pace changes,
the work of any number of strokes is still a closed form, and the end of that work a look along the path of the pace.

The result is that of the loop a serving engine runs: a batch that changes between iterations (Orca: Yu et al., OSDI
2022), whole prompts before any decoding (vLLM: Kwon et al., SOSP 2023) or chunks of them along with it (Sarathi-Serve:
Agrawal et al., OSDI 2024). KV memory is reserved at admission, so that nobody is ever turned out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from ..plant import PlantNode
from ..schema.nodes import BatchingServer as BatchingSpec
from .iterations import Run
from .job import Broken, Job
from .kernel import COMPLETION, Call, Kernel
from .line import Line
from .occupancy import Occupancy
from .pace import Pace


class _Member(NamedTuple):
    """A request that writes; the first to finish, and of those the first taken, sorts first."""

    finish: int
    """What the server's counter of iterations will be at its last token."""
    taken: int
    job: Job
    share_from_s: float
    """What its share of the time, and of iterations, is counted from on the server's counters."""
    iterations_from: float


@dataclass(slots=True, eq=False)
class _Reading:
    """The request whose prompt is being read, and what will be left of that when what is under way is over."""

    job: Job
    share_from_s: float
    iterations_from: float
    opening_s: float
    """Of its prefill what does not depend on tokens, as far as it is still to come."""
    prompt_left: int


class BatchingServer:
    """Serves jobs from a line in one batch; calls `done(job)` after it has begun its next iterations.

    At a boundary between iterations the head of the line is taken if no prompt is being read, a seat is free and the
    tokens it reserves fit into KV memory; otherwise it waits, and those behind it too. The line is asked again at the
    next boundary after somebody has left, has been read, or has entered who fits.
    """

    __slots__ = (
        "_call",
        "_chunk",
        "_context_tokens",
        "_done",
        "_due_s",
        "_iterations",
        "_kernel",
        "_law",
        "_max_batch",
        "_pace",
        "_rank",
        "_reading",
        "_reserved_tokens",
        "_run",
        "_share_iterations",
        "_share_s",
        "_taken",
        "_writers",
        "in_service",
        "is_up",
        "line",
        "node",
        "occupancy",
    )

    gap_s = 0.0
    """Least time between two beginnings: none."""

    def __init__(
        self, kernel: Kernel, node: PlantNode, line: Line, done: Callable[[Job], None], pace: Pace | None = None
    ) -> None:
        assert isinstance(node.server, BatchingSpec)
        self.node = node
        self.line = line
        self.occupancy = Occupancy()
        self.in_service: dict[Job, None] = {}
        """Jobs in the batch, in the order in which they were taken; of one of them the prompt may still be read."""
        self.is_up = True
        self._kernel = kernel
        self._done = done
        self._law = node.models[0].law
        self._max_batch = node.server.max_batch
        self._chunk = None if node.server.chunk is None else int(node.server.chunk)
        self._pace = pace
        """None where it never changes."""
        self._rank = COMPLETION + node.number
        self._call = Call(self._boundary)
        self._due_s: float | None = None
        """When what is under way will be over; None while the server stands still, inf while it is down."""
        self._run: Run | None = None
        """The iterations under way; None while a whole prompt is read."""
        self._reading: _Reading | None = None
        self._writers: list[_Member] = []
        """Heap of the members that have been read."""
        self._taken = 0
        self._reserved_tokens = 0
        self._context_tokens = 0
        self._iterations = 0
        self._share_s = 0.0
        """What one who had always been a member would have as its share."""
        self._share_iterations = 0.0

    @property
    def resident(self) -> tuple[int, ...]:
        """Numbers of the models in memory: all."""
        return self.node.resident

    @property
    def swaps(self) -> int:
        """Models loaded so far: none."""
        return 0

    @property
    def places(self) -> int:
        """Sequences at once, as far as reservations like the present ones fit the KV memory."""
        limit, serving, memory = self._max_batch, len(self.in_service), self.node.kv_tokens
        if not serving or memory == math.inf:
            return limit
        each = self._reserved_tokens / serving
        return max(1, serving, min(limit, int(memory / max(each, 1.0))))

    def written_tokens(self, now_s: float) -> dict[Job, int]:
        """Tokens that each of those in service has written by `now_s`, which lies in what is under way."""
        iterations = self._iterations + self._completed(now_s)
        written = {member.job: member.job.output - (member.finish - iterations) for member in self._writers}
        if self._reading is not None:
            written[self._reading.job] = 0
        return written

    def context_tokens(self, now_s: float) -> int:
        """Tokens read and written by `now_s` of the members that write, which an iteration's time depends on."""
        return self._context_tokens + len(self._writers) * self._completed(now_s)

    def enter(self, job: Job) -> None:
        """Take a job whose inputs are there; ValueError if KV memory could never hold it.

        Where this is the instant of a boundary, the job is seen there if the event in which it enters comes before
        this server's by its rank; an arrival does not.
        """
        if job.reserved_tokens > self.node.kv_tokens:
            raise ValueError(
                f"node {self.node.id}: subtask {job.task.graph.names[job.subtask]} of task {job.task.number} reserves "
                f"{job.reserved_tokens} tokens of KV memory, which holds {self.node.kv_tokens:.0f}"
            )
        now = self._kernel.now
        job.entered_s = now
        self.occupancy.enter(now)
        self.line.push(job, job.priority)
        if self._due_s is None:
            self._begin(now)
        elif self._run is not None and self._reading is None and self._has_seat and self._fits(job):
            self._cut(self._run, now, self._kernel.rank)

    @property
    def _has_seat(self) -> bool:
        return len(self._writers) < self._max_batch

    def _fits(self, job: Job) -> bool:
        return self._reserved_tokens + job.reserved_tokens <= self.node.kv_tokens

    def _completed(self, now_s: float) -> int:
        return 0 if self._run is None else self._run.completed(now_s)

    def _cut(self, run: Run, now: float, rank: int) -> None:
        """End a run at its next boundary. The event of its old end stays in the list, and finds nothing due."""
        number = run.completed(now)
        if number == 0 or rank >= self._rank or run.boundary_s(number) < now:
            number += 1
        if number < run.iterations:
            run.iterations = number
            self._due_s = run.boundary_s(number)
            self._kernel.at(self._due_s, self._rank, self._call)

    def _boundary(self, item: None) -> None:
        now = self._kernel.now
        if now != self._due_s:
            return
        gone = self._end(now)
        self._begin(now)
        for job in gone:
            self._done(job)

    def _end(self, now: float) -> list[Job]:
        """Close what is under way; the jobs that leave, in the order in which they were taken."""
        gone: list[Job] = []
        run, reading, writers = self._run, self._reading, self._writers
        if run is not None:
            sharers = run.writers + (reading is not None)
            self._share_s += (now - run.start_s) / sharers
            self._share_iterations += run.iterations / sharers
            self._iterations += run.iterations
            self._context_tokens += run.iterations * run.writers
            while writers and writers[0].finish == self._iterations:
                member = heappop(writers)
                self._context_tokens -= member.job.prompt + member.job.output
                self._leave(member.job, now, member.share_from_s, member.iterations_from)
                gone.append(member.job)
        if reading is not None and reading.prompt_left == 0:
            self._reading = None
            job = reading.job
            job.first_token_s = now
            if job.output > 1:
                finish = self._iterations + job.output - 1
                heappush(writers, _Member(finish, self._taken, job, reading.share_from_s, reading.iterations_from))
                self._context_tokens += job.prompt + 1
            else:
                self._leave(job, now, reading.share_from_s, reading.iterations_from)
                gone.append(job)
        return gone

    def _leave(self, job: Job, now: float, share_from_s: float, iterations_from: float) -> None:
        del self.in_service[job]
        self._reserved_tokens -= job.reserved_tokens
        job.finish_s = now
        job.share_s = self._share_s - share_from_s
        job.iterations = self._share_iterations - iterations_from
        self.occupancy.leave(now)

    def _begin(self, now: float) -> None:
        """At a boundary: take the head of the line if that may be, and begin what comes next."""
        if self._reading is None and self._has_seat:
            job = self.line.pop_head_if(self._fits)
            if job is not None:
                self._take(job, now)
        reading = self._reading
        if reading is not None and self._chunk is None:
            self._run = None
            self._due_s = self._read_whole(reading, now)
        elif reading is not None or self._writers:
            self._run = run = self._next_run(now, reading)
            self._due_s = run.boundary_s(run.iterations)
        else:
            self._run = self._due_s = None
            self._share_s = self._share_iterations = 0.0
            return
        self._kernel.at(self._due_s, self._rank, self._call)

    def _take(self, job: Job, now: float) -> None:
        self._taken += 1
        self.in_service[job] = None
        self._reserved_tokens += job.reserved_tokens
        self.occupancy.begin(now, job.entered_s)
        job.start_s = now
        self._reading = _Reading(job, self._share_s, self._share_iterations, job.before_tokens_s, job.prompt)

    def _read_whole(self, reading: _Reading, now: float) -> float:
        """When a whole prompt will be read, an iteration that is the reader's alone: the others stand by."""
        duration_s = reading.opening_s + reading.prompt_left * self._law.prefill_s_per_token
        end_s = now + duration_s
        if self._pace is not None:
            end_s = self._pace.end_s(now, duration_s)
            duration_s = end_s - now
        reading.prompt_left = 0
        reading.share_from_s -= duration_s
        reading.iterations_from -= 1.0
        return end_s

    def _next_run(self, now: float, reading: _Reading | None) -> Run:
        """Iterations until a member leaves or, with a prompt, until that is read."""
        writers = self._writers
        run = Run(self._law, now, 0, len(writers), self._context_tokens, pace=self._pace)
        left = writers[0].finish - self._iterations if writers else None
        if reading is None:
            assert left is not None
            run.iterations = left
            return run
        assert self._chunk is not None
        chunks = max(-(-reading.prompt_left // self._chunk), 1)
        run.iterations = chunks if left is None else min(chunks, left)
        run.opening_s, run.chunk, run.prompt_left = reading.opening_s, self._chunk, reading.prompt_left
        reading.opening_s = 0.0
        reading.prompt_left = max(reading.prompt_left - run.iterations * self._chunk, 0)
        return run

    def withdraw(self, job: Job) -> Broken | None:
        """Let a job go that waits here or is in the batch; in the latter case, how far it had come.

        An iteration under way is begun anew without it. Of a whole prompt that is being read only the reader's own
        leaving is the end.
        """
        now = self._kernel.now
        if job not in self.in_service:
            self.line.remove(job)
            self.occupancy.give_up(now)
            if self._run is not None and self._reading is None and self.line:
                self._cut(self._run, now, self._kernel.rank)
            return None
        is_between = self._run is None and (self._reading is None or self._reading.job is not job)
        self._settle(now)
        broken = self._broken_off(job, now)
        if not is_between:
            self._begin(now)
        return broken

    def go_on(self) -> None:
        """Nothing: whoever could be begun was when somebody was withdrawn."""

    def crash(self) -> list[Broken]:
        """Break off all services, in the order in which they were taken; nothing is begun until `repair`."""
        now = self._kernel.now
        self.is_up = False
        self._settle(now)
        broken = [self._broken_off(job, now) for job in list(self.in_service)]
        self._due_s = math.inf
        self._share_s = self._share_iterations = 0.0
        return broken

    def repair(self) -> None:
        """Go on with those that wait."""
        self.is_up = True
        self._begin(self._kernel.now)

    def _settle(self, now: float) -> None:
        """Count what has been done of a run by now, and end it; of an iteration that has not ended nothing is left."""
        run, reading = self._run, self._reading
        if run is None:
            return
        done = run.completed(now)
        sharers = run.writers + (reading is not None)
        self._share_s += (now - run.start_s) / sharers
        self._share_iterations += done / sharers
        self._iterations += done
        self._context_tokens += done * run.writers
        if reading is not None:
            reading.prompt_left = max(run.prompt_left - done * run.chunk, 0)
            if done == 0:
                reading.opening_s = run.opening_s
        self._run = None

    def _broken_off(self, job: Job, now: float) -> Broken:
        """Take a member out of a batch that has been settled."""
        reading = self._reading
        if reading is not None and reading.job is job:
            written, share_from_s, iterations_from = 0, reading.share_from_s, reading.iterations_from
            if self._chunk is None:  # its share was counted up to the end of the whole prompt
                assert self._due_s is not None
                share_from_s += self._due_s - now
                iterations_from += 1.0
            self._reading = None
        else:
            member = next(member for member in self._writers if member.job is job)
            written, share_from_s, iterations_from = (
                job.output - (member.finish - self._iterations), member.share_from_s, member.iterations_from,
            )  # fmt: skip
            self._writers.remove(member)
            heapify(self._writers)
            self._context_tokens -= job.prompt + written
        del self.in_service[job]
        self._reserved_tokens -= job.reserved_tokens
        job.share_s = self._share_s - share_from_s
        job.iterations = self._share_iterations - iterations_from
        self.occupancy.break_off(now)
        return Broken(job, written)
