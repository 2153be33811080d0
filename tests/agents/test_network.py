"""Networks in numpy: the same function as in torch, whole on disk or refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.agents.learning.networks import Scorer
from simoffload.agents.network import Network, network_of, new_network
from tests.agents.learning.episodes import random_network


def by_hand() -> Network:
    return Network(
        mean=np.array([1.0, 0.0]),
        scale=np.array([2.0, 1.0]),
        weights=(np.array([[1.0, -1.0], [0.0, 2.0]]), np.array([[3.0], [1.0]])),
        biases=(np.array([0.5, 0.0]), np.array([-1.0])),
    )


def test_a_row_goes_through_the_layers_with_a_bend_at_0() -> None:
    # (5, 1): standardised (2, 1); hidden (2.5, 0); 3 2.5 - 1.  (1, 1): (0, 1); (0.5, 2); 1.5 + 2 - 1
    assert by_hand()(np.array([[5.0, 1.0], [1.0, 1.0]])) == pytest.approx([6.5, 2.5])


def test_rows_are_not_written_to() -> None:
    rows = np.array([[-3.0, -4.0]])
    Network(np.zeros(2), np.ones(2), (np.ones((2, 1)),), (np.zeros(1),))(rows)
    by_hand()(rows)
    assert rows.tolist() == [[-3.0, -4.0]]


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), hidden=st.lists(st.integers(1, 9), max_size=3), rows=st.integers(1, 7))
def test_numpy_and_torch_say_the_same(seed: int, hidden: list[int], rows: int) -> None:
    torch.manual_seed(seed)
    scorer = Scorer(6, hidden, zero_last=False)
    sample = torch.randn(20, 6) * 3 + 1
    scorer.standardise(sample)
    with torch.no_grad():
        expected = scorer(sample[:rows]).numpy()
    assert scorer.exported()(sample[:rows].numpy().astype(np.float64)) == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_a_new_network_says_0_of_every_row() -> None:
    network = new_network(4, (3, 2), np.random.default_rng(1))
    assert network.inputs == 4
    assert network(np.random.default_rng(2).normal(size=(9, 4))).tolist() == [0.0] * 9
    assert np.count_nonzero(network.weights[0]) == 12


@given(seed=st.integers(0, 2**32 - 1), order=st.permutations(range(5)))
@settings(max_examples=25)
def test_the_order_of_rows_is_the_order_of_numbers_and_nothing_else(seed: int, order: list[int]) -> None:
    network = random_network(3, seed)
    rows = np.random.default_rng(seed).normal(size=(5, 3))
    assert network(rows[order]) == pytest.approx(network(rows)[order], abs=1e-12)


def test_tensors_give_the_network_back_to_single_precision() -> None:
    network = random_network(7, 1, (4, 3))
    back = network_of(network.tensors())
    rows = np.random.default_rng(2).normal(size=(10, 7))
    assert back(rows) == pytest.approx(network(rows), rel=1e-5, abs=1e-5)
    assert [array.tolist() for array in back.tensors().values()] == [
        array.tolist() for array in network.tensors().values()
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"1.bias": None}, "are no network"),
        ({"mean": None}, "are no network"),
        ({"2.weight": np.ones((1, 1))}, "are no network"),
        ({"extra": np.ones(1)}, "are no network"),
        ({"scale": np.ones(3)}, "not of the same length"),
        ({"mean": np.ones((2, 1))}, "not of the same length"),
        ({"0.weight": np.ones((3, 2))}, r"layer 0 of shape \(3, 2\) does not follow one of 2 outputs"),
        ({"1.weight": np.ones(2)}, r"layer 1 of shape \(2,\)"),
        ({"1.weight": np.ones((2, 2)), "1.bias": np.ones(2)}, "the last layer has 2 outputs, not 1"),
        ({"scale": np.array([1.0, 0.0])}, "a scale is not above 0"),
        ({"0.bias": np.array([np.nan, 0.0])}, "a number is not finite"),
        ({"1.weight": np.array([[np.inf], [0.0]])}, "a number is not finite"),
    ],
)
def test_tensors_that_make_no_network_are_refused(change: dict[str, np.ndarray | None], message: str) -> None:
    tensors = {name: array for name, array in {**by_hand().tensors(), **change}.items() if array is not None}
    with pytest.raises(ValueError, match=message):
        network_of(tensors)


def test_no_tensors_are_no_network() -> None:
    with pytest.raises(ValueError, match="are no network"):
        network_of({"mean": np.ones(1, dtype=np.float32), "scale": np.ones(1, dtype=np.float32)})
