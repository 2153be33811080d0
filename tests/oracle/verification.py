"""The world in which the answers of sinks are checked, and what fails is done again.

Written after `docs/faults.md`, "Checked answers". Whether an answer is right follows from the skill of the model, the
difficulty of the subtask, its luck, and how many of the answers that it was built on are wrong.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from .nodes import MODALITIES
from .preemption import OracleWithInterruptions
from .world import Key

STAGES = ("explain", "analyze", "generate")


class OracleWithChecks(OracleWithInterruptions):
    """An answer that fails is among the `lost` as `rejected`; every record of a service says whether it `is_right`."""

    def __init__(
        self, scenario: Any, *rest: Any, checks: Mapping[Key, Sequence[float]] | None = None, **others: Any
    ) -> None:
        """`checks` holds, by task and sink, a number between 0 and 1 for each check that may fail."""
        super().__init__(scenario, *rest, **others)
        self.quality = scenario.quality
        self.models = scenario.catalogue.models
        self.checks = checks or {}
        self.rejected: Counter[Key] = Counter()
        """How often each sink's answer has failed."""

    def _finish(self, key: Key) -> None:
        """A check takes no time: the answer appears, or the subtask is decided anew in the same instant."""
        record = self.subtasks[key]
        record["is_right"] = self._is_right(key)
        if self._passes(key, record["is_right"]):
            super()._finish(key)
            return
        record.update(finish_s=self.now, lost_s=self.now, cause="rejected", task=key[0], subtask=key[1])
        self._bill(key)
        self.lost.append(self.subtasks.pop(key))
        self.rejected[key] += 1
        self._ready(*key)

    def _passes(self, key: Key, is_right: bool) -> bool:
        """Only sinks are checked, and after so many failures an answer stands."""
        chances, before = self.checks.get(key, ()), self.rejected[key]
        if before >= len(chances):
            return True
        verify = self.quality.verify
        return bool(chances[before] >= (verify.false_alarm if is_right else verify.detection))

    def _is_right(self, key: Key) -> bool:
        number, subtask = key
        task, quality = self.tasks_in[number], self.quality
        wrong = sum(not self.subtasks[number, p]["is_right"] for p in task.graph.predecessors[subtask])
        chance = quality.carry**wrong / (1 + math.exp(-quality.slope * (self._skill(key) - task.difficulty[subtask])))
        return bool(task.luck[subtask] < chance)

    def _skill(self, key: Key) -> float:
        graph, model = self.tasks_in[key[0]].graph, self.models[self._model(key).name]
        stage, modality = graph.stages[key[1]], MODALITIES[graph.modalities[key[1]]]
        skill: float = getattr(model.skill, STAGES[stage])
        return skill + (model.modality_skill.get(modality, 0.0) if stage == 0 else 0.0)
