"""Training: the same weights however many play and however often it stops, and a refusal of what does not belong."""

from __future__ import annotations

import csv
import itertools
import math
import pickle
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import safetensors.numpy
import torch

from simoffload.agents.learning import loop
from simoffload.agents.learning.coma import Coma
from simoffload.agents.learning.directory import EPISODE_SEEDS, MOST, Look, is_begun
from simoffload.agents.learning.scheme import Scheme
from simoffload.agents.learning.schemes import SCHEMES
from simoffload.agents.learning.settings import ComaSettings, TrainingSettings
from simoffload.agents.learning.training import Training
from simoffload.agents.learning.validation import RULES, VALIDATION_SEEDS, Validation, from_empty, measure
from simoffload.agents.policy_file import read_policy
from simoffload.agents.scoring import ScoringAgent
from simoffload.record.durable import RecordError, write_durably
from simoffload.run.agents import load_agent
from simoffload.run.recorder import Recorder
from simoffload.run.world import World
from simoffload.schema import load_scenario
from tests.agents.learning.episodes import busy, softened_rule

LEARNER = ComaSettings(
    orders=True, hidden=(4,), critic_hidden=(4,), first_critic_epochs=2, critic_epochs=2, actor_epochs=2
)
SCHEME = replace(SCHEMES["ucb-coma"], settings=LEARNER)
SHORT = TrainingSettings(
    batches=4,
    episodes=2,
    tasks=5,
    validate_every=2,
    validation_seeds=2,
    validation_tasks=5,
)


class InTurn:
    """Stands for a pool of processes: everything runs here, one after the other."""

    map = staticmethod(map)

    def __init__(self, *about: Any) -> None:
        """However many workers there were to be."""

    def __enter__(self) -> InTurn:
        return self

    def __exit__(self, *about: object) -> None:
        """Nobody to wait for."""


@pytest.fixture
def in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "ProcessPoolExecutor", InTurn)


def go_on(look: Look) -> bool:
    return True


def stop_after(batches: int) -> Callable[[Look], bool]:
    looks = itertools.count(1)
    return lambda look: next(looks) < batches


def scheme(**changes: Any) -> Scheme:
    return replace(SCHEME, settings=replace(LEARNER, **changes))


def trained(
    directory: Path,
    watch: Callable[[Look], bool] = go_on,
    workers: int = 1,
    learns: Scheme = SCHEME,
    **changes: Any,
) -> Training:
    made = Training([busy()], learns, replace(SHORT, **changes), 1, directory)
    made.run(workers, watch)
    return made


def content(directory: Path) -> dict[str, bytes]:
    """All that a training leaves but its checkpoint, whose bytes are torch's affair."""
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.name != "checkpoint.pt"}


def checkpoint(directory: Path) -> Any:
    return torch.load(directory / "checkpoint.pt", weights_only=True)


def curve(directory: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((directory / "curve.csv").read_text(encoding="utf-8").splitlines()))


def equal(one: Any, other: Any) -> bool:
    """Bit for bit, nan like nan."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other or (one != one and other != other))


# --------------------------------------------------------------------------------------------------- the same weights


def test_two_workers_end_with_the_same_bytes_as_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(tmp_path / "two", workers=2, batches=2)
    monkeypatch.setattr(loop, "ProcessPoolExecutor", InTurn)
    trained(tmp_path / "one", batches=2)
    assert content(tmp_path / "two") == content(tmp_path / "one")
    assert equal(checkpoint(tmp_path / "two"), checkpoint(tmp_path / "one"))


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize("stops", [(1,), (2, 1), (3,)])
def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path, stops: tuple[int, ...]) -> None:
    trained(tmp_path / "straight")
    for batches in stops:
        trained(tmp_path / "stopped", stop_after(batches))
    assert checkpoint(tmp_path / "stopped")["batch"] == sum(stops) < 4
    trained(tmp_path / "stopped")
    assert content(tmp_path / "stopped") == content(tmp_path / "straight")
    assert equal(checkpoint(tmp_path / "stopped"), checkpoint(tmp_path / "straight"))


@pytest.mark.usefixtures("in_turn")
def test_another_seed_ends_with_other_weights(tmp_path: Path) -> None:
    for seed in (1, 2):
        Training([busy()], SCHEME, SHORT, seed, tmp_path / str(seed)).run(1, go_on)
    one, other = (checkpoint(tmp_path / str(seed))["learner"] for seed in (1, 2))
    assert not equal(one["actors"], other["actors"])


@pytest.mark.usefixtures("in_turn")
def test_with_c_0_it_is_training_without_a_bonus(tmp_path: Path) -> None:
    trained(tmp_path / "c", learns=scheme(c=0.0))
    trained(tmp_path / "none", learns=scheme(c=5.0, selection="none"))
    one, other = checkpoint(tmp_path / "c"), checkpoint(tmp_path / "none")
    assert equal(one["learner"], other["learner"])
    trained(tmp_path / "tilt", learns=scheme(c=5.0))
    assert not equal(one["learner"], checkpoint(tmp_path / "tilt")["learner"])


@pytest.mark.usefixtures("in_turn")
def test_a_training_that_is_over_stays_as_it_is(tmp_path: Path) -> None:
    last = Training([busy()], SCHEME, SHORT, 1, tmp_path).run(1, go_on)
    before = content(tmp_path)
    again = Training([busy()], SCHEME, SHORT, 1, tmp_path).run(1, pytest.fail)
    assert equal(again, last)
    assert content(tmp_path) == before


# -------------------------------------------------------------------------------------------------- what is left


@pytest.mark.usefixtures("in_turn")
def test_the_curve_has_a_row_for_every_batch_and_a_validation_now_and_then(tmp_path: Path) -> None:
    looks: list[Look] = []
    trained(tmp_path, lambda look: not looks.append(look))  # type: ignore[func-returns-value]
    rows = curve(tmp_path)
    assert [float(row["batch"]) for row in rows] == [1, 2, 3, 4]
    assert [math.isnan(float(row["validation"])) for row in rows] == [True, False, True, False]
    decisions = [float(row["decisions"]) for row in rows]
    assert decisions == sorted(decisions)
    assert all(math.isfinite(float(row["objective"])) and float(row["objective"]) > 0 for row in rows)
    assert [look.share for look in looks] == [0.25, 0.5, 0.75, 1.0]
    assert looks[0].text.startswith("batch 1/4, objective ")
    assert " % against " in looks[-1].text


@pytest.mark.usefixtures("in_turn")
def test_the_policy_that_is_kept_is_the_best_on_the_validation_seeds(tmp_path: Path) -> None:
    trained(tmp_path, validate_every=1)
    rows = curve(tmp_path)
    policy, card = read_policy(tmp_path / "policy")
    best = min(float(row["validation"]) for row in rows)
    assert card["validation"]["policy"] == best
    seeds = [VALIDATION_SEEDS, VALIDATION_SEEDS + 1]
    agent = ScoringAgent(policy)
    found = [measure(busy("horizon={tasks: 5}", f"seed={seed}"), agent) for seed in seeds]
    assert np.mean(found) == pytest.approx(best, rel=1e-6)
    assert set(card["validation"]) == {"policy", *RULES}
    assert (card["training"]["scheme"]["agent"], card["training"]["scheme"]["hidden"]) == ("ucb-coma", [4])
    assert (card["scenario"], card["training"]["seed"]) == ("tiny", 1)
    assert card["references"] == {"latency_s": 20.0, "cost_usd": 0.001}


@pytest.mark.parametrize("who", ["eft", "weighted-greedy", ScoringAgent(softened_rule(orders=False))])
def test_what_is_measured_is_the_mean_objective_of_a_run(who: str | ScoringAgent) -> None:
    # softened rules decide as `eft` where they are greedy
    scenario = busy()
    recorder = Recorder(scenario.objective, 3, 0.0, None, 0, lambda parts: None)
    world = World(scenario, load_agent(who if isinstance(who, str) else "eft"), recorder)
    world.begin()
    world.kernel.advance(math.inf)
    assert measure(scenario, who) == recorder.objective.mean


# ----------------------------------------------------------------------------------------------------------- seeds


def test_no_two_episodes_share_a_seed_and_none_has_one_of_validation(tmp_path: Path) -> None:
    ends = (0, 1, MOST - 1)
    seeds = [
        Training([busy()], SCHEME, SHORT, seed, tmp_path)._episode_scenario(0, batch, number).seed
        for seed, batch, number in itertools.product(ends, repeat=3)
    ]
    assert len(set(seeds)) == len(seeds)
    assert min(seeds) >= EPISODE_SEEDS
    assert max(seeds) < VALIDATION_SEEDS


@pytest.mark.parametrize(
    ("seed", "changes"), [(MOST, {}), (-1, {}), (1, {"batches": MOST + 1}), (1, {"episodes": MOST + 1})]
)
def test_a_training_that_would_repeat_seeds_is_refused(tmp_path: Path, seed: int, changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="the seed must be below 1000, batches and episodes 1000 at most"):
        Training([busy()], SCHEME, replace(SHORT, **changes), seed, tmp_path)


# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.usefixtures("in_turn")
def test_learning_that_has_got_out_of_hand_is_told_and_the_last_sound_batch_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(tmp_path, stop_after(2))
    before = content(tmp_path)
    learn = Coma.learn
    monkeypatch.setattr(Coma, "learn", lambda *each: {**learn(*each), "critic_error": math.nan})
    with pytest.raises(RecordError, match="learning has got out of hand in batch 3: critic_error is nan; lower"):
        trained(tmp_path)
    assert content(tmp_path) == before
    assert checkpoint(tmp_path)["batch"] == 2


@pytest.mark.usefixtures("in_turn")
def test_a_horizon_leaves_a_trace_only_where_there_is_one(tmp_path: Path) -> None:
    trained(tmp_path / "none", stop_after(1))
    trained(tmp_path / "some", stop_after(1), learns=scheme(horizon_s=5.0))
    assert "horizon_s" not in (tmp_path / "none" / "settings.json").read_text(encoding="utf-8")
    assert '"horizon_s": 5.0' in (tmp_path / "some" / "settings.json").read_text(encoding="utf-8")
    assert not equal(checkpoint(tmp_path / "none")["learner"], checkpoint(tmp_path / "some")["learner"])


@pytest.mark.parametrize("written", range(3))
def test_a_directory_whose_first_files_were_not_all_written_is_begun_anew(tmp_path: Path, written: int) -> None:
    scenarios, settings = [busy(), busy("seed=9")], {"seed": 1}
    order: list[Path] = []

    def write(path: Path, content: bytes) -> None:
        if len(order) == written:
            raise KeyboardInterrupt
        order.append(path)
        write_durably(path, content)

    with mock.patch("simoffload.agents.learning.directory.write_durably", write), pytest.raises(KeyboardInterrupt):
        is_begun(tmp_path / "new", scenarios, settings)
    assert not is_begun(tmp_path / "new", scenarios, settings)
    assert is_begun(tmp_path / "new", scenarios, settings)


@pytest.mark.usefixtures("in_turn")
def test_a_training_with_other_settings_or_of_another_scenario_is_not_gone_on_with(tmp_path: Path) -> None:
    trained(tmp_path, stop_after(1))
    before = content(tmp_path)
    for other, file in (
        (Training([busy()], scheme(c=0.5), SHORT, 1, tmp_path), "settings.json"),
        (Training([busy()], SCHEME, SHORT, 2, tmp_path), "settings.json"),
        (Training([busy()], SCHEME, replace(SHORT, patience=3), 1, tmp_path), "settings.json"),
        (Training([busy("telemetry_interval=1 s")], SCHEME, SHORT, 1, tmp_path), "scenario.yaml"),
        (Training([busy(), busy("seed=9")], SCHEME, SHORT, 1, tmp_path), "scenario-2.yaml"),
    ):
        with pytest.raises(RecordError, match=rf"{file} is of a training with other settings"):
            other.run(1, go_on)
    assert content(tmp_path) == before


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-1],
        lambda whole: b"no checkpoint at all",
        lambda whole: b"\x80\x02.",
        lambda whole: b"\x80\x02K\x01.",
        lambda whole: b"PK\x03\x04" + whole[4:100],
        lambda whole: safetensors.numpy.save({"weights": np.zeros(3)}),
        lambda whole: pickle.dumps({"of": Path()}),
    ],
)
def test_a_damaged_checkpoint_is_refused_by_its_name(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    trained(tmp_path, stop_after(1))
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(damage(path.read_bytes()))
    told = r"checkpoint\.pt is damaged or no checkpoint of this version; remove it to begin anew$"
    with warnings.catch_warnings(action="error"), pytest.raises(RecordError, match=told):
        trained(tmp_path)


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.pop("curve"),
        lambda state: state["learner"].update(trials=[1.0]),
        lambda state: state["learner"]["actors"].popitem(),
        lambda state: state["learner"].update(shuffle="{}"),
        lambda state: state.update(batch="two"),
        lambda state: state["rules"].update(eft="x"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused_by_its_name(tmp_path: Path, change: Callable[[Any], object]) -> None:
    trained(tmp_path, stop_after(1))
    state = checkpoint(tmp_path)
    change(state)
    torch.save(state, tmp_path / "checkpoint.pt")
    with pytest.raises(RecordError, match=r"checkpoint\.pt is damaged or no checkpoint of this version"):
        trained(tmp_path)


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize(("telemetry", "seed"), [("5 s", 2), ("1 s", 1)])
def test_the_checkpoint_of_another_training_is_refused_by_its_name(tmp_path: Path, telemetry: str, seed: int) -> None:
    assert busy().telemetry_interval == 5.0
    trained(tmp_path / "mine", stop_after(1))
    plant = busy(f"telemetry_interval={telemetry}")
    Training([plant], SCHEME, SHORT, seed, tmp_path / "other").run(1, stop_after(1))
    strange = (tmp_path / "other" / "checkpoint.pt").read_bytes()
    (tmp_path / "mine" / "checkpoint.pt").write_bytes(strange)
    with pytest.raises(RecordError, match=r"mine/checkpoint\.pt is .*: it is of another training"):
        trained(tmp_path / "mine")
    assert (tmp_path / "mine" / "checkpoint.pt").read_bytes() == strange


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize("batch", [-7, 0, 3])
def test_a_checkpoint_with_more_or_fewer_batches_than_its_curve_is_refused(tmp_path: Path, batch: int) -> None:
    trained(tmp_path, stop_after(1))
    torch.save({**checkpoint(tmp_path), "batch": batch}, tmp_path / "checkpoint.pt")
    with pytest.raises(RecordError, match=rf"checkpoint\.pt .*: it is of batch {batch}, and its curve has 1"):
        trained(tmp_path)


@pytest.mark.usefixtures("in_turn")
def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RecordError, match=r"cannot make .*file"):
        trained(tmp_path / "file")


@pytest.mark.usefixtures("in_turn")
def test_a_training_stopped_before_its_first_checkpoint_begins_anew(tmp_path: Path) -> None:
    trained(tmp_path / "straight")
    trained(tmp_path / "stopped", stop_after(1))
    (tmp_path / "stopped" / "checkpoint.pt").unlink()
    trained(tmp_path / "stopped")
    assert content(tmp_path / "stopped") == content(tmp_path / "straight")


# ------------------------------------------------------------------------------------- several scenarios, and an end


def varied(directory: Path, **changes: Any) -> Training:
    scenarios = [busy(f"telemetry_interval={seconds} s") for seconds in (0, 5, 10)]
    return Training(scenarios, SCHEME, replace(SHORT, **changes), 1, directory)


def test_of_several_scenarios_chance_picks_one_for_each_episode(tmp_path: Path) -> None:
    made = varied(tmp_path)
    variants = [made._variant(batch, number) for batch in range(20) for number in range(10)]
    assert variants == [varied(tmp_path)._variant(batch, number) for batch in range(20) for number in range(10)]
    shares = np.bincount(variants) / len(variants)
    assert len(shares) == 3
    assert shares.min() > 0.2
    assert made._episode_scenario(2, 0, 0).telemetry_interval == 10.0


@pytest.mark.usefixtures("in_turn")
def test_a_training_on_several_scenarios_keeps_them_all_and_resumes(tmp_path: Path) -> None:
    varied(tmp_path / "straight").run(1, go_on)
    stopped = tmp_path / "stopped"
    varied(stopped).run(1, lambda look: False)
    varied(stopped).run(1, go_on)
    assert {path.name for path in stopped.iterdir()} >= {"scenario.yaml", "scenario-2.yaml", "scenario-3.yaml"}
    for name in ("curve.csv", "policy.safetensors", "policy.json"):
        assert (stopped / name).read_bytes() == (tmp_path / "straight" / name).read_bytes()


def test_on_several_scenarios_a_score_is_relative_to_the_best_rule_of_each() -> None:
    made = Validation([busy("seed=1"), busy("telemetry_interval=10 s")], 5, 4)
    pool = InTurn()
    made.measure_rules(pool)  # type: ignore[arg-type]
    one, other = ([float(np.mean(made.rules[name][turn::2])) for name in RULES] for turn in (0, 1))
    expected = [a / min(one) / 2 + b / min(other) / 2 for a, b in zip(one, other, strict=True)]
    assert list(made.of_rules().values()) == pytest.approx(expected, rel=1e-12)
    assert made.score(pool, load_agent(RULES[0])) == pytest.approx(expected[0], rel=1e-12)  # type: ignore[arg-type]


@pytest.mark.usefixtures("in_turn")
def test_training_ends_early_when_validation_no_longer_improves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([5.0, 4.0, 4.5, 4.0, 3.0])
    monkeypatch.setattr(Validation, "score", lambda made, pool, agent: next(scores))
    made = Training([busy()], SCHEME, replace(SHORT, batches=5, validate_every=1, patience=2), 1, tmp_path)
    last = made.run(1, go_on)
    assert (last["batch"], made.is_over) == (4, True)


# ------------------------------------------------------------------------------------------------------------ it learns


def test_where_news_is_old_ten_seconds_of_learning_beat_the_rules(tmp_path: Path, in_turn: None) -> None:
    """Two edge nodes that hear of each other every 20 s; on seeds that neither training nor validation has used."""
    objective = "objective={latency_weight: 0.4, latency_reference: 20 s, cost_reference: 0.001 USD}"
    plant = load_scenario(
        "tiny", ["warm_up=0 s", "telemetry_interval=20 s", "workloads.request.arrivals.rate=0.1 /s", objective]
    )
    learner = replace(SCHEMES["ucb-coma"].settings, actor_rate=5e-3, minibatch=512)
    budget = TrainingSettings(
        batches=6, episodes=4, tasks=60, validate_every=3, validation_seeds=2, validation_tasks=100
    )
    Training([plant], replace(SCHEMES["ucb-coma"], settings=learner), budget, 1, tmp_path).run(1, go_on)
    held_out = [from_empty(plant, seed, 100) for seed in range(1, 7)]

    def objective_of(agent: str) -> float:
        return float(np.mean([measure(each, agent) for each in held_out]))

    assert objective_of(f"trained:{tmp_path / 'policy'}") < 0.97 * min(map(objective_of, RULES))
