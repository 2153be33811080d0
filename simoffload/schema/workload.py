"""Workloads: when tasks arrive, what their graphs look like, how long their prompts and answers are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, model_validator

from ..quantities import Bytes, Fraction, Number, PerSecond, PositiveWhole, Seconds, Tokens, Whole
from ..traces.formats import RequestFormat
from .base import Frozen, Modality, Name
from .distributions import (
    ByteDistribution,
    Constant,
    NumberDistribution,
    SecondDistribution,
    TokenDistribution,
)
from .limits import (
    HIGHEST_RATE_PER_S,
    LARGEST_CV,
    LARGEST_FACTOR,
    LEAST_FACTOR,
    MOST_STATES,
    MOST_SUBTASKS_OF_A_KIND,
    MOST_TOKENS,
    SHORTEST_S,
)


class Diurnal(Frozen):
    """Rate modulation 1 + amplitude sin(2 pi (t + phase)/period); its mean is 1."""

    period: Annotated[Seconds, Field(ge=SHORTEST_S)]
    amplitude: Fraction
    phase: Seconds = 0.0


class _Renewal(Frozen):
    rate: Annotated[PerSecond, Field(gt=0, le=HIGHEST_RATE_PER_S)]
    """Mean arrivals per second at each home node."""
    modulation: Diurnal | None = None


class PoissonArrivals(_Renewal):
    """Exponential times between arrivals."""

    kind: Literal["poisson"]


class GammaArrivals(_Renewal):
    """Gamma times between arrivals with the given coefficient of variation."""

    kind: Literal["gamma"]
    cv: Annotated[Number, Field(gt=0, le=LARGEST_CV)]


class WeibullArrivals(_Renewal):
    """Weibull times between arrivals with the given coefficient of variation."""

    kind: Literal["weibull"]
    cv: Annotated[Number, Field(gt=0.05, le=20)]


class MmppArrivals(Frozen):
    """Markov-modulated Poisson: rates[i] arrivals a second for phase i's exponential sojourn; phases follow in turn."""

    kind: Literal["mmpp"]
    rates: Annotated[
        list[Annotated[PerSecond, Field(le=HIGHEST_RATE_PER_S)]], Field(min_length=2, max_length=MOST_STATES)
    ]
    mean_sojourn: list[Annotated[Seconds, Field(ge=SHORTEST_S)]]

    @model_validator(mode="after")
    def _one_sojourn_per_rate(self) -> MmppArrivals:
        if len(self.rates) != len(self.mean_sojourn):
            raise ValueError(f"{len(self.rates)} rates but {len(self.mean_sojourn)} mean_sojourn; give one per phase")
        if max(self.rates) <= 0:
            raise ValueError("every rate is 0; at least one phase must have arrivals")
        return self


class PeriodicArrivals(Frozen):
    """One arrival a period, displaced uniformly by up to `jitter`; homes are out of phase unless `aligned`."""

    kind: Literal["periodic"]
    period: Annotated[Seconds, Field(ge=1 / HIGHEST_RATE_PER_S)]
    jitter: Seconds = 0.0
    aligned: StrictBool = False

    @model_validator(mode="after")
    def _jitter_fits(self) -> PeriodicArrivals:
        if 2 * self.jitter > self.period:
            raise ValueError("jitter must be at most half the period, or arrivals would overtake one another")
        return self


class TraceArrivals(Frozen):
    """Replay of a request trace; each request goes to one of the homes, drawn at random."""

    kind: Literal["trace"]
    file: str
    format: RequestFormat | None = None
    speed: Annotated[Number, Field(ge=LEAST_FACTOR, le=LARGEST_FACTOR)] = 1.0
    """Replay this much faster than recorded."""
    tokens: Literal["trace", "drawn"] = "trace"
    """`trace`: prompt and output tokens are those recorded, shared out over its subtasks; `drawn`: `stages`."""
    repeat: StrictBool = False
    """Start over at the trace's end instead of ending the arrivals."""


Arrivals = Annotated[
    PoissonArrivals | GammaArrivals | WeibullArrivals | MmppArrivals | PeriodicArrivals | TraceArrivals,
    Field(discriminator="kind"),
]


class ModalitySpec(Frozen):
    """How a modality takes part in tasks."""

    share: Fraction = 1.0
    """Chance that a task has this modality (given that it has at least one)."""
    tokens: TokenDistribution = Constant[Tokens](value=0.0)
    """Prompt tokens its payload becomes."""
    payload: ByteDistribution = Constant[Bytes](value=0.0)
    """Raw bytes that must reach the node that explains it."""


class StageSpec(Frozen):
    """Prompt, answer, further demand and difficulty of the subtasks of one stage."""

    prompt: TokenDistribution = Constant[Tokens](value=0.0)
    """Instruction tokens, besides payload tokens and the predecessors' answers."""
    output: TokenDistribution = Constant[Tokens](value=0.0)
    """Tokens an agent expects; the truth differs by `length_noise`."""
    demand: SecondDistribution = Constant[Seconds](value=0.0)
    """Further service time on a node of speed 1, known to agents only by its mean."""
    difficulty: NumberDistribution = Constant[Number](value=0.0)


class Count(Frozen):
    """A whole number between `min` and `max`, uniform, or weighted."""

    min: PositiveWhole = 1
    max: PositiveWhole = 1
    weights: list[Annotated[Number, Field(ge=0)]] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Count:
        if self.max < self.min:
            raise ValueError(f"max {self.max} is below min {self.min}")
        if self.max > MOST_SUBTASKS_OF_A_KIND:
            raise ValueError(f"max {self.max} is above {MOST_SUBTASKS_OF_A_KIND} subtasks of a kind")
        if self.weights is not None and (len(self.weights) != self.max - self.min + 1 or sum(self.weights) <= 0):
            raise ValueError(f"give {self.max - self.min + 1} weights, not all 0, for {self.min}..{self.max}")
        return self


class ExplainAnalyzeGenerate(Frozen):
    """One Explain per modality, several Analyze that join them, one Generate (EAG, COLING 2025)."""

    kind: Literal["explain-analyze-generate"]
    explain: Literal["per_modality", "single"] = "per_modality"
    analyze: Count = Count(min=1, max=3)
    join: Literal["all", "subset"] = "all"
    """Each Analyze reads all Explains, or a random non-empty subset (every Explain is read by someone)."""


class PerceptionReasoningDecision(Frozen):
    """Perception per modality, a chain of reasoning steps, a decision."""

    kind: Literal["perception-reasoning-decision"]
    reasoning: Count = Count(min=1, max=3)


class PlanExecuteAggregate(Frozen):
    """One plan, executions in parallel, one aggregate."""

    kind: Literal["plan-execute-aggregate"]
    execute: Count = Count(min=2, max=4)


class Layered(Frozen):
    """Layered random graph with daggen's parameters (Suter): size, width (`fat`), density, regularity, jump."""

    kind: Literal["layered"]
    subtasks: Count = Count(min=6, max=6)
    fat: Fraction = 0.5
    density: Fraction = 0.5
    regularity: Fraction = 0.5
    jump: Annotated[Whole, Field(ge=1, le=MOST_SUBTASKS_OF_A_KIND)] = 1


class WrittenSubtask(Frozen):
    """A subtask of a graph written out in the scenario."""

    id: Name
    stage: Literal["explain", "analyze", "generate"] | None = None
    """By its place in the graph where left out: sources explain, sinks generate, the others analyze."""
    modality: Modality = "text"
    after: list[Name] = []
    prompt: TokenDistribution | None = None
    output: TokenDistribution | None = None
    demand: SecondDistribution | None = None
    difficulty: NumberDistribution | None = None


class Written(Frozen):
    """A graph written out subtask by subtask."""

    kind: Literal["written"]
    subtasks: Annotated[list[WrittenSubtask], Field(min_length=1, max_length=500)]


class Imported(Frozen):
    """A graph from a file: WfFormat JSON, HybridFlow-style XML plan, or plain JSON."""

    kind: Literal["imported"]
    file: str
    format: Literal["wfformat", "hybridflow", "json"] | None = None


Template = Annotated[
    ExplainAnalyzeGenerate | PerceptionReasoningDecision | PlanExecuteAggregate | Layered | Written | Imported,
    Field(discriminator="kind"),
]


class Stages(Frozen):
    """The three stages, by the names of the default template; other templates' stages stand in the same order."""

    explain: StageSpec = StageSpec()
    analyze: StageSpec = StageSpec()
    generate: StageSpec = StageSpec()


class Workload(Frozen):
    """A stream of tasks."""

    id: Name
    homes: Literal["all"] | Annotated[list[Name], Field(min_length=1)] = "all"
    arrivals: Arrivals
    template: Template = ExplainAnalyzeGenerate(kind="explain-analyze-generate")
    modalities: dict[Modality, ModalitySpec] = {"text": ModalitySpec()}
    stages: Stages = Stages()
    length_noise: Annotated[Number, Field(ge=0, le=3)] = 0.0
    """Sigma of the lognormal factor (mean 1) between an output's expected and true length."""
    max_output: Annotated[Whole, Field(ge=0, le=MOST_TOKENS)] = 4096
    """No answer is longer than this (tokens); what a batching server reserves for it."""
    weight: NumberDistribution = Constant[Number](value=1.0)
    """Importance of a task in the objective."""
    deadline: Annotated[Seconds, Field(gt=0)] | None = None
    timeout: Annotated[Seconds, Field(gt=0)] | None = None
    """An attempt at a subtask that is not served so long after it was sent somewhere is given up as lost."""

    @model_validator(mode="after")
    def _some_modality(self) -> Workload:
        if not self.modalities or all(m.share == 0 for m in self.modalities.values()):
            raise ValueError("no modality has a positive share; give at least one")
        return self
