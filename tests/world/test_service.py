"""Service times and bills, worked out by hand and by counting tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.world.service import alone_s, before_tokens_s, bill

from .stations import LAW, job_of, model_of, node_of, task_of

ENCODING = model_of(encoder_s=(0.0, 2.0, 3.0, 4.0))
METERED = model_of(law=replace(LAW, energy_j_per_token=2.0, energy_j_per_iteration=10.0))
POWER = {"busy_power_w": 100.0, "tariff_usd_per_j": 0.25, "amortisation_usd_per_s": 4.0}
BATCH = {"kind": "batching", "max_batch": 8}


def test_before_its_tokens_a_subtask_takes_encoder_overhead_and_demand_at_the_nodes_speed() -> None:
    assert before_tokens_s(ENCODING, 2.0, stage=0, modality=1, tokens=10, demand_s=6.0) == 2.0 + 0.5 + 3.0
    assert before_tokens_s(ENCODING, 2.0, stage=0, modality=0, tokens=10, demand_s=6.0) == 0.5 + 3.0


def test_only_a_first_stage_is_encoded() -> None:
    assert before_tokens_s(ENCODING, 1.0, stage=1, modality=1, tokens=10, demand_s=0.0) == 0.5


def test_a_subtask_without_tokens_calls_no_model() -> None:
    assert before_tokens_s(ENCODING, 2.0, stage=0, modality=1, tokens=0, demand_s=6.0) == 3.0
    assert alone_s(ENCODING, 3.0, 0, 0) == (3.0, 3.0)


def test_alone_a_subtask_reads_and_then_writes_token_by_token() -> None:
    first, last = alone_s(model_of(), 1.0, prompt=8, output=3)
    assert first == 1.0 + 8 * 0.25
    assert last == first + (0.125 + 0.0625 + 9 * 0.03125) + (0.125 + 0.0625 + 10 * 0.03125)


@given(st.floats(0, 10), st.integers(0, 500), st.integers(0, 300))
def test_alone_the_times_are_those_of_a_loop_over_tokens(before_s: float, prompt: int, output: int) -> None:
    now = before_s + prompt * LAW.prefill_s_per_token
    expected_first = now
    context = prompt + 1
    for _ in range(output - 1):
        now += LAW.decode_s + LAW.decode_s_per_sequence + LAW.decode_s_per_context_token * context
        context += 1
    assert alone_s(model_of(), before_s, prompt, output) == pytest.approx((expected_first, now), rel=1e-12)


def billed(server: dict[str, Any], model: Any = None, **node: Any) -> tuple[float, float]:
    """Energy and cost of a job of 8 s, half of them its share, that read 30 tokens and wrote 12 in 1.5 iterations."""
    job = job_of(task=task_of(), prompt=30, output=12)
    job.start_s, job.finish_s, job.swap_s = 2.0, 10.0, 1.0
    job.share_s, job.iterations = 4.0, 1.5
    bill(job, node_of(server, models=(model or model_of(),), **(POWER | node)), job.finish_s, job.output)
    return job.energy_j, job.cost_usd


def test_in_a_slot_a_job_pays_for_its_part_of_the_machine() -> None:
    assert billed({"kind": "slots", "slots": 4}) == (200.0, 200.0 * 0.25 + 2.0 * 4.0)


def test_in_a_slot_the_machines_power_counts_whatever_the_law_says() -> None:
    assert billed({"kind": "slots", "slots": 4}, METERED) == (200.0, 200.0 * 0.25 + 2.0 * 4.0)


def test_in_a_batch_a_job_pays_for_its_share() -> None:
    assert billed(BATCH) == (400.0, 400.0 * 0.25 + 4.0 * 4.0)


def test_in_a_batch_the_laws_own_energies_count_where_it_has_some() -> None:
    energy_j = 2.0 * (30 + 12) + 10.0 * 1.5
    assert billed(BATCH, METERED) == (energy_j, energy_j * 0.25 + 4.0 * 4.0)


def test_the_machine_behind_an_interface_is_somebody_elses() -> None:
    assert billed({"kind": "api"}) == (0.0, 0.0)


@pytest.mark.parametrize(("server", "energy_j"), [({"kind": "api"}, 0.0), (BATCH, 400.0), ({"kind": "slots"}, 800.0)])
def test_where_there_is_a_price_it_is_what_a_job_costs(server: dict[str, Any], energy_j: float) -> None:
    seen = billed(server, is_priced=True, price_in_usd=0.5, price_out_usd=3.0)
    assert seen == (energy_j, 30 * 0.5 + 12 * 3.0)
