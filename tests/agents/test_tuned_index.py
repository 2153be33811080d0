"""The tuned index: worked numbers per term, rules as special cases, and cards that are refused by name."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.agents.critical_path import CriticalPath
from simoffload.agents.earliest_finish import EarliestFinish, EarliestFinishWspt
from simoffload.agents.tuned_index import ORDERS, SPECIAL_CASES, TERMS, PricedIndex, TunedIndex, read_card, write_card
from simoffload.agents.weighted_greedy import WeightedGreedy, WeightedGreedyWspt
from simoffload.decision import Agent
from simoffload.record.durable import RecordError
from simoffload.testing import check_agent, small_scenarios
from tests.agents.learning.episodes import busy
from tests.agents.observations import SETTING, Sight, sight, started
from tests.decision.test_staleness import run

PRICES = {name: 0.1 * (k + 1) for k, name in enumerate(TERMS)}


class CriticalPathWspt(CriticalPath):
    order = "wspt"


def seen(**changes: Any) -> Sight:
    """Node 0, the home 1 and cloud 4 with the news 2 s old."""
    arrays: dict[str, Any] = {
        "finish_s": [10.0, 12.0, 8.0],
        "cost_usd": [0.0, 0.0, 0.01],
        "completion_change_s": [3.0, 5.0, 0.0],
        "wait_s": [4.0, 6.0, 2.0],
        "service_s": [5.0, 6.0, 3.0],
        "swap_s": [1.0, 0.0, 0.0],
        "transfer_s": [1.0, 0.0, 2.0],
    }
    found = sight([0, 1, 4], **(arrays | changes))
    found.setting = SETTING  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize(
    ("term", "extra_s"),
    [
        ("completion", [3.0, 5.0, 0.0]),
        ("edge_wait", [4.0, 6.0, 0.0]),
        ("cloud_wait", [0.0, 0.0, 2.0]),
        ("edge_service", [6.0, 6.0, 0.0]),
        ("transfer", [1.0, 0.0, 2.0]),
        ("stale_wait", [0.8, 0.0, 0.4]),  # wait times 2 s / 10 s, not at home
        ("unseen", [2.0, 0.0, 2.0]),
    ],
)
def test_every_time_counts_at_its_price_beside_the_finish(term: str, extra_s: list[float]) -> None:
    # pace = 0.5 1 / 10 s
    index = started(PricedIndex({term: 0.5}, "fifo")).index(seen())
    assert index == pytest.approx([0.05 * (f + 0.5 * x) for f, x in zip([10, 12, 8], extra_s, strict=True)])


def test_cost_counts_at_its_price_whatever_the_weight_of_the_task() -> None:
    # 0.5 4 (10, 12, 8)/10 and 2 0.5 0.01/0.02 for the cloud
    observation = seen()
    observation.task_weight = 4.0
    assert started(PricedIndex({"cost": 2.0}, "fifo")).index(observation) == pytest.approx([2.0, 2.4, 2.1])


def test_a_term_without_a_price_is_not_worked_out() -> None:
    bare = sight([0, 1], finish_s=[2.0, 1.0])
    assert started(PricedIndex(dict.fromkeys(TERMS, 0.0), "fifo")).decide(bare).choice == 1


def test_prices_may_be_negative() -> None:
    # 10 - 2 1, 12 - 0, 8 - 2 2
    agent = started(PricedIndex({"transfer": -2.0}, "fifo"))
    assert agent.index(seen()) == pytest.approx([0.4, 0.6, 0.2])


# --------------------------------------------------------------------------------------------------- special cases

NUMBERS = st.lists(st.floats(0.0, 100.0), min_size=3, max_size=3)
RULES: dict[str, Any] = {"eft": EarliestFinish, "weighted-greedy": WeightedGreedy, "critical-path": CriticalPath}


@pytest.mark.parametrize("name", RULES)
@given(finish=NUMBERS, change=NUMBERS, cost=NUMBERS, weight=st.floats(0.01, 10.0))
def test_at_certain_prices_the_index_is_a_multiple_of_that_of_a_rule(
    name: str, finish: list[float], change: list[float], cost: list[float], weight: float
) -> None:
    observation = sight(
        [0, 1, 4], at={"task_weight": weight}, finish_s=finish, completion_change_s=change, cost_usd=cost
    )
    pace = SETTING.latency_weight * weight / SETTING.latency_reference_s
    factor = {"eft": pace, "weighted-greedy": 1.0, "critical-path": 1.0 / CriticalPath.dawdle}[name]
    index = started(PricedIndex(SPECIAL_CASES[name], "fifo")).index(observation)
    assert index == pytest.approx(factor * started(RULES[name]()).index(observation), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("rule", "order", "name"),
    [
        (EarliestFinish, "fifo", "eft"),
        (EarliestFinishWspt, "wspt", "eft"),
        (WeightedGreedy, "fifo", "weighted-greedy"),
        (WeightedGreedyWspt, "wspt", "weighted-greedy"),
        (CriticalPath, "fifo", "critical-path"),
        (CriticalPathWspt, "wspt", "critical-path"),
    ],
)
def test_at_these_prices_a_run_is_that_of_the_rule(rule: type, order: str, name: str) -> None:
    scenario = busy("horizon={tasks: 40}")
    assert run(scenario, PricedIndex(SPECIAL_CASES[name], order), misled=False) == run(scenario, rule(), misled=False)


def test_other_prices_lead_to_another_run() -> None:
    scenario = busy("horizon={tasks: 40}")
    assert run(scenario, PricedIndex(PRICES, "fifo"), misled=False) != run(scenario, EarliestFinish(), misled=False)


@pytest.mark.parametrize("order", ORDERS)
def test_it_is_a_sound_agent(order: str) -> None:
    tiny, factory, *_ = small_scenarios()
    check_agent(lambda: PricedIndex(PRICES, order), [tiny, factory])


def test_it_pickles_with_its_prices_and_its_setting() -> None:
    agent: Agent = started(PricedIndex(PRICES, "wspt"))
    again = pickle.loads(pickle.dumps(agent))
    assert again.order == "wspt"
    assert np.array_equal(again.index(seen()), agent.index(seen()))  # type: ignore[attr-defined]


# ----------------------------------------------------------------------------------------------------------- cards


@pytest.fixture
def card(tmp_path: Path) -> Path:
    path = tmp_path / "mine.json"
    write_card(path, PRICES, "wspt", {"scenario": "Fabrik Süd"})
    return path


def test_what_is_written_is_read_again(card: Path) -> None:
    assert read_card(card) == (PRICES, "wspt")
    assert json.loads(card.read_bytes())["scenario"] == "Fabrik Süd"


def test_an_agent_from_a_card_decides_by_its_prices(card: Path) -> None:
    from_card = started(TunedIndex(card))
    assert from_card.order == "wspt"
    assert np.array_equal(from_card.index(seen()), started(PricedIndex(PRICES, "wspt")).index(seen()))


def test_the_prices_that_come_with_the_package_are_of_every_term_and_say_where_they_come_from() -> None:
    shipped = TunedIndex()
    about = json.loads((Path(__file__).parents[2] / "agents/weights/tuned-index.json").read_bytes())
    assert shipped.order == about["order"] in ORDERS
    assert set(about["prices"]) == set(TERMS)
    assert about["scenario"] == "smart-factory"
    assert about["validation"]["policy"] < min(about["validation"][rule] for rule in RULES)
    assert {"training", "versions", "references", "decisions"} <= set(about)


def test_a_card_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"cannot read the tuned index .*nothing\.json: No such file"):
        TunedIndex(tmp_path / "nothing.json")


@pytest.mark.parametrize("content", [b"", b"\x00" * 64, b"\xff" * 64, b"[" * 100_000, b'{"kind": "tuned-ind'])
def test_a_file_that_is_no_json_is_refused_by_its_name(card: Path, content: bytes) -> None:
    card.write_bytes(content)
    with pytest.raises(RecordError, match=r"mine\.json is not JSON"):
        read_card(card)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda about: about.update(format=2), "no card of a tuned-index of format 1"),
        (lambda about: about.pop("kind"), "no card of a tuned-index of format 1"),
        (lambda about: about.update(order="lifo"), "has the order 'lifo'; allowed: fifo, wspt"),
        (lambda about: about.update(order=["fifo"]), r"has the order \['fifo'\]"),
        (lambda about: about.update(prices=[1.0]), "has no prices"),
        (lambda about: about["prices"].pop("cost"), "has no price of 'cost'"),
        (
            lambda about: about["prices"].update(edge_wiat=1.0),
            "'edge_wiat', which is no term; did you mean 'edge_wait'",
        ),
        (lambda about: about["prices"].update(xyz=1.0), "'xyz', which is no term; allowed: cost, completion"),
        *[
            (lambda about, bad=bad: about["prices"].update(cost=bad), "price of 'cost' is .*, not a finite number")
            for bad in (None, "1", [1], True, float("nan"), float("inf"), 10**400)
        ],
    ],
)
def test_a_card_that_does_not_fit_is_refused(card: Path, change: Callable[[Any], object], message: str) -> None:
    about = json.loads(card.read_bytes())
    change(about)
    card.write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(RecordError, match=rf"mine\.json.*{message}"):
        read_card(card)


def test_a_card_that_is_no_mapping_is_refused(card: Path) -> None:
    card.write_text("[1]", encoding="utf-8")
    with pytest.raises(RecordError, match=r"mine\.json is no card"):
        read_card(card)


def test_a_price_that_is_no_number_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_card(tmp_path / "mine.json", PRICES | {"cost": float("nan")}, "fifo", {})
