"""What the guide to agents says is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from simoffload.decision import Heard, Observation, OrderObservation
from simoffload.decision.agent import ORDERS
from simoffload.schema import load_scenario
from simoffload.testing import check_agent
from tests.decision.by_hand import ONE, PRESS, Told, plant, play, task, world_of

GUIDE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text under a heading, up to the next one."""
    return re.split(r"^#+ ", GUIDE.partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def named(text: str) -> list[str]:
    """The names in the first column of the tables of a text."""
    cells = re.findall(r"^\|([^|]*)\|", text, flags=re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([a-z_-]+)`", cell)]


class Curious(Told):
    """Keeps the observations themselves."""

    def decide(self, observation: Any) -> Any:
        decision = super().decide(observation)
        self.positions = [*getattr(self, "positions", []), observation]
        return decision


def test_orders_are_the_ones_there_are() -> None:
    assert tuple(name for name in named(section("The interface")) if name != "order") == ORDERS


def test_positions_hold_what_is_listed() -> None:
    agent = Curious(PRESS)
    play(world_of(plant(), agent), task(ONE))
    names = named(section("What a position observation holds"))
    (observation,) = agent.positions
    assert isinstance(observation, Observation)
    assert len(names) > 25
    assert [name for name in names if name != "name" and not hasattr(observation, name)] == []


def test_what_is_heard_holds_what_is_listed() -> None:
    assert tuple(name for name in named(section("What a home hears")) if name != "name") == Heard._fields


def test_orders_hold_what_is_listed() -> None:
    agent = Told(*[PRESS] * 3, order="decide")
    play(world_of(plant(), agent), *[task(ONE, demand_s=1.0) for _ in range(3)])
    names = named(section("When the agent decides the order"))
    assert isinstance(agent.orders[0], OrderObservation)
    assert len(names) > 8
    assert [name for name in names if name != "name" and not hasattr(agent.orders[0], name)] == []


def test_the_example_is_a_sound_agent() -> None:
    code = re.findall(r"```python\n(from __future__.*?)```", GUIDE, flags=re.DOTALL)
    assert len(code) == 1
    module: dict[str, Any] = {"__name__": "__main__"}
    exec(code[0], module)
    thrifty = module["Thrifty"]
    globals()["Thrifty"], thrifty.__module__ = thrifty, __name__
    references = "objective={latency_reference: 20 s, cost_reference: 0.001 USD}"
    check_agent(thrifty, [load_scenario("tiny", ["horizon={tasks: 10}", references])])
