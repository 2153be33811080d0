"""`simoffload train`: let an agent learn on a scenario, with its objective on seeds it never plays as it goes."""

from __future__ import annotations

import itertools
import math
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..record.durable import RecordError
from .inputs import accepted, as_typed, examined, scenario_argument
from .main import INTERRUPTED
from .progress import shown, watcher
from .stopping import Stop

if TYPE_CHECKING:
    from ..agents.learning.directory import Look, Watch
    from ..agents.learning.scheme import Scheme
    from ..schema import Diagnosis

DIRECTORY = "runs/train-{scenario}-{agent}-{seed}"
LONGEST = 10**6
"""Tasks of an episode or of a run that validates."""
FREE = frozenset({"workers", "out", "tensorboard", "resume"})
"""Options that change nothing of what is learned."""


def chosen(name: str, changes: Sequence[str]) -> Scheme:
    """The scheme of this name with changes such as 'c=0.5'."""
    from ..agents.learning.schemes import SCHEMES
    from ..schema.problems import nearest

    if name not in SCHEMES:
        close = nearest(name, SCHEMES)
        meant = f"did you mean '{close}'?" if close else f"those that do are {', '.join(SCHEMES)}"
        raise click.UsageError(f"--agent: no agent '{name}' learns; {meant}")
    unnamed = [change for change in changes if "=" not in change]
    if unnamed:
        raise click.UsageError(f"--learner: '{unnamed[0]}' has no '='; write NAME=VALUE")
    given = dict(change.partition("=")[::2] for change in changes)
    try:
        return SCHEMES[name].changed(given)
    except ValueError as error:
        raise click.UsageError(f"--learner: {error}") from None


def _varied(scenario: str, settings: Sequence[str], variation: Sequence[str]) -> Diagnosis:
    """The scenario with its settings and a variation of them, which is named as it was typed."""
    options = {setting: f"--vary '{setting}'" for setting in variation if setting not in settings}
    return as_typed(examined(scenario, (*settings, *variation), {}), options)


@contextmanager
def logged(watch: Watch, directory: Path) -> Iterator[Watch]:
    """`watch`, with every row of the curve written as events for TensorBoard on the way."""
    from tensorboardX import SummaryWriter

    def write(look: Look) -> bool:
        for name, value in look.row.items():
            if math.isfinite(value):
                writer.add_scalar(name, value, int(look.row["batch"]))
        return watch(look)

    with SummaryWriter(str(directory)) as writer:
        yield write


def combinations(variations: Sequence[str]) -> list[tuple[str, ...]]:
    """All settings that texts such as 'seed=1|2' lead to, one value of each; one empty combination for none."""
    each = []
    for variation in variations:
        path, equals, values = variation.partition("=")
        if not equals:
            raise click.UsageError(f"--vary: '{variation}' has no '='; write PATH=A|B|...")
        each.append([f"{path}={value}" for value in values.split("|")])
    return list(itertools.product(*each))


def _typed(context: click.Context) -> str:
    """The command that makes the same policy: what was typed of all that it depends on."""
    words = ["simoffload", "train", str(context.params["scenario"])]
    for option in context.command.params:
        value = context.params[option.name] if option.name else None
        if isinstance(option, click.Option) and option.name not in FREE and value not in (option.default, None, ()):
            for each in value if option.multiple else [value]:
                words += [option.opts[0], str(each)]
    return shlex.join(words)


@click.command()
@scenario_argument
@click.option("--agent", metavar="NAME", default="ucb-coma", help="Who learns.", show_default=True)
@click.option(
    "--learner",
    "changes",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change a setting of how it learns, such as c=0.5; may be given again.",
)
@click.option("--seed", type=click.IntRange(0, 999), default=1, help="Seed of the training.", show_default=True)
@click.option("--batches", type=click.IntRange(1, 1000), default=40, help="Batches of episodes.", show_default=True)
@click.option("--episodes", type=click.IntRange(1, 999), default=12, help="Episodes of a batch.", show_default=True)
@click.option("--tasks", type=click.IntRange(1, LONGEST), default=250, help="Tasks of an episode.", show_default=True)
@click.option(
    "--validate-every",
    type=click.IntRange(1),
    default=5,
    metavar="N",
    help="Batches from one validation to the next.",
    show_default=True,
)
@click.option(
    "--validation-seeds",
    type=click.IntRange(1, 1000),
    metavar="N",
    help="Runs of a validation.  [default: 8, or one for every combination of --vary]",
)
@click.option(
    "--validation-tasks", type=click.IntRange(1, LONGEST), default=600, help="Tasks of each.", show_default=True
)
@click.option(
    "--vary",
    "variations",
    multiple=True,
    metavar="PATH=A|B|...",
    help="Draw a value of the scenario anew for every episode, such as telemetry_interval='0 s|5 s'; all combinations "
    "if given again.",
)
@click.option("--patience", type=click.IntRange(1), metavar="N", help="End after N validations without a new best.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes that play, instead of one a core.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Directory, instead of runs/train-...")
@click.option("--tensorboard", is_flag=True, help="Write the curve for TensorBoard, too.")
@click.option("--resume", is_flag=True, help="Go on where a training with the same settings stopped.")
def train(
    scenario: str,
    settings: tuple[str, ...],
    agent: str,
    changes: tuple[str, ...],
    seed: int,
    batches: int,
    episodes: int,
    tasks: int,
    validate_every: int,
    validation_seeds: int | None,
    validation_tasks: int,
    variations: tuple[str, ...],
    patience: int | None,
    workers: int | None,
    out: Path | None,
    tensorboard: bool,
    resume: bool,
) -> None:
    """Let an agent learn on a scenario.

    Needs simoffload[train]. The directory gets policy.safetensors and policy.json of the best batch, the learning
    curve, and a checkpoint after every batch. Ctrl-C, or a crash, loses the batch under way at most; --resume ends
    with the same weights.
    """
    scheme = chosen(agent, changes)
    if patience is not None and agent == "tuned-index":
        raise click.UsageError("--patience: tuned-index plays all of its generations")
    worlds = [
        accepted(_varied(scenario, settings, variation), [], quiet=number > 0)
        for number, variation in enumerate(combinations(variations))
    ]
    world = worlds[0]
    directory = out or Path(DIRECTORY.format(scenario=world.name.replace("/", "-"), agent=agent, seed=seed))
    if directory.exists() and not directory.is_dir():
        raise click.UsageError(f"{directory} is not a directory")
    if directory.exists() and any(directory.iterdir()) and not resume:
        raise click.UsageError(f"{directory} is not empty; give another --out, or --resume to go on there")
    from concurrent.futures.process import BrokenProcessPool

    from ..agents.learning.directory import check_place, note_command
    from ..agents.learning.settings import TrainingSettings
    from ..analysis.figures_learning import learning_curve
    from ..analysis.palette import save_png
    from .compare import cores

    try:
        check_place(directory)
    except RecordError as error:
        raise click.UsageError(str(error)) from None
    wanted = TrainingSettings(
        batches=batches,
        episodes=episodes,
        tasks=tasks,
        validate_every=validate_every,
        validation_seeds=validation_seeds or max(8, len(worlds)),
        validation_tasks=validation_tasks,
        patience=patience or 0,
    )

    def describe(look: Look) -> str:
        return look.text

    try:
        with Stop() as stop, shown(quiet=False) as show:
            training = scheme.training(worlds, wanted, seed, directory)
            note_command(directory, _typed(click.get_current_context()))
            watch = watcher(show, stop, describe)
            with logged(watch, directory / "tensorboard") if tensorboard else nullcontext(watch) as watching:
                training.run(workers or cores(), watching)
    except RecordError as error:
        raise click.ClickException(str(error)) from None
    except ModuleNotFoundError as error:
        raise click.ClickException(f"training needs {error.name}: pip install 'simoffload[train]'") from None
    except BrokenProcessPool:
        if stop.asked:
            raise KeyboardInterrupt from None
        raise click.ClickException("a worker has been ended from outside; go on with --resume") from None
    policies = [path for path in (directory / "policy.safetensors", directory / "policy.json") if path.exists()]
    if policies:
        click.echo(f"policy     {policies[0]}")
        save_png(learning_curve({agent: [directory]}), directory / "curve.png")
        click.echo(f"figure     {directory / 'curve.png'}")
    click.echo(f"curve      {directory / 'curve.csv'}")
    if not training.is_over:
        click.echo(f"interrupted after batch {training.batch}; go on with --resume", err=True)
        click.get_current_context().exit(INTERRUPTED)
