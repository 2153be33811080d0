"""A node whose servers leave a subtask for a more urgent one, and take it up again where it was.

Think of a clerk who puts a file aside when the director comes in, with a marker where he was. A newcomer of smaller
priority than the one in service whose priority is largest takes that one's server; the interrupted joins the line
again with the work that is left. All models of the node are in memory, and its pace may change.
"""

from __future__ import annotations

from collections.abc import Callable

from ..plant import PlantNode
from .job import Broken, Job
from .kernel import COMPLETION, Call, Kernel
from .line import PriorityLine
from .occupancy import Occupancy
from .pace import Pace
from .service import written_alone


class PreemptiveServer:
    """Serves jobs from a line that goes by priority; calls `done(job)` after it has taken its next ones.

    Of those in service with the same priority the one that began last is interrupted. `job.share_s` is the time in
    which a server was at it, which is less than from its start to its end where it was interrupted.
    """

    __slots__ = (
        "_done", "_free", "_kernel", "_left_s", "_pace", "_rank", "_resumed_s", "in_service", "is_up", "line", "node",
        "occupancy", "places",
    )  # fmt: skip

    swaps = 0
    """Models loaded so far: none."""
    gap_s = 0.0
    """Least time between two beginnings: none."""

    def __init__(
        self, kernel: Kernel, node: PlantNode, line: PriorityLine, done: Callable[[Job], None], pace: Pace | None = None
    ) -> None:
        self.node = node
        self.line = line
        self.occupancy = Occupancy()
        self.in_service: dict[Job, Call] = {}
        """Jobs in service, in the order in which they were taken up, each with the event of its end."""
        self.is_up = True
        self._kernel = kernel
        self._done = done
        self._pace = pace
        """None where it never changes."""
        self.places = node.capacity
        """Its servers."""
        self._free = node.capacity
        """Those that may take a job: none while the node is down."""
        self._rank = COMPLETION + node.number
        self._resumed_s: dict[Job, float] = {}
        """When each job in service was taken up last."""
        self._left_s: dict[Job, float] = {}
        """Work that is left of each job that was interrupted and waits, in seconds at full pace."""

    def context_tokens(self, now_s: float) -> int:
        """Tokens that a batch holds: there is none."""
        return 0

    @property
    def resident(self) -> tuple[int, ...]:
        """Numbers of the models in memory: all."""
        return self.node.resident

    def enter(self, job: Job) -> None:
        """Take a job whose inputs are there."""
        now = self._kernel.now
        job.entered_s = now
        self.occupancy.enter(now)
        if self._free == 0 and self.in_service:
            least = max(reversed(self.in_service), key=_priority)
            if job.priority < least.priority:
                self._interrupt(least, now)
        self.line.push(job, job.priority)
        self._serve(now)

    def withdraw(self, job: Job) -> Broken | None:
        """Let a job go that waits here or is in service; how far it had come, if it had begun."""
        now = self._kernel.now
        if job in self.in_service:
            broken = self._broken_off(job, now)
            self._free += 1
            self._serve(now)
            return broken
        self.line.remove(job)
        self.occupancy.give_up(now)
        return self._broken(job, self._left_s.pop(job)) if job in self._left_s else None

    def go_on(self) -> None:
        """Nothing: whoever could be begun was when somebody was withdrawn."""

    def crash(self) -> list[Broken]:
        """Break off all services; nothing is begun until `repair`. What was interrupted before waits on."""
        now = self._kernel.now
        self.is_up = False
        self._free = 0
        return [self._broken_off(job, now) for job in list(self.in_service)]

    def repair(self) -> None:
        """Go on with those that wait."""
        self.is_up = True
        self._free = self.node.capacity
        self._serve(self._kernel.now)

    def _serve(self, now: float) -> None:
        while self._free and self.line:
            self._take_up(self.line.pop(), now)

    def _take_up(self, job: Job, now: float) -> None:
        self._free -= 1
        left_s = self._left_s.pop(job, None)
        if left_s is None:
            left_s = job.last_after_s
            job.start_s = now
            self.occupancy.begin(now, job.entered_s)
        else:
            self.occupancy.resume(now)
        worked_s = job.last_after_s - left_s
        if worked_s <= job.first_after_s:
            job.first_token_s = self._end_s(now, job.first_after_s - worked_s)
        end_s = self._end_s(now, left_s)
        call = self.in_service[job] = Call(self._end)
        call.item = (job, end_s)
        self._resumed_s[job] = now
        self._kernel.at(end_s, self._rank, call)

    def _end_s(self, now: float, work_s: float) -> float:
        return now + work_s if self._pace is None else self._pace.end_s(now, work_s)

    def _interrupt(self, job: Job, now: float) -> None:
        self._left_s[job] = self._stopped(job, now)
        self._free += 1
        self.occupancy.interrupt(now)
        self.line.put_back(job, job.priority)

    def _stopped(self, job: Job, now: float) -> float:
        """Take a server from a job; the work that is left of it, s."""
        call = self.in_service.pop(job)
        _, end_s = call.item
        self._kernel.cancel(call)
        job.share_s += now - self._resumed_s.pop(job)
        return end_s - now if self._pace is None else self._pace.work_s(now, end_s)

    def _broken_off(self, job: Job, now: float) -> Broken:
        left_s = self._stopped(job, now)
        self.occupancy.break_off(now)
        return self._broken(job, left_s)

    def _broken(self, job: Job, left_s: float) -> Broken:
        return Broken(job, written_alone(job, self.node.models[job.model], job.last_after_s - left_s))

    def _end(self, item: tuple[Job, float]) -> None:
        job, _ = item
        now = self._kernel.now
        job.finish_s = now
        job.share_s += now - self._resumed_s.pop(job)
        self._free += 1
        del self.in_service[job]
        self.occupancy.leave(now)
        self._serve(now)
        self._done(job)


def _priority(job: Job) -> float:
    return job.priority
