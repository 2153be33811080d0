"""Work is shared out so that the busiest node is as little busy as the dual of the same programme says it must be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.analysis.theory.placing import best_shares
from simoffload.run.split import least_load

MATRICES = st.integers(1, 5).flatmap(
    lambda nodes: st.lists(st.lists(st.floats(0.01, 2.0), min_size=nodes, max_size=nodes), min_size=1, max_size=5)
)


@settings(max_examples=40)
@given(MATRICES)
def test_the_busiest_node_has_the_least_load_there_is(rows: list[list[float]]) -> None:
    work = np.array(rows)
    shares = best_shares(work)
    assert shares.sum(axis=1) == pytest.approx(1.0)
    assert (shares >= 0).all()
    assert (shares * work).sum(axis=0).max() == pytest.approx(least_load(work), rel=1e-6)


def test_equal_nodes_take_equal_parts_and_unable_ones_nothing() -> None:
    shares = best_shares(np.array([[1.0, 1.0, math.inf], [2.0, 2.0, 0.5]]))
    assert shares[:, 0] == pytest.approx(shares[:, 1])
    assert shares[0].tolist() == pytest.approx([0.5, 0.5, 0.0])


def test_work_that_fits_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="fits nowhere"):
        best_shares(np.array([[math.inf, math.inf]]))
