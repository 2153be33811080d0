"""Worker processes that leave Ctrl-C to the program that started them and do not outlive it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOOK_S = 1.0


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Keep Ctrl-C back while workers are started, which inherit that until they are set up."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def set_up(parent: int) -> None:
    """Set the worker up that this is, in its main thread; `parent` is the process it belongs to."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process soon after its parent has died."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)
