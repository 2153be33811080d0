"""Workers leave Ctrl-C to their parent and do not outlive it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PARENT = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from simoffload.run.workers import interrupts_held, set_up

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, set_up, (os.getpid(),)) as pool:
        with interrupts_held():
            future = pool.submit(os.getpid)
        print(future.result(), flush=True)
        time.sleep(60)
"""


@pytest.fixture
def family(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A parent and the process number of its worker."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        yield parent, int(parent.stdout.readline())
        parent.kill()


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_worker_ends_soon_after_its_parent_was_killed(family: tuple[subprocess.Popen[str], int]) -> None:
    parent, worker = family
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20
    while is_alive(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_alive(worker)


def test_a_worker_is_not_ended_by_the_interrupt_that_its_parent_gets(
    family: tuple[subprocess.Popen[str], int],
) -> None:
    _, worker = family
    os.kill(worker, signal.SIGINT)
    os.kill(worker, signal.SIGTERM)
    time.sleep(0.5)
    assert is_alive(worker)
