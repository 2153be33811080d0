"""What workloads are said to be made of is what their sources draw."""

from __future__ import annotations

import math
from itertools import islice
from typing import Any

import pytest

from simoffload.run.composition import DRAWN, Part, _drawn, composition
from simoffload.schema import Scenario, bundled_scenarios, load_scenario, load_scenario_text

BASE = """\
schema_version: 1
name: parts
seed: 3
horizon: {tasks: 10}
edges:
  - {id: a, hardware: jetson-agx-orin-64gb, models: [qwen3-4b-w4, qwen2.5-vl-3b-w4]}
  - {id: b, hardware: jetson-agx-orin-64gb, models: [qwen2-audio-7b-w4]}
workloads:
  - id: work
    homes: [b]
    arrivals: {kind: poisson, rate: 0.2 /s}
    modalities:
      text: {share: 0.8, tokens: 300 tok}
      image: {share: 0.5, tokens: {kind: uniform, low: 200 tok, high: 1000 tok}, payload: 2 MB}
      audio: {share: 0.3, tokens: 200 tok, payload: 300 kB}
    stages:
      explain: {prompt: 50 tok, output: 80 tok}
      analyze: {prompt: 60 tok, output: {kind: lognormal, mean: 150 tok, cv: 0.6, max: 900 tok}}
      generate: {prompt: 70 tok, output: 120 tok, demand: {kind: exponential, mean: 300 ms}}
    length_noise: 0.3
"""
TEMPLATES = [
    "{kind: explain-analyze-generate}",
    "{kind: explain-analyze-generate, join: subset, analyze: {min: 1, max: 4}}",
    "{kind: explain-analyze-generate, explain: single}",
    "{kind: explain-analyze-generate, analyze: {min: 2, max: 4, weights: [5, 1, 1]}}",
    "{kind: perception-reasoning-decision, reasoning: {min: 1, max: 4}}",
    "{kind: plan-execute-aggregate}",
]
WRITTEN = """{kind: written, subtasks: [{id: a, modality: image}, {id: b, prompt: 10 tok, output: 20 tok},
    {id: c, after: [a, b]}, {id: d, after: [c], demand: 2 s}]}"""


def scenario(*overrides: str) -> Scenario:
    return load_scenario_text(BASE, overrides=overrides)


def test_a_workload_has_its_rate_at_each_of_its_homes() -> None:
    found = composition(scenario(), 0)
    assert (found.rate, found.homes) == (0.2, (1,))
    assert composition(scenario("workloads.work.homes=all"), 0).homes == (0, 1)


@pytest.mark.parametrize(
    ("arrivals", "rate"),
    [
        ("{kind: gamma, rate: 3 /min, cv: 2}", 0.05),
        ("{kind: weibull, rate: 0.5 /s, cv: 2, modulation: {period: 24 h, amplitude: 0.8}}", 0.5),
        ("{kind: mmpp, rates: [1 /s, 0 /s, 4 /s], mean_sojourn: [1 s, 2 s, 1 s]}", 1.25),
        ("{kind: periodic, period: 4 s, jitter: 1 s}", 0.25),
    ],
)
def test_rates_are_long_run_means(arrivals: str, rate: float) -> None:
    assert composition(scenario(f"workloads.work.arrivals={arrivals}"), 0).rate == pytest.approx(rate)


def test_modalities_are_present_given_that_one_is() -> None:
    parts = {part.modality: part for part in composition(scenario(), 0).parts if part.stage == 0}
    some = 1 - 0.2 * 0.5 * 0.7
    assert [parts[m].count for m in range(3)] == [pytest.approx(share / some) for share in (0.8, 0.5, 0.3)]
    assert parts[1] == Part(0, 1, parts[1].count, 650, pytest.approx(80), 0, 2e6)


def test_written_subtasks_read_what_they_come_after() -> None:
    parts = composition(scenario(f"workloads.work.template={WRITTEN}", "workloads.work.length_noise=0"), 0).parts
    analyze = parts[2].output
    assert parts == (
        Part(0, 1, 1.0, 650, 80, 0, 2e6),
        Part(0, 0, 1.0, 310, 20, 0, 0),
        Part(1, 0, 1.0, 60 + 80 + 20, analyze, 0, 0),
        Part(2, 0, 1.0, pytest.approx(70 + analyze), 120, 2, 0),
    )


def _as_drawn(drawn: Scenario) -> None:
    """Fails if the closed form is further from drawn tasks than chance explains."""
    pytest.importorskip("simoffload.world.source")
    for number, workload in enumerate(drawn.workloads):
        closed = composition(drawn, number)
        _, sampled = _drawn(drawn, workload, len(closed.homes))
        for kind in {(part.stage, part.modality) for part in (*closed.parts, *sampled)}:
            mine, theirs = _merged(closed.parts, kind), _merged(sampled, kind)
            assert mine == pytest.approx(theirs, rel=6 / math.sqrt(DRAWN), abs=3 / math.sqrt(DRAWN))


def _merged(parts: tuple[Part, ...], kind: tuple[int, int]) -> list[float]:
    """Count and attributes per task of all parts of a stage and modality."""
    mine = [part for part in parts if (part.stage, part.modality) == kind]
    rows: list[Any] = [(1, part.prompt, part.output, part.demand_s, part.payload_bytes) for part in mine]
    return [math.fsum(part.count * row[i] for part, row in zip(mine, rows, strict=True)) for i in range(5)]


@pytest.mark.parametrize("template", [*TEMPLATES, WRITTEN])
def test_closed_forms_agree_with_drawn_tasks(template: str) -> None:
    _as_drawn(scenario(f"workloads.work.template={template}"))


@pytest.mark.parametrize("name", sorted(bundled_scenarios()))
def test_closed_forms_of_bundled_scenarios_agree_with_drawn_tasks(name: str) -> None:
    _as_drawn(load_scenario(name))


def test_layered_graphs_are_averaged_over_drawn_ones() -> None:
    pytest.importorskip("simoffload.world.source")
    found = composition(scenario("workloads.work.template={kind: layered, subtasks: {min: 5, max: 7}}"), 0)
    assert math.fsum(part.count for part in found.parts) == pytest.approx(6, rel=0.05)
    assert found.rate == pytest.approx(0.2, rel=0.15)


def test_recorded_arrivals_are_counted() -> None:
    pytest.importorskip("simoffload.world.source")
    found = composition(load_scenario("trace-replay"), 0)
    assert found.rate * len(found.homes) == pytest.approx(1.2, rel=0.1)
    assert len(list(islice(found.parts, 3))) == 3
