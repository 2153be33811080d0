"""Every discipline has its line, every kind of server its station."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from simoffload.world.api import ApiServer
from simoffload.world.batching import BatchingServer
from simoffload.world.kernel import Kernel
from simoffload.world.line import AskedLine, FifoLine, PriorityLine
from simoffload.world.servers import make_line, make_server
from simoffload.world.slots import SlotsServer

from .stations import job_of, node_of


def first(jobs: Sequence[Any]) -> int:
    return 0


@pytest.mark.parametrize(
    ("discipline", "asks", "kind"),
    [
        ("fifo", False, FifoLine), ("fifo", True, FifoLine), ("agent", False, PriorityLine), ("agent", True, AskedLine),
        ("wspt", True, PriorityLine), ("srt", True, PriorityLine),
    ],
)  # fmt: skip
def test_only_the_discipline_agent_asks(discipline: str, asks: bool, kind: type[Any]) -> None:
    assert type(make_line(discipline, first if asks else None)) is kind


@pytest.mark.parametrize(
    ("server", "kind"),
    [
        ({"kind": "slots", "slots": 2}, SlotsServer),
        ({"kind": "batching", "max_batch": 2}, BatchingServer),
        ({"kind": "api", "streams": 2, "overhead_median": 0}, ApiServer),
    ],
)
def test_every_kind_serves_one_at_once_and_tells_the_same_about_itself(server: dict[str, Any], kind: type[Any]) -> None:
    kernel, done = Kernel(), []
    station = make_server(kernel, node_of(server), FifoLine(), done.append)
    assert type(station) is kind
    job = job_of(2.0, output=1)
    station.enter(job)
    assert list(station.in_service) == [job]
    assert (station.occupancy.serving, len(station.line), station.resident, station.swaps) == (1, 0, (0,), 0)
    kernel.advance(10.0)
    assert done == [job]
    assert (job.entered_s, job.start_s, job.finish_s) == (0.0, 0.0, 2.0)
    assert list(station.in_service) == []
