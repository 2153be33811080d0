"""Stopping: the first Ctrl-C asks a run to end with what there is, the second one ends the program and its workers."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Within ``with Stop() as stop``, `stop.asked` says whether an interrupt or a request to terminate came in.

    A signal that the program was started to ignore, as behind nohup, stays ignored.
    """

    def __init__(self) -> None:
        self.asked = False
        self._former: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stop:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._former[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, former in self._former.items():
            signal.signal(number, former)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            _end(number)
        self.asked = True


def _end(number: int) -> None:
    """End as by the signal; workers, which would wait for work for ever, go first."""
    from multiprocessing import active_children

    for worker in active_children():
        worker.kill()
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
