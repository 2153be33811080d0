"""The rows of an observation, against numbers worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from simoffload.tasks import build_graph
from tests.decision.by_hand import (
    AUDIO,
    CHAIN,
    CLOUD,
    ONE,
    ONE_AUDIO,
    ONE_IMAGE,
    PAINT,
    PRESS,
    TEXT,
    TWO,
    Told,
    listen,
    plant,
    play,
    see,
    task,
    world_of,
)

READ_S = 0.05 + 100 / 1000
"""Prefill of 100 tokens at speed 1."""
WRITE_S = 10 * (0.010 + 0.001) + 1e-5 * sum(range(101, 111))
"""The ten tokens after the first, the context growing from 101."""
MEANS_S = (1 + 2 + 1 / 4) / 3
"""Mean service over the nodes of what takes a second at speed 1."""
BATCHING = "clouds.cloud.server={kind: batching, max_batch: 8}"


def alone(graph: Any = ONE, *overrides: str, **fields: Any) -> SimpleNamespace:
    """What is seen of the first subtask of a task in an idle plant."""
    seen: SimpleNamespace = see(plant(*overrides), Told(*[PRESS] * len(graph)), task(graph, **fields))[0]
    return seen


# ---------------------------------------------------------------------------------------------------------- service


def test_service_is_prefill_and_an_iteration_for_each_token_but_the_first() -> None:
    seen = alone(prompt=100, expected_output=11.0)
    assert seen.service_s == pytest.approx([READ_S + WRITE_S, 2 * (READ_S + WRITE_S), (READ_S + WRITE_S) / 4])


def test_a_first_stage_needs_the_encoder_of_its_modality() -> None:
    assert alone(ONE_IMAGE, prompt=100, expected_output=1.0).service_s[PRESS] == pytest.approx(READ_S + 0.3)
    assert alone(ONE, prompt=100, expected_output=1.0).service_s[PRESS] == pytest.approx(READ_S)


def test_further_demand_counts_with_its_mean_and_by_speed() -> None:
    seen = alone(prompt=100, expected_output=1.0, demand_s=7.0, expected_demand_s=2.0)
    assert seen.service_s == pytest.approx([READ_S + 2, 2 * READ_S + 4, (READ_S + 2) / 4])
    assert seen.expected_demand_s == 2.0


def test_a_subtask_without_tokens_takes_its_further_demand_alone() -> None:
    assert alone(ONE_IMAGE, demand_s=2.0).service_s == pytest.approx([2, 4, 0.5])


def test_what_an_answer_was_expected_to_be_counts_and_not_what_it_will_be() -> None:
    assert alone(prompt=100, expected_output=11.0, output=900).service_s[PRESS] == pytest.approx(READ_S + WRITE_S)


def test_a_prompt_holds_the_true_answers_it_builds_on() -> None:
    chain = task(CHAIN, prompt=100, expected_output=[11.0, 5.0, 5.0], output=[40, 30, 5])
    assert [each.prompt_tokens for each in see(plant(), Told(PRESS, PRESS, PRESS), chain)] == [100, 140, 130]


def test_a_public_interface_adds_the_mean_of_its_overhead() -> None:
    # a lognormal of median m and sigma s has the mean m exp(s^2 / 2)
    seen = alone(ONE, "clouds.cloud.server={kind: api, overhead_median: 2 s, overhead_sigma: 0.6}", demand_s=1.0)
    assert seen.service_s[CLOUD] == pytest.approx(0.25 + 2 * 2.718281828459045**0.18)


def test_in_a_batch_every_iteration_is_slower_by_the_others_and_their_context() -> None:
    # two in the cloud's batch since 0 and 0.075 s, prompt 100, with 1000 tokens to write; seen at 1 s
    others = [task(ONE, 0.0, prompt=100, expected_output=1000.0) for _ in range(2)]
    world = world_of(plant(BATCHING), Told(CLOUD, CLOUD, PRESS))
    newcomer = task(ONE, 1.0, prompt=100, expected_output=11.0)
    seen = play(world, *others, newcomer)[-1]
    context = written_context(1.0)
    iteration_s = 0.010 + 0.001 * 3 + 1e-5 * (context + 101 + 4.5)
    assert seen.in_service[CLOUD] == 2.0
    assert seen.service_s[CLOUD] == pytest.approx((READ_S + 10 * iteration_s) / 4)
    assert seen.service_s[PRESS] == pytest.approx(READ_S + WRITE_S)
    assert seen.wait_s[CLOUD] == 0.0


def written_context(now_s: float) -> int:
    """Context of two that are read one after the other from 0 on and write together then, iteration by iteration."""
    clock, context = 2 * READ_S / 4, 2 * 101
    while True:
        clock += (0.010 + 0.001 * 2 + 1e-5 * context) / 4
        if clock > now_s:
            return context
        context += 2


def test_a_full_batch_makes_a_newcomer_wait_for_the_first_to_leave() -> None:
    scenario = plant("clouds.cloud.server={kind: batching, max_batch: 2}")
    others = [task(ONE, 0.0, demand_s=40.0), task(ONE, 0.0, demand_s=80.0)]
    seen = see(scenario, Told(CLOUD, CLOUD, PRESS), *others, task(ONE, 1.0, demand_s=1.0))[-1]
    assert seen.wait_s[CLOUD] == pytest.approx(9.0)
    assert (seen.in_service[CLOUD], seen.queue_length[CLOUD]) == (1.0, 1.0), "whole prompts are read one by one"


def test_who_joins_a_full_batch_shares_it_with_one_less() -> None:
    # of the two that write one must leave first, and with it half of the context
    unpriced = ["clouds.cloud.price=null", "clouds.cloud.amortisation=3.6 USD/h"]
    others = [task(ONE, 0.0, prompt=100, expected_output=1000.0) for _ in range(2)]
    newcomer = task(ONE, 1.0, prompt=100, expected_output=11.0)
    scenario = plant("clouds.cloud.server={kind: batching, max_batch: 2}", *unpriced)
    seen = see(scenario, Told(CLOUD, CLOUD, PRESS), *others, newcomer)[-1]
    iteration_s = 0.010 + 0.001 * 2 + 1e-5 * (written_context(1.0) / 2 + 101 + 4.5)
    assert seen.in_service[CLOUD] == 2.0
    assert seen.service_s[CLOUD] == pytest.approx((READ_S + 10 * iteration_s) / 4)
    assert seen.cost_usd[CLOUD] == pytest.approx(seen.service_s[CLOUD] * 1e-3 / 2)


def test_a_batch_is_full_when_its_memory_is() -> None:
    # each reserves 10 + 1000 of 2100 tokens, so that two fit; the first is expected to leave after 500 tokens, alone
    memory = ["workloads.none.max_output=1000", "clouds.cloud.server.kv_tokens=2100 tok"]
    others = [task(ONE, 0.0, prompt=10, expected_output=500.0), task(ONE, 0.0, prompt=10, expected_output=900.0)]
    newcomer = task(ONE, 0.5, prompt=10, expected_output=1.0)
    seen = see(plant(BATCHING, *memory), Told(CLOUD, CLOUD, PRESS), *others, newcomer)[-1]
    assert (seen.in_service[CLOUD], seen.queue_length[CLOUD]) == (2.0, 0.0)
    assert seen.wait_s[CLOUD] == pytest.approx((0.06 + 499 * 0.011 + 1e-5 * sum(range(11, 510))) / 4 - 0.5)


# --------------------------------------------------------------------------------------------------------- transfer


def test_a_payload_takes_its_bits_at_the_rate_of_the_links_and_their_delays() -> None:
    seen = alone(payload_bytes=2e6)
    assert seen.transfer_s == pytest.approx([0, 2 + 0.01, 2 + 0.01 + 0.02])


def test_between_sites_a_payload_takes_an_up_link_and_a_down_link() -> None:
    # MB/s: 1 up, 4 down
    far = ["sites=[{id: plant}, {id: far}]", "edges.paint.site=far", "edges.paint.downlink={channel: 32 Mbit/s}"]
    assert alone(ONE, *far, payload_bytes=2e6).transfer_s[PAINT] == pytest.approx(2 + 0.01 + 0.5)


def test_of_several_inputs_the_latest_counts() -> None:
    # the first answers lie at press (40 kB), at paint (80 kB) and in the cloud (4 kB) of 100 B/tok
    join = build_graph([0, 0, 0, 1], [TEXT] * 4, [(), (), (), (0, 1, 2)])
    work = task(join, expected_output=[400.0, 800.0, 40.0, 0.0])
    seen = see(plant("bytes_per_token=100 B/tok"), Told(PRESS, PAINT, CLOUD, PRESS), work)[-1]
    assert seen.transfer_s == pytest.approx([0.08 + 0.01, 0.04 + 0.01, 0.08 + 0.01 + 0.02])


def test_what_a_node_holds_need_not_travel_again() -> None:
    # the sensor's image has gone to paint for the first subtask; its answer is sent to the cloud and stays at paint
    fork = build_graph([0, 1, 1], [TEXT] * 3, [(), (0,), (1,)])
    work = task(fork, expected_output=[100.0, 100.0, 0.0])
    seen = see(plant("bytes_per_token=10000 B/tok"), Told(PAINT, CLOUD, PAINT), work)
    assert seen[1].transfer_s == pytest.approx([1 + 0.01, 0, 1 + 0.03])
    assert seen[2].transfer_s == pytest.approx([0.02 + 1 + 0.01, 0.02 + 1 + 0.01, 0])


def test_an_answer_that_has_been_sent_somewhere_is_there_for_the_next_who_needs_it() -> None:
    # both later subtasks need the first answer; by the time of the second it has long been in the cloud
    shared = build_graph([0, 1, 2], [TEXT] * 3, [(), (0,), (0, 1)])
    work = task(shared, expected_output=[100.0, 1.0, 0.0])
    seen = see(plant("bytes_per_token=10000 B/tok"), Told(PRESS, CLOUD, PRESS), work)[-1]
    assert seen.transfer_s == pytest.approx([0.02 + 0.01 + 0.01, 1 + 0.01, 0])


# ------------------------------------------------------------------------------------------- swap, way home, finish


def test_a_model_that_is_not_in_memory_must_be_loaded() -> None:
    # 6 GB at 1 GB/s and half a second; memory holds one of the two models, the first listed is there at the start
    seen = alone(ONE_AUDIO, "edges.press.models=[wide, ear]", prompt=50)
    assert seen.candidates.tolist() == [PRESS]
    assert seen.swap_s.tolist() == [6.5]
    assert seen.finish_s == pytest.approx([6.5 + 50 / 500])


def test_the_answer_of_a_sink_has_to_come_home() -> None:
    seen = alone(expected_output=50.0)
    assert seen.way_home_s == pytest.approx([0, 200e-6 + 0.01, 0.02 + 200e-6 + 0.01])
    assert alone(TWO, expected_output=50.0).way_home_s.tolist() == [0, 0, 0]


def test_finish_is_the_later_of_transfer_and_wait_then_swap_service_and_way_home() -> None:
    # paint is busy until 3 s, the payload is there at 2.01 s; in the cloud nobody is, the payload there at 2.03 s
    busy = task(ONE, 0.0, home=PAINT, demand_s=1.5)
    seen = see(plant(), Told(PAINT, PRESS), busy, task(ONE, 1.0, payload_bytes=1e6, demand_s=4.0))[-1]
    assert seen.wait_s == pytest.approx([0, 2, 0])
    assert seen.finish_s == pytest.approx([4, 2 + 8 + 0.01, 1.03 + 1 + 0.03])


# ------------------------------------------------------------------------------------------------------------- cost


def test_a_price_is_for_tokens_read_and_tokens_expected_to_be_written() -> None:
    seen = alone(prompt=100, expected_output=11.0, output=900)
    assert seen.cost_usd[CLOUD] == pytest.approx(100 * 1e-6 + 11 * 2e-6)


def test_elsewhere_a_slot_costs_its_share_of_power_and_wear_while_it_loads_and_serves() -> None:
    # per second of service 20 W at 1e-6 USD/J and 3.6 USD an hour, shared by the slots
    worn = ["edges.press.tariff=1e-6 USD/J", "edges.press.amortisation=3.6 USD/h"]
    per_s = 20 * 1e-6 + 1e-3
    assert alone(ONE, *worn, demand_s=2.0).cost_usd[PRESS] == pytest.approx(2 * per_s)
    two = "edges.press.server={kind: slots, slots: 2}"
    assert alone(ONE, *worn, two, demand_s=2.0).cost_usd[PRESS] == pytest.approx(2 * per_s / 2)
    swapped = alone(ONE_AUDIO, *worn, "edges.press.models=[wide, ear]", prompt=50)
    assert swapped.cost_usd[0] == pytest.approx((6.5 + 0.1) * per_s)


def test_in_a_batch_the_machine_is_shared_with_those_in_it() -> None:
    unpriced = ["clouds.cloud.price=null", "clouds.cloud.amortisation=3.6 USD/h"]
    others = [task(ONE, 0.0, expected_output=1000.0) for _ in range(2)]
    seen = see(
        plant(BATCHING, *unpriced), Told(CLOUD, CLOUD, PRESS), *others, task(ONE, 1.0, prompt=100, expected_output=11.0)
    )[-1]
    assert seen.in_service[CLOUD] == 2.0
    assert seen.cost_usd[CLOUD] == pytest.approx(seen.service_s[CLOUD] * 1e-3 / 3)


def test_a_law_with_energies_of_its_own_is_paid_by_tokens_and_iterations() -> None:
    law = """{wide: {prefill: 1000 tok/s, decode: 10 ms/tok, energy_per_token: 0.5 J/tok,
        energy_per_iteration: 8 J/tok}}"""
    settings = [BATCHING, "clouds.cloud.price=null", "clouds.cloud.tariff=1e-6 USD/J", f"clouds.cloud.law={law}"]
    seen = alone(ONE, *settings, prompt=100, expected_output=11.0)
    assert seen.cost_usd[CLOUD] == pytest.approx((0.5 * 111 + 8 * 11) * 1e-6)


def test_what_runs_behind_a_public_interface_costs_nothing_without_a_price() -> None:
    api = ["clouds.cloud.server={kind: api}", "clouds.cloud.price=null", "clouds.cloud.amortisation=3.6 USD/h"]
    assert alone(ONE, *api, prompt=100, expected_output=11.0).cost_usd[CLOUD] == 0.0


def test_score_is_weighted_time_and_cost_against_the_references() -> None:
    # w = 1/4, L_ref = 10 s, C_ref = 0.01 USD; the weight of the task multiplies its time
    seen = alone(prompt=10_000, expected_output=1.0, weight=3.0)
    finish_s = (0.05 + 10) / 4 + 0.02 + 4e-6 + 0.01
    assert seen.finish_s[CLOUD] == pytest.approx(finish_s)
    assert seen.score[CLOUD] == pytest.approx(0.25 * 3 * finish_s / 10 + 0.75 * (10_000e-6 + 2e-6) / 0.01)
    assert seen.score[PRESS] == pytest.approx(0.25 * 3 * 10.05 / 10)


# ------------------------------------------------------------------------------------------------------- completion


def test_completion_adds_what_must_follow_to_the_finish() -> None:
    seen = see(plant(), Told(PRESS, PRESS), task(TWO, 1.0, demand_s=[1.0, 3.0]))
    assert seen[0].finish_s == pytest.approx([1, 2, 0.25])
    tail_s = (0 + 0.01 + 0.03) / 3 + 3 * MEANS_S
    assert seen[0].completion_s == pytest.approx([1 + tail_s, 2 + tail_s, 0.25 + tail_s])
    expected_s = MEANS_S + tail_s
    assert seen[0].completion_change_s == pytest.approx(seen[0].completion_s - expected_s)


def test_the_expected_completion_is_what_the_last_decision_made_of_it() -> None:
    seen = see(plant(), Told(PRESS, PRESS), task(TWO, 1.0, demand_s=[1.0, 3.0]))
    expected_end_s = 1.0 + seen[0].completion_s[PRESS]
    assert seen[1].now_s == 2.0
    assert seen[1].completion_s == pytest.approx([3, 6 + 2 * 0.01, 0.75 + 2 * 0.03])
    assert seen[1].completion_change_s == pytest.approx(seen[1].completion_s - (expected_end_s - 2.0))


def test_while_a_sibling_is_expected_later_nothing_changes() -> None:
    # the first source of 20 s at press leaves the second, of 1 s, a lot of time
    join = build_graph([0, 0, 2], [TEXT] * 3, [(), (), (0, 1)])
    seen = see(plant(), Told(PRESS, PAINT, PRESS), task(join, demand_s=[20.0, 1.0, 1.0]))
    slow, quick, last = seen
    assert slow.on_critical_path
    assert not quick.on_critical_path
    assert quick.completion_s[PAINT] == quick.completion_s[CLOUD] == slow.completion_s[PRESS]
    assert quick.completion_change_s[PAINT] == pytest.approx(0.0)
    assert quick.completion_s[PRESS] > slow.completion_s[PRESS], "there it would wait for its sibling"
    assert last.on_critical_path


def test_a_sibling_that_is_done_holds_up_nobody() -> None:
    join = build_graph([0, 0, 1, 2], [TEXT] * 4, [(), (), (1,), (0, 2)])
    seen = see(plant(), Told(PRESS, CLOUD, CLOUD, PRESS), task(join, demand_s=[1.0, 8.0, 1.0, 1.0]))
    assert seen[2].now_s == 2.0
    assert seen[2].on_critical_path


# ----------------------------------------------------------------------------------------------- candidates, numbers


def test_only_nodes_that_serve_the_modality_are_candidates() -> None:
    deaf = see(plant("edges.paint.models=[ear]"), Told(PRESS), task(ONE))[0]
    assert deaf.candidates.tolist() == [PRESS, CLOUD]
    ears = see(plant("edges.paint.models=[ear]"), Told(PAINT), task(build_graph([0], [AUDIO], [()])))[0]
    assert ears.candidates.tolist() == [PAINT]
    assert ears.is_home.tolist() == ears.is_cloud.tolist() == [False]


def test_flags_say_which_node_is_home_and_which_are_clouds() -> None:
    seen = see(plant(), Told(PRESS, PRESS), task(ONE), task(ONE, home=PAINT))
    assert seen[0].is_home.tolist() == [True, False, False]
    assert seen[1].is_home.tolist() == [False, True, False]
    assert seen[1].is_cloud.tolist() == [False, False, True]


def test_the_numbers_are_those_of_the_subtask_and_its_task() -> None:
    work = task(CHAIN, 3.0, demand_s=[1.0, 2.0, 3.0], difficulty=[0.1, 0.2, 0.3], weight=2.5, home=PAINT)
    seen = see(plant(), Told(PRESS, PRESS, PRESS), work)[1]
    assert (seen.stage, seen.modality, seen.subtask, seen.home) == (1, TEXT, 1, PAINT)
    assert (seen.now_s, seen.task_age_s) == (4.0, 1.0)
    assert (seen.difficulty, seen.task_weight, seen.expected_demand_s) == (0.2, 2.5, 2.0)
    assert seen.expected_output_tokens == 0.0


# --------------------------------------------------------------------------------------------------------- priority


@pytest.mark.parametrize(
    ("order", "priorities"),
    [
        ("fifo", [0, 0, 0]),
        ("decide", [0, 0, 0]),
        ("wspt", [4 / 2, 8 / 2, 1 / 2]),
        ("upward-rank", [-4 * MEANS_S - 0.04 / 3 - 8 * MEANS_S] * 3),
    ],
)
def test_orders_set_priorities(order: str, priorities: list[float]) -> None:
    seen = see(plant(), Told(PRESS, PRESS, order=order), task(TWO, demand_s=[4.0, 8.0], weight=2.0))[0]
    assert seen.priority == pytest.approx(priorities)


def test_optimistic_rank_is_the_mean_of_what_must_follow_over_the_candidates() -> None:
    # after the first: 8 s at press, 16 s at paint or 2 s in the cloud, to which its answer goes in 0.04/3 s on average
    seen = see(plant(), Told(PRESS, PRESS, order="optimistic-rank"), task(TWO, demand_s=[4.0, 8.0]))
    reach_s = 2 + 0.04 / 3
    assert seen[0].optimistic_cost_s == pytest.approx([reach_s, reach_s, 2])
    assert seen[0].priority == pytest.approx([-(reach_s + reach_s + 2) / 3] * 3)
    assert seen[1].priority.tolist() == [0, 0, 0]


def test_a_task_without_weight_goes_last() -> None:
    seen = see(plant(), Told(PRESS, order="wspt"), task(ONE, demand_s=4.0, weight=0.0))[0]
    assert (seen.priority > 1e200).all()


@pytest.mark.parametrize(("discipline", "expected"), [("wspt", 8 / 2), ("srt", 4 * MEANS_S)])
def test_a_node_with_an_order_of_its_own_goes_by_that(discipline: str, expected: float) -> None:
    world = world_of(plant(f"edges.paint.discipline={discipline}"), Told(PAINT, priorities=[-99.0]))
    jobs = listen(world).jobs
    seen = play(world, task(ONE, demand_s=4.0, weight=2.0))[0]
    assert seen.priority == pytest.approx([0, expected, 0])
    assert [job.priority for job in jobs] == pytest.approx([expected])
