"""The check of answers: the course of a task whose sinks are checked, and may have to be done again in the cloud."""

from __future__ import annotations

from ..random_streams import Uniforms
from ..schema.scenario import Verify
from ..tasks import Task
from .course import Course
from .tables import ModalityTable, Tables


class CheckedCourse(Course):
    """A task in the system whose sinks are checked; what the checks find is drawn when it arrives."""

    def __init__(self, task: Task, tables: Tables, bytes_per_token: float, verify: Verify, draws: Uniforms) -> None:
        super().__init__(task, tables, bytes_per_token)
        self._verify = verify
        self._draws = {sink: draws.take(int(verify.limit)) for sink in task.graph.sinks}
        self._reworked: dict[int, int] = {}
        """How often each subtask was sent back."""

    def table(self, subtask: int) -> ModalityTable:
        """The table of nodes that can run a subtask, or run it again."""
        if subtask in self._reworked:
            return self._tables.clouds_by_modality[self.task.graph.modalities[subtask]]
        return super().table(subtask)

    def fails(self, subtask: int, is_right: bool) -> bool:
        """Whether the answer of a subtask that has been served does not pass: only sinks are checked."""
        draws, done = self._draws.get(subtask, ()), self._reworked.get(subtask, 0)
        chance = self._verify.false_alarm if is_right else self._verify.detection
        return done < len(draws) and draws[done] < chance

    def send_back(self, subtask: int) -> None:
        """The subtask is to be done again, in the cloud."""
        self._reworked[subtask] = self._reworked.get(subtask, 0) + 1
        self.jobs[subtask] = None
