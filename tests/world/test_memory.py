"""Models come and go as a list kept in the order of use says."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.plant import PlantNode
from simoffload.world.memory import ModelMemory

from .stations import model_of, node_of


def workbench(sizes: list[float], memory_bytes: float) -> PlantNode:
    """A node whose model k takes `sizes[k]` bytes and k + 1 seconds to load; those that fit in turn are there."""
    models = tuple(model_of(size, float(number + 1)) for number, size in enumerate(sizes))
    resident, free = [], memory_bytes
    for number, size in enumerate(sizes):
        if size <= free:
            resident.append(number)
            free -= size
    return node_of(
        {"kind": "slots"}, models=models, memory_bytes=memory_bytes, resident=tuple(resident), model_for=(0,) * 4
    )


class PlainMemory:
    """Resident models in a list, the one used longest ago first."""

    def __init__(self, node: PlantNode) -> None:
        self.sizes = [model.weights_bytes for model in node.models]
        self.memory_bytes = node.memory_bytes
        self.models = list(node.resident)
        self.in_use: list[int] = []

    def after(self, model: int) -> list[int] | None:
        """What is resident once a model has been brought in; None if it cannot be."""
        kept = list(self.models)
        if model not in kept:
            for other in self.models:
                if self._used(kept) + self.sizes[model] <= self.memory_bytes:
                    break
                if other not in self.in_use:
                    kept.remove(other)
            if self._used(kept) + self.sizes[model] > self.memory_bytes:
                return None
        return [other for other in kept if other != model] + [model]

    def _used(self, models: list[int]) -> float:
        return sum(self.sizes[model] for model in models)


@given(
    st.lists(st.integers(1, 6).map(float), min_size=1, max_size=5),
    st.integers(6, 14).map(float),
    st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=40),
)
def test_the_least_recently_used_of_the_idle_models_make_room(
    sizes: list[float], memory_bytes: float, steps: list[tuple[bool, int]]
) -> None:
    node = workbench(sizes, memory_bytes)
    memory, plain = ModelMemory(node), PlainMemory(node)
    swaps = 0
    for now, (starts, number) in enumerate(steps):
        if starts:
            model = number % len(sizes)
            after = plain.after(model)
            assert memory.can_start(model) == (after is not None)
            if after is not None:
                is_there = model in plain.models
                swaps += not is_there
                assert memory.start(model, float(now)) == (0.0 if is_there else float(model + 1))
                plain.models = after
                plain.in_use.append(model)
        elif plain.in_use:
            memory.stop(plain.in_use.pop(number % len(plain.in_use)))
        assert memory.resident == tuple(sorted(plain.models))
        assert memory.swaps == swaps
    assert pickle.loads(pickle.dumps(memory)).resident == memory.resident


def test_of_models_that_were_never_used_the_one_listed_first_leaves() -> None:
    memory = ModelMemory(workbench([2.0, 2.0, 2.0], 4.0))
    assert memory.resident == (0, 1)
    memory.start(2, 1.0)
    assert memory.resident == (1, 2)


def test_as_many_leave_as_it_takes() -> None:
    memory = ModelMemory(workbench([2.0, 2.0, 4.0], 4.0))
    assert memory.start(2, 1.0) == 3.0
    assert memory.resident == (2,)
    memory.stop(2)
    assert memory.start(0, 2.0) == 1.0
    assert memory.start(1, 2.0) == 2.0
    assert (memory.resident, memory.swaps) == ((0, 1), 3)


def test_a_model_in_use_stays_until_its_last_use_has_ended() -> None:
    memory = ModelMemory(workbench([3.0, 3.0], 4.0))
    memory.start(0, 0.0)
    memory.start(0, 1.0)
    memory.stop(0)
    assert not memory.can_start(1)
    assert memory.can_start(0)
    memory.stop(0)
    assert memory.can_start(1)


def test_a_model_that_is_there_costs_no_time() -> None:
    memory = ModelMemory(workbench([3.0, 3.0], 4.0))
    assert [memory.start(0, 0.0), memory.start(0, 1.0), memory.swaps] == pytest.approx([0.0, 0.0, 0])
