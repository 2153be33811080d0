"""A node with a fixed number of servers, each serving one subtask at a time without preemption.

With one server and a random demand this is M/G/1, with c of them M/G/c. A node whose models do not all fit in memory
loads the one it needs, and passes over subtasks whose model cannot be brought in at the moment. Where the node's pace
changes, services under way follow it; loading a model does not.
"""

from __future__ import annotations

from collections.abc import Callable

from ..plant import PlantNode
from .job import Broken, Job
from .kernel import COMPLETION, Call, Kernel
from .line import Line
from .memory import ModelMemory
from .occupancy import Occupancy
from .pace import Pace
from .service import written_alone


class SlotsServer:
    """Serves jobs from a line; calls `done(job)` after it has taken its next ones."""

    __slots__ = (
        "_calls",
        "_done",
        "_free",
        "_kernel",
        "_memory",
        "_pace",
        "_rank",
        "in_service",
        "is_up",
        "line",
        "node",
        "occupancy",
        "places",
    )

    gap_s = 0.0
    """Least time between two beginnings: none."""

    def __init__(
        self, kernel: Kernel, node: PlantNode, line: Line, done: Callable[[Job], None], pace: Pace | None = None
    ) -> None:
        self.node = node
        self.line = line
        self.occupancy = Occupancy()
        self.in_service: dict[Job, Call] = {}
        """Jobs in service, in the order in which they began, each with the event of its end."""
        self.is_up = True
        self._kernel = kernel
        self._done = done
        self.places = node.capacity
        """Its servers."""
        self._free = node.capacity
        """Those that may take a job: none while the node is down. Where all models are in memory, nobody waits while
        there are any."""
        self._rank = COMPLETION + node.number
        self._memory = ModelMemory(node) if len(node.resident) < len(node.models) else None
        """None where all models are in memory for good."""
        self._pace = pace
        """None where it never changes."""
        self._calls: list[Call] = []
        """Events at rest, for reuse."""

    def context_tokens(self, now_s: float) -> int:
        """Tokens that a batch holds: there is none."""
        return 0

    @property
    def resident(self) -> tuple[int, ...]:
        """Numbers of the models in memory."""
        return self.node.resident if self._memory is None else self._memory.resident

    @property
    def swaps(self) -> int:
        """Models loaded so far."""
        return 0 if self._memory is None else self._memory.swaps

    def enter(self, job: Job) -> None:
        """Take a job whose inputs are there."""
        now = self._kernel.now
        job.entered_s = now
        if self._free and self._memory is None:
            self._free -= 1
            self.occupancy.start(now)
            self._start(job, now, 0.0)
            return
        self.occupancy.enter(now)
        self.line.push(job, job.priority)
        if self._free:
            self._serve(now)

    def _serve(self, now: float) -> None:
        """Start jobs while there is a free server and one that may start."""
        memory, swap_s = self._memory, 0.0
        while self._free and self.occupancy.waiting:
            if memory is None:
                job = self.line.pop()
            else:
                job = self.line.pop_first(self._can_start)
                if job is None:
                    return
                swap_s = memory.start(job.model, now)
            self._free -= 1
            self.occupancy.begin(now, job.entered_s)
            self._start(job, now, swap_s)

    def _can_start(self, job: Job) -> bool:
        assert self._memory is not None
        return self._memory.can_start(job.model)

    def _start(self, job: Job, now: float, swap_s: float) -> None:
        job.start_s = now
        job.swap_s = swap_s
        pace = self._pace
        if pace is None:
            job.first_token_s = now + swap_s + job.first_after_s
            end_s = now + swap_s + job.last_after_s
        else:
            job.first_token_s = pace.end_after_s(now, swap_s, job.first_after_s)
            end_s = pace.end_after_s(now, swap_s, job.last_after_s)
        call = self._calls.pop() if self._calls else Call(self._end)
        call.item = (job, call, end_s)
        self.in_service[job] = call
        self._kernel.at(end_s, self._rank, call)

    def _end(self, item: tuple[Job, Call, float]) -> None:
        job, call, _ = item
        now = self._kernel.now
        call.item = None
        self._calls.append(call)
        job.finish_s = now
        job.share_s = now - job.start_s
        del self.in_service[job]
        if self._memory is None and self.occupancy.waiting:
            following = self.line.pop()
            self.occupancy.relieve(now, following.entered_s)
            self._start(following, now, 0.0)
        else:
            self._free += 1
            self.occupancy.leave(now)
            if self._memory is not None:
                self._memory.stop(job.model)
                self._serve(now)
        self._done(job)

    def withdraw(self, job: Job) -> Broken | None:
        """Let a job go that waits here or is in service; in the latter case, how far it had come.

        Where models are loaded, who is next depends on who else is withdrawn: nobody is begun before `go_on`.
        """
        now = self._kernel.now
        if job not in self.in_service:
            self.line.remove(job)
            self.occupancy.give_up(now)
            return None
        broken = self._broken_off(job, now)
        self._free += 1
        if self._memory is None:
            self._serve(now)
        else:
            self._memory.stop(job.model)
        return broken

    def go_on(self) -> None:
        """All that are withdrawn in this instant are gone."""
        self._serve(self._kernel.now)

    def crash(self) -> list[Broken]:
        """Break off all services, in the order in which they began; nothing is begun until `repair`."""
        now = self._kernel.now
        self.is_up = False
        self._free = 0
        return [self._broken_off(job, now) for job in list(self.in_service)]

    def repair(self) -> None:
        """Go on with those that wait, with the models in memory that were there at the start."""
        self.is_up = True
        self._free = self.node.capacity
        if self._memory is not None:
            self._memory.restart()
        self._serve(self._kernel.now)

    def _broken_off(self, job: Job, now: float) -> Broken:
        call = self.in_service.pop(job)
        _, _, end_s = call.item
        self._kernel.cancel(call)
        self.occupancy.break_off(now)
        job.share_s = now - job.start_s
        began_s = job.start_s + job.swap_s
        if now <= began_s:
            return Broken(job, 0)
        left_s = end_s - now if self._pace is None else self._pace.work_s(now, end_s)
        return Broken(job, written_alone(job, self.node.models[job.model], job.last_after_s - left_s))
