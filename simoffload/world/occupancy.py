"""How full a station is over time: exact integrals of the numbers waiting and in service, counts, and waiting times.

Little's law is kept checkable: the time integral of the number in the system is accumulated step by step, the sum of
times spent is accumulated from arrivals and departures alone, and `little_residual` compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OccupancySummary:
    """What happened at a station over a window of `duration_s` seconds."""

    duration_s: float
    waiting_mean: float
    waiting_max: int
    serving_mean: float
    busy: float
    """Share of the time with at least one job in service."""
    arrivals: int
    starts: int
    completions: int
    wait_mean_s: float
    """Mean wait of the jobs that started in the window, before their service (nan when none did)."""
    little_residual: float
    """|integral of N dt - sum of times in system| over the larger of the integral and the duration: rounding only."""


class Occupancy:
    """Running integrals of one station; `waiting` and `serving` are its state now."""

    __slots__ = (
        "arrivals", "began_s", "busy_area", "completions", "last_s", "serving", "serving_area", "spent_sum", "starts",
        "wait_sum", "waiting", "waiting_area", "waiting_max",
    )  # fmt: skip

    def __init__(self) -> None:
        self.waiting = 0
        self.serving = 0
        self.reset(0.0)

    def reset(self, now: float) -> None:
        """Forget the past, keep the state: jobs in the system count as having entered now."""
        self.began_s = self.last_s = now
        self.waiting_area = self.serving_area = self.busy_area = self.wait_sum = self.spent_sum = 0.0
        self.arrivals = self.starts = self.completions = 0
        self.waiting_max = 0

    def advance(self, now: float) -> None:
        """Bring the integrals up to `now`."""
        elapsed = now - self.last_s
        if elapsed > 0.0:
            waiting = self.waiting
            if waiting:
                self.waiting_area += waiting * elapsed
                if waiting > self.waiting_max:
                    self.waiting_max = waiting
            if self.serving:
                self.serving_area += self.serving * elapsed
                self.busy_area += elapsed
            self.last_s = now

    def enter(self, now: float) -> None:
        """A job joins the line."""
        self.advance(now)
        self.waiting += 1
        self.arrivals += 1
        self.spent_sum -= now - self.began_s

    def start(self, now: float) -> None:
        """A job joins the station and goes into service at once."""
        self.advance(now)
        self.serving += 1
        self.arrivals += 1
        self.starts += 1
        self.spent_sum -= now - self.began_s

    def begin(self, now: float, entered_s: float) -> None:
        """A waiting job goes into service."""
        self.advance(now)
        self.waiting -= 1
        self.serving += 1
        self.starts += 1
        self.wait_sum += now - entered_s

    def leave(self, now: float) -> None:
        """A job in service leaves the station."""
        self.advance(now)
        self.serving -= 1
        self.completions += 1
        self.spent_sum += now - self.began_s

    def relieve(self, now: float, entered_s: float) -> None:
        """A job in service leaves the station, and one that waits takes its place."""
        self.advance(now)
        self.waiting -= 1
        self.starts += 1
        self.completions += 1
        self.wait_sum += now - entered_s
        self.spent_sum += now - self.began_s

    def interrupt(self, now: float) -> None:
        """A job in service goes back to the line."""
        self.advance(now)
        self.waiting += 1
        self.serving -= 1

    def resume(self, now: float) -> None:
        """A job that was interrupted goes into service again."""
        self.advance(now)
        self.waiting -= 1
        self.serving += 1

    def give_up(self, now: float) -> None:
        """A waiting job leaves the station unserved."""
        self.advance(now)
        self.waiting -= 1
        self.spent_sum += now - self.began_s

    def break_off(self, now: float) -> None:
        """A job in service leaves the station before its end, which is no completion."""
        self.advance(now)
        self.serving -= 1
        self.spent_sum += now - self.began_s

    def summary(self, now: float) -> OccupancySummary:
        """The window from the last reset to `now`."""
        self.advance(now)
        duration = now - self.began_s
        area = self.waiting_area + self.serving_area
        spent = self.spent_sum + (self.waiting + self.serving) * duration
        over = 1.0 / duration if duration > 0 else 0.0
        return OccupancySummary(
            duration_s=duration,
            waiting_mean=self.waiting_area * over,
            waiting_max=self.waiting_max,
            serving_mean=self.serving_area * over,
            busy=self.busy_area * over,
            arrivals=self.arrivals,
            starts=self.starts,
            completions=self.completions,
            wait_mean_s=self.wait_sum / self.starts if self.starts else float("nan"),
            little_residual=abs(area - spent) / max(area, duration) if duration > 0 else 0.0,
        )
