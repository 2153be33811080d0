"""Static schedulers: one task graph, all costs known, nobody else on the machines.

List schedulers are the published originals of the rules that `heft` and `peft` apply one ready subtask at a time, and
the yardstick for small instances: :func:`heft`, :func:`cpop` and :func:`peft` turn an :class:`Instance` into a
:class:`Schedule`. :func:`genetic` begins with theirs and searches on.
"""

from __future__ import annotations

from .cpop import cpop
from .genetic import Search, genetic
from .heft import heft
from .instance import Instance, InstanceError
from .peft import peft
from .schedule import Schedule, ScheduleError

__all__ = ["Instance", "InstanceError", "Schedule", "ScheduleError", "Search", "cpop", "genetic", "heft", "peft"]
