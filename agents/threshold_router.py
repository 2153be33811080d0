"""A threshold router in the manner of HybridFlow: the cloud for what is worth it, less readily as the budget goes.

HybridFlow (arXiv:2512.22137) compares a learned utility of the cloud with a threshold that rises with the tokens and
the time already spent. Its budget is one question's and its utility a network's; here the tokens are those of a stream
of tasks, so each home has a bucket that drains at a steady rate, and the utility is a logistic in the subtask's
difficulty and in the time the cloud would save.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simoffload.decision import Decision

from .choosing import least_among

if TYPE_CHECKING:
    import numpy as np

    from simoffload.decision import Observation, Setting


@dataclass(eq=False)
class ThresholdRouter:
    """Cloud where utility > threshold, else edge; on either side the node that finishes first. Queues by arrival.

    utility = sigmoid(steepness (difficulty - even_difficulty) + haste (edge finish - cloud finish) / L_ref),
    threshold = clip(base + token_rise used/token_budget + latency_rise age/latency_budget_s, 0, 1).
    """

    steepness: float = 1.0
    """Growth of the utility's logit per unit of difficulty."""
    even_difficulty: float = 0.0
    """Difficulty at which the cloud's utility is 1/2 if both sides finish together."""
    haste: float = 1.0
    """Growth of the utility's logit per reference latency that the cloud saves."""
    base: float = 0.3
    """Threshold while nothing has been spent."""
    token_rise: float = 0.5
    """Rise of the threshold when the home's token budget is used up."""
    latency_rise: float = 0.5
    """Rise of the threshold when the task's latency budget is used up."""
    token_budget: float = 8192.0
    """Cloud tokens, read and written, that a home's bucket holds."""
    refill_s: float = 50.0
    """Time in which a full bucket drains: the home may spend token_budget / refill_s tokens a second for ever."""
    latency_budget_s: float = 50.0
    """Age of a task at which its latency budget is used up."""
    order: str = "fifo"

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """Empty every home's bucket; the rule draws nothing."""
        self._latency_reference_s = setting.latency_reference_s
        self._buckets: dict[int, tuple[float, float]] = {}

    def decide(self, observation: Observation) -> Decision:
        """The better node of the side that the threshold allows; the other side where one has no node that is up."""
        edges, clouds = ~observation.is_cloud, observation.is_cloud
        if observation.up_rows is not None:
            edges, clouds = edges & observation.is_up, clouds & observation.is_up
        edge, cloud = least_among(observation.finish_s, edges), least_among(observation.finish_s, clouds)
        used = self._used_tokens(observation)
        if cloud is None:
            assert edge is not None, "an observation has at least one candidate"
            return Decision(edge)
        if edge is not None:
            cloud_s = float(observation.finish_s[cloud])
            saved_s = float(observation.finish_s[edge]) - cloud_s if math.isfinite(cloud_s) else -math.inf
            if self._utility(observation.difficulty, saved_s) <= self._threshold(used, observation.task_age_s):
                return Decision(edge)
        spent = observation.prompt_tokens + observation.expected_output_tokens
        self._buckets[observation.home] = (observation.now_s, used + spent)
        return Decision(cloud)

    def _utility(self, difficulty: float, saved_s: float) -> float:
        logit = self.steepness * (difficulty - self.even_difficulty) + self.haste * saved_s / self._latency_reference_s
        return 0.5 * (1.0 + math.tanh(0.5 * logit))

    def _threshold(self, used_tokens: float, age_s: float) -> float:
        rise = self.token_rise * used_tokens / self.token_budget + self.latency_rise * age_s / self.latency_budget_s
        return min(max(self.base + rise, 0.0), 1.0)

    def _used_tokens(self, observation: Observation) -> float:
        then_s, used = self._buckets.get(observation.home, (observation.now_s, 0.0))
        return max(0.0, used - (observation.now_s - then_s) * self.token_budget / self.refill_s)


def tuned() -> ThresholdRouter:
    """The threshold router at the values that did best in a grid search on `smart-factory`: a fixed threshold.

    `studies/grids.py` is the search and `studies/grids/threshold-router.md` what it found.
    """
    return ThresholdRouter(base=0.3, haste=16.0, token_rise=0.0, latency_rise=0.0)
