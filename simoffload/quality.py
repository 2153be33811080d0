"""Quality: whether an answer is right, by the skill of the model and the difficulty of the subtask.

The chance is a logistic in skill minus difficulty, as in item response theory (Rasch 1960), and less for each wrong
answer that was built on. The luck of a subtask is drawn once, before anybody decides, so that what an able model gets
wrong a less able one does not get right.
"""

from __future__ import annotations

import math

from .plant import HostedModel
from .schema.scenario import Quality
from .tasks.graph import EXPLAIN


def chance_of_right(
    quality: Quality, model: HostedModel, stage: int, modality: int, difficulty: float, wrong_before: int
) -> float:
    """1/(1 + exp(-slope (skill - difficulty))) carry^(wrong predecessors)."""
    skill = model.skill[stage] + (model.modality_skill[modality] if stage == EXPLAIN else 0.0)
    logit = quality.slope * (skill - difficulty)
    right = 0.5 * (1.0 + math.tanh(0.5 * logit))
    return right * math.pow(quality.carry, wrong_before)
