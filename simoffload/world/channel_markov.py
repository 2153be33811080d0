"""Rates that jump between the states of a Markov chain and stay in each for an exponential time.

With two states, good and bad, this is the channel of Gilbert (1960) and Elliott (1963). The chain starts in its
stationary law, so there is no transient to wait for.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

from ..random_streams import Exponentials, Streams, Uniforms
from .channel_path import ChannelError

_BLOCK = 128

Matrix = Sequence[Sequence[float]]


class MarkovSegments:
    """Sojourn after sojourn of a chain with a rate and a mean sojourn in s per state.

    `transition[i][j]` is the chance that j follows i (diagonal 0, rows adding up to 1); without it every other state
    follows with the same chance.
    """

    __slots__ = ("_following", "_mean_sojourn", "_now_s", "_rates", "_sojourns", "_state", "_steps", "mean_bps")

    def __init__(
        self,
        rates: Sequence[float],
        mean_sojourn: Sequence[float],
        transition: Matrix | None,
        streams: Streams,
        entity: str,
    ) -> None:
        count = len(rates)
        chances = transition or [[float(i != j) / (count - 1) for j in range(count)] for i in range(count)]
        visited = stationary_law(chances)
        spent = [share * mean for share, mean in zip(visited, mean_sojourn, strict=True)]
        total = math.fsum(spent)
        self.mean_bps = math.fsum(time / total * rate for time, rate in zip(spent, rates, strict=True))
        if self.mean_bps <= 0:
            raise ChannelError("every state that keeps being visited has rate 0, so nothing would ever get through")
        self._rates = list(rates)
        self._mean_sojourn = list(mean_sojourn)
        self._following = [_successors(row) for row in chances]
        self._sojourns = Exponentials(streams.generator(entity, "channel sojourns"))
        self._steps = Uniforms(streams.generator(entity, "channel states"))
        self._state = _pick(*_successors([time / total for time in spent]), self._steps)
        self._now_s = 0.0

    def next_block(self) -> tuple[list[float], list[float]]:
        """The next sojourns."""
        now, state = self._now_s, self._state
        ends, rates = [], []
        for sojourn in self._sojourns.take(_BLOCK):
            now += self._mean_sojourn[state] * sojourn
            ends.append(now)
            rates.append(self._rates[state])
            state = _pick(*self._following[state], self._steps)
        self._now_s, self._state = now, state
        return ends, rates


def _successors(chances: Sequence[float]) -> tuple[list[int], list[float]]:
    """The states that may follow, and where in [0, 1) the chance passes from each to the next."""
    states = [state for state, chance in enumerate(chances) if chance > 0]
    return states, [math.fsum(chances[: state + 1]) for state in states[:-1]]


def _pick(states: list[int], bounds: list[float], steps: Uniforms) -> int:
    return states[bisect_right(bounds, steps.next())] if bounds else states[0]


def stationary_law(transition: Matrix) -> list[float]:
    """Long-run share of the jumps into each state; ChannelError when it depends on the first state.

    Computed without a subtraction on the states that keep being visited (Grassmann, Taksar, Heyman 1985).
    """
    reached = [_reached(transition, state) for state in range(len(transition))]
    lasting = [i for i, others in enumerate(reached) if all(reached[j][i] for j, can in enumerate(others) if can)]
    for state in lasting:
        if not reached[lasting[0]][state]:
            raise ChannelError(f"states {lasting[0]} and {state} are never followed by one another, not even later")
    p = [[transition[i][j] for j in lasting] for i in lasting]
    for k in range(len(p) - 1, 0, -1):
        out = math.fsum(p[k][:k])
        for i in range(k):
            p[i][k] /= out
            for j in range(k):
                p[i][j] += p[i][k] * p[k][j]
    weights = [1.0]
    for k in range(1, len(p)):
        weights.append(math.fsum(weights[i] * p[i][k] for i in range(k)))
    total = math.fsum(weights)
    law = [0.0] * len(transition)
    for state, weight in zip(lasting, weights, strict=True):
        law[state] = weight / total
    return law


def _reached(transition: Matrix, start: int) -> list[bool]:
    """Which states may come at or after `start`."""
    reached = [state == start for state in range(len(transition))]
    frontier = [start]
    while frontier:
        for state, chance in enumerate(transition[frontier.pop()]):
            if chance > 0 and not reached[state]:
                reached[state] = True
                frontier.append(state)
    return reached
