"""A race of agents: each seed is simulated for those still in it, and the workers do not decide who wins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from simoffload.analysis.runs import open_comparison
from simoffload.run.agents import AgentError
from simoffload.run.selection import Lap, Limits, Outcome, select
from simoffload.run.simulation import simulate
from simoffload.schema import Scenario, load_scenario

AGENTS = ("eft", "all-cloud", "random")


@dataclass
class Script:
    """A race in which agents drop out at set numbers of seeds."""

    drops: Mapping[int, str]
    left: tuple[str, ...] = AGENTS
    first_stage: int = 2
    seen: list[dict[str, float]] = field(default_factory=list)
    forecast: int | None = None

    @property
    def replications(self) -> int:
        return sum(map(len, self.seen))

    def take(self, results: Mapping[str, float]) -> None:
        self.seen.append(dict(results))
        gone = self.drops.get(len(self.seen))
        self.left = tuple(agent for agent in self.left if agent != gone)


def tiny() -> Scenario:
    return load_scenario("tiny", ["horizon={tasks: 10}", "seed=5"])


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("race")


@pytest.fixture(scope="module")
def raced(directory: Path) -> tuple[Script, Outcome]:
    """By one worker."""
    race = Script({2: "random", 3: "all-cloud"})
    return race, select(tiny(), race, directory)


def test_who_is_beaten_is_not_simulated_further(raced: tuple[Script, Outcome], directory: Path) -> None:
    race, outcome = raced
    assert outcome.reason == "reached"
    assert [list(each) for each in race.seen] == [list(AGENTS), list(AGENTS), ["eft", "all-cloud"]]
    assert {name: [each["seed"] for each in found] for name, found in outcome.summaries.items()} == {
        "eft": [5, 6, 7], "all-cloud": [5, 6, 7], "random": [5, 6]
    }  # fmt: skip
    assert outcome.made == race.replications == 8
    assert not (directory / "runs" / "random" / "7").exists()
    alone = simulate(load_scenario(directory / "runs" / "eft" / "7" / "scenario.yaml"), "eft")
    assert race.seen[2]["eft"] == alone["objective"]["mean"]


def test_the_comparison_left_behind_is_of_the_seeds_that_all_have(
    raced: tuple[Script, Outcome], directory: Path
) -> None:
    comparison = open_comparison(directory)
    assert comparison.results.seeds == (5, 6)
    assert list(comparison.results.agents) == list(AGENTS)
    assert comparison.unfinished == ()
    assert all(run.has_rows for run in comparison.runs.values())


def test_idle_workers_run_ahead_and_change_nothing(raced: tuple[Script, Outcome]) -> None:
    many = Script({2: "random", 3: "all-cloud"})
    outcome = select(tiny(), many, workers=4)
    assert many.seen == raced[0].seen
    assert outcome.made == many.replications + 2


def test_a_budget_of_seeds_ends_the_race_without_a_winner() -> None:
    race = Script({2: "random"})
    outcome = select(tiny(), race, limits=Limits(seeds=3))
    assert (outcome.reason, len(race.seen), race.left) == ("budget", 3, ("eft", "all-cloud"))


def test_a_budget_of_time_lets_the_first_stage_finish() -> None:
    race = Script({})
    assert select(tiny(), race, limits=Limits(wall_s=0.001)).reason == "budget"
    assert len(race.seen) == 2


def test_who_watches_ends_the_race(tmp_path: Path) -> None:
    laps: list[Lap] = []

    def watch(lap: Lap) -> bool:
        laps.append(lap)
        return lap.seeds < 2

    race = Script({2: "random"})
    outcome = select(tiny(), race, tmp_path, watch=watch)
    assert outcome.reason == "interrupted"
    assert len(race.seen) == 2
    assert (laps[-1].seeds, laps[-1].left) == (2, 2)
    assert json.loads((tmp_path / "comparison.json").read_text())["status"] == "incomplete"


def test_an_unknown_agent_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="unknown agent 'nobody'"):
        select(tiny(), Script({}, left=("eft", "nobody")), tmp_path / "there")
    assert not (tmp_path / "there").exists()
