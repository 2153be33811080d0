"""What the tasks of a workload are made of, on average: how many subtasks of each kind, how long, how many bytes.

Closed forms where a template and its distributions have them. Layered and imported graphs, and lengths that come from
files, are averaged over tasks drawn by the workload's own sources.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

from ..schema import Scenario
from ..schema.base import MODALITIES, STAGES, Modality
from ..schema.distributions import Empirical
from ..schema.workload import (
    Arrivals,
    Count,
    ExplainAnalyzeGenerate,
    Imported,
    Layered,
    MmppArrivals,
    PerceptionReasoningDecision,
    PeriodicArrivals,
    PlanExecuteAggregate,
    StageSpec,
    TraceArrivals,
    Workload,
    Written,
)
from .means import mean, mean_answer

DRAWN = 1000
"""Tasks that are drawn where there is no closed form."""


@dataclass(frozen=True, slots=True)
class Part:
    """Subtasks of one stage and modality: their mean number per task and the means of each one's attributes."""

    stage: int
    modality: int
    count: float
    prompt: float
    """Tokens read, predecessors' answers included."""
    output: float
    demand_s: float
    payload_bytes: float


@dataclass(frozen=True, slots=True)
class Composition:
    """A workload in means: tasks a second at each of its homes (edge numbers), and their parts."""

    rate: float
    homes: tuple[int, ...]
    parts: tuple[Part, ...]
    max_output: int


def composition(scenario: Scenario, number: int) -> Composition:
    """The composition of a scenario's workload."""
    workload = scenario.workloads[number]
    ids = [edge.id for edge in scenario.edges]
    homes = tuple(range(len(ids))) if workload.homes == "all" else tuple(ids.index(home) for home in workload.homes)
    if _is_closed(workload):
        rate, parts = _rate(workload.arrivals), tuple(_parts(workload))
    else:
        rate, parts = _drawn(scenario, workload, len(homes))
    return Composition(rate, homes, parts, workload.max_output)


def _is_closed(workload: Workload) -> bool:
    if isinstance(workload.template, (Layered, Imported)) or isinstance(workload.arrivals, TraceArrivals):
        return False
    stages = workload.stages
    lengths = [stage.prompt for stage in (stages.explain, stages.analyze, stages.generate)]
    lengths += [stage.output for stage in (stages.explain, stages.analyze, stages.generate)]
    lengths += [spec.tokens for spec in workload.modalities.values()]
    if isinstance(workload.template, Written):
        for subtask in workload.template.subtasks:
            lengths += [length for length in (subtask.prompt, subtask.output) if length is not None]
    return not any(isinstance(length, Empirical) for length in lengths)


def _rate(arrivals: Arrivals) -> float:
    """Mean arrivals per second at a home; modulation has mean 1."""
    if isinstance(arrivals, MmppArrivals):
        weighted = math.fsum(rate * time for rate, time in zip(arrivals.rates, arrivals.mean_sojourn, strict=True))
        return weighted / math.fsum(arrivals.mean_sojourn)
    if isinstance(arrivals, PeriodicArrivals):
        return 1 / arrivals.period
    assert not isinstance(arrivals, TraceArrivals)
    return arrivals.rate


def _parts(workload: Workload) -> Iterator[Part]:
    template = workload.template
    if isinstance(template, Written):
        yield from _written_parts(workload, template)
    elif isinstance(template, ExplainAnalyzeGenerate):
        yield from _eag_parts(workload, template)
    elif isinstance(template, PerceptionReasoningDecision):
        seen = 0.0
        for modality, chance in _presence(workload).items():
            yield _first_part(workload, modality, chance)
            seen += chance
        steps = _mean_count(template.reasoning)
        explained, analyzed = _answer(workload, 0), _answer(workload, 1)
        yield _later_part(workload, 1, steps, (seen * explained + (steps - 1) * analyzed) / steps)
        yield _later_part(workload, 2, 1.0, analyzed)
    elif isinstance(template, PlanExecuteAggregate):
        for modality, chance in _one_of(workload).items():
            yield _first_part(workload, modality, chance)
        executed = _mean_count(template.execute)
        yield _later_part(workload, 1, executed, _answer(workload, 0))
        yield _later_part(workload, 2, 1.0, executed * _answer(workload, 1))


def _eag_parts(workload: Workload, template: ExplainAnalyzeGenerate) -> Iterator[Part]:
    single = template.explain == "single"
    for modality, chance in (_one_of(workload) if single else _presence(workload)).items():
        yield _first_part(workload, modality, chance)
    counts = list(_counts(template.analyze))
    explains = [(1, 1.0)] if single else [(len(present), chance) for present, chance in _present_sets(workload)]
    arcs = math.fsum(p * q * _arcs(e, a, template.join == "subset") for e, p in explains for a, q in counts)
    analyzed = _mean_count(template.analyze)
    yield _later_part(workload, 1, analyzed, arcs / analyzed * _answer(workload, 0))
    yield _later_part(workload, 2, 1.0, analyzed * _answer(workload, 1))


def _arcs(explains: int, analyzes: int, is_subset: bool) -> float:
    """Mean arcs from Explains to Analyzes: all, or any non-empty subset each, an Explain nobody took going to one."""
    if not is_subset:
        return float(explains * analyzes)
    taken = math.ldexp(1, explains - 1) / (math.ldexp(1, explains) - 1)
    return analyzes * explains * taken + explains * math.pow(1 - taken, analyzes)


def _written_parts(workload: Workload, template: Written) -> Iterator[Part]:
    followed = {name for subtask in template.subtasks for name in subtask.after}
    specs, stages, answers = {}, {}, {}
    for subtask in template.subtasks:
        stage = 0 if not subtask.after else 1 if subtask.id in followed else 2
        stages[subtask.id] = STAGES.index(subtask.stage) if subtask.stage else stage
        own = {"prompt": subtask.prompt, "output": subtask.output, "demand": subtask.demand}
        given = {key: value for key, value in own.items() if value is not None}
        spec = specs[subtask.id] = _stage(workload, stages[subtask.id]).model_copy(update=given)
        answers[subtask.id] = mean_answer(spec.output, workload.length_noise, workload.max_output)
    for subtask in template.subtasks:
        spec, heard = specs[subtask.id], math.fsum(answers[name] for name in subtask.after)
        if stages[subtask.id] == 0:
            yield _first_part(workload, subtask.modality, 1.0, spec, heard)
        else:
            yield _later_part(workload, stages[subtask.id], 1.0, heard, spec)


def _first_part(
    workload: Workload, modality: Modality, count: float, spec: StageSpec | None = None, heard: float = 0.0
) -> Part:
    spec, payload = spec or workload.stages.explain, workload.modalities.get(modality)
    return Part(
        stage=0,
        modality=MODALITIES.index(modality),
        count=count,
        prompt=mean(spec.prompt) + heard + (mean(payload.tokens) if payload else 0.0),
        output=mean_answer(spec.output, workload.length_noise, workload.max_output),
        demand_s=mean(spec.demand),
        payload_bytes=mean(payload.payload) if payload else 0.0,
    )


def _later_part(workload: Workload, stage: int, count: float, heard: float, spec: StageSpec | None = None) -> Part:
    spec = spec or _stage(workload, stage)
    answer = mean_answer(spec.output, workload.length_noise, workload.max_output)
    return Part(stage, 0, count, mean(spec.prompt) + heard, answer, mean(spec.demand), 0.0)


def _stage(workload: Workload, stage: int) -> StageSpec:
    return (workload.stages.explain, workload.stages.analyze, workload.stages.generate)[stage]


def _answer(workload: Workload, stage: int) -> float:
    return mean_answer(_stage(workload, stage).output, workload.length_noise, workload.max_output)


def _counts(count: Count) -> Iterator[tuple[int, float]]:
    """Values of a count with their chances."""
    weights = count.weights or [1.0] * (count.max - count.min + 1)
    for value, weight in enumerate(weights, start=count.min):
        yield value, weight / math.fsum(weights)


def _mean_count(count: Count) -> float:
    return math.fsum(value * chance for value, chance in _counts(count))


def _present_sets(workload: Workload) -> Iterator[tuple[tuple[Modality, ...], float]]:
    """Sets of modalities that a task may have, with their chances: independent, given that there is one at least."""
    shares = {modality: spec.share for modality, spec in workload.modalities.items()}
    some = 1 - math.prod(1 - share for share in shares.values())
    for size in range(1, len(shares) + 1):
        for present in combinations(shares, size):
            chances = [share if modality in present else 1 - share for modality, share in shares.items()]
            yield present, math.prod(chances) / some


def _presence(workload: Workload) -> dict[Modality, float]:
    """The chance that a task has each modality."""
    sets = list(_present_sets(workload))
    return {m: math.fsum(chance for present, chance in sets if m in present) for m in workload.modalities}


def _one_of(workload: Workload) -> dict[Modality, float]:
    """The chance of each modality where a task has one only."""
    shares = {modality: spec.share for modality, spec in workload.modalities.items()}
    return {modality: share / math.fsum(shares.values()) for modality, share in shares.items()}


def _drawn(scenario: Scenario, workload: Workload, homes: int) -> tuple[float, tuple[Part, ...]]:
    """Rate at each home and parts, averaged over drawn tasks."""
    from ..random_streams import Streams
    from ..world.source import make_sources

    alone = scenario.model_copy(update={"workloads": [workload]})
    sources = make_sources(alone, [edge.id for edge in scenario.edges], Streams(scenario.seed))
    each = math.ceil(DRAWN / len(sources))
    batches = [list(islice(iter(source.next, None), each)) for source in sources]
    tasks = [task for batch in batches for task in batch]
    sums: dict[tuple[int, int], list[float]] = {}
    for task in tasks:
        graph = task.graph
        for i, kind in enumerate(zip(graph.stages, graph.modalities, strict=True)):
            prompt = task.prompt[i] + sum(task.output[p] for p in graph.predecessors[i])
            row = (1.0, prompt, task.output[i], task.demand_s[i], task.payload_bytes[i])
            sums[kind] = [a + b for a, b in zip(sums.get(kind, [0.0] * 5), row, strict=True)]
    parts = [
        Part(*kind, count / len(tasks), *(total / count for total in totals))
        for kind, (count, *totals) in sorted(sums.items())
    ]
    total = math.fsum(_observed_rate([task.arrival_s for task in batch]) for batch in batches)
    return total / homes, tuple(parts)


def _observed_rate(times: Sequence[float]) -> float:
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
