"""The plan: what a study file holds, as it is written. Names are checked, and scenarios read, by `reading`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from ..quantities import Fraction, PositiveWhole, Seconds, Whole
from ..schema.base import Frozen, Name

TRAINED_FROM = 1_000_000_000
"""Seeds from here on are those of trainings; held-out seeds are smaller. Seed 0 is that of the references."""


def _all_different(seeds: list[int]) -> list[int]:
    if len(set(seeds)) < len(seeds):
        raise ValueError("each seed counts once; one is listed twice")
    return seeds


TrainingSeed = Annotated[Whole, Field(ge=0, le=999)]
TrainingSeeds = Annotated[list[TrainingSeed], Field(min_length=1), AfterValidator(_all_different)]
Listed = Annotated[list[str], Field(min_length=1)]
Settings = list[str]
"""As given to --set."""


class Seeds(Frozen):
    """`count` held-out seeds in a row."""

    first: Annotated[Whole, Field(ge=1, lt=TRAINED_FROM // 2)]
    count: Annotated[Whole, Field(ge=2, le=TRAINED_FROM // 2)]


class Budget(Frozen):
    """What every scheme may learn from, equal for all."""

    batches: Annotated[PositiveWhole, Field(le=1000)]
    episodes: Annotated[PositiveWhole, Field(le=1000)] = 12
    """Of a batch."""
    tasks: PositiveWhole = 250
    """Of an episode."""
    validate_every: PositiveWhole = 5
    validation_seeds: PositiveWhole = 8
    validation_tasks: PositiveWhole = 600
    seeds: TrainingSeeds
    """A scheme is trained once for each."""


class Trained(Frozen):
    """A policy that the study trains; its name in the file is that of an agent of the study."""

    scheme: str
    learner: dict[str, Any] = {}
    """Changes of the scheme's settings."""
    scenario: str | None = None
    """Instead of the study's."""
    settings: Settings = []
    vary: dict[str, Annotated[list[str | float], Field(min_length=1)]] = {}
    """Values of paths of the scenario; every episode is played on a combination that chance picks."""
    seeds: TrainingSeeds | None = None
    batches: Annotated[PositiveWhole, Field(le=1000)] | None = None
    """Instead of the budget's: a scheme that decides less often has more episodes for as many decisions."""


class Part(Frozen):
    """Agents on held-out seeds, the same for all."""

    agents: Listed
    seeds: Seeds
    tasks: PositiveWhole
    warm_up: Seconds | None = None
    """Instead of the scenario's."""


class Point(Frozen):
    """A value of an axis: what is changed in the study's scenario, or a scenario of its own."""

    at: float | str
    scenario: str | None = None
    settings: Settings = []


class Axis(Frozen):
    """One thing that is varied."""

    label: str
    points: Annotated[list[Point], Field(min_length=2)]


class Axes(Part):
    """All agents at every point of every axis."""

    over: Annotated[dict[Name, Axis], Field(min_length=1)]


class Ablations(Frozen):
    """Trainings that lack something, measured where the main table is measured."""

    base: str
    variants: Annotated[dict[str, str], Field(min_length=1)]
    """What each training lacks, in words."""


class Generalisation(Part):
    """Agents where they were not trained."""

    over: Annotated[list[Point], Field(min_length=1)]


class Gaps(Frozen):
    """Agents against the clairvoyant optimum of small static instances: the scenario on the seeds 1, 2, ..."""

    agents: Listed
    scenario: str
    settings: Settings = []
    instances: Annotated[PositiveWhole, Field(ge=2)]
    effort: Annotated[Seconds, Field(gt=0)] = 60.0
    """Of the solver for an instance, in its own deterministic time."""


class Plan(Frozen):
    """A study file."""

    name: Name
    description: str
    scenario: str
    settings: Settings = []
    subject: str
    """The agent whose differences from all others are told."""
    level: Annotated[Fraction, Field(gt=0.5, lt=1)] = 0.95
    """Of all intervals."""
    budget: Budget | None = None
    trainings: dict[Name, Trained] = {}
    main: Part
    axes: Axes | None = None
    ablations: Ablations | None = None
    generalisation: Generalisation | None = None
    gaps: Gaps | None = None
