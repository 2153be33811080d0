"""Features: the documented columns, numbers of size about one, and nothing in them that cannot be known."""

from __future__ import annotations

import json
import math
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simoffload.decision import Decision, OrderObservation, Setting, order
from simoffload.decision.features import ORDER_COLUMNS, POSITION_COLUMNS, order_features, position_features
from simoffload.run.recorder import Recorder
from simoffload.run.world import World
from simoffload.schema import Scenario, load_scenario, load_scenario_text
from simoffload.testing import falsified
from tests.decision.by_hand import CHAIN, CLOUD, ONE, ONE_IMAGE, PRESS, TWO, Told, plant, play, task, world_of
from tests.strategies import scenarios

FACTORY = (
    "horizon={tasks: 30}",
    "warm_up=0 s",
    "workloads.request.arrivals.rate=0.5 /s",
    "objective={latency_weight: 0.5, latency_reference: 20 s, cost_reference: 0.001 USD}",
)


class Reader:
    """Goes where chance sends it and keeps the features of all that it is asked, in truth and among falsehoods."""

    order = "decide"

    def __init__(self, *, misled: bool = False) -> None:
        self.world: World | None = None
        self.misled = misled
        self.positions: list[Any] = []
        self.orders: list[Any] = []

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        self.generator = generator

    def decide(self, seen: Any) -> Decision:
        if isinstance(seen, OrderObservation):
            self.orders.append(order_features(seen))
        else:
            self.positions.append(self._positions(seen))
        return Decision(int(self.generator.integers(len(seen.candidates))))

    def _positions(self, seen: Any) -> Any:
        if not self.misled:
            return position_features(seen)
        assert self.world is not None
        with falsified(self.world, seen.home):
            return position_features(seen)


def read(scenario: Scenario, reader: Reader) -> Reader:
    """A reader that has seen the scenario."""
    nodes = len(scenario.edges) + len(scenario.clouds)
    world = World(scenario, reader, Recorder(scenario.objective, nodes, scenario.warm_up, None, 0, lambda parts: None))
    reader.world = world
    world.begin()
    world.kernel.advance(scenario.horizon.time or math.inf)
    return reader


class Noting(Told):
    """Goes where it is told and keeps features by name of column, unpacked."""

    def __init__(self, *nodes: int, order: str = "fifo") -> None:
        super().__init__(*nodes, order=order)
        self.rows: list[dict[str, list[float]]] = []
        self.lines: list[dict[str, list[float]]] = []

    def decide(self, observation: Any) -> Decision:
        if observation.kind == "order":
            self.lines.append(unpacked(order_features(observation), ORDER_COLUMNS))
        else:
            self.rows.append(unpacked(position_features(observation), POSITION_COLUMNS))
        return super().decide(observation)


def unpacked(rows: Any, columns: tuple[str, ...]) -> dict[str, list[float]]:
    """Columns by name, before the logarithm."""
    plain = np.sign(rows) * np.expm1(np.abs(rows))
    return {name: plain[:, number].tolist() for number, name in enumerate(columns)}


def noted(*tasks: Any, to: tuple[int, ...], order: str = "fifo", settings: tuple[str, ...] = ()) -> Noting:
    agent = Noting(*to, order=order)
    play(world_of(plant(*settings), agent), *tasks)
    return agent


# ---------------------------------------------------------------------------------------------------------- columns


def test_columns_have_names_of_their_own() -> None:
    for columns in (POSITION_COLUMNS, ORDER_COLUMNS):
        assert len(set(columns)) == len(columns)


def test_a_position_by_hand() -> None:
    # L_ref 10 s, C_ref 0.01 USD, w 0.25. 1 MB takes 1 s a link and 10 ms; the cloud is another 20 ms away.
    # Reading 100 tokens takes 150 ms at `press`, twice that at `paint`, a quarter in the cloud, and writes one token.
    one = task(ONE, prompt=100, expected_output=1.0, payload_bytes=1e6, weight=2.0)
    rows = noted(one, to=(PRESS,)).rows[0]
    service, transfer = [0.15, 0.3, 0.0375], [0.0, 1.01, 1.03]
    way_home = np.array(rows["way_home"]) * 10
    finish = np.array(service) + transfer + way_home
    price = (100 * 1e-6 + 1 * 2e-6) / 0.01
    assert rows["service"] == pytest.approx(np.array(service) / 10)
    assert rows["transfer"] == pytest.approx(np.array(transfer) / 10)
    assert rows["wait"] == rows["swap"] == [0.0] * 3
    assert rows["arrival_after_wait"] == pytest.approx(rows["transfer"])
    assert way_home[0] == 0.0 < way_home[2] < 0.1
    assert rows["finish"] == pytest.approx(finish / 10)
    assert rows["finish_gap"] == pytest.approx((finish - finish.min()) / 10)
    assert rows["completion_gap"] == pytest.approx(rows["finish_gap"])
    assert rows["least_finish"] == pytest.approx([finish.min() / 10] * 3)
    assert rows["cost"][CLOUD] == pytest.approx(price)
    assert rows["cost_gap"][CLOUD] == pytest.approx(price - min(rows["cost"]))
    score = 0.25 * 2 * finish / 10 + 0.75 * np.array(rows["cost"])
    assert rows["score_gap"] == pytest.approx(score - score.min())
    assert (rows["is_home"], rows["is_other_edge"], rows["is_cloud"]) == ([1, 0, 0], [0, 1, 0], [0, 0, 1])
    assert rows["free_share"] == [1.0] * 3
    common = {
        "weight": 2.0, "log_weight": math.log(2), "prompt": 0.1, "output": 0.001, "demand": 0.0, "candidates": 3.0,
        "subtasks": 1.0, "unplaced": 1.0, "under_way": 0.0, "task_age": 0.0, "tail": 0.0, "on_critical_path": 1.0,
        "is_explain": 1.0, "is_analyze": 0.0, "is_generate": 0.0, "is_text": 1.0, "is_image": 0.0, "is_audio": 0.0,
        "is_sensor": 0.0, "latency_weight": 0.25, "uplink_backlog": 0.0, "uplink_rate": 1.0, "mean_wait": 0.0,
        "least_edge_wait": 0.0, "least_cloud_wait": 0.0,
    }  # fmt: skip
    for name, value in common.items():
        assert rows[name] == pytest.approx([value] * 3), name


def test_stage_modality_progress_and_age_are_told_in_every_row() -> None:
    chain = noted(task(CHAIN, demand_s=[1.0, 2.0, 3.0], weight=0.5), to=(PRESS,) * 3).rows
    assert [rows["is_explain"][0] for rows in chain] == [1, 0, 0]
    assert [rows["is_analyze"][0] for rows in chain] == [0, 1, 0]
    assert [rows["is_generate"][0] for rows in chain] == [0, 0, 1]
    assert [rows["unplaced"][0] for rows in chain] == pytest.approx([3, 2, 1])
    assert [rows["task_age"][0] for rows in chain] == pytest.approx([0.0, 0.1, 0.3])
    assert chain[0]["log_weight"] == pytest.approx([-math.log(2)] * 3)
    image = noted(task(ONE_IMAGE), to=(PRESS,)).rows[0]
    assert (image["is_text"], image["is_image"]) == ([0.0] * 3, [1.0] * 3)


def test_a_line_and_a_job_in_service_are_counted_and_share_the_node() -> None:
    rows = noted(*[task(ONE, float(n), demand_s=10.0) for n in range(3)], to=(PRESS,) * 3).rows[2]
    assert rows["in_service"] == pytest.approx([1, 0, 0])
    assert rows["queue_length"] == pytest.approx([1, 0, 0])
    assert rows["free_share"] == pytest.approx([1 / 3, 1, 1])
    assert rows["wait"] == pytest.approx([1.8, 0, 0])
    assert rows["arrival_after_wait"] == pytest.approx([-1.8, 0, 0], abs=0.05)
    assert rows["mean_wait"] == pytest.approx([0.6] * 3)


def test_the_age_of_news_is_told_of_all_nodes_but_the_home() -> None:
    rows = noted(task(ONE, 13.0, demand_s=1.0), to=(PRESS,), settings=("telemetry_interval=5 s",)).rows[0]
    assert rows["age"] == pytest.approx([0.0, 0.3, 0.3])


def test_where_no_cloud_can_serve_the_wait_there_is_very_long() -> None:
    rows = noted(task(ONE, demand_s=1.0), to=(PRESS,), settings=("clouds=[]",)).rows[0]
    assert rows["least_cloud_wait"] == pytest.approx([100.0] * 2)
    assert rows["is_cloud"] == [0.0] * 2


def test_an_order_by_hand() -> None:
    tasks = [
        task(ONE, 0.0, demand_s=5.0),
        task(TWO, 1.0, demand_s=[2.0, 4.0], weight=4.0),
        task(ONE, 2.5, demand_s=1.0),
    ]
    line = noted(*tasks, to=(PRESS,) * 4, order="decide").lines[0]
    expected = {
        "service": [0.2, 0.1], "service_gap": [0.1, 0.0], "service_by_weight": [0.05, 0.1], "waited": [0.4, 0.25],
        "waited_gap": [0.0, 0.15], "task_age": [0.4, 0.25], "weight": [4.0, 1.0], "bytes": [0.0, 0.0],
        "place": [0.0, 1.0], "waiting": [2.0, 2.0], "is_link": [0.0, 0.0], "is_explain": [1.0, 1.0],
        "is_analyze": [0.0, 0.0], "is_generate": [0.0, 0.0],
    }  # fmt: skip
    for name, values in expected.items():
        assert line[name] == pytest.approx(values, abs=1e-9), name
    assert line["rank_gap"] == pytest.approx([line["rank"][0] - line["rank"][1], 0.0])
    assert line["rank"][0] > line["rank"][1] > 0


def test_an_order_on_a_link_tells_of_bytes() -> None:
    tasks = [task(ONE, float(n), payload_bytes=size) for n, size in enumerate((5e6, 3e6, 1e6))]
    line = noted(*tasks, to=(CLOUD,) * 3, order="decide").lines[0]
    assert line["bytes"] == pytest.approx([3.0, 1.0])
    assert line["is_link"] == [1.0, 1.0]


# ------------------------------------------------------------------------------------------------------------- sizes


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(written=scenarios(horizons=("tasks", "time")))
def test_every_number_is_finite_whatever_the_plant(written: dict[str, Any]) -> None:
    reader = read(load_scenario_text(json.dumps(written)), Reader())
    for rows in reader.positions:
        assert rows.shape[1] == len(POSITION_COLUMNS)
        assert np.isfinite(rows).all()
    for rows in reader.orders:
        assert rows.shape[1] == len(ORDER_COLUMNS)
        assert np.isfinite(rows).all()


def test_in_a_busy_factory_numbers_are_of_size_about_1_and_almost_every_column_varies() -> None:
    reader = read(load_scenario("smart-factory", FACTORY), Reader())
    for seen, columns in ((reader.positions, POSITION_COLUMNS), (reader.orders, ORDER_COLUMNS)):
        rows = np.concatenate(seen)
        assert np.abs(rows).max() < 10
        assert np.abs(rows).mean() < 2
        constant = {name for name, spread in zip(columns, np.ptp(rows, axis=0), strict=True) if spread == 0}
        assert constant <= {"weight", "log_weight", "latency_weight", "least_cloud_wait", "demand", "swap"}


# --------------------------------------------------------------------------------------------------- what is known


@pytest.mark.parametrize("interval", ["0 s", "5 s"])
def test_features_of_positions_tell_nothing_newer_than_the_last_news(interval: str) -> None:
    scenario = load_scenario("smart-factory", (*FACTORY, f"telemetry_interval={interval}"))
    truth, misled = read(scenario, Reader()), read(scenario, Reader(misled=True))
    assert len(truth.positions) == len(misled.positions) > 60
    for one, other in zip(truth.positions, misled.positions, strict=True):
        assert one.tolist() == other.tolist()


def test_a_leak_into_the_features_would_be_found() -> None:
    # news read at the decision instead of the last interval
    scenario = load_scenario("smart-factory", FACTORY)
    knowledge = Reader(misled=True)
    features = position_features

    def with_a_leak(seen: Any) -> Any:
        rows = features(seen)
        assert knowledge.world is not None
        rows[:, 12] = [knowledge.world.telemetry.node(node).queue_length for node in seen.candidates.tolist()]
        return rows

    with mock.patch(f"{__name__}.position_features", with_a_leak):
        misled = read(scenario, knowledge).positions
    truth = read(scenario, Reader()).positions
    assert any(one.tolist() != other.tolist() for one, other in zip(truth, misled, strict=True))


def test_features_of_orders_tell_nothing_of_other_nodes_nor_of_what_is_to_come() -> None:
    reader = Reader()
    pairs = []
    observe = order.observe_order

    def observe_twice(station: str, *about: Any) -> OrderObservation:
        world = reader.world
        assert world is not None
        numbers = {node.id: node.number for node in world.plant.nodes}
        # a node sees itself as it is; a link none of the nodes
        with falsified(world, numbers.get(station, -1)):
            false = order_features(observe(station, *about))
        seen = observe(station, *about)
        pairs.append((order_features(seen), false))
        return seen

    with mock.patch.object(order, "observe_order", observe_twice):
        read(load_scenario("smart-factory", FACTORY), reader)
    assert len(pairs) > 20
    for true, false in pairs:
        assert true.tolist() == false.tolist()


@settings(max_examples=10)
@given(data=st.data())
def test_rows_of_a_line_are_computed_alike_wherever_they_stand(data: st.DataObject) -> None:
    # all columns but the place follow their job
    count = data.draw(st.integers(2, 6))
    numbers = st.lists(st.floats(0, 100), min_size=count, max_size=count).map(np.array)
    arrays = {
        name: data.draw(numbers)
        for name in ("expected_service_s", "bytes", "waited_s", "task_weight", "task_age_s", "upward_rank_s")
    }
    arrays["stage"] = data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count).map(np.array))
    order = data.draw(st.permutations(range(count)))
    rows = order_features(OrderObservation(50.0, 10.0, "press", **arrays))
    turned = order_features(OrderObservation(50.0, 10.0, "press", **{k: v[order] for k, v in arrays.items()}))
    others = [number for number, name in enumerate(ORDER_COLUMNS) if name != "place"]
    assert turned[:, others].tolist() == rows[order][:, others].tolist()
