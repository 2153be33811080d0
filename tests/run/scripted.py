"""What tests of going on until an estimate is precise share: a rule by hand, a small plant, and what they compare."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simoffload.record.batches import Batches
from simoffload.schema import Scenario, load_scenario


@dataclass
class Script:
    """A rule that wants to be asked at these lengths, and ends at the last."""

    lengths: Sequence[int]
    measure: str = "latency"
    seconds: float = math.inf
    reason: str = ""
    asked: list[int] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    """Values in the batches, or replications, when it was asked."""
    values: list[float] = field(default_factory=list)
    forecast: int | None = None

    @property
    def first(self) -> int:
        return self.lengths[0]

    def see_batches(self, batches: Batches, tasks: int, wall_s: float) -> int:
        self.asked.append(tasks)
        self.seen.append(batches.count)
        return tasks if self.is_out_of_time(wall_s) else self._next(tasks)

    def see_replications(self, values: Sequence[float], wall_s: float) -> int:
        self.asked.append(len(values))
        self.values = list(values)
        return self._next(len(values))

    def is_out_of_time(self, wall_s: float) -> bool:
        return wall_s > self.seconds

    def end(self, reason: str) -> None:
        self.reason = reason

    def continue_from(self, saved: Any) -> None:
        self.asked, self.seen = list(saved.asked), list(saved.seen)

    def to_dict(self) -> dict[str, Any]:
        return {"asked": list(self.asked), "reason": self.reason}

    def _next(self, now: int) -> int:
        return next((length for length in self.lengths if length > now), now)


def tiny(*overrides: str) -> Scenario:
    return load_scenario("tiny", ["horizon={tasks: 20}", "warm_up=10 s", *overrides])


def files(directory: Path) -> dict[str, bytes]:
    """All but what tells the time it took."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.name not in ("summary.json", "manifest.json", "until.json")
    }


def without_time(summary: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in summary.items() if key != "wall_s"}
