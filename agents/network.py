"""A small network that scores rows, in numpy: what a trained policy needs to decide."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Network:
    """A perceptron with rectified linear units: rows [k, inputs] to a number per row, [k].

    `weights` are [inputs, outputs] and `biases` [outputs] of each layer; inputs are (row - mean) / scale first.
    """

    mean: Floats
    scale: Floats
    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    _first: tuple[Floats, Floats] = field(init=False, repr=False, compare=False)
    """Weights and biases of the first layer with the standardisation in them."""

    def __post_init__(self) -> None:
        weight = self.weights[0] / self.scale[:, None]
        object.__setattr__(self, "_first", (weight, self.biases[0] - self.mean @ weight))

    def __call__(self, rows: Floats) -> Floats:
        """The number of each row."""
        hidden = rows @ self._first[0]
        hidden += self._first[1]
        for weight, bias in zip(self.weights[1:], self.biases[1:], strict=True):
            np.maximum(hidden, 0.0, out=hidden)
            hidden = hidden @ weight
            hidden += bias
        scored: Floats = hidden[:, 0]
        return scored

    @property
    def inputs(self) -> int:
        """Numbers in a row."""
        return len(self.mean)

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """All of it by name, as single-precision arrays."""
        named = {"mean": self.mean, "scale": self.scale}
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            named |= {f"{layer}.weight": weight, f"{layer}.bias": bias}
        return {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in named.items()}


def network_of(tensors: Mapping[str, NDArray[np.float32]]) -> Network:
    """The network of which `tensors` gave these; ValueError where they do not fit together."""
    arrays = {name: np.asarray(array, dtype=np.float64) for name, array in tensors.items()}
    layers = sum(name.endswith(".weight") for name in arrays)
    wanted = {"mean", "scale", *(f"{k}.{part}" for k in range(layers) for part in ("weight", "bias"))}
    if layers == 0 or set(arrays) != wanted:
        raise ValueError(f"tensors {sorted(arrays)} are no network")
    width = arrays["mean"].shape
    if len(width) != 1 or arrays["scale"].shape != width:
        raise ValueError("mean and scale are not of the same length")
    inputs = width[0]
    for layer in range(layers):
        weight, bias = arrays[f"{layer}.weight"], arrays[f"{layer}.bias"]
        if weight.ndim != 2 or bias.ndim != 1 or weight.shape != (inputs, len(bias)):
            raise ValueError(f"layer {layer} of shape {weight.shape} does not follow one of {inputs} outputs")
        inputs = len(bias)
    if inputs != 1:
        raise ValueError(f"the last layer has {inputs} outputs, not 1")
    if not all(np.isfinite(array).all() for array in arrays.values()) or not (arrays["scale"] > 0).all():
        raise ValueError("a number is not finite, or a scale is not above 0")
    return Network(
        mean=arrays["mean"],
        scale=arrays["scale"],
        weights=tuple(arrays[f"{layer}.weight"] for layer in range(layers)),
        biases=tuple(arrays[f"{layer}.bias"] for layer in range(layers)),
    )


def new_network(inputs: int, hidden: Sequence[int], generator: np.random.Generator) -> Network:
    """A network with random hidden layers (He 2015) whose last layer is 0: it says 0 of every row."""
    sizes = [inputs, *hidden, 1]
    weights = [generator.normal(0.0, (2.0 / a) ** 0.5, (a, b)) for a, b in itertools.pairwise(sizes)]
    weights[-1][:] = 0.0
    return Network(np.zeros(inputs), np.ones(inputs), tuple(weights), tuple(np.zeros(size) for size in sizes[1:]))
