"""The program as tests call it: within this process, or as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from click.testing import CliRunner, Result

from simoffload.cli.main import main

COMMAND = [sys.executable, "-c", "from simoffload.cli.main import main; main(prog_name='simoffload')"]
HEAVY = frozenset({"torch", "seaborn", "pandas", "scipy.stats", "matplotlib"})


def invoke(*arguments: str) -> Result:
    """Run a command in this process; whatever it raises but an exit is raised here."""
    return CliRunner(catch_exceptions=False).invoke(main, arguments, prog_name="simoffload")


def imported_by(*arguments: str) -> frozenset[str]:
    """The modules that a process imports which runs a command."""
    python, *rest = COMMAND
    done = subprocess.run([python, "-X", "importtime", *rest, *arguments], capture_output=True, text=True, check=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return frozenset(line.rpartition("|")[2].strip() for line in lines)


def cpu_seconds(arguments: Sequence[str]) -> float:
    """Processor time of a process that runs a command."""
    before = os.times()
    subprocess.run([*COMMAND, *arguments], capture_output=True, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
