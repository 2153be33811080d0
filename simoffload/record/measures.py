"""What a run can keep as a stream of values: one of every measured task, or of every subtask of such tasks.

`latency` in s, `objective` a pure number and `cost` in USD per 1000 tasks are of tasks, in the order in which they end;
`waiting` and `service` in s are of subtasks, in the order in which they are served.
"""

from __future__ import annotations

MEASURES = ("latency", "objective", "cost", "waiting", "service")
PER_1000 = 1000.0
"""Costs are told of so many tasks."""
