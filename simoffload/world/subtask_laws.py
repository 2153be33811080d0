"""The laws that a subtask's attributes are drawn from: those of its stage and modality, unless it has its own.

A graph written out in the scenario may give a subtask laws of its own; an imported one may give it fixed values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..random_streams import Streams
from ..schema.base import MODALITIES, STAGES
from ..schema.workload import ModalitySpec, StageSpec, Workload, Written, WrittenSubtask
from ..tasks import Hint, ImportedGraph, TaskGraph
from ..tasks.graph import EXPLAIN
from ..tasks.templates import written_graph
from .lengths import Always, Sampler, make_sampler

_NONE = Always(0.0)


@dataclass(frozen=True, slots=True)
class SubtaskLaws:
    """A sampler for each attribute of a subtask."""

    prompt: Sampler
    """Tokens of its instructions."""
    payload_tokens: Sampler
    """Tokens that its payload becomes."""
    payload_bytes: Sampler
    output: Sampler
    """Tokens of its answer, as expected."""
    demand_s: Sampler
    difficulty: Sampler


class TaskLaws:
    """The laws of a workload's subtasks, on the streams of one source."""

    __slots__ = ("_by_kind", "_by_number")

    def __init__(self, workload: Workload, imported: ImportedGraph | None, streams: Streams, entity: str) -> None:
        self._by_kind = _laws_by_kind(workload, streams, entity)
        self._by_number: list[SubtaskLaws] | None = None
        if isinstance(workload.template, Written):
            bases = self._from_kinds(written_graph(workload.template))
            pairs = zip(bases, workload.template.subtasks, strict=True)
            self._by_number = [_with_own_laws(base, subtask, streams, entity) for base, subtask in pairs]
        elif imported is not None:
            bases = self._from_kinds(imported.graph)
            self._by_number = [_with_hint(base, hint) for base, hint in zip(bases, imported.hints, strict=True)]

    def of(self, graph: TaskGraph) -> Sequence[SubtaskLaws]:
        """The laws of each subtask of a graph of the workload."""
        return self._from_kinds(graph) if self._by_number is None else self._by_number

    def _from_kinds(self, graph: TaskGraph) -> list[SubtaskLaws]:
        by_kind = self._by_kind
        return [by_kind[stage][kind] for stage, kind in zip(graph.stages, graph.modalities, strict=True)]


def _laws_by_kind(workload: Workload, streams: Streams, entity: str) -> list[list[SubtaskLaws]]:
    """Laws by stage and modality; only the first stage has payloads."""
    stages = workload.stages
    specs = (stages.explain, stages.analyze, stages.generate)
    laws = [_stage(name, spec, streams, entity) for name, spec in zip(STAGES, specs, strict=True)]
    payloads = [_payload(workload.modalities.get(name), name, streams, entity) for name in MODALITIES]
    readers = [replace(laws[EXPLAIN], payload_tokens=tokens, payload_bytes=size) for tokens, size in payloads]
    return [readers, *([each] for each in laws[EXPLAIN + 1 :])]


def _payload(spec: ModalitySpec | None, modality: str, streams: Streams, entity: str) -> tuple[Sampler, Sampler]:
    if spec is None:
        return _NONE, _NONE
    return (
        make_sampler(spec.tokens, streams, entity, f"{modality} tokens", least=0.0),
        make_sampler(spec.payload, streams, entity, f"{modality} payload", least=0.0),
    )


def _stage(name: str, spec: StageSpec, streams: Streams, entity: str) -> SubtaskLaws:
    return SubtaskLaws(
        prompt=make_sampler(spec.prompt, streams, entity, f"{name} prompt", least=0.0),
        payload_tokens=_NONE,
        payload_bytes=_NONE,
        output=make_sampler(spec.output, streams, entity, f"{name} output", least=0.0),
        demand_s=make_sampler(spec.demand, streams, entity, f"{name} demand", least=0.0),
        difficulty=make_sampler(spec.difficulty, streams, entity, f"{name} difficulty"),
    )


def _with_own_laws(base: SubtaskLaws, subtask: WrittenSubtask, streams: Streams, entity: str) -> SubtaskLaws:
    own: dict[str, Sampler] = {}
    name = f"subtask {subtask.id}"
    if subtask.prompt is not None:
        own["prompt"] = make_sampler(subtask.prompt, streams, entity, f"{name} prompt", least=0.0)
    if subtask.output is not None:
        own["output"] = make_sampler(subtask.output, streams, entity, f"{name} output", least=0.0)
    if subtask.demand is not None:
        own["demand_s"] = make_sampler(subtask.demand, streams, entity, f"{name} demand", least=0.0)
    if subtask.difficulty is not None:
        own["difficulty"] = make_sampler(subtask.difficulty, streams, entity, f"{name} difficulty")
    return replace(base, **own)


def _with_hint(base: SubtaskLaws, hint: Hint) -> SubtaskLaws:
    own: dict[str, Sampler] = {}
    if hint.prompt_tokens is not None:
        own |= {"prompt": Always(hint.prompt_tokens), "payload_tokens": _NONE}
    if hint.output_tokens is not None:
        own["output"] = Always(hint.output_tokens)
    if hint.demand_s is not None:
        own["demand_s"] = Always(hint.demand_s)
    if hint.payload_bytes is not None:
        own["payload_bytes"] = Always(hint.payload_bytes)
    if hint.difficulty is not None:
        own["difficulty"] = Always(hint.difficulty)
    return replace(base, **own)
