"""Loading: from the name of a scenario to the scenario, or to everything that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from .bundled import bundled_catalogue, bundled_scenarios, whole_catalogue
from .checks import scenario_findings, workload_findings
from .document import Source, Tree, plain
from .extent import extent_findings
from .files import file_findings
from .findings import Finding
from .layers import SUFFIXES, Layers, overridden
from .messages import problems_of
from .names import name_findings
from .problems import Problem, ScenarioError, in_order, nearest
from .reader import parse
from .scenario import Scenario
from .workload import Workload

MOST_FINDINGS = 500
"""As many findings of a kind are collected; more help nobody."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A scenario, if the text holds one, and all that was found: errors if it holds none, else at most warnings."""

    scenario: Scenario | None
    problems: tuple[Problem, ...]


def load_scenario(source: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """The scenario of a file or of a bundled name, with ``path=value`` settings; ScenarioError lists all errors."""
    return _sound(diagnose(source, overrides))


def load_scenario_text(text: str, name: str = "<text>", overrides: Sequence[str] = ()) -> Scenario:
    """The scenario of a YAML text; files that it names are seen from the working directory."""
    return _sound(diagnose_text(text, name, overrides))


def diagnose(source: str | Path, overrides: Sequence[str] = ()) -> Diagnosis:
    """Like `load_scenario`, but with warnings, and without raising."""
    try:
        path, shown = _find(source)
        return _examined(Layers(bundled_scenarios()).file(path, shown), overrides)
    except ScenarioError as error:
        return Diagnosis(None, error.problems)


def diagnose_text(text: str, name: str = "<text>", overrides: Sequence[str] = ()) -> Diagnosis:
    """Like `load_scenario_text`, but with warnings, and without raising."""
    try:
        tree = parse(Source(name, text, Path.cwd()))
        return _examined(Layers(bundled_scenarios()).extended(tree), overrides)
    except ScenarioError as error:
        return Diagnosis(None, error.problems)


def _find(source: str | Path) -> tuple[Path, str]:
    """The file of a scenario and the name to show for it."""
    name = os.fspath(source)
    bundled = bundled_scenarios()
    if isinstance(source, str) and name in bundled and not os.path.isfile(name):
        return bundled[name], str(bundled[name])
    if isinstance(source, Path) or name.endswith(SUFFIXES) or os.path.exists(name):
        return Path(source), name
    message = f"unknown scenario '{name}': neither a file nor a bundled scenario"
    raise ScenarioError([Problem("", 0, 0, "", message, tuple(bundled), nearest(name, bundled))])


def _examined(tree: Tree, overrides: Sequence[str]) -> Diagnosis:
    tree = overridden(tree, overrides)
    data = plain(tree)
    findings: list[Finding] = list(islice(name_findings(data, bundled_catalogue()), MOST_FINDINGS))
    problems: list[Problem] = []
    scenario = None
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        problems = problems_of(error, Scenario, tree)
        findings += islice(workload_findings(_sound_workloads(data)), MOST_FINDINGS)
    else:
        findings += islice(_further(scenario), MOST_FINDINGS)
    problems = list(in_order([*problems, *(finding.located(tree) for finding in findings)]))
    sound = all(problem.severity == "warning" for problem in problems)
    return Diagnosis(scenario if sound else None, tuple(problems))


def _sound_workloads(data: object) -> Iterator[tuple[int, Workload]]:
    """The workloads of a scenario that is no whole one which are well-formed by themselves, with their numbers."""
    listed = data.get("workloads") if isinstance(data, dict) else None
    for number, workload in enumerate(listed if isinstance(listed, list) else []):
        with suppress(ValidationError):
            yield number, Workload.model_validate(workload)


def _further(scenario: Scenario) -> Iterator[Finding]:
    yield from scenario_findings(scenario, whole_catalogue(scenario))
    yield from extent_findings(scenario)
    yield from file_findings(scenario)


def _sound(diagnosis: Diagnosis) -> Scenario:
    if diagnosis.scenario is None:
        raise ScenarioError(problem for problem in diagnosis.problems)
    return diagnosis.scenario
