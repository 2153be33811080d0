"""The first signal is taken down, the second one ends the program, and ignored ones stay ignored."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from simoffload.cli.stopping import SIGNALS, Stop


@pytest.fixture(autouse=True)
def unchanged() -> Iterator[None]:
    before = [signal.getsignal(number) for number in SIGNALS]
    yield
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_taken_down(number: signal.Signals) -> None:
    with Stop() as stop:
        assert not stop.asked
        signal.raise_signal(number)
        assert stop.asked


def test_handlers_are_put_back_after_an_error_too() -> None:
    with pytest.raises(RuntimeError), Stop():
        raise RuntimeError


def test_an_ignored_signal_stays_ignored() -> None:
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Stop() as stop:
            signal.raise_signal(signal.SIGINT)
            assert not stop.asked
            signal.raise_signal(signal.SIGTERM)
            assert stop.asked
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, former)


@pytest.mark.parametrize("second", SIGNALS)
def test_the_second_signal_ends_the_program(second: signal.Signals) -> None:
    code = (
        "import signal, sys; from simoffload.cli.stopping import Stop\n"
        "with Stop():\n"
        "    signal.raise_signal(signal.SIGINT); print('still here', flush=True)\n"
        "    signal.raise_signal(int(sys.argv[1])); print('never')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(int(second))], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("still here\n", -second)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")
def test_workers_go_with_the_program() -> None:
    code = (
        "import signal, multiprocessing, time; from simoffload.cli.stopping import Stop\n"
        "worker = multiprocessing.get_context('fork').Process(target=time.sleep, args=(600,)); worker.start()\n"
        "print(worker.pid, flush=True)\n"
        "with Stop():\n"
        "    signal.raise_signal(signal.SIGINT); signal.raise_signal(signal.SIGINT)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGINT
    end = time.monotonic() + 30
    while _is_running(int(done.stdout)):
        assert time.monotonic() < end, "the worker is still there"
        time.sleep(0.05)


def _is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
