"""The schemes by name: settings as typed, and training that goes on as if it had never stopped, whoever learns."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from simoffload.agents.learning import loop
from simoffload.agents.learning.scheme import Scheme
from simoffload.agents.learning.schemes import SCHEMES
from simoffload.agents.learning.training import Training
from simoffload.agents.learning.validation import measure
from simoffload.record.durable import RecordError
from simoffload.run.simulation import simulate
from tests.agents.learning.episodes import busy
from tests.agents.learning.test_rollout import LOSSES
from tests.agents.learning.test_training import (
    SHORT,
    InTurn,
    checkpoint,
    content,
    curve,
    equal,
    go_on,
    stop_after,
    trained,
)

BESIDE = ("dqn", "qmix", "ippo", "mappo", "linucb", "ucb1")
QUICK: dict[str, Any] = {
    "hidden": (4,), "critic_hidden": (4,), "value_hidden": (4,), "mixing": 2, "mixing_hidden": 4, "updates": 5,
    "minibatch": 8, "target_every": 3, "replay": 2, "first_critic_epochs": 2, "critic_epochs": 2, "actor_epochs": 2,
}  # fmt: skip


def quick(name: str) -> Scheme:
    """The scheme with small networks and few steps, where it has any."""
    scheme = SCHEMES[name]
    names = {field.name for field in fields(scheme.settings)}
    return replace(scheme, settings=replace(scheme.settings, **{k: v for k, v in QUICK.items() if k in names}))


@pytest.fixture
def in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "ProcessPoolExecutor", InTurn)


@pytest.mark.parametrize("name", SCHEMES)
def test_settings_are_within_their_own_ranges(name: str) -> None:
    settings = SCHEMES[name].settings
    assert TypeAdapter(type(settings)).validate_python(settings) == settings
    assert SCHEMES[name].changed({}) == SCHEMES[name]
    assert SCHEMES[name].name == name


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize("name", ["coma-epsilon", *BESIDE])
def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path, name: str) -> None:
    trained(tmp_path / "straight", learns=quick(name))
    trained(tmp_path / "stopped", stop_after(3), learns=quick(name))
    assert checkpoint(tmp_path / "stopped")["batch"] == 3
    trained(tmp_path / "stopped", learns=quick(name))
    assert content(tmp_path / "stopped") == content(tmp_path / "straight")
    assert equal(checkpoint(tmp_path / "stopped"), checkpoint(tmp_path / "straight"))
    assert {"policy.json", "settings.json", "curve.csv"} <= set(content(tmp_path / "straight"))


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize("name", BESIDE)
def test_the_policy_that_is_left_does_as_validation_said(tmp_path: Path, name: str) -> None:
    trained(tmp_path, learns=quick(name), validate_every=1)
    best = min(float(row["validation"]) for row in curve(tmp_path))
    scenarios = [busy("horizon={tasks: 5}", f"seed={2_000_000_000 + k}") for k in range(SHORT.validation_seeds)]
    found = [measure(scenario, f"trained:{tmp_path / 'policy'}") for scenario in scenarios]
    assert np.mean(found) == pytest.approx(best, rel=1e-5)


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize("name", ["ucb-coma", "dqn", "linucb", "ucb1"])
def test_where_tasks_are_dropped_learning_goes_on(tmp_path: Path, name: str) -> None:
    plant = busy(*LOSSES)
    assert simulate(plant, "eft")["tasks"]["dropped"] > 0
    budget = replace(SHORT, batches=3, tasks=12, validate_every=3)
    last = Training([plant], quick(name), budget, 1, tmp_path).run(1, go_on)
    assert last["batch"] == 3
    assert all(np.isfinite(value) for value in last.values())


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize("name", ["ucb-coma", "dqn", "ucb1"])
def test_the_checkpoint_of_another_seed_is_refused_whoever_learns(tmp_path: Path, name: str) -> None:
    for seed in (1, 2):
        Training([busy()], quick(name), SHORT, seed, tmp_path / str(seed)).run(1, stop_after(1))
    (tmp_path / "1" / "checkpoint.pt").write_bytes((tmp_path / "2" / "checkpoint.pt").read_bytes())
    with pytest.raises(RecordError, match=r"1/checkpoint\.pt is .*: it is of another training"):
        Training([busy()], quick(name), SHORT, 1, tmp_path / "1").run(1, go_on)
