"""What an agent sees of the jobs and transfers that wait when a server or a link falls free."""

from __future__ import annotations

import pytest

from simoffload.decision import OrderObservation
from tests.decision.by_hand import CLOUD, ONE, PRESS, TWO, Told, plant, play, task, world_of

MEANS_S = (1 + 2 + 1 / 4) / 3


def orders(*tasks_and_agent: object) -> list[OrderObservation]:
    *tasks, agent = tasks_and_agent
    assert isinstance(agent, Told)
    play(world_of(plant(), agent), *tasks)  # type: ignore[arg-type]
    return agent.orders


def test_rows_are_the_waiting_jobs_in_the_order_in_which_they_came() -> None:
    tasks = [
        task(ONE, 0.0, demand_s=5.0),
        task(TWO, 1.0, demand_s=[2.0, 4.0], weight=3.0),
        task(ONE, 2.5, demand_s=1.0),
    ]
    first = orders(*tasks, Told(*[PRESS] * 4, order="decide"))[0]
    assert (first.kind, first.station, first.now_s) == ("order", "press", 5.0)
    assert first.candidates.tolist() == [0, 1]
    assert first.expected_service_s.tolist() == [2.0, 1.0]
    assert first.waited_s.tolist() == [4.0, 2.5]
    assert first.task_weight.tolist() == [3.0, 1.0]
    assert first.task_age_s.tolist() == [4.0, 2.5]
    assert first.stage.tolist() == [0, 0]
    assert first.bytes.tolist() == [0.0, 0.0]
    assert first.upward_rank_s == pytest.approx([6 * MEANS_S + 0.04 / 3, MEANS_S])


def test_on_a_link_rows_are_transfers_with_their_bytes() -> None:
    # the first takes the up-link until 5 s
    tasks = [
        task(ONE, 0.0, payload_bytes=5e6),
        task(ONE, 1.0, payload_bytes=3e6, demand_s=8.0),
        task(ONE, 4.0, payload_bytes=1e6, demand_s=4.0),
    ]
    first = orders(*tasks, Told(*[CLOUD] * 3, order="decide"))[0]
    assert (first.station, first.now_s) == ("press/uplink", 5.0)
    assert first.bytes.tolist() == [3e6, 1e6]
    assert first.expected_service_s.tolist() == [2.0, 1.0]
    assert first.waited_s.tolist() == [4.0, 1.0]


def test_an_answer_on_its_way_home_has_waited_since_it_joined_that_line() -> None:
    # the cloud takes 1.0125 s for each; answers of 4 MB need 20 ms to the down-link and 4 s over it
    tasks = [task(ONE, 0.0, demand_s=4.0, expected_output=1.0) for _ in range(3)]
    agent = Told(*[CLOUD] * 3, order="decide")
    play(world_of(plant("bytes_per_token=4000000 B/tok"), agent), *tasks)
    last = agent.orders[-1]
    assert (last.station, last.now_s) == ("press/downlink", pytest.approx(5.0325))
    assert last.waited_s == pytest.approx([5.0325 - 2.045, 5.0325 - 3.0575])


def test_what_waits_is_expected_to_take_what_was_expected_and_not_what_it_will() -> None:
    tasks = [task(ONE, 0.0, demand_s=5.0), *[task(ONE, 1.0, demand_s=9.0, expected_demand_s=2.0) for _ in range(2)]]
    assert orders(*tasks, Told(*[PRESS] * 3, order="decide"))[0].expected_service_s.tolist() == [2.0, 2.0]
