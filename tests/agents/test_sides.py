"""All-edge and all-cloud."""

from __future__ import annotations

from simoffload.agents.sides import AllCloud, AllEdge
from tests.agents.observations import sight, started


def test_all_edge_stays_at_home_however_long_the_queue() -> None:
    assert started(AllEdge()).decide(sight([0, 1, 4], wait_s=[0.0, 900.0, 0.0])).choice == 1


def test_all_edge_takes_the_least_busy_edge_node_when_the_home_cannot() -> None:
    assert started(AllEdge()).decide(sight([0, 2, 3, 4], wait_s=[7.0, 4.0, 5.0, 0.0])).choice == 1


def test_all_edge_breaks_ties_for_the_lower_node() -> None:
    assert started(AllEdge()).decide(sight([0, 2, 3, 4], wait_s=[4.0, 4.0, 4.0, 0.0])).choice == 0


def test_all_edge_uses_the_cloud_only_when_no_edge_node_can() -> None:
    assert started(AllEdge()).decide(sight([3, 4, 5], wait_s=[99.0, 2.0, 1.0])).choice == 0
    assert started(AllEdge()).decide(sight([4, 5], wait_s=[2.0, 1.0])).choice == 1


def test_all_cloud_takes_the_least_busy_cloud_server() -> None:
    assert started(AllCloud()).decide(sight([1, 4, 5], wait_s=[0.0, 3.0, 2.0])).choice == 2


def test_all_cloud_falls_back_on_the_home_and_then_on_the_least_busy_edge_node() -> None:
    assert started(AllCloud()).decide(sight([0, 1, 2], wait_s=[0.0, 3.0, 2.0])).choice == 1
    assert started(AllCloud()).decide(sight([0, 2], wait_s=[2.0, 1.0])).choice == 1
