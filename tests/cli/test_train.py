"""`simoffload train` leaves a policy that can be used, goes on where it stopped, and refuses before anything runs."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simoffload.agents.learning import loop, schemes, training
from simoffload.agents.learning.settings import ComaSettings
from simoffload.agents.policy_file import read_policy
from simoffload.agents.ucb_coma import UcbComa
from tests.agents.learning.test_training import InTurn, content
from tests.cli.program import invoke

ROOT = Path(__file__).parent.parent.parent
SHORT = ("--episodes", "2", "--tasks", "8", "--validation-seeds", "1", "--validation-tasks", "8")
TINY = ("train", "tiny", "--batches", "2", *SHORT)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shorten(put: Callable[[Any, str, Any], None]) -> None:
    """Small networks."""
    small = ComaSettings(hidden=(4,), critic_hidden=(4,), first_critic_epochs=2, critic_epochs=2)
    scheme = replace(schemes.SCHEMES["ucb-coma"], settings=small)
    put(schemes, "SCHEMES", {"ucb-coma": scheme, "tuned-index": schemes.SCHEMES["tuned-index"]})


def play_in_turn(put: Callable[[Any, str, Any], None]) -> None:
    """No worker processes."""
    put(loop, "ProcessPoolExecutor", InTurn)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch.setattr)


@pytest.fixture
def in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    play_in_turn(monkeypatch.setattr)


def test_a_training_leaves_a_policy_a_curve_and_a_checkpoint() -> None:
    done = invoke(*TINY, "--workers", "1")
    directory = Path("runs/train-tiny-ucb-coma-1")
    assert done.exit_code == 0
    files = {"policy": "policy.safetensors", "figure": "curve.png", "curve": "curve.csv"}
    assert done.stdout == "".join(f"{what:<11}{directory / name}\n" for what, name in files.items())
    assert {path.name for path in directory.iterdir()} == {
        "policy.safetensors", "policy.json", "curve.csv", "curve.png", "checkpoint.pt", "settings.json",
        "scenario.yaml", "command.txt",
    }  # fmt: skip
    policy, card = read_policy(directory / "policy")
    assert policy.order is not None
    assert card["scenario"] == "tiny"
    assert card["command"] == shlex.join(["simoffload", *TINY])
    assert len((directory / "curve.csv").read_text(encoding="utf-8").splitlines()) == 3
    assert invoke("validate", str(directory / "scenario.yaml")).exit_code == 0


@pytest.mark.usefixtures("in_turn")
def test_with_orders_the_policy_has_a_network_for_them() -> None:
    assert invoke(*TINY, "--out", "here").exit_code == 0
    assert UcbComa(Path("here/policy")).order == "decide"


@pytest.mark.usefixtures("in_turn")
def test_an_interrupted_training_says_so_and_goes_on_to_the_same_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert invoke(*TINY, "--out", "straight").exit_code == 0
    step = training.Training.step

    def interrupted_step(made: training.Training, pool: object) -> dict[str, float]:
        row = step(made, pool)  # type: ignore[arg-type]
        signal.raise_signal(signal.SIGINT)
        return row

    with monkeypatch.context() as patched:
        patched.setattr(training.Training, "step", interrupted_step)
        stopped = invoke(*TINY, "--out", "stopped")
    assert stopped.exit_code == 130
    assert stopped.stdout == f"curve      {Path('stopped') / 'curve.csv'}\n"  # no policy has been validated yet
    assert "interrupted after batch 1; go on with --resume" in stopped.stderr
    again = invoke(*TINY, "--out", "stopped", "--resume")
    assert (again.exit_code, again.stderr) == (0, "")
    assert content(Path("stopped")) == content(Path("straight"))


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize("batches_seen", [1, 3])
def test_a_training_that_is_killed_goes_on_to_the_same_end(batches_seen: int) -> None:
    command = ("train", "tiny", "--batches", "6", *SHORT)
    assert invoke(*command, "--out", "straight").exit_code == 0
    code = (
        "from simoffload.cli.main import main\n"
        "from tests.cli.test_train import play_in_turn, shorten\n"
        "shorten(setattr), play_in_turn(setattr), main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, *command, "--out", "killed"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    curve = Path("killed/curve.csv")
    while process.poll() is None and not (curve.exists() and len(curve.read_bytes().splitlines()) > batches_seen):
        time.sleep(0.001)
    process.kill()
    process.wait()
    assert curve.exists()
    assert invoke(*command, "--out", "killed", "--resume").exit_code == 0
    assert content(Path("killed")) == content(Path("straight"))


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [(False, 1, "a worker has been ended from outside; go on with --resume"), (True, 130, "interrupted")],
)
def test_a_worker_that_is_gone_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, asked: bool, code: int, message: str
) -> None:
    def broken_step(made: training.Training, pool: object) -> dict[str, float]:
        if asked:
            signal.raise_signal(signal.SIGINT)
        raise BrokenProcessPool

    monkeypatch.setattr(training.Training, "step", broken_step)
    done = invoke(*TINY, "--out", "here")
    assert (done.exit_code, done.stdout) == (code, "")
    assert message in done.stderr


@pytest.mark.usefixtures("in_turn")
def test_what_is_in_a_directory_is_never_written_over() -> None:
    assert invoke(*TINY, "--out", "here").exit_code == 0
    before = content(Path("here"))
    refused = invoke(*TINY, "--out", "here")
    assert refused.exit_code == 2
    assert "here is not empty; give another --out, or --resume to go on there" in refused.stderr
    other = invoke(*TINY, "--learner", "c=2", "--out", "here", "--resume")
    assert other.exit_code == 1
    assert "settings.json is of a training with other settings; give another directory" in other.stderr
    assert content(Path("here")) == before


@pytest.mark.usefixtures("in_turn")
def test_resume_writes_into_no_directory_of_something_else() -> None:
    Path("run").mkdir()
    Path("run/manifest.json").write_text("{}", encoding="utf-8")
    Path("run/scenario.yaml").write_text("name: other\n", encoding="utf-8")
    before = content(Path("run"))
    refused = invoke(*TINY, "--out", "run", "--resume")
    assert refused.exit_code == 2
    assert "run holds no training, but 'manifest.json'; give another directory" in refused.stderr
    assert content(Path("run")) == before
    assert invoke(*TINY, "--out", "new", "--resume").exit_code == 0


@pytest.mark.parametrize("resume", [(), ("--resume",)])
def test_a_file_is_no_directory(resume: tuple[str, ...]) -> None:
    Path("file").write_text("mine", encoding="utf-8")
    refused = invoke(*TINY, "--out", "file", *resume)
    assert refused.exit_code == 2
    assert "file is not a directory" in refused.stderr
    assert Path("file").read_text(encoding="utf-8") == "mine"


@pytest.mark.usefixtures("in_turn")
def test_a_damaged_checkpoint_is_named() -> None:
    assert invoke(*TINY, "--out", "here").exit_code == 0
    Path("here/checkpoint.pt").write_bytes(b"")
    refused = invoke(*TINY, "--out", "here", "--resume")
    assert refused.exit_code == 1
    assert "checkpoint.pt is damaged or no checkpoint of this version" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "tinny"), "did you mean 'tiny'?"),
        ((*TINY, "--set", "sed=1"), "did you mean 'seed'?"),
        ((*TINY, "--batches", "0"), "--batches"),
        ((*TINY, "--batches", "1001"), "--batches"),
        ((*TINY, "--episodes", "1001"), "--episodes"),
        ((*TINY, "--seed", "1000"), "--seed"),
        ((*TINY, "--tasks", "0"), "--tasks"),
        ((*TINY, "--validate-every", "0"), "--validate-every"),
        ((*TINY, "--validation-seeds", "1001"), "--validation-seeds"),
        ((*TINY, "--validation-tasks", "1000001"), "--validation-tasks"),
        ((*TINY, "--agent", "tuned-index", "--patience", "2"), "--patience: tuned-index plays all of its generations"),
        ((*TINY, "--agent", "eft"), "no agent 'eft' learns; those that do are ucb-coma"),
        ((*TINY, "--agent", "ucb-com"), "no agent 'ucb-com' learns; did you mean 'ucb-coma'?"),
        ((*TINY, "--learner", "kapa=1"), "--learner: ucb-coma has no setting 'kapa'; did you mean 'kappa'?"),
        ((*TINY, "--learner", "zzzz=1"), "--learner: ucb-coma has no setting 'zzzz'; it has exploration, selection,"),
        ((*TINY, "--learner", "c"), "--learner: 'c' has no '='; write NAME=VALUE"),
        ((*TINY, "--learner", "selection=tlt"), "did you mean 'tilt'?"),
        ((*TINY, "--learner", "c=-1"), "--learner: c=-1: Input should be greater than or equal to 0"),
        ((*TINY, "--learner", "c=nan"), "--learner: c=nan: Input should be a finite number"),
        ((*TINY, "--learner", "trace=1.5"), "--learner: trace=1.5: Input should be less than or equal to 1"),
        ((*TINY, "--learner", "hidden=[]"), "--learner: hidden=[]: Tuple should have at least 1 item"),
        ((*TINY, "--learner", "hidden=[8, 0]"), "--learner: hidden=[8, 0]: Input should be greater than or equal to 1"),
        ((*TINY, "--learner", "minibatch=2.5"), "--learner: minibatch=2.5: Input should be a valid integer"),
        ((*TINY, "--learner", "selection=[tilt"), "--learner: selection=[tilt: Input should be 'tilt', 'none' or"),
        (
            (*TINY, "--learner", "positions=false", "--learner", "orders=false"),
            "--learner: with neither positions nor orders there is nothing to learn",
        ),
        ((*TINY, "--workers", "0"), "--workers"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_left(elsewhere: Path, arguments: tuple[str, ...], message: str) -> None:
    refused = invoke(*arguments)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert message in refused.stderr
    assert list(elsewhere.iterdir()) == []


def test_more_generations_than_have_seeds_are_refused() -> None:
    refused = invoke("train", "tiny", "--agent", "tuned-index", "--batches", "1000", "--episodes", "60")
    assert refused.exit_code == 1
    assert "1000 batches of 60 episodes make 1500 generations of tuned-index, 1000 at most" in refused.stderr


def test_without_torch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, elsewhere: Path) -> None:
    for name in [name for name in sys.modules if name.startswith("simoffload.agents.learning")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    refused = invoke(*TINY)
    assert refused.exit_code == 1
    assert "training needs torch: pip install 'simoffload[train]'" in refused.stderr
    assert list(elsewhere.iterdir()) == []


@pytest.mark.usefixtures("in_turn")
def test_episodes_may_be_played_on_variations_of_the_scenario() -> None:
    vary = ("--vary", "telemetry_interval=0 s|5 s", "--vary", "objective.latency_weight=0.2|0.5|0.9")
    assert invoke(*TINY, *vary, "--out", "here").exit_code == 0
    assert len(list(Path("here").glob("scenario*.yaml"))) == 6
    refused = invoke(*TINY, "--vary", "telemetry_interval", "--out", "there")
    assert (refused.exit_code, Path("there").exists()) == (2, False)
    assert "--vary: 'telemetry_interval' has no '='" in refused.stderr
    refused = invoke(*TINY, "--vary", "telemetry=0 s", "--out", "there")
    assert (refused.exit_code, Path("there").exists()) == (2, False)
    assert "--vary 'telemetry=0 s'" in refused.stderr
    assert "telemetry_interval" in refused.stderr


@pytest.mark.usefixtures("in_turn")
def test_the_curve_is_written_for_tensorboard_when_wanted() -> None:
    assert invoke(*TINY, "--tensorboard", "--out", "here").exit_code == 0
    (events,) = Path("here/tensorboard").iterdir()
    assert b"validation" in events.read_bytes()
    assert b"entropy" in events.read_bytes()
