"""Several runs in lockstep, so that a network scores the rows of all of them in one pass.

Each run goes in a greenlet, a stack of its own, without threads. Where it asks a shared network it is put aside; when
all runs wait, the rows of those that ask the same network are stacked, scored and handed back. What a run does depends
on the others only through rounding: the product of a larger matrix may round otherwise in its last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np
from greenlet import getcurrent, greenlet
from numpy.typing import NDArray

from .network import Network
from .scoring import Heads

Floats = NDArray[np.float64]
Result = TypeVar("Result")


class SharedNetwork:
    """Stands for a network within `in_lockstep`."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.inputs = network.inputs

    def __call__(self, rows: Floats) -> Floats:
        """The number of each row, once the other runs have come as far."""
        hub = getcurrent().parent
        assert hub is not None, "a shared network is asked outside of in_lockstep"
        return cast(Floats, hub.switch((self.network, rows)))


def shared(heads: Heads) -> Heads:
    """The same policy with networks that are shared."""
    return replace(heads, position=_shared(heads.position), order=_shared(heads.order))


def _shared(network: Network | None) -> Network | None:
    return None if network is None else cast(Network, SharedNetwork(network))


def in_lockstep(runs: Sequence[Callable[[], Result]]) -> list[Result]:
    """What each run returns. An error of one ends all."""
    results: dict[int, Any] = {}
    players = [greenlet(run) for run in runs]
    waiting: dict[int, tuple[Network, Floats]] = {}

    def go_on(number: int, *answer: Floats) -> None:
        said = players[number].switch(*answer)
        (results if players[number].dead else waiting)[number] = said

    try:
        for number in range(len(players)):
            go_on(number)
        while waiting:
            asked = dict(waiting)
            waiting.clear()
            for number, answer in _answers(asked).items():
                go_on(number, answer)
    finally:
        for player in players:
            if not player.dead:
                player.throw()
    return [results[number] for number in range(len(runs))]


def _answers(asked: dict[int, tuple[Network, Floats]]) -> dict[int, Floats]:
    """By run, in order, what its network says of its rows."""
    networks = {id(network): network for network, _ in asked.values()}
    answers: dict[int, Floats] = {}
    for key, network in networks.items():
        mine = [number for number, (other, _) in asked.items() if id(other) == key]
        rows = [asked[number][1] for number in mine]
        scores = network(np.concatenate(rows))
        parts = np.split(scores, np.cumsum([len(each) for each in rows[:-1]]))
        answers.update(zip(mine, parts, strict=True))
    return {number: answers[number] for number in asked}
