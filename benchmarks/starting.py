"""CPU time of whole commands in processes of their own: what one waits for before anything happens."""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

COMMANDS = {
    "simoffload --help": ["--help"],
    "simoffload validate tiny": ["validate", "tiny"],
    "simoffload run tiny --agent eft": ["run", "tiny", "--agent", "eft", "--quiet", "--out"],
}
"""Arguments; a new directory follows `--out`."""
NOTHING = "python -c pass"


def start_ups_s(rounds: int) -> dict[str, float]:
    """Median CPU seconds of each command, and of Python alone."""
    script = shutil.which("simoffload", path=str(Path(sys.executable).parent))
    if script is None:
        raise FileNotFoundError(f"simoffload is not installed beside {sys.executable}")
    commands = {name: [script, *arguments] for name, arguments in COMMANDS.items()}
    commands[NOTHING] = [sys.executable, "-c", "pass"]
    seen: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds + 1):
        for name, command in commands.items():
            seen[name].append(_cpu_s(command))
    return {name: statistics.median(times[1:]) for name, times in seen.items()}


def _cpu_s(command: Sequence[str]) -> float:
    """CPU seconds of a command and what it starts."""
    with tempfile.TemporaryDirectory() as directory:
        whole = [*command, str(Path(directory, "run"))] if command[-1] == "--out" else command
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(whole, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
