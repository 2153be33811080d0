"""Policies that score candidates: a rule's score and a network's correction, and from both the chances of each row.

logits = network(features) - kappa (score - least score). With the last layer at 0 the policy is a soft version of its
rule, and with a large kappa the rule itself. The rule places a subtask where it is expected to be finished first, if
the policy says so at the speeds that homes have measured, and among waiting jobs takes the first come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simoffload.decision import Decision
from simoffload.decision.features import ORDER_COLUMNS, POSITION_COLUMNS, order_features, position_features

from .choosing import least_up
from .measured_speed import MEMORY_S, SpeedsByHome, finish_at
from .network import Network

if TYPE_CHECKING:
    from simoffload.decision import Observation, Setting

Floats = NDArray[np.float64]
NEVER = -1e9
"""Logit of a row that is never taken."""
ALLOWED = NEVER / 2
"""Logits above it are of rows that may be."""
COLUMNS = {"position": POSITION_COLUMNS, "order": ORDER_COLUMNS}


@dataclass(frozen=True, slots=True)
class Heads:
    """The networks of a policy. Without one for order lines go by arrival; without one for positions the rule does."""

    position: Network | None
    order: Network | None
    kappa: float
    """Weight of the rule's score, per L_ref of later finish."""
    kappa_order: float
    """Weight of a job's place in line."""
    optimism: float | None = None
    """Of the measured speeds that the rule reckons with; None: it trusts the plant's description."""
    orders_from: int = 2
    """How many must wait for the policy to choose among them; of fewer the first come goes."""

    def speeds(self, setting: Setting) -> SpeedsByHome | None:
        """Where a run's homes will keep what they hear, if they do."""
        return None if self.optimism is None else SpeedsByHome(len(setting.node_ids), MEMORY_S, self.optimism)

    def evaluate(self, seen: Any, speeds: SpeedsByHome | None = None) -> tuple[Floats, Floats, Floats]:
        """Of an observation of either kind the features, the network's numbers, and the rule's part, [k]."""
        if seen.kind == "order":
            assert self.order is not None
            rows = order_features(seen)
            return rows, self.order(rows), -self.kappa_order * np.arange(float(len(rows)))
        rows = position_features(seen)
        rule = position_score(seen, speeds)
        if self.position is None:
            best = np.full(len(rule), NEVER)
            best[least_up(rule, seen)] = 0.0
            return rows, np.zeros(len(rule)), best
        return rows, self.position(rows), never_down(-self.kappa * rule, seen)


def position_score(seen: Observation, speeds: SpeedsByHome | None = None) -> Floats:
    """The rule's score above its least, in units of L_ref: the finish time, whose least comes first."""
    if speeds is None:
        finish, least_s = seen.finish_s, seen.least_finish_s
    else:
        finish = finish_at(seen, speeds.slowness(seen))
        least_s = min(finish.tolist())
    score: Floats = (finish - least_s) / seen.setting.latency_reference_s
    return score


def never_down(logits: Floats, seen: Observation) -> Floats:
    """Logits with those of nodes known to be down at `NEVER`, where another is up."""
    up = seen.up_rows
    if up is None:
        return logits
    masked = np.full(len(logits), NEVER)
    masked[up] = logits[up]
    return masked


def chances(logits: Floats) -> Floats:
    """Softmax."""
    weights = np.exp(logits - logits.max())
    shares: Floats = weights / weights.sum()
    return shares


class ScoringAgent:
    """Takes the row of the largest logit; of equal ones the first."""

    def __init__(self, heads: Heads) -> None:
        self._heads = heads
        self.order: str = "fifo" if heads.order is None else "decide"
        self.orders_from = heads.orders_from

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """A new run begins; the policy draws nothing."""
        self._speeds = self._heads.speeds(setting)

    def decide(self, observation: Any) -> Decision:
        """The best row."""
        _, corrections, rule = self._heads.evaluate(observation, self._speeds)
        return Decision(int(np.argmax(corrections + rule)))
