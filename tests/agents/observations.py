"""Hand-made observations: the attributes an agent may read, with plain numbers where a test gives none."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

EDGES = 4
"""Nodes 0..3 are edge nodes, higher ones cloud servers."""

SETTING = SimpleNamespace(
    node_ids=("cell-0", "cell-1", "cell-2", "cell-3", "cloud-0", "cloud-1"),
    edges=EDGES,
    is_cloud=np.array([False, False, False, False, True, True]),
    modalities=np.ones((6, 4), dtype=bool),
    latency_weight=0.5,
    latency_reference_s=10.0,
    cost_reference_usd=0.02,
    telemetry_interval_s=5.0,
    order="at_service_start",
)


@dataclass
class Sight:
    """An observation for positioning one subtask; arrays run over `candidates`."""

    candidates: Any
    now_s: float = 100.0
    home: int = 1
    age_s: float = 2.0
    stage: int = 1
    modality: int = 0
    subtask: int = 0
    task_weight: float = 1.0
    task_age_s: float = 3.0
    prompt_tokens: float = 600.0
    expected_output_tokens: float = 100.0
    expected_demand_s: float = 0.0
    difficulty: float = 0.0
    upward_rank_s: float = 20.0
    on_critical_path: bool = True
    kind: str = "position"
    up_rows: Any = None
    arrays: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.candidates = np.asarray(self.candidates)
        self.is_cloud = self.candidates >= EDGES
        self.is_home = self.candidates == self.home
        for name, values in self.arrays.items():
            setattr(self, name, np.asarray(values, dtype=float))

    @property
    def rows_that_may_be(self) -> Any:
        """Those that are up, if they are told apart."""
        return np.arange(len(self.candidates)) if self.up_rows is None else self.up_rows

    @property
    def least_finish_s(self) -> float:
        """The least of the finish times."""
        return float(self.finish_s.min())  # type: ignore[attr-defined]

    @property
    def score(self) -> Any:
        """w weight finish / L_ref + (1-w) cost / C_ref with the references above."""
        setting = SETTING
        delay = self.task_weight * self.finish_s / setting.latency_reference_s  # type: ignore[attr-defined]
        cost = self.cost_usd / setting.cost_reference_usd  # type: ignore[attr-defined]
        return setting.latency_weight * delay + (1 - setting.latency_weight) * cost


def sight(candidates: list[int], *, at: dict[str, Any] | None = None, **arrays: Any) -> Sight:
    """An observation of these nodes, with arrays by name and scalars in `at`."""
    return Sight(candidates, arrays=arrays, **(at or {}))


def started(agent: Any, seed: int = 1) -> Any:
    """The agent after a reset in the setting above."""
    agent.reset(SETTING, np.random.default_rng(seed))
    return agent
