"""Continuous batching, one iteration at a time.

The loop that a serving engine runs: at each iteration boundary either a waiting prompt is taken and prefilled, or all
members of the batch write one token. Nothing is summed in closed form; the engine's macro steps are compared with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Request:
    """A subtask as the server sees it, and what the server does to it."""

    key: Hashable
    priority: float
    order: int
    """Order of entering the queue."""
    prompt: int
    output: int
    reserve: int
    """Tokens reserved while it is resident: prompt + the most it may answer."""
    fixed_s: float
    """Prefill besides the prompt's tokens, at speed 1: encoder + overhead + further demand."""
    entered_s: float = 0.0

    start_s: float = math.nan
    first_token_s: float = math.nan
    finish_s: float = math.nan
    context: int = 0
    left: int = 0
    """Tokens still to write."""
    prompt_left: int = 0
    share_s: float = 0.0
    """Integral of 1/members over the time it is resident."""
    iterations: float = 0.0
    """Sum of 1/members over its iterations."""
    notes: dict[str, Any] = field(default_factory=dict)


def first_in_line(waiting: Sequence[Request]) -> Request:
    """The one with the smallest priority, of equals the first that came."""
    return min(waiting, key=lambda request: (request.priority, request.order))


class BatchServer:
    """State of a batching server between iteration boundaries."""

    def __init__(
        self,
        *,
        decode: float,
        per_sequence: float,
        per_context: float,
        prefill: float,
        speed: float,
        max_batch: int,
        kv_tokens: float,
        chunk: int | None,
    ) -> None:
        self.decode, self.per_sequence, self.per_context, self.prefill = decode, per_sequence, per_context, prefill
        self.speed, self.max_batch, self.kv_tokens, self.chunk = speed, max_batch, kv_tokens, chunk
        self.waiting: list[Request] = []
        self.members: list[Request] = []
        """Decoding requests, in the order in which they were taken."""
        self.prompt: Request | None = None
        """The request whose prompt is being prefilled."""
        self.running: tuple[str, float] | None = None
        """Kind and duration of the iteration in progress."""
        self.begun_s = 0.0
        """When that began."""
        self.taken = 0
        """Tokens of the prompt in the chunk that it prefills."""
        self.reserved = 0
        self.first: Callable[[Sequence[Request]], Request] = first_in_line
        """Which of those that wait goes next."""

    def head(self) -> Request | None:
        return self.first(self.waiting) if self.waiting else None

    def fits(self, request: Request) -> bool:
        return len(self.members) < self.max_batch and self.reserved + request.reserve <= self.kv_tokens

    def begin(self, now_s: float) -> float | None:
        """At a boundary: start the next iteration and return its duration, or None if there is nothing to do."""
        assert self.running is None
        self.begun_s = now_s
        if self.prompt is None:
            head = self.head()
            if head is not None and self.fits(head):
                self.waiting.remove(head)
                self.reserved += head.reserve
                self.prompt = head
                head.start_s = now_s
                head.prompt_left = head.prompt
        if self.prompt is not None and self.chunk is None:
            return self._run("prefill", (self.prompt.fixed_s + self.prompt.prompt / self.prefill) / self.speed)
        if self.prompt is not None:
            self.taken = min(self.chunk, self.prompt.prompt_left)
            work = self._decode_s() + self.taken / self.prefill
            if "first chunk done" not in self.prompt.notes:
                work += self.prompt.fixed_s
            return self._run("chunk", work / self.speed)
        if self.members:
            return self._run("decode", self._decode_s() / self.speed)
        return None

    def stretch(self, duration_s: float) -> None:
        """The iteration in progress takes so long, at the pace that the machine has."""
        assert self.running is not None
        self.running = (self.running[0], duration_s)

    def end(self, now_s: float) -> list[Request]:
        """At the end of the iteration in progress: requests that leave, in the order in which they were taken."""
        assert self.running is not None
        kind, duration = self.running
        self.running = None
        if kind == "prefill":
            self._share(self._present(kind), duration)
            return self._prompt_done(now_s)
        self._share(self._present(kind), duration)
        if kind == "chunk":
            self.prompt.prompt_left -= self.taken
            self.prompt.notes["first chunk done"] = True
        gone = []
        for member in list(self.members):
            member.context += 1
            member.left -= 1
            if member.left == 0:
                self._leave(member, now_s)
                gone.append(member)
        if kind == "chunk" and self.prompt.prompt_left == 0:
            gone += self._prompt_done(now_s)
        return gone

    def resident(self) -> list[Request]:
        """Those whose service has begun, in the order in which they were taken."""
        return [*self.members, *([] if self.prompt is None else [self.prompt])]

    def written(self, request: Request) -> int:
        """Tokens that a resident request has written by the last boundary."""
        return 0 if request is self.prompt else request.output - request.left

    def take_out(self, request: Request, now_s: float) -> None:
        """The request leaves without its answer; an iteration under way that it takes part in is broken off."""
        if request in self.waiting:
            self.waiting.remove(request)
            return
        if self.running is not None and request in self._present(self.running[0]):
            self._break_off(self.running[0], now_s)
        self.reserved -= request.reserve
        if request is self.prompt:
            self.prompt = None
        else:
            self.members.remove(request)

    def _break_off(self, kind: str, now_s: float) -> None:
        """Nothing comes of the iteration under way but the time it took."""
        present = self._present(kind)
        for request in present:
            request.share_s += (now_s - self.begun_s) / len(present)
        self.running = None

    def _present(self, kind: str) -> list[Request]:
        """Those among whom an iteration is shared."""
        if kind == "prefill":
            return [self.prompt]
        return [*self.members] if kind == "decode" else [*self.members, self.prompt]

    def _decode_s(self) -> float:
        b = len(self.members)
        context = sum(member.context for member in self.members)
        return self.decode + self.per_sequence * b + self.per_context * context

    def _run(self, kind: str, duration: float) -> float:
        self.running = (kind, duration)
        return duration

    def _share(self, present: list[Request], duration: float) -> None:
        for request in present:
            request.share_s += duration / len(present)
            request.iterations += 1 / len(present)

    def _prompt_done(self, now_s: float) -> list[Request]:
        request = self.prompt
        self.prompt = None
        request.first_token_s = now_s
        request.context = request.prompt + 1
        request.left = max(request.output - 1, 0)
        self.members.append(request)
        if request.left == 0:
            self._leave(request, now_s)
            return [request]
        return []

    def _leave(self, request: Request, now_s: float) -> None:
        self.members.remove(request)
        self.reserved -= request.reserve
        request.finish_s = now_s


def serve(server: BatchServer, requests: Iterable[Request]) -> None:
    """Serve requests that enter at their `entered_s`; fills in their times. One that enters at a boundary is seen."""
    coming = sorted(requests, key=lambda r: (r.entered_s, r.order))
    now = 0.0
    while coming or server.waiting or server.members or server.prompt:
        while coming and coming[0].entered_s <= now:
            server.waiting.append(coming.pop(0))
        duration = server.begin(now)
        if duration is not None:
            now += duration
            server.end(now)
        elif coming:
            now = max(now, coming[0].entered_s)
        else:
            raise RuntimeError("the head of line never fits")
