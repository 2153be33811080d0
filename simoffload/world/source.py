"""Sources of tasks: one for each workload at each of its home nodes, one in all for a recorded workload.

A source draws a task with everything that chance decides about it, before anybody makes a decision. Every kind of draw
has a stream of its own, named by workload, home and purpose: two policies on one seed serve the very same tasks, and
another home, another workload or another law of one attribute leaves all other draws as they were.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate

from ..random_streams import Normals, Streams, Uniforms
from ..schema.scenario import Scenario
from ..schema.workload import Imported, TraceArrivals, Workload
from ..tasks import ImportedGraph, Task, TaskGraph, import_graph
from ..tasks.graph import EXPLAIN
from ..tasks.templates import Fixed, GraphSampler, make_graph_sampler
from .arrivals import ArrivalProcess, Replay, make_arrivals, read_replay
from .lengths import make_sampler
from .subtask_laws import SubtaskLaws, TaskLaws


def make_sources(scenario: Scenario, edge_ids: Sequence[str], streams: Streams) -> list[TaskSource]:
    """The sources of a scenario by workload, then home, homes numbered as in `edge_ids`.

    ValueError for an unknown home or a trace that cannot be repeated, and what reading files may raise.
    """
    return [
        source
        for number, workload in enumerate(scenario.workloads)
        for source in _sources_of(number, workload, edge_ids, streams)
    ]


def _sources_of(number: int, workload: Workload, edge_ids: Sequence[str], streams: Streams) -> Iterator[TaskSource]:
    homes = list(range(len(edge_ids))) if workload.homes == "all" else [edge_ids.index(home) for home in workload.homes]
    imported: ImportedGraph | None = None
    if isinstance(workload.template, Imported):
        imported = import_graph(workload.template.file, workload.template.format)
        graphs: GraphSampler = Fixed(imported.graph)
    else:
        graphs = make_graph_sampler(workload.template, workload.modalities)
    if isinstance(workload.arrivals, TraceArrivals):
        entity = f"workload:{workload.id}"
        laws = TaskLaws(workload, imported, streams, entity)
        kind = RecordedSource if workload.arrivals.tokens == "trace" else TaskSource
        yield kind(number, workload, homes, read_replay(workload.arrivals), graphs, laws, streams, entity)
        return
    for home in homes:
        entity = f"workload:{workload.id}@{edge_ids[home]}"
        laws = TaskLaws(workload, imported, streams, entity)
        arrivals = make_arrivals(workload.arrivals, streams, entity)
        yield TaskSource(number, workload, [home], arrivals, graphs, laws, streams, entity)


class TaskSource:
    """Draws the tasks of a workload, at one home or dealt to several."""

    __slots__ = (
        "_api_noise",
        "_arrivals",
        "_deadline_s",
        "_dealt",
        "_graphs",
        "_laws",
        "_length_noise",
        "_luck",
        "_max_output",
        "_sigma",
        "_structure",
        "_weight",
        "homes",
        "workload",
    )

    def __init__(
        self,
        number: int,
        workload: Workload,
        homes: Sequence[int],
        arrivals: ArrivalProcess,
        graphs: GraphSampler,
        laws: TaskLaws,
        streams: Streams,
        entity: str,
    ) -> None:
        self.workload = number
        self.homes = tuple(homes)
        self._arrivals = arrivals
        self._graphs = graphs
        self._laws = laws
        self._structure = Uniforms(streams.generator(entity, "structure"))
        self._dealt = Uniforms(streams.generator(entity, "home"))
        self._length_noise = Normals(streams.generator(entity, "length noise"))
        self._luck = Uniforms(streams.generator(entity, "luck"))
        self._api_noise = Normals(streams.generator(entity, "api noise"))
        self._weight = make_sampler(workload.weight, streams, entity, "weight", least=0.0)
        self._sigma = workload.length_noise
        self._max_output = workload.max_output
        self._deadline_s = math.inf if workload.deadline is None else workload.deadline

    @property
    def mean_rate(self) -> float:
        """Tasks per second in the long run, over all homes."""
        return self._arrivals.mean_rate

    def next(self) -> Task | None:
        """The next task, in order of arrival; None when there is none left."""
        arrival_s = self._arrivals.next()
        if arrival_s == math.inf:
            return None
        graph = self._graphs.draw(self._structure)
        laws = self._laws.of(graph)
        prompt, output, expected = self._lengths(graph, laws)
        return Task(
            workload=self.workload,
            home=self._home(),
            arrival_s=arrival_s,
            graph=graph,
            weight=self._weight.next(),
            deadline_s=self._deadline_s,
            max_output=self._max_output,
            prompt=prompt,
            output=output,
            expected_output=expected,
            payload_bytes=[law.payload_bytes.next() for law in laws],
            demand_s=[law.demand_s.next() for law in laws],
            expected_demand_s=[law.demand_s.mean for law in laws],
            difficulty=[law.difficulty.next() for law in laws],
            luck=self._luck.take(len(laws)),
            api_noise=self._api_noise.take(len(laws)),
        )

    def _home(self) -> int:
        if len(self.homes) == 1:
            return self.homes[0]
        return self.homes[int(self._dealt.next() * len(self.homes))]

    def _lengths(self, graph: TaskGraph, laws: Sequence[SubtaskLaws]) -> tuple[list[int], list[int], list[float]]:
        """Tokens of prompts, of answers in truth, and of answers as expected.

        The truth is what is expected, drawn from the stage's law, times a lognormal factor of mean 1; an answer that
        is expected at all has at least one token, and none more than the workload allows.
        """
        most = self._max_output
        prompt = [round(law.prompt.next() + law.payload_tokens.next()) for law in laws]
        drawn = [round(law.output.next()) for law in laws]
        output = [
            min(max(round(length * factor), 1), most) if length > 0 else 0
            for length, factor in zip(drawn, self._factors(len(laws)), strict=True)
        ]
        return prompt, output, [float(min(length, most)) for length in drawn]

    def _factors(self, count: int) -> list[float]:
        """Lognormal factors of mean 1 between expected and true lengths."""
        sigma = self._sigma
        if sigma == 0:
            return [1.0] * count
        return [math.exp(sigma * z - sigma * sigma / 2) for z in self._length_noise.take(count)]


class RecordedSource(TaskSource):
    """Tasks with the recorded number of tokens each, shared out over their subtasks in proportion to the mean lengths.

    The prompt goes to the first stage, the answer's tokens go to all. The record is the truth; what is expected
    differs from it by a factor of mean 1. Answers longer than the workload allows are cut.
    """

    __slots__ = ("_replay",)

    def __init__(
        self,
        number: int,
        workload: Workload,
        homes: Sequence[int],
        arrivals: Replay,
        graphs: GraphSampler,
        laws: TaskLaws,
        streams: Streams,
        entity: str,
    ) -> None:
        super().__init__(number, workload, homes, arrivals, graphs, laws, streams, entity)
        self._replay = arrivals

    def _lengths(self, graph: TaskGraph, laws: Sequence[SubtaskLaws]) -> tuple[list[int], list[int], list[float]]:
        most = self._max_output
        prompt_tokens, output_tokens = self._replay.tokens
        readers = [number for number, stage in enumerate(graph.stages) if stage == EXPLAIN] or list(graph.sources)
        read = share_out(
            prompt_tokens, [laws[number].prompt.mean + laws[number].payload_tokens.mean for number in readers]
        )
        prompt = [0] * len(laws)
        for number, tokens in zip(readers, read, strict=True):
            prompt[number] = tokens
        output = [min(tokens, most) for tokens in share_out(output_tokens, [law.output.mean for law in laws])]
        factors = self._factors(len(laws))
        return prompt, output, [min(length * factor, most) for length, factor in zip(output, factors, strict=True)]


def share_out(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to `weights`, as nearly as can be, that add up to `total`; equal if all are 0."""
    sums = list(accumulate(weights))
    if sums[-1] <= 0:
        sums = list(accumulate([1.0] * len(weights)))
    bounds = [round(total * (each / sums[-1])) for each in sums]
    return [after - before for before, after in zip([0, *bounds], bounds, strict=False)]
