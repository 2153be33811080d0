"""Where the time of a training goes: simulating, learning, and everything else (starting workers, moving episodes).

    python -m benchmarks.training
    python -m benchmarks.training --batches 8 --workers 2

A training of `ucb-coma` on the smart factory, in a temporary folder. Each worker notes when it simulates, the main
process when it learns. A core counts as busy while it does either; the rest of the wall time of all cores is waiting
for the others, starting and moving data. The CPU time of the latter two is told as well, for it does not depend on what
else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simoffload.agents.learning import training, validation
from simoffload.agents.learning.rollout import play
from simoffload.agents.learning.schemes import SCHEMES
from simoffload.agents.learning.settings import TrainingSettings
from simoffload.agents.learning.validation import measure as measure_policy
from simoffload.schema import load_scenario

NOTES = "SIMOFFLOAD_BENCHMARK_NOTES"
"""Environment variable: the file that workers write their times to."""
AIM = 0.6


@dataclass(frozen=True, slots=True)
class Times:
    """Of a training: the wall time, and wall and CPU time of its parts summed over processes, s."""

    cores: int
    wall_s: float
    cpu_s: float
    simulating_s: float
    simulating_cpu_s: float
    learning_s: float
    learning_cpu_s: float

    @property
    def busy(self) -> float:
        """Share of the cores' wall time that is spent simulating or learning."""
        return (self.simulating_s + self.learning_s) / (self.cores * self.wall_s)

    @property
    def of_cpu(self) -> float:
        """Share of all CPU time that is."""
        return (self.simulating_cpu_s + self.learning_cpu_s) / self.cpu_s


def noted_play(*arguments: Any) -> Any:
    """Play an episode and note how long it took."""
    return _noted(play, arguments)


def noted_measure(*arguments: Any) -> Any:
    """Measure a policy on a validation seed and note how long it took."""
    return _noted(measure_policy, arguments)


def measure(batches: int, workers: int) -> Times:
    """Make a training."""
    training.play, validation.measure = noted_play, noted_measure  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        os.environ[NOTES] = str(Path(folder, "notes"))
        settings = TrainingSettings(batches=batches)
        trainer = SCHEMES["ucb-coma"].training([load_scenario("smart-factory")], settings, 1, Path(folder, "training"))
        learner = trainer._learner  # type: ignore[attr-defined]
        learner.learn = _counted(learner.learn, learned := [0.0, 0.0])
        began, cpu_before_s = time.perf_counter(), _cpu_s()
        trainer.run(workers, lambda look: True)
        wall_s, cpu_s = time.perf_counter() - began, _cpu_s() - cpu_before_s
        notes = [json.loads(line) for line in Path(os.environ[NOTES]).read_text().splitlines()]
    return Times(workers, wall_s, cpu_s, *(sum(column) for column in zip(*notes, strict=True)), *learned)


def _noted(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    spent = [0.0, 0.0]
    result = _counted(function, spent)(*arguments)
    with Path(os.environ[NOTES]).open("a") as file:
        file.write(json.dumps(spent) + "\n")
    return result


def _counted(function: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    """The function, which adds its wall and CPU time to `spent`."""

    def counted(*arguments: Any) -> Any:
        began, cpu = time.perf_counter(), time.process_time()
        result = function(*arguments)
        spent[0] += time.perf_counter() - began
        spent[1] += time.process_time() - cpu
        return result

    return counted


def _cpu_s() -> float:
    """CPU time of this process and of all that it has waited for."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))


def page(times: Times, batches: int) -> str:
    """The result as a table."""
    lines = [
        f"`python -m benchmarks.training --batches {batches} --workers {times.cores}`",
        "",
        "| what | wall, s, summed over processes | CPU, s |",
        "| --- | ---: | ---: |",
        f"| simulating episodes and validation | {times.simulating_s:.1f} | {times.simulating_cpu_s:.1f} |",
        f"| learning | {times.learning_s:.1f} | {times.learning_cpu_s:.1f} |",
        f"| whole training | {times.cores} x {times.wall_s:.1f} | {times.cpu_s:.1f} |",
        "",
        f"Simulating or learning: {times.busy:.0%} of the wall time of {times.cores} cores (aim: {AIM:.0%}), "
        f"{times.of_cpu:.0%} of the CPU time.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--batches", type=int, default=8, help="batches of the training (default %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes that play episodes (default %(default)s)")
    options = parser.parse_args()
    print(page(measure(options.batches, options.workers), options.batches))


if __name__ == "__main__":
    main()
