"""Sources draw whole tasks, each of their attributes apart from all else."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.random_streams import Streams
from simoffload.schema import Scenario, load_scenario_text
from simoffload.schema.workload import Imported
from simoffload.tasks import Task
from simoffload.tasks.templates import make_graph_sampler
from simoffload.world.arrivals import Replay
from simoffload.world.source import RecordedSource, TaskSource, make_sources, share_out
from simoffload.world.subtask_laws import TaskLaws

BASE = """\
schema_version: 1
name: sources
seed: 3
horizon: {tasks: 10}
edges:
  - {id: a, hardware: jetson-agx-orin-64gb, models: [qwen3-4b-w4, qwen2.5-vl-3b-w4]}
  - {id: b, hardware: jetson-agx-orin-64gb, models: [qwen2-audio-7b-w4]}
workloads:
  - id: work
    arrivals: {kind: gamma, rate: 0.2 /s, cv: 1.4}
    template: {kind: explain-analyze-generate, join: subset}
    modalities:
      text: {share: 0.8, tokens: 300 tok}
      image: {share: 0.5, tokens: {kind: uniform, low: 200 tok, high: 1000 tok}, payload: 2 MB}
      audio: {share: 0.3, tokens: 200 tok, payload: {kind: exponential, mean: 300 kB}}
    stages:
      explain:
        prompt: 50 tok
        output: {kind: lognormal, mean: 80 tok, cv: 0.5}
        difficulty: {kind: normal, mean: 1, sd: 1}
      analyze: {prompt: 60 tok, output: {kind: lognormal, mean: 150 tok, cv: 0.6, max: 900 tok}}
      generate: {prompt: 70 tok, output: 120 tok, demand: {kind: exponential, mean: 300 ms}}
    length_noise: 0.3
    max_output: 400
    weight: {kind: uniform, low: 1, high: 3}
    deadline: 20 s
"""
ANOTHER = """
  - id: more
    homes: [b]
    arrivals: {kind: poisson, rate: 1 /s}
"""
THIRD = "  - {id: c, hardware: jetson-agx-orin-64gb, models: [qwen3-4b-w4]}\nworkloads:"


def scenario(*overrides: str, text: str = BASE) -> Scenario:
    return load_scenario_text(text, overrides=overrides)


def sources(of: Scenario, seed: int = 7) -> list[TaskSource]:
    return make_sources(of, [edge.id for edge in of.edges], Streams(seed))


def tasks(source: TaskSource, count: int) -> list[Task]:
    drawn = [source.next() for _ in range(count)]
    return [task for task in drawn if task is not None]


def plain(task: Task, *without: str) -> dict[str, Any]:
    """A task as a dictionary that compares by value."""
    return {field.name: getattr(task, field.name) for field in fields(task) if field.name not in without}


def drawn(*overrides: str, count: int = 200, text: str = BASE) -> list[Task]:
    return tasks(sources(scenario(*overrides, text=text))[0], count)


def test_each_workload_has_a_source_at_each_of_its_homes() -> None:
    found = sources(scenario(text=BASE + ANOTHER))
    assert [(source.workload, source.homes, source.mean_rate) for source in found] == [
        (0, (0,), 0.2),
        (0, (1,), 0.2),
        (1, (1,), 1.0),
    ]
    assert [tasks(source, 1)[0].home for source in found] == [0, 1, 1]
    assert [tasks(source, 1)[0].workload for source in found] == [0, 0, 1]


def test_a_task_holds_what_its_workload_says() -> None:
    for task in drawn():
        graph, count = task.graph, len(task.graph)
        assert task.number == -1
        assert (task.deadline_s, task.max_output) == (20, 400)
        assert 1 <= task.weight <= 3
        for field in fields(task):
            assert not isinstance(getattr(task, field.name), list) or len(getattr(task, field.name)) == count
        for i, (stage, modality) in enumerate(zip(graph.stages, graph.modalities, strict=True)):
            if stage == 0:
                low, high = [(350, 350), (250, 1050), (250, 250)][modality]
                assert low <= task.prompt[i] <= high
                assert (task.payload_bytes[i] > 0) == (modality != 0)
                assert task.payload_bytes[i] == 2e6 or modality != 1
            else:
                assert (task.prompt[i], task.payload_bytes[i]) == ((60, 70)[stage - 1], 0)
            assert (task.expected_output[i] == 120) == (stage == 2) or stage < 2
            assert task.expected_demand_s[i] == (0.3 if stage == 2 else 0)
            assert (task.demand_s[i] > 0) == (stage == 2)
            assert (task.difficulty[i] != 0) == (stage == 0)
            assert type(task.prompt[i]) is type(task.output[i]) is int
            assert type(task.expected_output[i]) is float
            assert task.expected_output[i] == int(task.expected_output[i]) <= 400
            assert 1 <= task.output[i] <= 400
            assert 0 <= task.luck[i] < 1
        assert task.arrival_s >= 0
    assert all(before.arrival_s <= after.arrival_s for before, after in pairwise(drawn()))


def test_without_a_deadline_there_is_none() -> None:
    assert drawn("workloads.work.deadline=null", count=1)[0].deadline_s == math.inf


def test_true_lengths_are_on_average_what_is_expected() -> None:
    ratios = [
        output / expected
        for task in drawn("workloads.work.max_output=100000", count=6000)
        for output, expected in zip(task.output, task.expected_output, strict=True)
    ]
    assert fmean(ratios) == pytest.approx(1, abs=4 * stdev(ratios) / math.sqrt(len(ratios)) + 1e-4)
    assert stdev(ratios) == pytest.approx(math.sqrt(math.expm1(0.09)), rel=0.05)


def test_without_noise_the_truth_is_what_is_expected() -> None:
    for task in drawn("workloads.work.length_noise=0"):
        assert task.output == task.expected_output


@pytest.mark.parametrize(
    ("output", "most", "truths"), [("0 tok", 50, {0}), ("1 tok", 50, {1, 2, 3}), ("9 tok", 0, {0})]
)
def test_an_answer_that_is_expected_has_a_token_if_it_may(output: str, most: int, truths: set[int]) -> None:
    overrides = [f"workloads.work.stages.{stage}.output={output}" for stage in ("explain", "analyze", "generate")]
    found = drawn(*overrides, f"workloads.work.max_output={most}")
    assert {length for task in found for length in task.output} == truths
    assert {length for task in found for length in task.expected_output} == {min(float(output.split()[0]), most)}


def test_the_noise_behind_luck_and_api_is_standard() -> None:
    found = drawn(count=3000)
    luck = [value for task in found for value in task.luck]
    noise = [value for task in found for value in task.api_noise]
    assert fmean(luck) == pytest.approx(0.5, abs=4 / math.sqrt(12 * len(luck)))
    assert fmean(noise) == pytest.approx(0, abs=4 / math.sqrt(len(noise)))
    assert stdev(noise) == pytest.approx(1, rel=0.05)


def test_another_workload_or_home_changes_no_task() -> None:
    alone = sources(scenario())
    beside = sources(scenario(text=BASE + ANOTHER))
    wider = sources(scenario(text=BASE.replace("workloads:", THIRD)))
    assert len(wider) == 3
    for other in (beside, wider):
        for mine, theirs in zip(alone, other, strict=False):
            copy, same = pickle.loads(pickle.dumps((mine, theirs)))
            assert [plain(task) for task in tasks(copy, 40)] == [plain(task) for task in tasks(same, 40)]


def test_homes_and_workloads_have_their_own_draws() -> None:
    twin = BASE + BASE[BASE.index("  - id: work") :].replace("id: work", "id: twin")
    firsts = [tasks(source, 5) for source in sources(scenario(text=twin))]
    arrivals = {tuple(task.arrival_s for task in each) for each in firsts}
    luck = {tuple(task.luck[0] for task in each) for each in firsts}
    assert len(arrivals) == len(luck) == 4


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("arrivals={kind: poisson, rate: 3 /s}", {"arrival_s"}),
        ("weight=1", {"weight"}),
        ("length_noise=0.9", {"output"}),
        ("stages.explain.prompt={kind: uniform, low: 5 tok, high: 90 tok}", {"prompt"}),
        ("stages.explain.output={kind: exponential, mean: 9 tok}", {"output", "expected_output"}),
        ("stages.analyze.demand={kind: exponential, mean: 9 s}", {"demand_s", "expected_demand_s"}),
        ("stages.explain.difficulty=0", {"difficulty"}),
        ("modalities.image.tokens=10 tok", {"prompt"}),
        ("modalities.image.payload={kind: exponential, mean: 9 MB}", {"payload_bytes"}),
        ("deadline=1 h", {"deadline_s"}),
    ],
)
def test_another_law_of_one_attribute_changes_no_other(override: str, changed: set[str]) -> None:
    before, after = drawn(), drawn(f"workloads.work.{override}")
    for name in changed:
        assert [getattr(task, name) for task in before] != [getattr(task, name) for task in after]
    assert [plain(task, *changed) for task in before] == [plain(task, *changed) for task in after]


@pytest.mark.parametrize("used", [0, 3, 150])
def test_a_pickled_source_goes_on_where_it_was(used: int) -> None:
    source = sources(scenario())[0]
    tasks(source, used)
    copy = pickle.loads(pickle.dumps(source))
    assert [plain(task) for task in tasks(copy, 300)] == [plain(task) for task in tasks(source, 300)]


WRITTEN = """{kind: written, subtasks: [
    {id: look, modality: image, prompt: 7 tok}, {id: explain, output: {kind: uniform, low: 10 tok, high: 90 tok}},
    {id: sum, after: [look, explain], demand: {kind: exponential, mean: 4 s}, difficulty: 2},
    {id: tell, after: [sum]}]}"""


def test_written_subtasks_have_laws_of_their_own() -> None:
    for task in drawn(f"workloads.work.template={WRITTEN}", "workloads.work.length_noise=0"):
        assert task.graph.names == ("look", "explain", "sum", "tell")
        assert 207 <= task.prompt[0] <= 1007
        assert task.prompt[1:] == [350, 60, 70]
        assert task.payload_bytes == [2e6, 0, 0, 0]
        assert 10 <= task.output[1] <= 90
        assert task.expected_demand_s == [0, 0, 4, 0.3]
        assert task.difficulty[2:] == [2, 0]


def test_a_subtask_named_like_a_stage_does_not_share_its_draws() -> None:
    same = "{kind: uniform, low: 10 tok, high: 90 tok}"
    template = f"{{kind: written, subtasks: [{{id: look}}, {{id: explain, output: {same}}}]}}"
    found = drawn(f"workloads.work.template={template}", f"workloads.work.stages.explain.output={same}")
    assert sum(task.expected_output[0] == task.expected_output[1] for task in found) < 20


HINTED: list[dict[str, Any]] = [
    {"id": "a", "modality": "image", "prompt_tokens": 11, "payload_bytes": 5, "difficulty": -1},
    {"id": "b", "after": ["a"], "output_tokens": 33, "demand_s": 0.5},
]


def test_an_imported_graph_brings_what_its_file_says(tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    path.write_text(json.dumps({"subtasks": HINTED}))
    base = scenario()
    workload = base.workloads[0].model_copy(update={"template": Imported(kind="imported", file=str(path))})
    found = tasks(sources(base.model_copy(update={"workloads": [workload]}))[0], 50)
    for task in found:
        assert (task.prompt, task.payload_bytes) == ([11, 70], [5, 0])
        assert (task.expected_demand_s, task.demand_s) == ([0, 0.5], [0, 0.5])
        assert task.expected_output[1] == 33
        assert (task.difficulty[0], task.difficulty[1]) == (-1, 0)
    assert len({task.output[1] for task in found}) > 10


def recorded(replay: Replay, *overrides: str, homes: tuple[int, ...] = (0, 1)) -> RecordedSource:
    of = scenario(*overrides).workloads[0]
    streams, entity = Streams(7), "workload:work"
    graphs = make_graph_sampler(of.template, of.modalities)
    return RecordedSource(0, of, homes, replay, graphs, TaskLaws(of, None, streams, entity), streams, entity)


def replayed(count: int, repeats: bool = False) -> Replay:
    times = [float(number) for number in range(count)]
    return Replay(times, [17 * n for n in range(count)], [5 * n for n in range(count)], 1.0, repeats)


def test_recorded_tokens_are_shared_out_and_none_is_lost() -> None:
    found = tasks(recorded(replayed(120), "workloads.work.max_output=100000"), 200)
    assert len(found) == 120
    for number, task in enumerate(found):
        assert task.arrival_s == number
        assert sum(task.prompt) == 17 * number
        assert sum(task.output) == 5 * number
        first = [i for i, stage in enumerate(task.graph.stages) if stage == 0]
        assert all(task.prompt[i] == 0 for i in range(len(task.graph)) if i not in first)
        weights = [(350, 650, 250)[task.graph.modalities[i]] for i in first]
        for i, weight in zip(first, weights, strict=True):
            assert task.prompt[i] == pytest.approx(17 * number * weight / sum(weights), abs=1)


def test_expected_lengths_of_recorded_answers_are_right_on_average() -> None:
    found = tasks(recorded(replayed(2000), "workloads.work.max_output=100000"), 2000)[100:]
    ratios = [e / o for task in found for e, o in zip(task.expected_output, task.output, strict=True)]
    assert fmean(ratios) == pytest.approx(1, abs=4 * stdev(ratios) / math.sqrt(len(ratios)))
    for task in tasks(recorded(replayed(30), "workloads.work.length_noise=0"), 30):
        assert task.expected_output == task.output


def test_recorded_answers_are_cut_at_what_the_workload_allows() -> None:
    for task in tasks(recorded(replayed(500), "workloads.work.max_output=70"), 500):
        assert max(task.output) <= 70
        assert max(task.expected_output) <= 70


def test_recorded_requests_are_dealt_to_all_homes_alike() -> None:
    homes = [task.home for task in tasks(recorded(replayed(1000)), 1000)]
    assert homes.count(1) == pytest.approx(500, abs=4 * math.sqrt(250))
    assert {task.home for task in tasks(recorded(replayed(50), homes=(1,)), 50)} == {1}


def test_a_recorded_source_goes_on_after_a_pickle_until_its_end() -> None:
    source = recorded(replayed(60))
    tasks(source, 25)
    copy = pickle.loads(pickle.dumps(source))
    mine, theirs = tasks(source, 60), tasks(copy, 60)
    assert len(mine) == 35
    assert [plain(task) for task in mine] == [plain(task) for task in theirs]
    assert source.next() is copy.next() is None


@given(total=st.integers(0, 10**9), weights=st.lists(st.floats(0, 1e6), min_size=1, max_size=12))
def test_shares_are_proportional_and_add_up(total: int, weights: list[float]) -> None:
    shares = share_out(total, weights)
    assert sum(shares) == total
    whole = sum(weights)
    parts = [weight / whole for weight in weights] if whole > 0 else [1 / len(weights)] * len(weights)
    for share, part in zip(shares, parts, strict=True):
        assert 0 <= share == pytest.approx(total * part, abs=1.001)


def test_a_trace_file_feeds_one_source_for_all_homes(tmp_path: Path) -> None:
    file = tmp_path / "requests.csv"
    file.write_text("time_s,prompt_tokens,output_tokens\n0,100,50\n2.5,300,90\n4,0,0\n")
    arrivals = f"workloads.work.arrivals={{kind: trace, file: {file}, speed: 2}}"
    (source,) = sources(scenario(arrivals))
    found = tasks(source, 9)
    assert [task.arrival_s for task in found] == [0, 1.25, 2]
    assert [(sum(task.prompt), sum(task.output)) for task in found] == [(100, 50), (300, 90), (0, 0)]
    assert source.homes == (0, 1)
    (source,) = sources(scenario(arrivals.replace("speed: 2", "tokens: drawn")))
    found = tasks(source, 9)
    assert [task.arrival_s for task in found] == [0, 2.5, 4]
    assert all(60 in task.prompt for task in found)
