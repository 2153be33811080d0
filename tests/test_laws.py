"""The inference model adds up its iterations exactly, and follows what was measured on real machines.

Measured are Splitwise's profiles of Llama2-70B (Patel et al., ISCA 2024): batches of equal requests on 8 and 4 H100 and
on 8 A100. They lie beside the repository; where they do not, these tests are skipped.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from simoffload.laws import ServingLaw, decode_alone_s, iterations_s, prefill_s
from simoffload.schema import bundled_catalogue

LAW = ServingLaw(
    prefill_overhead_s=0.02,
    prefill_s_per_token=0.001,
    decode_s=0.03,
    decode_s_per_sequence=0.002,
    decode_s_per_context_token=1e-6,
)


def test_reading_takes_an_overhead_and_a_time_per_token() -> None:
    assert prefill_s(LAW, 500) == pytest.approx(0.52)
    assert prefill_s(LAW, 0) == 0.02


def test_writing_alone_worked_out_by_hand() -> None:
    assert decode_alone_s(LAW, 99, 3) == pytest.approx((0.032 + 100e-6) + (0.032 + 101e-6))


@pytest.mark.parametrize("output", [0, 1])
def test_the_first_token_comes_with_the_prompt(output: int) -> None:
    assert decode_alone_s(LAW, 99, output) == 0.0


TIMES = st.floats(0, 1)
LAWS = st.builds(ServingLaw, TIMES, TIMES, TIMES, TIMES, st.floats(0, 1e-3))


@given(LAWS, st.integers(1, 20), st.integers(0, 5000), st.integers(0, 400), TIMES)
def test_iterations_of_an_unchanged_batch_are_those_of_a_loop(
    law: ServingLaw, sequences: int, context: int, iterations: int, extra_s: float
) -> None:
    total, held = 0.0, context
    for _ in range(iterations):
        total += law.decode_s + law.decode_s_per_sequence * sequences + law.decode_s_per_context_token * held + extra_s
        held += sequences
    assert iterations_s(law, sequences, context, iterations, extra_s) == pytest.approx(total, rel=1e-12)


@given(LAWS, st.integers(0, 2000), st.integers(1, 500))
def test_one_alone_is_a_batch_of_one(law: ServingLaw, prompt: int, output: int) -> None:
    batch = iterations_s(law, 1, prompt + 1, output - 1)
    assert decode_alone_s(law, prompt, output) == pytest.approx(batch, rel=1e-12)


def test_a_law_may_say_what_tokens_cost_in_energy() -> None:
    assert not LAW.has_energy
    assert ServingLaw(0, 0, 0, 0, 0, energy_j_per_token=0.1).has_energy
    assert ServingLaw(0, 0, 0, 0, 0, energy_j_per_iteration=0.1).has_energy


@dataclass(frozen=True)
class Profile:
    """Times measured for batches of equal requests, each the median of the repetitions."""

    batch: np.ndarray
    prompt: np.ndarray
    output: np.ndarray
    prefill_s: np.ndarray
    """Reading all prompts of the batch."""
    iteration_s: np.ndarray
    """Mean time of an iteration."""

    def features(self) -> np.ndarray:
        """What alpha, beta and gamma are multiplied with, [points, 3]: 1, b, and the batch's mean context."""
        context = self.batch * (self.prompt + 1 + (self.output - 2) / 2)
        return np.column_stack([np.ones_like(context), self.batch, context])


DATA = Path(__file__).parents[2] / "shared" / "data" / "splitwise-perf" / "perf_model.csv"
MACHINES = {"dgx-h100": ("h100-80gb", "8"), "h100x4": ("h100-80gb", "4"), "dgx-a100": ("a100-80gb", "8")}
measured = pytest.mark.skipif(not DATA.is_file(), reason="the measured profile is not here")


def profile_of(machine: str) -> Profile:
    repetitions: dict[tuple[int, int, int], list[tuple[float, float]]] = defaultdict(list)
    with DATA.open(newline="") as file:
        for row in csv.DictReader(file):
            if (row["hardware"], row["tensor_parallel"]) == MACHINES[machine]:
                point = int(row["batch_size"]), int(row["prompt_size"]), int(row["token_size"])
                repetitions[point].append((float(row["prompt_time"]) / 1e3, float(row["token_time"]) / 1e3))
    medians = [[median(column) for column in zip(*times, strict=True)] for times in repetitions.values()]
    return Profile(*np.array(list(repetitions), dtype=float).T, *np.array(medians).T)


def law_of(machine: str) -> ServingLaw:
    (law,) = (law for law in bundled_catalogue().laws if (law.hardware, law.model) == (machine, "llama2-70b"))
    return ServingLaw(
        law.prefill_overhead, 1 / law.prefill, law.decode, law.decode_per_sequence, law.decode_per_context
    )


def fitted(features: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Non-negative coefficients of least squares on relative errors."""
    return nnls(features / times_s[:, None], np.ones(len(times_s)))[0]


def mean_error(predicted: np.ndarray, times_s: np.ndarray) -> float:
    """Mean absolute percentage error, as a fraction."""
    return float(np.mean(np.abs(predicted / times_s - 1)))


@measured
@pytest.mark.parametrize("machine", MACHINES)
def test_the_shipped_law_writes_as_fast_as_was_measured(machine: str) -> None:
    profile, law = profile_of(machine), law_of(machine)
    predicted = [
        iterations_s(law, int(batch), batch * (prompt + 1), output - 1) / (output - 1)
        for batch, prompt, output in zip(profile.batch, profile.prompt, profile.output, strict=True)
    ]
    assert mean_error(np.array(predicted), profile.iteration_s) < 0.04


@measured
@pytest.mark.parametrize("machine", MACHINES)
def test_an_affine_law_writes_as_fast_as_points_it_was_not_fitted_to(machine: str) -> None:
    profile = profile_of(machine)
    features, times_s = profile.features(), profile.iteration_s
    errors = []
    for left_out in range(len(times_s)):
        others = np.arange(len(times_s)) != left_out
        predicted = features[left_out] @ fitted(features[others], times_s[others])
        errors.append(abs(predicted / times_s[left_out] - 1))
    assert len(errors) == 19
    assert fmean(errors) < 0.04


@measured
@pytest.mark.parametrize("machine", MACHINES)
def test_the_shipped_law_is_the_fit_to_all_points(machine: str) -> None:
    profile, law = profile_of(machine), law_of(machine)
    shipped = law.decode_s, law.decode_s_per_sequence, law.decode_s_per_context_token
    assert fitted(profile.features(), profile.iteration_s) == pytest.approx(shipped, rel=5e-3)


@measured
@pytest.mark.parametrize("machine", MACHINES)
def test_the_shipped_law_reads_within_a_fifth_of_what_was_measured(machine: str) -> None:
    profile, law = profile_of(machine), law_of(machine)
    predicted = np.array([prefill_s(law, tokens) for tokens in profile.batch * profile.prompt])
    assert mean_error(predicted, profile.prefill_s) < 0.2
