"""The conformance suite passes what is sound and says of what is not where, what, and what to do about it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simoffload import testing
from simoffload.decision import Decision, Observation, OrderObservation, Setting
from simoffload.run.agents import agent_names, load_agent
from simoffload.schema import Scenario, load_scenario
from simoffload.testing import check_agent, falsified, small_scenarios
from tests.decision.by_hand import CLOUD, ONE, PAINT, PRESS, TWO, Told, plant, play, task, world_of

SMALL = ["horizon={tasks: 8}", "objective={latency_reference: 20 s, cost_reference: 0.001 USD}"]
BUSY = load_scenario("tiny", [*SMALL, "workloads.request.arrivals.rate=5 /s"])
"""With lines in which two and more wait."""


class Sound:
    """The least finish; sound, and to be spoilt by the classes below."""

    order: Any = "fifo"

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        self.setting, self.generator = setting, generator

    def decide(self, observation: Any) -> Any:
        return Decision(int(np.argmin(observation.finish_s)))


def check(factory: Callable[[], Any]) -> None:
    """Check in one small scenario."""
    check_agent(factory, [load_scenario("tiny", SMALL)])


def fault(factory: Callable[[], Any]) -> str:
    """What is found amiss."""
    with pytest.raises(AssertionError) as error:
        check(factory)
    return str(error.value)


@pytest.mark.parametrize("name", agent_names())
def test_every_bundled_agent_is_sound(name: str) -> None:
    check_agent(lambda: load_agent(name))


def test_a_sound_agent_passes() -> None:
    check(Sound)


class Asked(Sound):
    order = "decide"

    def decide(self, observation: Any) -> Decision:
        if observation.kind == "order":
            return Decision(int(np.argmin(observation.expected_service_s)))
        return Decision(0, priority=1.0)


def test_an_agent_that_decides_the_order_itself_can_pass() -> None:
    check_agent(Asked, [BUSY])


def test_an_agent_may_draw_from_its_generator_and_remember_what_it_did() -> None:
    check(Exploring)


class Exploring(Sound):
    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        super().reset(setting, generator)
        self.used = np.zeros(len(setting.node_ids))

    def decide(self, observation: Observation) -> Decision:
        if self.generator.random() < 0.5:
            row = int(np.argmin(self.used[observation.candidates]))
        else:
            row = int(np.argmin(observation.cost_usd))
        self.used[observation.candidates[row]] += 1
        return Decision(row, priority=float(self.generator.random()))


# -------------------------------------------------------------------------------------------------------- interface


def test_a_factory_must_make_a_new_agent_each_time() -> None:
    one = Sound()
    assert fault(lambda: one) == "the factory gave the same agent Sound twice: it must make a new one each time"


def test_an_order_must_be_one_of_the_known_ones() -> None:
    class Misspelt(Sound):
        order = "upward-rnak"

    assert fault(Misspelt) == (
        "agent Misspelt has order 'upward-rnak'; allowed: fifo, wspt, upward-rank, optimistic-rank, decide; "
        "did you mean 'upward-rank'?"
    )
    Misspelt.order = None
    assert "agent Misspelt has order None; allowed: fifo, wspt" in fault(Misspelt)


def test_methods_must_be_there_and_take_what_they_are_given() -> None:
    class Mute:
        order = "fifo"

        def reset(self, setting: Setting, generator: np.random.Generator) -> None:
            """Nothing."""

    class Deaf(Sound):
        def reset(self) -> None:  # type: ignore[override]
            """Nothing."""

    assert fault(Mute) == "agent Mute needs a method decide(observation)"
    assert fault(Deaf).startswith("agent Deaf needs a method reset(setting, generator), and its reset cannot be called")


# ---------------------------------------------------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (0, "agent Answering answered 0; it must be a Decision"),
        (Decision(9), "agent Answering chose row 9; the observation has rows 0 to "),
        (Decision(0, float("nan")), "agent Answering gave a subtask the priority nan; it must be a finite number"),
    ],
)
def test_a_decision_must_be_a_row_and_a_finite_priority(answer: Any, message: str) -> None:
    class Answering(Sound):
        def decide(self, observation: Any) -> Any:
            return answer

    found = fault(Answering)
    assert found.startswith(message)
    assert "(on tiny, asked about subtask 0 of a task of node " in found


def test_an_exception_names_the_moment() -> None:
    class Failing(Sound):
        def decide(self, observation: Any) -> Any:
            return observation.finish_time

    found = fault(Failing)
    assert found.startswith("agent Failing raised AttributeError(")
    assert " s on tiny, asked about subtask 0 of a task of node 1" in found


def test_an_exception_in_reset_is_told_too() -> None:
    class Unset(Sound):
        def reset(self, setting: Setting, generator: np.random.Generator) -> None:
            raise LookupError("no weights")

    assert fault(Unset) == "agent Unset raised LookupError('no weights') in reset on tiny"


def test_an_agent_must_not_be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Sound):
        def decide(self, observation: Any) -> Any:
            time.sleep(0.03)
            return super().decide(observation)

    monkeypatch.setattr(testing, "PATIENCE_S", 0.05)
    monkeypatch.setattr(testing, "MOST_PER_DECISION_S", 0.01)
    assert fault(Slow).endswith("decisions: let it take less than 0.01 s for one")


# ---------------------------------------------------------------------------------------------------------- writing


@pytest.mark.parametrize("name", ["finish_s", "candidates", "is_home", "is_cloud", "score", "wait_s"])
def test_what_belongs_to_the_simulator_is_not_written_into(name: str) -> None:
    class Writing(Sound):
        def decide(self, observation: Any) -> Decision:
            array = getattr(observation, name)
            array[-1] = not array[-1] if array.dtype == bool else array[-1] + 1
            return Decision(0)

    assert fault(Writing) == (
        f"agent Writing wrote into observation.{name}, which belongs to the simulator: copy it before you change it"
    )


def test_nor_is_the_setting() -> None:
    class Settled(Sound):
        def reset(self, setting: Setting, generator: np.random.Generator) -> None:
            setting.is_cloud[:] = False

    assert fault(Settled).startswith("agent Settled wrote into setting.is_cloud, which belongs to the simulator")


def test_nor_what_is_seen_of_a_line() -> None:
    class Queueing(Sound):
        order = "decide"

        def decide(self, observation: Any) -> Decision:
            if isinstance(observation, OrderObservation):
                observation.waited_s[0] = -1.0
            return Decision(0)

    with pytest.raises(AssertionError, match=r"agent Queueing wrote into observation\.waited_s"):
        check_agent(Queueing, [BUSY])


# ---------------------------------------------------------------------------------------------------- repeatability


def pick(observation: Observation, number: float) -> Decision:
    return Decision(int(number * len(observation.candidates)))


def test_global_random_numbers_are_not_to_be_drawn() -> None:
    class Pythonic(Sound):
        def decide(self, observation: Any) -> Decision:
            return pick(observation, random.random())

    class Numeric(Sound):
        def decide(self, observation: Any) -> Decision:
            return pick(observation, np.random.random())  # noqa: NPY002

    remedy = "draw from the generator that reset gives, and from no other"
    assert fault(Pythonic).startswith(f"agent Pythonic on tiny draws from the global state of random: {remedy}")
    assert fault(Numeric).startswith(f"agent Numeric on tiny draws from the global state of numpy.random: {remedy}")


def test_the_check_leaves_global_random_numbers_as_they_were() -> None:
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    expected = random.Random(5).random(), np.random.RandomState(5).random()
    check(Sound)
    assert (random.random(), np.random.random()) == expected  # noqa: NPY002


def test_random_numbers_of_an_agents_own_are_found_out() -> None:
    class Wilful(Sound):
        def reset(self, setting: Setting, generator: np.random.Generator) -> None:
            self.generator = np.random.default_rng()

        def decide(self, observation: Any) -> Decision:
            return pick(observation, self.generator.random())

    found = fault(Wilful)
    assert found.startswith("agent Wilful on tiny: another agent from the factory decides otherwise on the same seed")
    assert "(decision " in found
    assert ": draw from the generator that reset gives" in found


def test_what_agents_share_is_found_out() -> None:
    class Sharing(Sound):
        count = 0

        def decide(self, observation: Any) -> Decision:
            type(self).count += 1
            return Decision(0, priority=float(self.count))

    assert "another agent from the factory decides otherwise" in fault(Sharing)


def test_what_a_reset_does_not_forget_is_found_out() -> None:
    class Remembering(Sound):
        def __init__(self) -> None:
            self.count = 0

        def decide(self, observation: Any) -> Decision:
            self.count += 1
            return Decision(0, priority=float(self.count))

    found = fault(Remembering)
    assert found.startswith("agent Remembering on tiny: after reset the same agent decides otherwise on the same seed")
    assert "(decision 1, at " in found
    assert found.endswith("reset must forget all that the agent remembers of a run")


# ----------------------------------------------------------------------------------------------------- what is unseen


class Peeking(Sound):
    """Asks another node for its state as it is now."""

    def decide(self, observation: Observation) -> Decision:
        telemetry = observation._knowledge._board.telemetry
        node = int(observation.candidates[-1])
        return Decision(0 if telemetry.node(node).in_service else len(observation.candidates) - 1)


class Foreseeing(Sound):
    """Knows how long the answer will be."""

    def decide(self, observation: Observation) -> Decision:
        return Decision(0, priority=float(observation._course.task.output[observation.subtask]))


class Overhearing(Sound):
    """Looks at what waits on another node's link."""

    def decide(self, observation: Observation) -> Decision:
        telemetry = observation._knowledge._board.telemetry
        theirs = [place for place in range(6) if place // 3 != observation.home]
        return Decision(0, priority=sum(telemetry.link(place).bytes_ahead[-1] for place in theirs))


@pytest.mark.parametrize("agent", [Peeking, Foreseeing, Overhearing])
def test_looking_at_what_cannot_be_known_is_found_out(agent: type[Sound]) -> None:
    found = fault(agent)
    assert found.startswith(f"agent {agent.__name__} on tiny decides otherwise when what it cannot know is falsified")
    assert found.endswith("decide by the observation's public attributes and by what they were before")


def test_falsified_telemetry_tells_of_other_stations_and_then_of_the_true_ones() -> None:
    world = world_of(plant(), Told(PAINT, CLOUD, PRESS))
    play(world, task(ONE, demand_s=1.0))
    paint, cloud = task(ONE, 10.0, home=PAINT, payload_bytes=1e6, demand_s=9.0), task(ONE, 10.0, demand_s=9.0)
    for each in (paint, cloud):
        world.dispatcher.arrive(each)
    telemetry = world.telemetry

    def told() -> list[Any]:
        nodes = [(report.in_service, report.queue_length) for report in map(telemetry.node, range(3))]
        return [*nodes, *[telemetry.link(place).bytes_ahead for place in range(6)]]

    before = told()
    with falsified(world, PRESS):
        during = told()
        assert cloud.demand_s == [1]
        assert (paint.output, cloud.output) == ([1000], [1000])
    assert told() == before
    assert (cloud.demand_s, cloud.output) == ([9.0], [0])
    own = [0, 3, 4, 5]
    assert [during[k] for k in own] == [before[k] for k in own]
    assert all(during[k] != before[k] for k in range(len(before)) if k not in own)


def test_the_truth_of_what_is_done_stays() -> None:
    world = world_of(plant(), Told(PRESS, PRESS))
    work = task(TWO, expected_output=5.0, demand_s=1.0)
    world.dispatcher.arrive(work)
    while world.dispatcher.courses[0].jobs[1] is None:
        world.kernel.step()
    with falsified(world, PRESS):
        assert work.output == [5, 1]
    assert work.output == [5, 5]


# ------------------------------------------------------------------------------------------------------------ pickle


class Forgetful(Exploring):
    """Leaves out of the pickle what it remembers."""

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "used": np.zeros(len(self.used)), "generator": np.random.default_rng(0)}


class Unpickled(Sound):
    """Holds what has no pickle."""

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        self.index = lambda observation: observation.finish_s


def test_an_agent_goes_on_from_a_pickle_as_if_nothing_had_been() -> None:
    assert fault(Forgetful).startswith("agent Forgetful on tiny decides otherwise after it was pickled in the middle")


def test_an_agent_must_have_a_pickle() -> None:
    found = fault(Unpickled)
    assert found.startswith("agent Unpickled on tiny cannot be pickled in the middle of a run: ")
    assert found.endswith("keep plain data, and no open file, lambda or generator function's state")


# ---------------------------------------------------------------------------------------------------------- scenarios


def test_small_scenarios_have_clouds_and_none_one_server_and_several_and_all_kinds_of_news() -> None:
    found = small_scenarios()
    assert {len(each.clouds) for each in found} == {0, 1}
    assert {each.order for each in found} == {"at_service_start", "at_ready"}
    assert any(each.telemetry_interval == 0 for each in found)
    assert any(each.telemetry_interval > 0 for each in found)
    kinds = {node.server.kind for each in found for node in (*each.edges, *each.clouds)}
    assert kinds == {"slots", "batching", "api"}
    assert max(len(each.edges) for each in found) == 8


def test_scenarios_of_ones_own_may_leave_their_references_open() -> None:
    open_: Scenario = load_scenario("tiny", ["horizon={time: 40 s}"])
    assert open_.objective.latency_reference == "auto"
    check_agent(Sound, [open_])
