"""Which of a node's models are in its memory, and what it takes to bring in another.

Think of a workbench that holds a few tools at once: a tool that lies on it is at hand, another must be fetched, and
those not used for the longest time are put away to make room. Tools in use stay where they are.
"""

from __future__ import annotations

import math

from ..plant import PlantNode


class ModelMemory:
    """Models in memory, least recently used ones leaving first; of equally old ones the one listed first."""

    __slots__ = ("_busy", "_free_bytes", "_models", "_node", "_used_s", "swaps")

    def __init__(self, node: PlantNode) -> None:
        self._node = node
        self._models = node.models
        self.swaps = 0
        """Models that were loaded."""
        self.restart()

    def restart(self) -> None:
        """Hold what the node holds at the start, all of it idle."""
        node = self._node
        self._used_s: dict[int, float] = dict.fromkeys(node.resident, -math.inf)
        """When each model in memory was last started on."""
        self._busy = [0] * len(node.models)
        self._free_bytes = node.memory_bytes - sum(node.models[number].weights_bytes for number in node.resident)

    @property
    def resident(self) -> tuple[int, ...]:
        """Numbers of the models in memory, ascending."""
        return tuple(sorted(self._used_s))

    def can_start(self, model: int) -> bool:
        """Whether a model is in memory or would fit if idle ones left."""
        if model in self._used_s:
            return True
        idle = sum(self._models[other].weights_bytes for other in self._used_s if not self._busy[other])
        return self._free_bytes + idle >= self._models[model].weights_bytes

    def start(self, model: int, now_s: float) -> float:
        """Put a model to use, loading it if need be; seconds that takes. `can_start` must hold."""
        self._busy[model] += 1
        is_resident = model in self._used_s
        if not is_resident:
            self._make_room(self._models[model].weights_bytes)
            self.swaps += 1
        self._used_s[model] = now_s
        return 0.0 if is_resident else self._models[model].swap_s

    def stop(self, model: int) -> None:
        """One use of a model has ended."""
        self._busy[model] -= 1

    def _make_room(self, needed_bytes: float) -> None:
        for other in sorted(self._used_s, key=lambda number: (self._used_s[number], number)):
            if self._free_bytes >= needed_bytes:
                break
            if not self._busy[other]:
                self._free_bytes += self._models[other].weights_bytes
                del self._used_s[other]
        self._free_bytes -= needed_bytes
