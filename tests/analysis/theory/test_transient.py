"""The first customers of M/M/1 wait as they do when many queues are simulated."""

from __future__ import annotations

import numpy as np
import pytest

from simoffload.analysis.theory.arguments import UnstableError
from simoffload.analysis.theory.transient import mm1_mean_waits


def test_the_second_customer_of_an_empty_queue_waits_if_the_first_is_still_there() -> None:
    first, second = mm1_mean_waits(0.8, 1.25, 0, 2)
    assert first == 0
    assert second == pytest.approx(0.8 / (0.8 + 1.25) / 1.25)


def test_waits_go_to_those_of_the_steady_state_from_both_sides() -> None:
    for jobs in (0, 30):
        waits_s = mm1_mean_waits(0.8, 1.0, jobs, 2000)
        assert waits_s[0] == jobs
        assert waits_s[-1] == pytest.approx(4.0, rel=1e-6)
    assert (np.diff(mm1_mean_waits(0.8, 1.0, 0, 300)) > 0).all()
    assert (np.diff(mm1_mean_waits(0.8, 1.0, 30, 100)) < 0).all()


def test_they_are_what_many_queues_come_to() -> None:
    """Lindley's recursion of 20,000 queues of which each has three customers ahead."""
    generator = np.random.default_rng(7)
    runs, customers = 20_000, 30
    waits = generator.standard_exponential((runs, 3)).sum(axis=1)
    means, errors = [], []
    for _ in range(customers):
        means.append(waits.mean())
        errors.append(waits.std() / np.sqrt(runs))
        waits = np.maximum(waits + generator.standard_exponential(runs) - generator.standard_exponential(runs) / 0.7, 0)
    assert np.abs(mm1_mean_waits(0.7, 1.0, 3, customers) - means).max() < 4 * max(errors)


def test_what_has_no_steady_state_is_refused() -> None:
    with pytest.raises(UnstableError):
        mm1_mean_waits(1.0, 1.0, 0, 5)
    with pytest.raises(ValueError, match="jobs"):
        mm1_mean_waits(0.5, 1.0, -1, 5)
