"""The engines on one M/M/c, and what they must agree on: every wait, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module

from ..rounds import Program
from . import raw_simpy
from .load import Load, checksum

RAW, LOOP = "SimPy, process per job and Resource", "heapq loop written for the model"
CIW, SALABIM = "Ciw", "salabim, component per job"
STATION, RECORDED = "simoffload stations, statistics", "simoffload stations, full records on disk"

ENGINES = {
    RAW: "raw_simpy.waits_s",
    "SimPy, callbacks only": "simpy_callbacks.waits_s",
    LOOP: "heapq_loop.waits_s",
    "simoffload kernel, callbacks only": "kernel_calls.waits_s",
    CIW: "ciw_network.waits_s",
    SALABIM: "salabim_components.waits_s",
    STATION: "stations.waits_s",
    RECORDED: "stations.recorded_waits_s",
}
"""Where each is found; imported when it is run, as not all may be installed."""
FEWER = {CIW: 4, SALABIM: 100}
"""Engines that get one job in so many, because they would take minutes."""


def load_of(name: str, load: Load) -> Load:
    """The load that an engine gets."""
    return replace(load, jobs=max(load.jobs // FEWER.get(name, 1), 1))


def programs(load: Load) -> Sequence[Program]:
    """A program per engine."""
    return [_program(name, load_of(name, load)) for name in ENGINES]


def _program(name: str, load: Load) -> Program:
    module, function = ENGINES[name].split(".")
    waits_s: Callable[[Load], list[float]] = getattr(import_module(f".{module}", __package__), function)
    return Program(name, load.jobs, lambda: waits_s(load), checksum)


def expected_checksums(load: Load) -> dict[str, str]:
    """By engine the checksum of the waits that plain SimPy finds."""
    waits = raw_simpy.waits_s(load)
    return {name: checksum(waits, load_of(name, load).jobs) for name in ENGINES}
