"""Instances of static scheduling."""

from __future__ import annotations

import math

import pytest

from simoffload.agents.static import Instance, InstanceError


def test_moving_data_takes_data_over_bandwidth_and_nothing_within_a_processor() -> None:
    instance = Instance(((1, 1),), bandwidth=((9, 2), (4, 9)))
    assert (instance.communication(8, 0, 1), instance.communication(8, 1, 0)) == (4.0, 2.0)
    assert instance.communication(8, 1, 1) == 0.0
    assert instance.mean_communication(8) == pytest.approx(8 / 3)


def test_without_a_bandwidth_data_are_times() -> None:
    instance = Instance(((1, 1, 1),))
    assert instance.communication(8, 0, 2) == instance.mean_communication(8) == 8


def test_a_single_processor_never_communicates() -> None:
    assert Instance(((1,),)).mean_communication(8) == 0.0


def test_mean_cost_leaves_out_processors_that_cannot_run_the_task() -> None:
    assert Instance(((4, math.inf, 8),)).mean_cost(0) == 6.0


def test_topological_order_puts_tasks_after_their_predecessors() -> None:
    instance = Instance(((1,), (1,), (1,)), arcs=((2, 0, 1), (0, 1, 1)))
    assert instance.topological == (2, 0, 1)
    assert instance.predecessors == (((2, 1),), ((0, 1),), ())
    assert instance.successors == (((1, 1),), (), ((0, 1),))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Instance(()), "at least one task"),
        (lambda: Instance(((1, 2), (1,))), "task 1 has 1 costs"),
        (lambda: Instance(((1, -2),)), "task 0 has a cost that is negative"),
        (lambda: Instance(((1, math.nan),)), "not a number"),
        (lambda: Instance(((1,), (math.inf,))), "no processor can run task 1"),
        (lambda: Instance(((1, 1),), bandwidth=((1, 1),)), "2 rows and 2 columns"),
        (lambda: Instance(((1, 1),), bandwidth=((1, 0), (1, 1))), "above 0"),
        (lambda: Instance(((1,), (1,)), arcs=((0, 2, 1),)), "outside 0..1"),
        (lambda: Instance(((1,), (1,)), arcs=((0, 1, math.inf),)), "finite amount"),
        (lambda: Instance(((1,), (1,)), arcs=((0, 1, 1), (0, 1, 2))), "two arcs"),
        (lambda: Instance(((1,), (1,)), arcs=((0, 1, 1), (1, 0, 2))), "in a circle: "),
    ],
)
def test_impossible_instances_are_refused_with_the_reason(make: object, message: str) -> None:
    with pytest.raises(InstanceError, match=message):
        make()  # type: ignore[operator]
