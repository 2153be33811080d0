"""A model behind a public interface: an overhead before the first token, and limits on streams and requests.

Subtasks do not slow one another down; what is scarce is the number of streams a customer may hold and the number of
requests a second, which are let through at even intervals.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ..plant import PlantNode
from ..schema.nodes import ApiServer as ApiSpec
from .job import Job
from .kernel import COMPLETION, Call, Kernel
from .line import Line
from .occupancy import Occupancy


class ApiServer:
    """Serves jobs from a line; calls `done(job)` after it has taken its next ones.

    The overhead is lognormal with the given median; its normal variate belongs to the subtask, so that it is the same
    whoever decides.
    """

    __slots__ = (
        "_done",
        "_is_waking",
        "_kernel",
        "_rank",
        "_spec",
        "_wake",
        "gap_s",
        "in_service",
        "line",
        "next_start_s",
        "node",
        "occupancy",
    )

    def __init__(self, kernel: Kernel, node: PlantNode, line: Line, done: Callable[[Job], None]) -> None:
        assert isinstance(node.server, ApiSpec)
        self.node = node
        self.line = line
        self.occupancy = Occupancy()
        self.in_service: dict[Job, None] = {}
        """Jobs in service, in the order in which they began."""
        self._kernel = kernel
        self._done = done
        self._spec = node.server
        self._rank = COMPLETION + node.number
        self.gap_s = 1.0 / node.server.request_rate if node.server.request_rate is not None else 0.0
        """Time between requests; 0 for no limit."""
        self.next_start_s = -math.inf
        """When the next request may be made."""
        self._wake = Call(self._wake_up)
        self._is_waking = False

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
        streams = self._spec.streams
        while self.line and (streams is None or len(self.in_service) < streams):
            if now < self.next_start_s:
                if not self._is_waking:
                    self._is_waking = True
                    self._kernel.at(self.next_start_s, self._rank, self._wake)
                return
            self._start(self.line.pop(), now)

    def _wake_up(self, item: None) -> None:
        self._is_waking = False
        self._serve(self._kernel.now)

    def _start(self, job: Job, now: float) -> None:
        self.in_service[job] = None
        self.occupancy.begin(now, job.entered_s)
        if self.gap_s:
            self.next_start_s = now + self.gap_s
        noise = job.task.api_noise[job.subtask]
        overhead_s = self._spec.overhead_median * math.exp(self._spec.overhead_sigma * noise)
        job.start_s = now
        job.first_token_s = now + overhead_s + job.first_after_s
        self._kernel.at(now + overhead_s + job.last_after_s, self._rank, Call(self._end, job))

    def _end(self, job: Job) -> None:
        now = self._kernel.now
        job.finish_s = now
        del self.in_service[job]
        self.occupancy.leave(now)
        self._serve(now)
        self._done(job)
