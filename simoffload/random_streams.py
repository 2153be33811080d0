"""Random numbers: a stream of its own for every source of chance, and standard variates drawn ahead in blocks.

Think of a row of sealed decks of cards, one for each thing that chance decides: when tasks reach a node, how long
their answers are, how a radio channel fades. Two policies on one seed are dealt the same cards, and adding a node adds
decks without touching the others (common random numbers).

A block is drawn into a plain list, because Python reads a list several times faster than it calls numpy. Blocks start
small and grow, so that a stream that is hardly used costs little; their sizes do not change the numbers. Everything
here pickles and goes on afterwards with the very numbers it would have given: what lies ahead is drawn again.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
T = TypeVar("T")

_FIRST_BLOCK = 16
_LARGEST_BLOCK = 1024
_KEY_WORDS = 4


@dataclass(frozen=True, slots=True)
class Streams:
    """All streams that belong to a seed (a whole number of at least 0)."""

    seed: int

    def generator(self, entity: str, purpose: str) -> np.random.Generator:
        """A fresh generator of the stream that serves `purpose` at `entity`, at its beginning.

        PCG64 seeded by the seed and 128 bits of a hash of both names (BLAKE2b).
        """
        name = f"{len(entity)}:{entity}{purpose}".encode()
        digest = blake2b(name, digest_size=4 * _KEY_WORDS).digest()
        words = tuple(int.from_bytes(digest[4 * k : 4 * k + 4], "little") for k in range(_KEY_WORDS))
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=words)))


class _Variates:
    """Standard variates of some law, one at a time or several at once; nobody else may draw from the generator."""

    __slots__ = ("_ahead", "_before", "_block", "_fresh", "_generator")

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._ahead: list[float] = []
        """Drawn and not yet given out, the next one last."""
        self._block = _FIRST_BLOCK
        self._before = generator.bit_generator.state
        """Of the generator, before it was last drawn from, and how many variates were drawn then."""
        self._fresh = 0

    def next(self) -> float:
        """The next variate."""
        return (self._ahead or self._refill(1)).pop()

    def take(self, count: int) -> list[float]:
        """The next `count` variates, in the order in which `next` would give them."""
        ahead = self._ahead if len(self._ahead) >= count else self._refill(count)
        left = len(ahead) - count
        taken = ahead[left:]
        del ahead[left:]
        taken.reverse()
        return taken

    def _refill(self, least: int) -> list[float]:
        """Draw a block, and another until at least `least` variates lie ahead."""
        self._before = self._generator.bit_generator.state
        self._fresh = 0
        while len(self._ahead) < least:
            fresh: list[float] = self._draw(self._block)[::-1].tolist()
            self._ahead[:0] = fresh
            self._fresh += self._block
            self._block = min(2 * self._block, _LARGEST_BLOCK)
        return self._ahead

    def _draw(self, count: int) -> Values:
        raise NotImplementedError

    def __getstate__(self) -> tuple[Any, ...]:
        """With the generator as it was before it was last drawn from, and only older variates themselves."""
        left = min(len(self._ahead), self._fresh)
        kind = type(self._generator.bit_generator)
        return kind, self._before, self._fresh, left, self._ahead[left:], self._block

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        kind, self._before, self._fresh, left, older, self._block = state
        bits = kind(0)
        bits.state = self._before
        self._generator = np.random.Generator(bits)
        again: list[float] = self._draw(self._fresh)[::-1].tolist()
        self._ahead = again[:left] + older


class Uniforms(_Variates):
    """Uniform on [0, 1)."""

    __slots__ = ()

    def _draw(self, count: int) -> Values:
        return self._generator.random(count)


class Normals(_Variates):
    """Normal with mean 0 and standard deviation 1."""

    __slots__ = ()

    def _draw(self, count: int) -> Values:
        return self._generator.standard_normal(count)


class Exponentials(_Variates):
    """Exponential with mean 1."""

    __slots__ = ()

    def _draw(self, count: int) -> Values:
        return self._generator.standard_exponential(count)


class Gammas(_Variates):
    """Gamma with the given shape and scale 1: its mean is the shape."""

    __slots__ = ("_shape",)

    def __init__(self, generator: np.random.Generator, shape: float) -> None:
        super().__init__(generator)
        self._shape = shape

    def _draw(self, count: int) -> Values:
        return self._generator.standard_gamma(self._shape, count)

    def __getstate__(self) -> tuple[Any, ...]:
        return self._shape, super().__getstate__()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._shape, drawn = state
        super().__setstate__(drawn)


class Alternatives(Generic[T]):
    """Values one of which is picked by chance; those of weight 0 are left out."""

    __slots__ = ("_bounds", "chances", "values")

    def __init__(self, values: Sequence[T], weights: Sequence[float]) -> None:
        total = math.fsum(weights)
        pairs = [(value, weight) for value, weight in zip(values, weights, strict=True) if weight > 0]
        self.values = tuple(value for value, _ in pairs)
        self.chances = tuple(weight / total for _, weight in pairs)
        self._bounds = [math.fsum(self.chances[: k + 1]) for k in range(len(pairs) - 1)]

    def pick(self, uniform: float) -> T:
        """The value that a number from [0, 1) stands for."""
        return self.values[bisect_right(self._bounds, uniform)]
