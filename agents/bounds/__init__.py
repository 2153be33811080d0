"""Bounds: the best that could be done, where it can be worked out, to tell how far an agent is from it.

For a few tasks whose every length is known, :func:`optimum` finds the best schedule by constraint programming, and
:func:`gaps` holds agents against it. For a plant of queues with exponential services, :func:`solve` finds the best
routing table by value iteration, which no agent can beat on average.
"""

from __future__ import annotations

from .gaps import Gap, GapSummary, gaps, summarise
from .instance import InstanceError, StaticInstance, instances, static_instance
from .optimum import optimum
from .replay import replay, simulated_objective
from .routing import ByTable, Routing, RoutingError, routing_of
from .solution import Optimum, Service
from .value_iteration import Solution, average_cost, solve

__all__ = [
    "ByTable",
    "Gap",
    "GapSummary",
    "InstanceError",
    "Optimum",
    "Routing",
    "RoutingError",
    "Service",
    "Solution",
    "StaticInstance",
    "average_cost",
    "gaps",
    "instances",
    "optimum",
    "replay",
    "routing_of",
    "simulated_objective",
    "solve",
    "static_instance",
    "summarise",
]
