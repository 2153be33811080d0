"""Templates and modalities to draw graphs from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from pydantic import TypeAdapter

from simoffload.random_streams import Streams, Uniforms
from simoffload.schema.base import MODALITIES, Modality
from simoffload.schema.workload import ModalitySpec, Template
from simoffload.tasks import TaskGraph
from simoffload.tasks.templates import make_graph_sampler

SHARES: dict[Modality, float] = {"text": 0.8, "image": 0.6, "audio": 0.0, "sensor": 0.25}
_TEMPLATE: TypeAdapter[Any] = TypeAdapter(Template)


def template(kind: str, **keys: Any) -> Any:
    """A template as a scenario file gives it."""
    return _TEMPLATE.validate_python({"kind": kind, **keys})


def modalities(shares: Mapping[Modality, float] = SHARES) -> dict[Modality, ModalitySpec]:
    """Modalities with these shares."""
    return {name: ModalitySpec(share=share) for name, share in shares.items()}


def drawn(spec: Any, count: int, shares: Mapping[Modality, float] = SHARES, seed: int = 1) -> list[TaskGraph]:
    """Graphs drawn from a template."""
    sampler = make_graph_sampler(spec, modalities(shares))
    uniforms = Uniforms(Streams(seed).generator("graphs", "test"))
    return [sampler.draw(uniforms) for _ in range(count)]


def counts() -> st.SearchStrategy[dict[str, int]]:
    """Ranges of small counts."""
    return st.tuples(st.integers(1, 6), st.integers(0, 3)).map(lambda c: {"min": c[0], "max": c[0] + c[1]})


def shares() -> st.SearchStrategy[dict[Modality, float]]:
    """Shares of some modalities, at least one of them positive."""
    share = st.sampled_from([0.0, 0.1, 0.5, 1.0])
    return st.dictionaries(st.sampled_from(MODALITIES), share, min_size=1).filter(lambda given: any(given.values()))
