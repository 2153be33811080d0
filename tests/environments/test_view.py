"""What is seen of a decision: the features of trained agents in one shape, padded and masked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simoffload.decision import Observation, OrderObservation
from simoffload.decision.features import ORDER_COLUMNS, POSITION_COLUMNS, order_features, position_features
from simoffload.environments.process import DecisionProcess
from simoffload.environments.view import LARGEST, LINE_ROWS, View
from tests.environments.plants import BUSY
from tests.environments.test_process import drawn
from tests.strategies import scenarios

POSITIONS, ORDERS = len(POSITION_COLUMNS), len(ORDER_COLUMNS)


def test_there_is_a_row_for_every_node_that_could_serve_the_same_modality() -> None:
    view = View(DecisionProcess("tiny").plant, "fifo")
    assert (view.rows, view.columns) == (3, POSITION_COLUMNS)
    factory = DecisionProcess("smart-factory").plant
    assert View(factory, "fifo").rows == sum(node.model_for[0] >= 0 for node in factory.nodes)


def test_with_choices_of_waiting_jobs_their_columns_come_after_those_of_positions() -> None:
    view = View(DecisionProcess("tiny").plant, "decide")
    assert view.columns == (*POSITION_COLUMNS, *ORDER_COLUMNS)
    assert view.rows == LINE_ROWS


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(written=scenarios(), order=st.sampled_from(["fifo", "wspt", "decide"]), seed=st.integers(0, 99))
def test_rows_are_the_features_and_everything_else_is_0_and_masked(written: dict, order: str, seed: int) -> None:
    process, generator = DecisionProcess(drawn(written), order=order), np.random.default_rng(seed)
    view = View(process.plant, order)
    process.reset()
    while (seen := process.observation) is not None:
        array, mask = view.array(seen), view.mask(seen)
        is_order = isinstance(seen, OrderObservation)
        features = order_features(seen) if isinstance(seen, OrderObservation) else position_features(seen)
        shown = min(len(features), view.rows)
        assert array.dtype == np.float32
        assert array.shape == (view.rows, len(view.columns))
        assert mask.dtype == np.int8
        assert mask.tolist() == [1] * shown + [0] * (view.rows - shown)
        own = array[:, POSITIONS:] if is_order else array[:, :POSITIONS]
        np.testing.assert_array_equal(own[:shown], features[:shown].astype(np.float32))
        assert np.count_nonzero(array) == np.count_nonzero(own[:shown])
        assert np.abs(array).max() < LARGEST
        process.step(int(generator.integers(shown)))
    assert not view.array(None).any()
    assert not view.mask(None).any()


def test_a_node_known_to_be_down_is_masked_and_refused_while_another_is_up() -> None:
    process = DecisionProcess("bad-day", ["horizon={tasks: 60}", "warm_up=0 s"])
    view, generator, down = View(process.plant, "fifo"), np.random.default_rng(1), 0
    process.reset()
    while (seen := process.observation) is not None:
        assert isinstance(seen, Observation)
        mask, up = view.mask(seen)[: len(seen.candidates)], seen.is_up
        assert mask.tolist() == (up if up.any() else np.ones_like(up)).astype(int).tolist()
        if up.any() and not up.all():
            down += 1
            with pytest.raises(ValueError, match=r"is not legal; legal are rows \d"):
                process.step(int(np.flatnonzero(~up)[0]))
        process.step(int(generator.choice(np.flatnonzero(mask))))
    assert down > 10


def test_the_bound_holds_whatever_is_finite() -> None:
    assert LARGEST - 1 < np.log1p(np.finfo(np.float64).max) < LARGEST


def test_of_a_long_line_those_are_shown_that_joined_first() -> None:
    process = DecisionProcess(
        "tiny", (*BUSY, "horizon={tasks: 40}", "workloads.request.arrivals.rate=3 /s"), order="decide"
    )
    view = View(process.plant, "decide")
    process.reset()
    longest = 0
    while (seen := process.observation) is not None:
        if seen.kind == "order" and len(seen.candidates) > longest:
            longest = len(seen.candidates)
            waited = view.array(seen)[:, POSITIONS + ORDER_COLUMNS.index("waited")]
            number = np.expm1(view.array(seen)[0, POSITIONS + ORDER_COLUMNS.index("waiting")])
            assert number == pytest.approx(longest, rel=1e-5)
            assert np.all(np.diff(waited[: min(longest, LINE_ROWS)]) <= 0)
            assert view.mask(seen).sum() == min(longest, LINE_ROWS)
        process.step(0)
    assert longest > LINE_ROWS


def test_who_decides_is_the_home_or_the_node_whose_line_or_link_has_fallen_free() -> None:
    process = DecisionProcess("tiny", (*BUSY, "links.radio.channel=1 Mbit/s"), order="decide")
    view = View(process.plant, "decide")
    process.reset()
    stations = set()
    while (seen := process.observation) is not None:
        told = view.told(seen)
        if isinstance(seen, OrderObservation):
            stations.add(told["station"])
            assert told["home"] == told["station"].partition("/")[0]
            assert told["kind"] == "order"
        else:
            nodes = process.plant.nodes
            assert told["home"] == nodes[seen.home].id
            assert told["nodes"] == tuple(nodes[number].id for number in seen.candidates)
            assert told["age_s"] == seen.age_s
        process.step(0 if told["kind"] == "order" else len(seen.candidates) - 1)
    assert any("/" in station for station in stations)
    assert "cloud" in stations
    assert view.told(None)["kind"] == "none"
