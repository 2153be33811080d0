"""The cross-entropy method: it finds a minimum, and a fit ends with the same prices however often it stops."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.agents.earliest_finish import EarliestFinish
from simoffload.agents.learning import loop
from simoffload.agents.learning.cross_entropy import CrossEntropy, Law, elite_of, play
from simoffload.agents.learning.directory import EPISODE_SEEDS, MOST, Look
from simoffload.agents.learning.settings import CrossEntropySettings
from simoffload.agents.learning.validation import RULES, VALIDATION_SEEDS, Validation, measure
from simoffload.agents.tuned_index import ORDERS, SPECIAL_CASES, TERMS, PricedIndex, TunedIndex, read_card
from simoffload.record.durable import RecordError
from tests.agents.learning.episodes import busy
from tests.agents.learning.test_training import InTurn, go_on, stop_after

SHORT = CrossEntropySettings(
    generations=4, members=3, episodes=1, tasks=4, validate_every=2, validation_seeds=2, validation_tasks=4
)


@pytest.fixture
def in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "ProcessPoolExecutor", InTurn)


def fitted(
    directory: Path, watch: Callable[[Look], bool] = go_on, workers: int = 1, seed: int = 1, **changes: Any
) -> dict[str, float]:
    return CrossEntropy([busy()], replace(SHORT, **changes), seed, directory).run(workers, watch)


def die(fit: CrossEntropy) -> None:
    raise RuntimeError("killed")


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def curve(directory: Path) -> list[dict[str, float]]:
    rows = csv.DictReader((directory / "curve.csv").read_text(encoding="utf-8").splitlines())
    return [{name: float(value) for name, value in row.items()} for row in rows]


# -------------------------------------------------------------------------------------------------------- the method


def test_the_law_moves_part_of_the_way_to_the_elite() -> None:
    # elite means 2 and 5, deviations 1 and 0; three quarters of the way from 0 and 4, and from 1 and 1
    law = Law(np.array([0.0, 4.0]), np.ones(2)).towards(np.array([[1.0, 5.0], [3.0, 5.0]]), 0.75)
    assert law.centre == pytest.approx([1.5, 4.75])
    assert law.spread == pytest.approx([1.0, 0.25])


def test_the_first_member_is_the_centre() -> None:
    law = Law(np.array([1.0, 2.0]), np.array([0.5, 3.0]))
    assert law.members(np.array([[1.0, -1.0]])) == pytest.approx(np.array([[1.0, 2.0], [1.5, -1.0]]))


def test_the_elite_are_those_of_least_objective() -> None:
    members = np.arange(8.0)[:, None]
    standing = np.array([5.0, 1.0, 7.0, 3.0, 1.0, 9.0, 9.0, 9.0])
    assert elite_of(members, standing, 0.375)[:, 0].tolist() == [1.0, 4.0, 3.0]
    assert elite_of(members, standing, 0.01)[:, 0].tolist() == [1.0, 4.0]


@settings(max_examples=30)
@given(target=st.lists(st.floats(-1.0, 1.0), min_size=3, max_size=3), seed=st.integers(0, 1000))
def test_it_closes_in_on_the_minimum_of_a_bowl(target: list[float], seed: int) -> None:
    generator, law = np.random.default_rng(seed), Law(np.zeros(3), np.ones(3))
    for _ in range(40):
        members = law.members(generator.standard_normal((39, 3)))
        standing = ((members - target) ** 2 * [1.0, 4.0, 0.25]).sum(axis=1)
        law = law.towards(elite_of(members, standing, 0.25), 0.4)
    assert law.centre == pytest.approx(target, abs=0.25)
    assert law.spread.max() < 0.01


# --------------------------------------------------------------------------------------------------- the same prices


def test_two_workers_end_with_the_same_bytes_as_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted(tmp_path / "two", workers=2, generations=2)
    monkeypatch.setattr(loop, "ProcessPoolExecutor", InTurn)
    fitted(tmp_path / "one", generations=2)
    assert content(tmp_path / "two") == content(tmp_path / "one")


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize("stops", [(1,), (3,), (1, 1, 1)])
def test_a_fit_that_stops_ends_with_the_same_bytes_as_one_that_does_not(tmp_path: Path, stops: tuple[int, ...]) -> None:
    fitted(tmp_path / "straight")
    for generations in stops:
        fitted(tmp_path / "stopped", stop_after(generations))
    assert len(curve(tmp_path / "stopped")) == sum(stops) < 4
    fitted(tmp_path / "stopped")
    assert content(tmp_path / "stopped") == content(tmp_path / "straight")


@pytest.mark.usefixtures("in_turn")
def test_a_fit_killed_in_the_middle_of_a_generation_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted(tmp_path / "straight")
    save = CrossEntropy._save
    for survived in (1, 2, 3):  # what was written last is all that is left of a killed process
        saves = iter([save])

        def killed(fit: CrossEntropy, saves: Iterator[Callable[[CrossEntropy], None]] = saves) -> None:
            next(saves, die)(fit)

        with monkeypatch.context() as patched, pytest.raises(RuntimeError, match="killed"):
            patched.setattr(CrossEntropy, "_save", killed)
            fitted(tmp_path / "killed")
        assert len(curve(tmp_path / "killed")) == survived
    fitted(tmp_path / "killed")
    assert content(tmp_path / "killed") == content(tmp_path / "straight")


@pytest.mark.usefixtures("in_turn")
def test_a_fit_stopped_before_its_first_checkpoint_begins_anew(tmp_path: Path) -> None:
    fitted(tmp_path / "straight")
    fitted(tmp_path / "stopped", stop_after(1))
    (tmp_path / "stopped" / "checkpoint.json").unlink()
    fitted(tmp_path / "stopped")
    assert content(tmp_path / "stopped") == content(tmp_path / "straight")


@pytest.mark.usefixtures("in_turn")
def test_another_seed_ends_with_other_prices(tmp_path: Path) -> None:
    for seed in (1, 2):
        fitted(tmp_path / str(seed), seed=seed)
    one, other = (json.loads((tmp_path / str(seed) / "checkpoint.json").read_bytes())["laws"] for seed in (1, 2))
    assert one != other


@pytest.mark.usefixtures("in_turn")
def test_a_fit_that_is_over_stays_as_it_is(tmp_path: Path) -> None:
    last = fitted(tmp_path)
    before = content(tmp_path)
    assert fitted(tmp_path, pytest.fail) == last
    assert content(tmp_path) == before


# ------------------------------------------------------------------------------------------------------ who plays what


class Watched(InTurn):
    """Also keeps what was played."""

    played: list[tuple[int, PricedIndex]]

    def map(self, function: Any, *arguments: Any) -> Any:  # type: ignore[override]
        runs = list(zip(*arguments, strict=True))
        if function is play:
            Watched.played.extend((scenario.seed, agent) for scenario, agent in runs)
        return [function(*run) for run in runs]


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, PricedIndex]]:
    Watched.played = []
    monkeypatch.setattr(loop, "ProcessPoolExecutor", Watched)
    return Watched.played


def test_all_of_a_generation_play_the_same_episodes_and_no_other_generation_does(
    tmp_path: Path, played: list[tuple[int, PricedIndex]]
) -> None:
    fitted(tmp_path, generations=2, episodes=2)
    rules, members = 2 * len(SPECIAL_CASES) * len(ORDERS), 2 * SHORT.members * len(ORDERS)
    first, second, third = played[:rules], played[rules : rules + members], played[rules + members :]
    assert len(third) == members
    seeds = [{seed for seed, _ in part} for part in (first, second, third)]
    assert seeds[0] == seeds[1] == {EPISODE_SEEDS + 1_000_000, EPISODE_SEEDS + 1_000_001}
    assert seeds[2] == {EPISODE_SEEDS + 1_001_000, EPISODE_SEEDS + 1_001_001}
    for part in (first, second, third):
        assert [seed for seed, _ in part[::2]] == [min(seed for seed, _ in part)] * (len(part) // 2)


def test_each_order_begins_at_the_special_case_that_does_best_in_it(
    tmp_path: Path, played: list[tuple[int, PricedIndex]]
) -> None:
    fitted(tmp_path, generations=1, episodes=2)
    cases, members = list(SPECIAL_CASES.values()), played[2 * 2 * len(SPECIAL_CASES) :]
    for number, order in enumerate(ORDERS):
        seeds = (EPISODE_SEEDS + 1_000_000, EPISODE_SEEDS + 1_000_001)
        agents = [PricedIndex(case, order) for case in cases]
        objectives = [[measure(busy("horizon={tasks: 4}", f"seed={s}"), agent) for s in seeds] for agent in agents]
        best = cases[int(np.argmin(np.mean(objectives, axis=1)))]
        _, centre = members[2 * SHORT.members * number]
        assert (centre.order, centre.prices) == (order, {name: best.get(name, 0.0) for name in TERMS})


def test_no_two_generations_share_a_seed_and_none_has_one_of_validation(tmp_path: Path) -> None:
    seeds = []
    for seed, generation, number in itertools.product((0, 1, MOST - 1), repeat=3):
        fit = CrossEntropy([busy()], SHORT, seed, tmp_path)
        fit._generation = generation
        seeds.append(fit._episode(number).seed)
    assert len(set(seeds)) == len(seeds)
    assert min(seeds) >= EPISODE_SEEDS
    assert max(seeds) < VALIDATION_SEEDS


def test_several_scenarios_take_turns(tmp_path: Path) -> None:
    fit = CrossEntropy([busy(), busy("telemetry_interval=1 s")], SHORT, 1, tmp_path)
    usual = busy().telemetry_interval
    assert [fit._episode(k).telemetry_interval for k in range(3)] == [usual, 1.0, usual]


def test_what_is_played_is_the_objective_of_a_run_and_its_decisions() -> None:
    scenario = busy()
    count = itertools.count(1)
    decided = 0

    class Counted(EarliestFinish):
        def decide(self, observation: Any) -> Any:
            nonlocal decided
            decided = next(count)
            return super().decide(observation)

    assert play(scenario, Counted()) == (measure(scenario, "eft"), decided)
    assert decided > 12


# ---------------------------------------------------------------------------------------------------- what is left


@pytest.mark.usefixtures("in_turn")
def test_the_curve_has_a_row_for_every_generation_and_a_validation_now_and_then(tmp_path: Path) -> None:
    looks: list[Look] = []
    last = fitted(tmp_path, lambda look: not looks.append(look))  # type: ignore[func-returns-value]
    rows = curve(tmp_path)
    assert [row["batch"] for row in rows] == [1, 2, 3, 4]
    assert [math.isnan(row["validation"]) for row in rows] == [True, False, True, False]
    assert rows[-1] == last
    assert [look.share for look in looks] == [0.25, 0.5, 0.75, 1.0]
    assert looks[0].text.startswith("generation 1/4, objective ")
    assert " % against " in looks[-1].text
    for row in rows:
        assert row["objective"] in [row[f"centre_{order}"] for order in ORDERS]
        assert all(row[f"best_{order}"] <= row[f"centre_{order}"] for order in ORDERS)
    assert rows[-1]["spread_fifo"] < rows[0]["spread_fifo"] < SHORT.spread


@pytest.mark.usefixtures("in_turn")
def test_the_card_that_is_kept_is_the_best_on_the_validation_seeds(tmp_path: Path) -> None:
    fitted(tmp_path, validate_every=1)
    rows = curve(tmp_path)
    card = json.loads((tmp_path / "policy.json").read_bytes())
    best = min(row["validation"] for row in rows)
    assert card["validation"]["policy"] == best
    validation = Validation([busy()], 2, 4)
    assert validation.score(InTurn(), TunedIndex(tmp_path / "policy.json")) == best  # type: ignore[arg-type]
    assert set(card["validation"]) == {"policy", *RULES}
    assert card["training"]["seed"] == 1
    assert card["training"]["members"] == 3
    assert card["references"] == {"latency_s": 20.0, "cost_usd": 0.001}
    assert card["decisions"] in [row["decisions"] for row in rows]
    prices, order = read_card(tmp_path / "policy.json")
    assert (set(prices), order in ORDERS) == (set(TERMS), True)


# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("seed", "changes", "message"),
    [
        (MOST, {}, "the seed must be below 1000"),
        (-1, {}, "the seed must be below 1000"),
        (1, {"generations": MOST + 1}, "generations and episodes 1000 at most"),
        (1, {"episodes": MOST + 1}, "generations and episodes 1000 at most"),
        (1, {"members": 1}, "at least two members"),
    ],
)
def test_a_fit_that_makes_no_sense_is_refused(tmp_path: Path, seed: int, changes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CrossEntropy([busy()], replace(SHORT, **changes), seed, tmp_path)


@pytest.mark.usefixtures("in_turn")
def test_a_fit_with_other_settings_or_of_another_scenario_is_not_gone_on_with(tmp_path: Path) -> None:
    fitted(tmp_path, stop_after(1))
    before = content(tmp_path)
    for other, file in (
        (CrossEntropy([busy()], replace(SHORT, elite=0.5), 1, tmp_path), "settings.json"),
        (CrossEntropy([busy()], SHORT, 2, tmp_path), "settings.json"),
        (CrossEntropy([busy("telemetry_interval=1 s")], SHORT, 1, tmp_path), "scenario.yaml"),
        (CrossEntropy([busy(), busy("seed=9")], SHORT, 1, tmp_path), "scenario-2.yaml"),
    ):
        with pytest.raises(RecordError, match=rf"{file} is of a training with other settings"):
            other.run(1, go_on)
    assert content(tmp_path) == before


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize(
    "damage",
    [
        lambda state: state.pop("curve"),
        lambda state: state.update(generation="two"),
        lambda state: state["laws"].pop("wspt"),
        lambda state: state["laws"].update(fifo=[[1.0], [1.0]]),
        lambda state: state["laws"]["fifo"][1].__setitem__(0, -1.0),
        lambda state: state["laws"]["fifo"][0].__setitem__(0, float("nan")),
        lambda state: state["rules"].pop("eft"),
        lambda state: state.update(curve=[[1, 2]]),
    ],
)
def test_a_checkpoint_of_something_else_is_refused_by_its_name(tmp_path: Path, damage: Callable[[Any], object]) -> None:
    fitted(tmp_path, stop_after(1))
    path = tmp_path / "checkpoint.json"
    state = json.loads(path.read_bytes())
    damage(state)
    path.write_text(json.dumps(state), encoding="utf-8")
    with pytest.raises(RecordError, match=r"checkpoint\.json is damaged or no checkpoint of this version"):
        fitted(tmp_path)


@pytest.mark.usefixtures("in_turn")
def test_the_checkpoint_of_another_fit_is_refused_by_its_name(tmp_path: Path) -> None:
    for seed in (1, 2):
        fitted(tmp_path / str(seed), stop_after(1), seed=seed)
    strange = (tmp_path / "2" / "checkpoint.json").read_bytes()
    (tmp_path / "1" / "checkpoint.json").write_bytes(strange)
    with pytest.raises(RecordError, match=r"1/checkpoint\.json is .*: it is of another training"):
        fitted(tmp_path / "1", seed=1)
    assert (tmp_path / "1" / "checkpoint.json").read_bytes() == strange


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize("generation", [-7, 0, 3])
def test_a_checkpoint_with_more_or_fewer_generations_than_its_curve_is_refused(tmp_path: Path, generation: int) -> None:
    fitted(tmp_path, stop_after(1))
    path = tmp_path / "checkpoint.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "generation": generation}), encoding="utf-8")
    with pytest.raises(
        RecordError, match=rf"checkpoint\.json .*: it is of generation {generation}, and its curve has 1"
    ):
        fitted(tmp_path)


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1]", b'{"generation": 1, "la'])
def test_a_damaged_checkpoint_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    fitted(tmp_path, stop_after(1))
    (tmp_path / "checkpoint.json").write_bytes(content)
    with pytest.raises(RecordError, match=r"checkpoint\.json is damaged"):
        fitted(tmp_path)
