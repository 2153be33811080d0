"""Trained policies as agents: what `simoffload train` has left is used as ``trained:PATH``."""

from __future__ import annotations

from pathlib import Path

from simoffload.decision import Agent
from simoffload.record.durable import RecordError, read_json

from . import kind_table, tuned_index
from .policy_file import LARGEST_CARD, file_of, policy_at, read_policy
from .scoring import ScoringAgent


def read(argument: str) -> Agent:
    """A trained policy, read from PATH.json and, if it has networks, PATH.safetensors; or from PATH/policy.json."""
    if not argument:
        raise RecordError("the path of a policy is missing behind 'trained:'")
    policy = policy_at(Path(argument))
    card = file_of(policy, ".json")
    kind = _kind(card)
    if kind == kind_table.KIND:
        return kind_table.TableAgent(kind_table.read_table(card))
    if kind == tuned_index.KIND:
        return tuned_index.TunedIndex(card)
    return ScoringAgent(read_policy(policy)[0])


def _kind(card: Path) -> object:
    """What a card says it is of; None where it says nothing, or is none."""
    try:
        said = read_json(card, LARGEST_CARD)
    except RecordError:
        return None
    return said.get("kind") if isinstance(said, dict) else None
