"""Results: the tables and figures of a study in a folder, and a page that puts them in reading order."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..analysis.figures_learning import read_curve
from ..analysis.numbers import counted, plus_minus, rounded
from ..analysis.palette import save_png
from ..record.durable import make_directory, write_durably
from ..record.manifest import versions
from ..run.references import with_references
from . import provenance, tables
from .cells import Cells
from .entrants import TRAININGS
from .evaluation import wanted
from .figures import axes_figure, learning_figure, schemes_figure
from .hindsight import contests
from .lines import Line, lines_of
from .optimality import all_solved, gap_lines
from .reading import Study, Survey
from .running import CELLS
from .sittings import read_sittings
from .trainings import hand_on, states_of

RESULTS_FILE = "results.md"
FIGURES = "figures"
MADE = "## How it was made"
"""Heading of what may differ between two runs of the same study: times and the machine."""


def write_results(study: Study, directory: Path, results: Path, command: str) -> Path:
    """Write all that a study has found to the folder `results`; the page. RecordError where that fails."""
    cells = Cells(directory / CELLS)
    lines = {survey.name: lines_of(study, survey, cells, directory) for survey in study.surveys}
    make_directory(results)
    for name, found in lines.items():
        write_durably(results / f"{name}.csv", tables.as_csv(found).encode())
    for run in study.trainings:
        hand_on(run, directory / TRAININGS / run.directory, results / TRAININGS / run.directory)
    parts = [
        *_head(study),
        *_schemes(study, study.main, lines["main"], results),
        *_learning(study, directory, results),
        *_axes(study, [(survey, lines[survey.name]) for survey in study.axes], results),
    ]
    if study.ablations is not None:
        parts += _ablations(study.ablations, lines["ablations"])
    if study.generalisation is not None:
        parts += _generalisation(study.generalisation, lines["generalisation"])
    shifted = [each for each in (*study.axes, study.generalisation) if each is not None]
    parts += _hindsight(study, [(survey, lines[survey.name]) for survey in shifted], results)
    if study.gaps is not None:
        parts += _gaps(study, directory, results)
    parts += [MADE, *_made(study, directory, cells, command)]
    path = results / RESULTS_FILE
    write_durably(path, ("\n\n".join(parts) + "\n").encode())
    return path


def _head(study: Study) -> Iterator[str]:
    plan, main = study.plan, study.main
    yield f"# {plan.name}"
    yield plan.description.strip()
    objective = with_references(main.places[0].scenario).objective
    yield (
        f"The objective of a task is w L/L_ref + (1 - w) C/C_ref, the smaller the better; in `{plan.scenario}` "
        f"w = {objective.latency_weight:g}, L_ref = {_number(objective.latency_reference)} s and C_ref = "
        f"{_number(objective.cost_reference)} USD. ± behind an objective is half the width of a "
        f"{100 * plan.level:g} % interval over held-out seeds, which no training has seen. On each seed all agents "
        f"meet the same tasks, lengths and channels, so differences are paired by seed. A difference is "
        f"{plan.subject}'s objective minus the other's, in per cent of the other's: below zero it is better. ± behind "
        "it allows for the error of both objectives; what is said in words rests on the difference itself. Intervals "
        "of differences are adjusted for all comparisons of their table (Holm): where no agents differed, the chance "
        f"that any of them excluded zero would be about {100 * (1 - plan.level):g} %."
    )
    if plan.budget is not None:
        yield (
            "A scheme that learns was trained from several seeds; on each held-out seed it counts with the mean of its "
            f"trainings. Each learned from episodes of {plan.budget.tasks} tasks, with as many decisions as the table "
            "under Learning says; the policy kept is the best on "
            f"{counted(plan.budget.validation_seeds, 'validation seed')}."
        )
    yield (
        "A difference has two intervals. That with these trainings says how far other held-out seeds would have moved "
        "it, for the very policies that were measured. That with any trainings says how far other trainings of the "
        "schemes would have, too: its variance has a term more for each scheme that the study trains, that of the "
        "means of its trainings, and its degrees of freedom are those of Welch and Satterthwaite. A rule, and an agent "
        "that comes trained, is one policy and has no such term; where a scheme was trained once, there is no such "
        "interval. *Better* and *worse* are said where the interval with any trainings excludes zero, *with these "
        "trainings* where the other alone does. Of few trainings little is known: where those of a scheme scatter far "
        "more than seeds do, an interval with any trainings that says 95 % misses 7 to 9 % of the time with three "
        "trainings and 11 to 13 % with two. Where a table has one half-width behind a difference, it is that with "
        "any trainings; the CSV files beside this page have both. ± behind an objective is with these trainings."
    )


def _number(reference: float | str) -> str:
    assert isinstance(reference, float), "references have been worked out"
    return rounded(reference, 4)


def _seeds(survey: Survey) -> str:
    tasks = survey.places[0].scenario.horizon.tasks
    ends_s = sorted({place.scenario.warm_up for place in survey.places})
    first = " to ".join(f"{end:g}" for end in dict.fromkeys((ends_s[0], ends_s[-1])))
    warm_up = f" without those of the first {first} s" if ends_s[-1] > 0 else ""
    return f"Held-out seeds {survey.seeds[0]} to {survey.seeds[-1]}, {tasks} tasks each{warm_up}."


def _schemes(study: Study, survey: Survey, lines: Sequence[Line], results: Path) -> Iterator[str]:
    yield f"## {survey.title}"
    yield f"`{study.plan.scenario}`. {_seeds(survey)} {tables.count(lines, survey.subject)}"
    yield tables.schemes_table(lines, survey.subject, survey.remarks)
    save_png(schemes_figure(lines, survey.subject), results / FIGURES / "main.png")
    yield f"![Objective of every scheme]({FIGURES}/main.png)"


def _learning(study: Study, directory: Path, results: Path) -> Iterator[str]:
    if not study.trainings:
        return
    yield "## Learning"
    curves = [(run, read_curve(directory / TRAININGS / run.directory)) for run in study.trainings]
    rows = [
        [run.directory, f"{curve.decisions[-1]:.0f}", *map(rounded, (min(curve.validation), min(curve.rules.values())))]
        for run, curve in curves
    ]
    yield tables.markdown(("training", "decisions", "best validation", "best of its rules"), rows)
    yield (
        "Objectives on validation seeds, beside the best of the rules that play there "
        f"({', '.join(f'`{name}`' for name in sorted(curves[0][1].rules))}); of a training on several variants of a "
        "scenario, relative to the best of them on each. "
        f"The folder `{TRAININGS}` beside this page holds the policies."
    )
    figure = learning_figure(study, directory)
    if figure is not None:
        save_png(figure, results / FIGURES / "learning.png")
        yield f"![Objective on validation seeds while learning]({FIGURES}/learning.png)"


def _axes(study: Study, lines: Sequence[tuple[Survey, Sequence[Line]]], results: Path) -> Iterator[str]:
    if not lines:
        return
    first = lines[0][0]
    yield "## Axes"
    yield (
        f"{_seeds(first)} In brackets {first.subject} against the agent of the column, adjusted for all comparisons of "
        "the axis; †: the backlog kept growing on most seeds, so that the number depends on the length of the run."
    )
    if any(study.is_rule(agent) for agent in first.agents):
        save_png(axes_figure(study, lines), results / FIGURES / "axes.png")
        yield f"![Objective along each axis]({FIGURES}/axes.png)"
        yield (
            "In the figure each point is held against the best there of the rules listed, in hindsight; the band is "
            f"the {100 * study.plan.level:g} % interval of {first.subject} at single points, with any trainings. Grey "
            "lines are the rules; lines that leave a panel go on beyond it."
        )
    for survey, found in lines:
        yield f"### {survey.title[0].upper()}{survey.title[1:]}"
        yield tables.places_table(found, survey.subject, survey.title, survey.agents)
        yield tables.count(found, survey.subject)
    everything = [line for _, found in lines for line in found]
    yield "Over all axes, points that several have in common counted in each:"
    yield tables.counts_by_agent(everything, first.subject)


def _ablations(survey: Survey, lines: Sequence[Line]) -> Iterator[str]:
    yield "## Ablations"
    yield f"{survey.title}, measured as in the first table. {tables.count(lines, survey.subject)}"
    yield tables.schemes_table(lines, survey.subject, survey.remarks)


def _generalisation(survey: Survey, lines: Sequence[Line]) -> Iterator[str]:
    yield "## Generalisation"
    yield f"{survey.title}: {_seeds(survey)[0].lower()}{_seeds(survey)[1:]} {tables.count(lines, survey.subject)}"
    yield tables.places_table(lines, survey.subject, "used on", survey.agents)
    yield tables.counts_by_agent(lines, survey.subject)


def _hindsight(study: Study, found: Sequence[tuple[Survey, Sequence[Line]]], results: Path) -> Iterator[str]:
    every = contests(study, found)
    if not every:
        return
    write_durably(results / "best-rule.csv", tables.contests_csv(every).encode())
    yield "## Against the best of the rules listed"
    yield (
        "Rules are those that the tables above list for a place. Which of them is best is told by the very seeds that "
        "count, place by place, so nobody could have chosen so well; a rule that is not listed may do better. "
        "Objective of each policy against it, in per cent, adjusted for all comparisons of this table; a place that "
        "several tables above have in common counts once."
    )
    yield tables.contests_table(every)
    yield tables.contests_counts(every)


def _gaps(study: Study, directory: Path, results: Path) -> Iterator[str]:
    assert study.gaps is not None
    lines = gap_lines(study, directory)
    write_durably(results / "gaps.csv", tables.gaps_csv(lines).encode())
    many = len(study.gaps.scenarios)
    yield "## Gaps to the optimum"
    yield (
        f"Objective over the bound of a solver that knows everything, on {counted(many, 'instance')} of "
        f"`{study.gaps.scenarios[0].name}`; of {lines[0].proved} the bound is the proven optimum, of the others no "
        "agent is further from the optimum than shown. A scheme counts on each instance with the mean of its "
        f"trainings; ± is half the width of a {100 * study.plan.level:g} % interval over instances, with these "
        "trainings."
    )
    rows = [[each.agent, plus_minus(each.ratio.mean, each.ratio.half_width), rounded(each.worst)] for each in lines]
    yield tables.markdown(("agent", "objective / bound", "worst"), rows)


def _made(study: Study, directory: Path, cells: Cells, command: str) -> Iterator[str]:
    sittings = read_sittings(directory)
    wall_s, cpu_s = sum(each.wall_s for each in sittings), sum(each.cpu_s for each in sittings)
    killed = sum(not each.ended for each in sittings)
    least = f" at least: {counted(killed, 'sitting')} did not come to an end" if killed else ""
    found = {**versions(), **_torch()}
    yield f"```sh\n{command}\n```"
    yield provenance.told(
        {
            "training": [states_of(directory / TRAININGS / run.directory) for run in study.trainings],
            "run": [(cells.code_of(cell),) for cell in wanted(study, directory)[1]],
            "instance": [] if study.gaps is None else [(each.code,) for each in all_solved(study, directory)],
        }
    )
    yield tables.markdown(
        ("what", ""),
        [
            ["wall time", f"{_hours(wall_s)} in {counted(len(sittings), 'sitting')}{least}"],
            ["processor time", f"{_hours(cpu_s)}{least}"],
            ["workers", ", ".join(dict.fromkeys(str(each.workers) for each in sittings)) or "none"],
            ["machine", f"{counted(os.cpu_count() or 1, 'core')}, {_processor()}, {platform.system()}"],
            ["versions", ", ".join(f"{name} {number}" for name, number in found.items())],
        ],
    )


def _hours(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600} h {whole % 3600 // 60} min {whole % 60} s"


def _torch() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return {"torch": version("torch")}
    except PackageNotFoundError:
        return {}


def _processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return (named or [platform.processor() or platform.machine()])[0]
