"""Agents are found by name, in this package and in others, and a name that is none gets an answer."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from simoffload.decision import Decision, Observation, Setting
from simoffload.run import agents
from simoffload.run.agents import AgentError, agent_names, describe_agents, load_agent
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario

NAMES_WITH_ARGUMENT = ("fifo:...", "optimistic-rank:...", "trained:...", "upward-rank:...", "wspt:...")


class Thrifty:
    """The cheapest node.

    More about it.
    """

    order = "wspt"

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """Nothing to do."""

    def decide(self, observation: Observation) -> Decision:
        return Decision(int(np.argmin(observation.cost_usd)))


class Disordered(Thrifty):
    order = "lifo"


class Unmade(Thrifty):
    """Needs what it is not given."""

    def __init__(self, patience: float) -> None:
        self.patience = patience


class Patient(Thrifty):
    def __init__(self, patience: str) -> None:
        self.patience = patience


def read_patient(argument: str) -> Patient:
    """Waits for so long."""
    return Patient(argument)


@pytest.fixture
def guests(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """Entry points that another package adds to this one's."""
    own = [*agents.entry_points(group=agents.GROUP), *agents.entry_points(group=agents.READERS)]
    added: list[EntryPoint] = []
    monkeypatch.setattr(
        agents, "entry_points", lambda group: [point for point in (*added, *own) if point.group == group]
    )
    agents._found.cache_clear()
    yield added
    agents._found.cache_clear()


def guest(name: str, what: str, group: str = agents.GROUP) -> EntryPoint:
    return EntryPoint(name, f"tests.run.test_agents:{what}", group)


def test_the_bundled_agents_have_names_and_say_what_they_are() -> None:
    described = {name: (summary, package) for name, summary, package in describe_agents()}
    assert list(described) == [*agent_names(), *NAMES_WITH_ARGUMENT]
    assert {"random", "all-cloud", "eft", "weighted-greedy", "peft"} <= described.keys()
    assert {package for _, package in described.values()} == {"simoffload"}
    assert described["random"][0] == "Each legal candidate with equal chance."
    assert all(summary and not summary.startswith("cannot be loaded") for summary, _ in described.values())


def test_every_name_gives_a_new_agent_each_time() -> None:
    for name in agent_names():
        assert load_agent(name) is not load_agent(name)


def test_an_unknown_name_gets_all_names_and_the_nearest() -> None:
    with pytest.raises(AgentError) as error:
        load_agent("wieghted-greedy")
    names = ", ".join([*agent_names(), *NAMES_WITH_ARGUMENT])
    assert str(error.value) == f"unknown agent 'wieghted-greedy'; allowed: {names}; did you mean 'weighted-greedy'?"
    with pytest.raises(AgentError) as error:
        load_agent("zzz")
    assert str(error.value) == f"unknown agent 'zzz'; allowed: {names}"


def test_an_agent_of_another_package_is_a_name_like_any_other(guests: list[EntryPoint]) -> None:
    guests.append(guest("thrifty", "Thrifty"))
    assert agent_names()[-1] == "thrifty"
    assert ("thrifty", "The cheapest node.", "tests") in describe_agents()
    summary = simulate(load_scenario("tiny", ["horizon={tasks: 5}"]), "thrifty")
    assert (summary["agent"], summary["status"]) == ("thrifty", "complete")


def test_a_name_with_an_argument_is_read_by_what_stands_before_the_colon(guests: list[EntryPoint]) -> None:
    guests.append(guest("patient", "read_patient", agents.READERS))
    made = load_agent("patient:2.5:1")
    assert isinstance(made, Patient)
    assert made.patience == "2.5:1"
    assert ("patient:...", "Waits for so long.", "tests") in describe_agents()
    assert "patient" not in agent_names()
    for name, hint in (("patiend:2", "; did you mean 'patient:2'?"), ("patient", ""), ("eft:1", "")):
        with pytest.raises(AgentError, match=f"unknown agent '{name}'; allowed: .*patient:.*") as error:
            load_agent(name)
        assert str(error.value).endswith(hint)


def test_nobody_takes_the_name_of_a_bundled_agent(guests: list[EntryPoint]) -> None:
    guests.append(guest("random", "Thrifty"))
    assert type(load_agent("random")).__module__ == "simoffload.agents.simple"
    assert agent_names().count("random") == 1


def test_of_two_guests_of_one_name_the_first_is_taken(guests: list[EntryPoint]) -> None:
    guests += [guest("thrifty", "Thrifty"), guest("thrifty", "Disordered")]
    assert type(load_agent("thrifty")) is Thrifty


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("Missing", r"agent 'guest' \(tests\.run\.test_agents:Missing\) cannot be made: .*no attribute 'Missing'"),
        ("Unmade", r"agent 'guest' \(tests\.run\.test_agents:Unmade\) cannot be made: .*missing 1 required positional"),
        ("Disordered", "agent 'guest' has order 'lifo'; allowed: fifo, wspt, upward-rank, optimistic-rank, decide"),
        ("guest", r"agent 'guest' \(tests\.run\.test_agents:guest\) cannot be made: "),
        ("dict", r"agent 'guest' \(tests\.run\.test_agents:dict\) cannot be made: "),
    ],
)
def test_an_agent_that_cannot_be_made_says_why(guests: list[EntryPoint], what: str, message: str) -> None:
    guests.append(guest("guest", what))
    with pytest.raises(AgentError, match=message):
        load_agent("guest")


def test_a_guest_that_cannot_be_imported_does_not_keep_others_from_being_listed(guests: list[EntryPoint]) -> None:
    guests.append(EntryPoint("broken", "no_such_package.agents:Agent", agents.GROUP))
    broken = ("broken", "cannot be loaded: No module named 'no_such_package'", "no_such_package")
    assert broken in describe_agents()
    with pytest.raises(AgentError, match="cannot be made: No module named 'no_such_package'"):
        load_agent("broken")


def test_something_without_an_order_is_no_agent(guests: list[EntryPoint]) -> None:
    guests.append(EntryPoint("guest", "builtins:dict", agents.GROUP))
    with pytest.raises(AgentError, match="agent 'guest' has order None; allowed: fifo"):
        load_agent("guest")
