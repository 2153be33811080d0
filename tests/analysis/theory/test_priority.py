"""Classes wait as Cobham and others say, as published, and as a simulated queue has it."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.analysis.theory import service
from simoffload.analysis.theory.arguments import UnstableError
from simoffload.analysis.theory.markovian import mm1
from simoffload.analysis.theory.mg1 import MG1
from simoffload.analysis.theory.priority import NonPreemptive, PreemptiveResume, PriorityClass

from .routes import assert_near, balance

LAW = service.exponential(1.0)
TWO = (PriorityClass(0.3, LAW), PriorityClass(0.5, LAW))
CLASSES = st.lists(st.tuples(st.floats(0.05, 1.0), st.floats(0.1, 3.0), st.floats(0.1, 2.0)), min_size=1, max_size=5)


def classes_at(load: float, drawn: list[tuple[float, float, float]]) -> tuple[PriorityClass, ...]:
    """Classes of gamma services that add up to a load."""
    total = math.fsum(weight for weight, _, _ in drawn)
    return tuple(PriorityClass(load * w / total / mean_s, service.gamma(mean_s, cv)) for w, mean_s, cv in drawn)


def test_two_classes_wait_as_the_formulas_say_by_hand() -> None:
    """Loads 0.2 and 0.5 of unit exponential services, without and with interruptions."""
    rates = (PriorityClass(0.2, LAW), PriorityClass(0.5, LAW))
    residual_s = 0.7
    waits = [each.wait_s for each in NonPreemptive(rates).means_by_class]
    assert waits == pytest.approx([residual_s / 0.8, residual_s / (0.8 * 0.3)])
    first, second = PreemptiveResume(TWO).means_by_class
    assert first.sojourn_s == pytest.approx(1 / 0.7)
    assert second.sojourn_s == pytest.approx(1 / 0.7 + 0.8 / (0.7 * 0.2))


@settings(max_examples=40)
@given(st.floats(0.1, 0.95), CLASSES)
def test_the_work_that_waits_is_that_without_classes(load: float, drawn: list[tuple[float, float, float]]) -> None:
    """Kleinrock's conservation law: waits weighted by load are the same in any order."""
    classes = classes_at(load, drawn)
    found = NonPreemptive(classes)
    weighted = math.fsum(c.load * m.wait_s for c, m in zip(classes, found.means_by_class, strict=True))
    mixed = service.mixture([c.service for c in classes], [c.arrival_rate for c in classes])
    plain = MG1(math.fsum(c.arrival_rate for c in classes), mixed)
    assert weighted / load == pytest.approx(plain.means.wait_s)
    assert found.means.utilisation == pytest.approx(load)
    assert found.means.queue_length == pytest.approx(math.fsum(m.queue_length for m in found.means_by_class))


def test_a_single_class_is_m_g_1() -> None:
    alone = (PriorityClass(0.8, LAW),)
    assert NonPreemptive(alone).means.wait_s == pytest.approx(4.0)
    assert PreemptiveResume(alone).means.sojourn_s == pytest.approx(5.0)


def test_who_may_interrupt_does_not_see_the_others() -> None:
    first, _ = PreemptiveResume(TWO).means_by_class
    assert first.sojourn_s == pytest.approx(mm1(0.3, 1.0).means.sojourn_s)


def test_interruptions_solve_their_balance_equations() -> None:
    """Two numbers in the system, cut off far out; the first class is served whenever there is anybody of it."""
    first_most, second_most = 14, 70
    size = (first_most + 1) * (second_most + 1)
    rates = np.zeros((size, size))

    def at(i: int, j: int) -> int:
        return i * (second_most + 1) + j

    for i in range(first_most + 1):
        for j in range(second_most + 1):
            if i < first_most:
                rates[at(i, j), at(i + 1, j)] = 0.3
            if j < second_most:
                rates[at(i, j), at(i, j + 1)] = 0.3
            if i:
                rates[at(i, j), at(i - 1, j)] = 1.0
            elif j:
                rates[at(i, j), at(i, j - 1)] = 1.0
    law = balance(rates).reshape(first_most + 1, second_most + 1)
    means = PreemptiveResume((PriorityClass(0.3, LAW), PriorityClass(0.3, LAW))).means_by_class
    assert means[0].in_system == pytest.approx(float(law.sum(axis=1) @ np.arange(first_most + 1)), rel=1e-4)
    assert means[1].in_system == pytest.approx(float(law.sum(axis=0) @ np.arange(second_most + 1)), rel=1e-4)


def test_a_simulated_queue_with_priorities_agrees() -> None:
    generator = np.random.default_rng(4)
    arrivals = np.cumsum(generator.exponential(1 / 0.7, 100_000))
    urgent, services = generator.random(100_000) < 0.4, generator.gamma(4.0, 0.25, 100_000)
    found = _served(arrivals, services, (~urgent).astype(int))
    law = service.gamma(1.0, 0.5)
    means = NonPreemptive((PriorityClass(0.28, law), PriorityClass(0.42, law))).means_by_class
    assert_near(found[urgent], means[0].wait_s)
    assert_near(found[~urgent], means[1].wait_s)


def _served(arrivals_s: np.ndarray, services_s: np.ndarray, priority: np.ndarray) -> np.ndarray:
    """Waits at one server that always takes the smallest priority that is there."""
    waiting: list[tuple[int, int]] = []
    now, number, found = 0.0, 0, np.zeros(len(arrivals_s))
    while number < len(arrivals_s) or waiting:
        if not waiting:
            now = max(now, arrivals_s[number])
        while number < len(arrivals_s) and arrivals_s[number] <= now:
            heapq.heappush(waiting, (int(priority[number]), number))
            number += 1
        _, chosen = heapq.heappop(waiting)
        found[chosen] = now - arrivals_s[chosen]
        now += services_s[chosen]
    return found


def test_too_much_work_of_all_together_is_refused() -> None:
    with pytest.raises(UnstableError, match=r"the load is 1\.1"):
        NonPreemptive((*TWO, PriorityClass(0.3, LAW)))
    with pytest.raises(ValueError, match="classes"):
        NonPreemptive(())
