"""A model behind a public interface: an overhead before the first token, and limits on streams and requests.

Subtasks do not slow one another down; what is scarce is the number of streams a customer may hold and the number of
requests a second, which are let through at even intervals.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ..plant import PlantNode
from ..schema.nodes import ApiServer as ApiSpec
from ..schema.nodes import Brownouts
from .job import Broken, Job
from .kernel import COMPLETION, Call, Kernel
from .line import Line
from .occupancy import Occupancy
from .service import written_alone

UNBOUNDED = 1 << 30
"""Places of an interface without a limit."""


class ApiServer:
    """Serves jobs from a line; calls `done(job)` after it has taken its next ones.

    The overhead is lognormal with the given median; its normal variate belongs to the subtask, so that it is the same
    whoever decides.
    """

    __slots__ = (
        "_done",
        "_is_limited",
        "_is_waking",
        "_kernel",
        "_rank",
        "_room",
        "_spec",
        "_started_s",
        "_wake",
        "gap_s",
        "in_service",
        "is_up",
        "line",
        "node",
        "occupancy",
        "streams",
    )

    def __init__(self, kernel: Kernel, node: PlantNode, line: Line, done: Callable[[Job], None]) -> None:
        assert isinstance(node.server, ApiSpec)
        self.node = node
        self.line = line
        self.occupancy = Occupancy()
        self.in_service: dict[Job, Call] = {}
        """Jobs in service, in the order in which they began, each with the event of its end."""
        self.is_up = True
        self._kernel = kernel
        self._done = done
        self._spec = node.server
        self._rank = COMPLETION + node.number
        self._is_limited = False
        """Whether there is a brown-out."""
        self._started_s = -math.inf
        """When the last request was made."""
        self.gap_s = 0.0
        """Time between requests; 0 for no limit."""
        self.streams = math.inf
        """Requests at once; inf for no limit."""
        self._room = 0.0
        """The same, but 0 while the node is down."""
        self._set_limits()
        self._wake = Call(self._wake_up)
        self._is_waking = False

    @property
    def brownouts(self) -> Brownouts | None:
        """When it has tighter limits, and which."""
        return self._spec.brownouts

    @property
    def places(self) -> int:
        """Requests at once."""
        return int(min(self.streams, UNBOUNDED))

    def context_tokens(self, now_s: float) -> int:
        """Tokens that a batch holds: there is none to be seen."""
        return 0

    @property
    def next_start_s(self) -> float:
        """When the next request may be made."""
        return self._started_s + self.gap_s

    @property
    def resident(self) -> tuple[int, ...]:
        """Numbers of the models in memory: all."""
        return self.node.resident

    @property
    def swaps(self) -> int:
        """Models loaded so far: none."""
        return 0

    def enter(self, job: Job) -> None:
        """Take a job whose inputs are there."""
        now = self._kernel.now
        job.entered_s = now
        self.occupancy.enter(now)
        self.line.push(job, job.priority)
        self._serve(now)

    def _serve(self, now: float) -> None:
        """Start jobs while a stream is free and a request may be made; wake up when the next one may."""
        room = self._room
        while self.line and len(self.in_service) < room:
            may_s = self._started_s + self.gap_s
            if now < may_s:
                if not self._is_waking:
                    self._is_waking = True
                    self._kernel.at(may_s, self._rank, self._wake)
                return
            self._start(self.line.pop(), now)

    def _wake_up(self, item: None) -> None:
        self._is_waking = False
        self._serve(self._kernel.now)

    def _start(self, job: Job, now: float) -> None:
        self.occupancy.begin(now, job.entered_s)
        self._started_s = now
        noise = job.task.api_noise[job.subtask]
        overhead_s = self._spec.overhead_median * math.exp(self._spec.overhead_sigma * noise)
        job.start_s = now
        job.first_token_s = now + overhead_s + job.first_after_s
        call = self.in_service[job] = Call(self._end, job)
        self._kernel.at(now + overhead_s + job.last_after_s, self._rank, call)

    def _end(self, job: Job) -> None:
        now = self._kernel.now
        job.finish_s = now
        del self.in_service[job]
        self.occupancy.leave(now)
        self._serve(now)
        self._done(job)

    def withdraw(self, job: Job) -> Broken | None:
        """Let a job go that waits here or is in service; in the latter case, how far it had come."""
        now = self._kernel.now
        if job not in self.in_service:
            self.line.remove(job)
            self.occupancy.give_up(now)
            return None
        broken = self._broken_off(job, now)
        self._serve(now)
        return broken

    def go_on(self) -> None:
        """Nothing: whoever could be begun was when somebody was withdrawn."""

    def crash(self) -> list[Broken]:
        """Break off all services, in the order in which they began; nothing is begun until `repair`."""
        now = self._kernel.now
        self.is_up = False
        self._set_limits()
        return [self._broken_off(job, now) for job in list(self.in_service)]

    def repair(self) -> None:
        """Go on with those that wait."""
        self.is_up = True
        self._relax()

    def brown_out(self, item: None) -> None:
        """From now on the tighter limits hold; what is in service goes on."""
        self._is_limited = True
        self._set_limits()

    def recover(self, item: None) -> None:
        """The brown-out is over."""
        self._is_limited = False
        self._relax()

    def _relax(self) -> None:
        """Take the limits as they are now, and who may begin under them; a call for later may come too late."""
        self._set_limits()
        if self._is_waking:
            self._kernel.cancel(self._wake)
            self._wake = Call(self._wake_up)
            self._is_waking = False
        self._serve(self._kernel.now)

    def _set_limits(self) -> None:
        spec = self._spec
        streams, rate = spec.streams or math.inf, spec.request_rate or math.inf
        if self._is_limited and spec.brownouts is not None:
            streams = min(streams, spec.brownouts.streams or math.inf)
            rate = min(rate, spec.brownouts.request_rate or math.inf)
        self.streams = streams
        self._room = streams if self.is_up else 0.0
        self.gap_s = 1.0 / rate

    def _broken_off(self, job: Job, now: float) -> Broken:
        self._kernel.cancel(self.in_service.pop(job))
        self.occupancy.break_off(now)
        model = self.node.models[job.model]
        overhead_s = job.first_token_s - job.first_after_s - job.start_s
        return Broken(job, written_alone(job, model, now - job.start_s - overhead_s))
