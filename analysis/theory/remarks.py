"""Remarks on a station: what a form assumes that does not hold there, in words that may have a number in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simoffload.plant import PlantNode
from simoffload.schema.nodes import ApiServer

from ..numbers import percent, rounded


@dataclass(frozen=True, slots=True)
class Remark:
    """Words, and a number where they have a {}."""

    words: str
    number: float = 0.0
    is_share: bool = False
    """Whether the number is told as a percentage."""

    def __str__(self) -> str:
        return merged([self])


CHOSEN = Remark("who comes here is chosen by news of the queues; in the form it is chance")


def about_brownouts(node: PlantNode) -> Iterator[Remark]:
    """Times with tighter limits, as no form has them."""
    if isinstance(node.server, ApiServer) and node.server.brownouts is not None:
        yield Remark("it has brown-outs; the form has none")


def merged(remarks: Sequence[Remark]) -> str:
    """Remarks of the same words as one, with the range of their numbers."""
    numbers = sorted(remark.number for remark in remarks)
    told = [percent(each, 1) if remarks[0].is_share else rounded(each) for each in (numbers[0], numbers[-1])]
    return remarks[0].words.format(" to ".join(dict.fromkeys(told)))
