"""Reading a study file: the plan with every name known, every scenario read, or all that is wrong with it and where."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..agents.kind_table import TableAgent
from ..agents.learning.scheme import Scheme
from ..agents.learning.schemes import SCHEMES
from ..agents.scoring import ScoringAgent
from ..run.agents import AgentError, agent_names, load_agent
from ..schema import Diagnosis, Scenario, ScenarioError, diagnose
from ..schema.document import Tree, TreePath, plain
from ..schema.findings import Finding, unknown
from ..schema.layers import SUFFIXES
from ..schema.messages import problems_of
from ..schema.problems import Problem, in_order, nearest
from ..schema.reader import parse, read_source
from ..schema.scenario import Horizon
from .plan import Ablations, Axes, Budget, Gaps, Generalisation, Part, Plan, Point, Settings, Trained

PARTS = ("ablations", "axes", "generalisation", "gaps")
"""What a study may have beside its main table."""
BUNDLED = Path(__file__).parent.parent / "studies"


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A policy to be trained; `directory` is its name among the trainings of the study."""

    name: str
    seed: int
    scheme: Scheme
    scenarios: tuple[Scenario, ...]
    """Episodes take turns between them."""
    budget: Budget
    is_usual: bool
    """Whether it is trained on the study's own scenario, and so validated like all others that are."""

    @property
    def directory(self) -> str:
        """Name of its directory."""
        return f"{self.name}-{self.seed}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where agents are measured: a scenario that is complete but for its seed."""

    at: float | str
    scenario: Scenario


@dataclass(frozen=True, slots=True)
class Survey:
    """What one table is made of: agents, on the same seeds, at one or more places."""

    name: str
    title: str
    subject: str
    agents: tuple[str, ...]
    seeds: tuple[int, ...]
    places: tuple[Place, ...]
    remarks: Mapping[str, str]
    """What is to be said of an agent."""


@dataclass(frozen=True, slots=True)
class StaticInstances:
    """Small instances whose optimum can be proven, and the agents to hold against it."""

    scenarios: tuple[Scenario, ...]
    agents: tuple[str, ...]
    effort_s: float


@dataclass(frozen=True, slots=True)
class Study:
    """A plan, made out."""

    plan: Plan
    trainings: tuple[TrainingRun, ...]
    main: Survey
    ablations: Survey | None
    axes: tuple[Survey, ...]
    generalisation: Survey | None
    gaps: StaticInstances | None

    @property
    def surveys(self) -> tuple[Survey, ...]:
        """All of them, in the order in which they are measured and told."""
        return tuple(each for each in (self.main, self.ablations, *self.axes, self.generalisation) if each is not None)

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that are measured."""
        return (*(survey.name for survey in self.surveys), *(() if self.gaps is None else ("gaps",)))

    def seeds_of(self, agent: str) -> tuple[int, ...]:
        """The training seeds of an agent; empty for one that the study does not train."""
        return tuple(run.seed for run in self.trainings if run.name == agent)

    @property
    def parts(self) -> tuple[str, ...]:
        """What it has beside its main table, of `PARTS`."""
        return tuple(name for name in PARTS if getattr(self, name))

    def only(self, parts: Collection[str]) -> Study:
        """The main table and these parts, with the trainings that they measure."""
        kept = replace(
            self,
            ablations=self.ablations if "ablations" in parts else None,
            axes=self.axes if "axes" in parts else (),
            generalisation=self.generalisation if "generalisation" in parts else None,
            gaps=self.gaps if "gaps" in parts else None,
        )
        agents = {agent for survey in kept.surveys for agent in survey.agents}
        agents.update(() if kept.gaps is None else kept.gaps.agents)
        return replace(kept, trainings=tuple(run for run in self.trainings if run.name in agents))

    def is_rule(self, agent: str) -> bool:
        """Whether an agent was trained neither by the study nor before, as a policy that comes with the package."""
        return not self.seeds_of(agent) and not isinstance(load_agent(agent), (ScoringAgent, TableAgent))


def bundled_studies() -> dict[str, Path]:
    """The study files that come with the package, by name."""
    return {path.stem: path for path in sorted(BUNDLED.glob("*.yaml"))}


def read_study(source: str) -> Study:
    """The study of a file or of a bundled name; ScenarioError lists all that is wrong with it."""
    path = _find(source)
    tree = parse(read_source(path, source if path == Path(source) else None))
    try:
        plan = Plan.model_validate(plain(tree))
    except ValidationError as error:
        raise ScenarioError(in_order(problems_of(error, Plan, tree))) from None
    reader = _Reader(plan, tree)
    study = reader.study()
    if reader.problems:
        raise ScenarioError(reader.problems)
    return study


def _find(source: str) -> Path:
    bundled = bundled_studies()
    if source in bundled and not os.path.isfile(source):
        return bundled[source]
    if source.endswith(SUFFIXES) or os.path.exists(source):
        return Path(source)
    message = f"unknown study '{source}': neither a file nor a bundled study"
    raise ScenarioError([Problem("", 0, 0, "", message, tuple(bundled), nearest(source, bundled))])


class _Reader:
    """Makes a plan out, collecting what is wrong as it goes; what it returns is worth nothing if anything is."""

    def __init__(self, plan: Plan, tree: Tree) -> None:
        self.plan = plan
        self.tree = tree
        self.problems: list[Problem] = []
        self._read: dict[tuple[str, ...], Diagnosis] = {}
        self._usual = self._scenario(("scenario",), plan.scenario, plan.settings)

    def study(self) -> Study:
        plan = self.plan
        self._agents(("main", "agents"), plan.main.agents)
        self._subject(("subject",), plan.subject, ("main", plan.main.agents))
        main = self._survey("main", "All schemes", plan.main, [Place("", self._usual)])
        return Study(
            plan,
            tuple(self._trainings()),
            main,
            None if plan.ablations is None else self._ablations(plan.ablations, main),
            () if plan.axes is None else tuple(self._axes(plan.axes)),
            None if plan.generalisation is None else self._generalisation(plan.generalisation),
            None if plan.gaps is None else self._gaps(plan.gaps),
        )

    def _find(self, finding: Finding) -> None:
        self.problems.append(finding.located(self.tree))

    def _trainings(self) -> Iterator[TrainingRun]:
        budget = self.plan.budget
        if budget is None:
            if self.plan.trainings:
                self._find(Finding(("trainings",), "nothing can be trained without a budget", at_key=True))
            return
        for name, trained in self.plan.trainings.items():
            scheme = self._scheme(("trainings", name), trained)
            scenarios = tuple(self._training_scenarios(("trainings", name), trained))
            is_usual = trained.scenario is None and not trained.settings and not trained.vary
            own = budget if trained.batches is None else budget.model_copy(update={"batches": trained.batches})
            for seed in self._seeds_of(name):
                yield TrainingRun(name, seed, scheme, scenarios, own, is_usual)

    def _scheme(self, path: TreePath, trained: Trained) -> Scheme:
        if trained.scheme not in SCHEMES:
            self._find(unknown((*path, "scheme"), "scheme", trained.scheme, SCHEMES))
            return next(iter(SCHEMES.values()))
        scheme = SCHEMES[trained.scheme]
        try:
            return scheme.changed({name: _typed(value) for name, value in trained.learner.items()})
        except ValueError as error:
            self._find(Finding((*path, "learner"), str(error), at_key=True))
            return scheme

    def _training_scenarios(self, path: TreePath, trained: Trained) -> Iterator[Scenario]:
        each = [[f"{where}={value}" for value in values] for where, values in trained.vary.items()]
        for further in product(*each):
            yield self._varied((*path, "vary") if further else path, trained, further)

    def _ablations(self, ablations: Ablations, main: Survey) -> Survey:
        path = ("ablations",)
        self._agents((*path, "base"), [ablations.base])
        for name in ablations.variants:
            if name not in self.plan.trainings:
                self._find(unknown((*path, "variants", name), "training", name, self.plan.trainings, at_key=True))
            elif name != ablations.base and ablations.base in self.plan.trainings:
                self._same_seeds((*path, "variants", name), name, ablations.base)
        agents = (ablations.base, *(name for name in ablations.variants if name != ablations.base))
        title = f"What {ablations.base} owes to its parts"
        return replace(
            main, name="ablations", title=title, subject=ablations.base, agents=agents, remarks=ablations.variants
        )

    def _same_seeds(self, path: TreePath, name: str, base: str) -> None:
        """A variant differs from its base in what it lacks, and in nothing else."""
        own, wanted = (self._seeds_of(each) for each in (name, base))
        if sorted(own) != sorted(wanted):
            found, needed = (", ".join(map(str, seeds)) for seeds in (own, wanted))
            message = f"'{name}' is trained from seeds {found}, its base '{base}' from {needed}; give both the same"
            self._find(Finding(path, message, at_key=True))

    def _seeds_of(self, name: str) -> list[int]:
        return self.plan.trainings[name].seeds or ([] if self.plan.budget is None else self.plan.budget.seeds)

    def _axes(self, axes: Axes) -> Iterator[Survey]:
        self._agents(("axes", "agents"), axes.agents)
        self._subject(("axes", "agents"), self.plan.subject, ("axes", axes.agents))
        for name, axis in axes.over.items():
            places = [self._place(("axes", "over", name, "points", k), point) for k, point in enumerate(axis.points)]
            yield self._survey(f"axis-{name}", axis.label, axes, places)

    def _generalisation(self, part: Generalisation) -> Survey:
        self._agents(("generalisation", "agents"), part.agents)
        self._subject(("generalisation", "agents"), self.plan.subject, ("generalisation", part.agents))
        places = [self._place(("generalisation", "over", k), point) for k, point in enumerate(part.over)]
        return self._survey("generalisation", "Where they were not trained", part, places)

    def _gaps(self, gaps: Gaps) -> StaticInstances:
        self._agents(("gaps", "agents"), gaps.agents)
        from ..agents.bounds.instance import InstanceError, static_instance

        scenario = self._varied(("gaps",), gaps, [])
        try:
            if not self.problems:
                static_instance(scenario)
        except InstanceError as error:
            self._find(Finding(("gaps", "scenario"), str(error)))
        scenarios = tuple(scenario.model_copy(update={"seed": seed}) for seed in range(1, gaps.instances + 1))
        return StaticInstances(scenarios, tuple(gaps.agents), gaps.effort)

    def _survey(self, name: str, title: str, part: Part, places: Sequence[Place]) -> Survey:
        horizon = Horizon.model_construct(tasks=part.tasks, time=None)
        made_out = []
        for place in places:
            warm_up = place.scenario.warm_up if part.warm_up is None else part.warm_up
            scenario = place.scenario.model_copy(update={"horizon": horizon, "warm_up": warm_up, "seed": 0})
            made_out.append(Place(place.at, scenario))
        seeds = tuple(range(part.seeds.first, part.seeds.first + part.seeds.count))
        return Survey(name, title, self.plan.subject, tuple(part.agents), seeds, tuple(made_out), {})

    def _place(self, path: TreePath, point: Point) -> Place:
        return Place(point.at, self._varied(path, point, []))

    def _varied(self, path: TreePath, part: Trained | Point | Gaps, further: Sequence[str]) -> Scenario:
        """The study's scenario with changes; of one that has another scenario the study's settings say nothing."""
        settings = [*part.settings, *further]
        if part.scenario is None:
            return self._scenario(path, self.plan.scenario, [*self.plan.settings, *settings])
        return self._scenario(path, part.scenario, settings)

    def _scenario(self, path: TreePath, source: str, settings: Settings) -> Scenario:
        if (source, *settings) not in self._read:
            beside = self.tree.mark.source.directory / source
            self._read[source, *settings] = diagnose(beside if source.endswith(SUFFIXES) else source, settings)
        diagnosis = self._read[source, *settings]
        for problem in diagnosis.problems:
            if problem.severity == "error":
                self._find(Finding(path, problem.headline, at_key=True))
        if diagnosis.scenario is None:
            return Scenario.model_construct(warm_up=0.0)
        return diagnosis.scenario

    def _subject(self, path: TreePath, subject: str, part: tuple[str, list[str]]) -> None:
        if subject not in part[1]:
            self._find(Finding(path, f"the subject '{subject}' is none of the agents of {part[0]}"))

    def _agents(self, path: TreePath, names: Sequence[str]) -> None:
        known = [*self.plan.trainings, *agent_names()]
        for number, name in enumerate(names):
            here = (*path, number) if isinstance(self.tree.find(path).value, list) else path
            if name in names[:number]:
                self._find(Finding(here, f"'{name}' is listed twice"))
            if name in self.plan.trainings:
                continue
            if ":" not in name and name not in known:
                self._find(unknown(here, "agent", name, known))
                continue
            try:
                load_agent(name)
            except AgentError as error:
                self._find(Finding(here, str(error)))


def _typed(value: Any) -> str:
    """A value of the file as somebody would type it."""
    return value if isinstance(value, str) else json.dumps(value)
