"""Templates draw graphs of their shape, with the chances they promise."""

from __future__ import annotations

import math
import pickle
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.random_streams import Streams, Uniforms
from simoffload.schema.base import MODALITIES, Modality
from simoffload.tasks import GraphError, TaskGraph, build_graph
from simoffload.tasks.templates import make_graph_sampler, mean_counts, modality_sets, single_modalities, written_graph

from .samples import SHARES, counts, drawn, modalities, shares, template

EAG, PRD, PEA = "explain-analyze-generate", "perception-reasoning-decision", "plan-execute-aggregate"
UNIT = st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0])


def in_stage(graph: TaskGraph, stage: int) -> list[int]:
    return [number for number, each in enumerate(graph.stages) if each == stage]


def check_reads_known_modalities(graph: TaskGraph, given_shares: dict[Modality, float]) -> None:
    """Fails if the first stage reads a modality without a share, or a later stage something else than text."""
    for stage, number in zip(graph.stages, graph.modalities, strict=True):
        assert given_shares.get(MODALITIES[number], 0) > 0 if stage == 0 else number == 0


@given(
    analyze=counts(),
    explain=st.sampled_from(["single", "per_modality"]),
    join=st.sampled_from(["all", "subset"]),
    given_shares=shares(),
    seed=st.integers(0, 2**32),
)
def test_explain_analyze_generate(
    analyze: dict[str, int], explain: str, join: str, given_shares: dict[Modality, float], seed: int
) -> None:
    for graph in drawn(template(EAG, analyze=analyze, explain=explain, join=join), 3, given_shares, seed):
        explains, analyzes, generates = (in_stage(graph, stage) for stage in range(3))
        check_reads_known_modalities(graph, given_shares)
        assert list(graph.sources) == explains
        assert len({graph.modalities[number] for number in explains}) == len(explains)
        assert explain == "per_modality" or len(explains) == 1
        assert analyze["min"] <= len(analyzes) <= analyze["max"]
        assert [list(graph.predecessors[number]) for number in generates] == [analyzes]
        for number in analyzes:
            read = graph.predecessors[number]
            assert set(read) <= set(explains) if join == "subset" else list(read) == explains
        assert {number for each in analyzes for number in graph.predecessors[each]} == set(explains)


@given(reasoning=counts(), given_shares=shares(), seed=st.integers(0, 2**32))
def test_perception_reasoning_decision(
    reasoning: dict[str, int], given_shares: dict[Modality, float], seed: int
) -> None:
    for graph in drawn(template(PRD, reasoning=reasoning), 3, given_shares, seed):
        perceptions, steps, decisions = (in_stage(graph, stage) for stage in range(3))
        check_reads_known_modalities(graph, given_shares)
        assert reasoning["min"] <= len(steps) <= reasoning["max"]
        assert list(graph.predecessors[steps[0]]) == perceptions == list(graph.sources)
        assert [graph.predecessors[n] for n in [*steps[1:], *decisions]] == [(number,) for number in steps]
        assert list(graph.sinks) == decisions


@given(execute=counts(), given_shares=shares(), seed=st.integers(0, 2**32))
def test_plan_execute_aggregate(execute: dict[str, int], given_shares: dict[Modality, float], seed: int) -> None:
    for graph in drawn(template(PEA, execute=execute), 3, given_shares, seed):
        plans, executions, aggregates = (in_stage(graph, stage) for stage in range(3))
        check_reads_known_modalities(graph, given_shares)
        assert execute["min"] <= len(executions) <= execute["max"]
        assert plans == [0]
        assert all(graph.predecessors[number] == (0,) for number in executions)
        assert [list(graph.predecessors[number]) for number in aggregates] == [executions]


@settings(max_examples=60)
@given(
    subtasks=counts(),
    fat=UNIT,
    density=UNIT,
    regularity=UNIT,
    jump=st.integers(1, 4),
    given_shares=shares(),
    seed=st.integers(0, 2**32),
)
def test_layered(
    subtasks: dict[str, int],
    fat: float,
    density: float,
    regularity: float,
    jump: int,
    given_shares: dict[Modality, float],
    seed: int,
) -> None:
    spec = template("layered", subtasks=subtasks, fat=fat, density=density, regularity=regularity, jump=jump)
    for graph in drawn(spec, 3, given_shares, seed):
        check_reads_known_modalities(graph, given_shares)
        assert subtasks["min"] <= len(graph) <= subtasks["max"]
        assert in_stage(graph, 0) == list(graph.sources)
        assert set(in_stage(graph, 2)) == set(graph.sinks) - set(graph.sources)
        assert all(before < number for number in range(len(graph)) for before in graph.predecessors[number])


def test_a_thin_layered_graph_is_a_chain_and_a_fat_one_a_row() -> None:
    for graph in drawn(template("layered", subtasks={"min": 7, "max": 7}, fat=0, regularity=1), 20):
        assert graph.predecessors == ((), *((number,) for number in range(6)))
    for graph in drawn(template("layered", subtasks={"min": 7, "max": 7}, fat=1, regularity=1), 20):
        assert graph.sources == tuple(range(7))


def test_layers_are_as_wide_as_fat_and_regularity_have_it() -> None:
    spec = template("layered", subtasks={"min": 16, "max": 16}, fat=0.5, density=1, regularity=1)
    assert {len(graph.sources) for graph in drawn(spec, 50)} == {4}
    spec = template("layered", subtasks={"min": 16, "max": 16}, fat=0.5, density=1, regularity=0.5)
    assert {len(graph.sources) for graph in drawn(spec, 200)} == {2, 3, 4, 5}


def test_dense_layered_graphs_have_more_arcs_and_only_jumps_skip_layers() -> None:
    arcs = []
    for density in (0.0, 0.5, 1.0):
        spec = template("layered", subtasks={"min": 16, "max": 16}, fat=0.5, density=density, regularity=1)
        graphs = drawn(spec, 200)
        arcs.append(sum(len(each) for graph in graphs for each in graph.predecessors) / 200)
        layers = {
            before // 4 - number // 4 for g in graphs for number in range(16) for before in g.predecessors[number]
        }
        assert layers == {-1}
    assert arcs[0] == 12 < arcs[1] < arcs[2]
    spec = template("layered", subtasks={"min": 16, "max": 16}, fat=0.5, density=1, regularity=1, jump=3)
    graphs = drawn(spec, 200)
    assert {number // 4 - b // 4 for g in graphs for number in range(16) for b in g.predecessors[number]} == {1, 2, 3}


@pytest.mark.parametrize(
    "spec",
    [
        template(EAG, join="subset"),
        template(EAG, explain="single", analyze={"min": 2, "max": 4, "weights": [3, 0, 1]}),
        template(PRD, reasoning={"min": 1, "max": 5}),
        template(PEA),
        template("layered", subtasks={"min": 4, "max": 9}),
    ],
    ids=lambda spec: spec.kind,
)
def test_mean_counts_are_those_of_drawn_graphs(spec: Any) -> None:
    graphs = drawn(spec, 6000)
    totals = Counter(kind for graph in graphs for kind in zip(graph.stages, graph.modalities, strict=True))
    means = mean_counts(spec, modalities())
    assert set(totals) == set(means)
    for kind, mean in means.items():
        of_each = [list(zip(g.stages, g.modalities, strict=True)).count(kind) for g in graphs]
        spread = math.sqrt(sum((number - mean) ** 2 for number in of_each) / len(graphs))
        assert totals[kind] / len(graphs) == pytest.approx(mean, abs=6 * spread / math.sqrt(len(graphs)))


def test_modalities_take_part_with_their_shares_given_that_one_does() -> None:
    sets = modality_sets(modalities())
    chances = dict(zip(sets.values, sets.chances, strict=True))
    some = 1 - 0.2 * 0.4 * 0.75
    assert chances[(0, 1, 3)] == pytest.approx(0.8 * 0.6 * 0.25 / some)
    assert chances[(3,)] == pytest.approx(0.2 * 0.4 * 0.25 / some)
    assert len(chances) == 7
    assert sum(sets.chances) == pytest.approx(1)


def test_the_order_in_which_a_scenario_lists_modalities_does_not_matter() -> None:
    turned = dict(reversed(SHARES.items()))
    for spec in (template(EAG, join="subset"), template(PEA), template("layered")):
        assert drawn(spec, 30, SHARES) == drawn(spec, 30, turned)


def test_a_task_of_one_modality_has_it_in_proportion_to_its_share() -> None:
    single = single_modalities(modalities())
    assert single.values == ((0,), (1,), (3,))
    assert single.chances == pytest.approx((0.8 / 1.65, 0.6 / 1.65, 0.25 / 1.65))


def test_each_subset_is_as_likely_as_any_other() -> None:
    graphs = drawn(template(EAG, join="subset", analyze={"min": 2, "max": 2}), 20_000, {"text": 1, "image": 1})
    seen = Counter(graph.predecessors[2:4] for graph in graphs)
    only_first, only_second, both = (0,), (1,), (0, 1)
    full_by_chance, by_gift = 1 / 9, 1 / 18
    expected = {
        (both, both): full_by_chance,
        (both, only_first): full_by_chance + by_gift,
        (only_first, both): full_by_chance + by_gift,
        (both, only_second): full_by_chance + by_gift,
        (only_second, both): full_by_chance + by_gift,
        (only_first, only_second): full_by_chance,
        (only_second, only_first): full_by_chance,
    }
    assert set(seen) == set(expected)
    for joins, chance in expected.items():
        assert seen[joins] / 20_000 == pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / 20_000))


@pytest.mark.parametrize("kind", [EAG, PRD, PEA, "layered"])
def test_the_same_stream_draws_the_same_graphs_even_through_a_pickle(kind: str) -> None:
    sampler = make_graph_sampler(template(kind), modalities())
    uniforms = Uniforms(Streams(5).generator("graphs", "test"))
    for _ in range(7):
        sampler.draw(uniforms)
    other, others = pickle.loads(pickle.dumps((sampler, uniforms)))
    assert [other.draw(others) for _ in range(40)] == [sampler.draw(uniforms) for _ in range(40)]


@pytest.mark.parametrize(("join", "taken"), [("all", 2), ("subset", 2 + 3 + 4)])
def test_every_task_takes_as_many_uniforms(join: str, taken: int) -> None:
    sampler = make_graph_sampler(template(EAG, join=join), modalities())
    uniforms, plain = (Uniforms(Streams(5).generator("graphs", "test")) for _ in range(2))
    for _ in range(25):
        sampler.draw(uniforms)
    plain.take(25 * taken)
    assert uniforms.next() == plain.next()


def test_a_written_graph_is_the_one_written() -> None:
    subtasks: list[dict[str, Any]] = [
        {"id": "sum", "after": ["look", "hear"]},
        {"id": "look", "modality": "image"},
        {"id": "hear", "modality": "audio", "stage": "explain"},
        {"id": "tell", "after": ["sum"], "modality": "image"},
        {"id": "check", "after": ["sum"], "stage": "analyze"},
    ]
    graph = written_graph(template("written", subtasks=subtasks))
    names = ("sum", "look", "hear", "tell", "check")
    assert graph is build_graph((1, 0, 0, 2, 1), (0, 1, 2, 0, 0), ((1, 2), (), (), (0,), (0,)), names)
    assert drawn(template("written", subtasks=subtasks), 2) == [graph, graph]
    assert mean_counts(template("written", subtasks=subtasks), modalities()) == {
        (0, 1): 1,
        (0, 2): 1,
        (1, 0): 2,
        (2, 0): 1,
    }


@pytest.mark.parametrize(
    ("after", "message"), [("b", "in a circle: a -> b -> a"), ("c", "'a' comes after 'c', which does not exist")]
)
def test_a_written_graph_that_is_none_is_refused(after: str, message: str) -> None:
    subtasks = [{"id": "a", "after": [after]}, {"id": "b", "after": ["a"]}]
    with pytest.raises(GraphError, match=message):
        written_graph(template("written", subtasks=subtasks))
