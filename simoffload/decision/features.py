"""What a network reads of an observation: one row of numbers per candidate, all of size about one.

Times are in units of L_ref and costs in units of C_ref, so that a policy trained on one plant can be used on another;
quantities that may be large go through log(1 + x) with their sign. Whatever is common to all rows (the subtask, the
task, the home's own link, how busy the plant is) stands in every row. The columns are named in `POSITION_COLUMNS` and
`ORDER_COLUMNS`, in order.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .observation import Observation
from .order import OrderObservation

Floats = NDArray[np.float64]

_ROW_TIMES = (
    "transfer", "wait", "service", "swap", "finish", "finish_gap", "completion_gap", "way_home", "arrival_after_wait",
)  # fmt: skip
_ROW_COSTS = ("cost", "cost_gap", "score_gap")
_ROW_COUNTS = ("queue_length", "in_service", "free_share")
_ROW_FLAGS = ("is_cloud", "is_home", "is_other_edge", "age")
_COMMON = (
    "weight", "log_weight", "upward_rank", "tail", "slack", "on_critical_path", "task_age", "prompt", "output",
    "demand", "uplink_backlog", "uplink_rate", "least_finish", "mean_wait", "least_edge_wait", "least_cloud_wait",
    "candidates", "subtasks", "unplaced", "under_way", "is_explain", "is_analyze", "is_generate", "is_text", "is_image",
    "is_audio", "is_sensor", "latency_weight",
)  # fmt: skip
POSITION_COLUMNS = (*_ROW_TIMES, *_ROW_COSTS, *_ROW_COUNTS, *_ROW_FLAGS, *_COMMON)
ORDER_COLUMNS = (
    "service", "service_gap", "service_by_weight", "waited", "waited_gap", "task_age", "rank", "rank_gap", "weight",
    "bytes", "place", "waiting", "is_link", "is_explain", "is_analyze", "is_generate",
)  # fmt: skip
_SIZE_TOKENS = 1000.0
_NO_WAIT_S = 1e3
"""Stands for the wait at a kind of node that is not among the candidates."""


def position_features(seen: Observation) -> Floats:
    """[candidates, columns] of an observation for positioning a subtask."""
    setting = seen.setting
    latency, cost = 1.0 / setting.latency_reference_s, 1.0 / setting.cost_reference_usd
    transfer, wait, finish = seen.transfer_s, seen.wait_s, seen.finish_s
    completion, price, score = seen.completion_s, seen.cost_usd, seen.score
    queue, serving, kinds = seen.queue_length, seen.in_service, seen.kinds
    waits, least = wait.tolist(), seen.least_finish_s
    columns = np.empty((len(POSITION_COLUMNS), len(waits)))
    columns[0] = transfer
    columns[1] = wait
    columns[2] = seen.service_s
    columns[3] = seen.swap_s
    columns[4] = finish
    columns[5] = finish - least
    columns[6] = completion - min(completion.tolist())
    columns[7] = seen.way_home_s
    columns[8] = transfer - wait
    columns[:9] *= latency
    columns[9] = price
    columns[10] = price - min(price.tolist())
    columns[9:11] *= cost
    columns[11] = score - min(score.tolist())
    columns[12] = queue
    columns[13] = serving
    columns[14] = 1.0 / (1.0 + queue + serving)
    columns[15:18] = kinds
    columns[18] = seen.age_s * latency * (1.0 - kinds[1])
    columns[19:] = np.array(_common(seen, latency, waits, least))[:, None]
    compressed = np.log1p(np.abs(columns))
    return np.copysign(compressed, columns, out=compressed).T


def _common(seen: Observation, latency: float, waits: list[float], least_finish: float) -> list[float]:
    """The columns that are the same in every row."""
    clouds = seen.is_cloud.tolist()
    cloud = [wait for wait, is_cloud in zip(waits, clouds, strict=True) if is_cloud]
    edge = [wait for wait, is_cloud in zip(waits, clouds, strict=True) if not is_cloud]
    backlog_s, rate = seen.uplink
    placed, under_way, subtasks = seen.progress
    stage, modality = [0.0] * 3, [0.0] * 4
    stage[seen.stage] = 1.0
    modality[seen.modality] = 1.0
    weight, slack = seen.task_weight, seen.slack_s
    return [
        weight,
        math.log(max(weight, 1e-3)),
        seen.upward_rank_s * latency,
        seen.tail_s * latency,
        slack * latency,
        float(slack <= 0.0),
        seen.task_age_s * latency,
        seen.prompt_tokens / _SIZE_TOKENS,
        seen.expected_output_tokens / _SIZE_TOKENS,
        seen.expected_demand_s * latency,
        backlog_s * latency,
        rate,
        least_finish * latency,
        sum(waits) / len(waits) * latency,
        min(edge, default=_NO_WAIT_S) * latency,
        min(cloud, default=_NO_WAIT_S) * latency,
        len(waits),
        subtasks,
        subtasks - placed,
        under_way,
        *stage,
        *modality,
        seen.setting.latency_weight,
    ]


def order_features(seen: OrderObservation) -> Floats:
    """[waiting jobs, columns] of an observation for choosing who goes next."""
    latency = 1.0 / seen.latency_reference_s
    service, waited, rank = seen.expected_service_s, seen.waited_s, seen.upward_rank_s
    count = len(service)
    rows = np.empty((count, len(ORDER_COLUMNS)))
    rows[:, 0] = service
    rows[:, 1] = service - service.min()
    rows[:, 2] = service / np.maximum(seen.task_weight, 1e-3)
    rows[:, 3] = waited
    rows[:, 4] = waited.max() - waited
    rows[:, 5] = seen.task_age_s
    rows[:, 6] = rank
    rows[:, 7] = rank - rank.min()
    rows[:, :8] *= latency
    rows[:, 8] = seen.task_weight
    rows[:, 9] = seen.bytes / 1e6
    rows[:, 10] = np.arange(count)
    rows[:, 11] = count
    rows[:, 12] = float(seen.bytes.any())
    for stage in range(3):
        rows[:, 13 + stage] = seen.stage == stage
    compressed = np.log1p(np.abs(rows))
    return np.copysign(compressed, rows, out=compressed)
