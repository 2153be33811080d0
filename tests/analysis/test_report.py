"""The report of a comparison stands alone, gives the right numbers, and admits what it does not know."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from statistics import fmean

import pytest
from scipy import stats

from simoffload.analysis.report import command, write_report
from simoffload.analysis.runs import open_comparison
from simoffload.record.durable import RecordError

from .conftest import AGENTS
from .html_reading import Element, assert_stands_alone, assert_well_linked, parsed, pictures, warnings_of
from .synthetic import Behaviour, Setup, edit_json, write_comparison

PICTURES = ["objective", "pareto", "latency", "spread", "split", "utilisation", "queues", "gantt-median", "gantt-p95"]
FEW = Setup(tasks=60)
WEIRD = ["<b>bold", "_under $x$ $y$", "агент & co", "'quoted\"", "強化学習", "x" * 90]


def page_of(directory: Path) -> Element:
    return parsed(write_report(directory).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(comparison_directory: Path) -> Element:
    return page_of(comparison_directory)


def summaries(directory: Path) -> dict[str, list[dict[str, dict[str, float]]]]:
    """What every run says of itself, by agent, in order of seeds."""
    return {
        name: [json.loads((directory / "runs" / name / str(seed) / "summary.json").read_bytes()) for seed in (7, 8, 9)]
        for name in AGENTS
    }


def test_the_page_needs_nothing_but_itself(page: Element) -> None:
    assert_stands_alone(page)
    assert_well_linked(page)


def test_all_pictures_are_there_and_lie_beside_the_page(page: Element, comparison_directory: Path) -> None:
    assert pictures(page) == PICTURES
    found = {path.name for path in (comparison_directory / "figures").iterdir()}
    assert found == {f"{name}.{kind}" for name in PICTURES for kind in ("png", "svg")}
    assert all(image.attributes["alt"] for image in page.all("img"))


@pytest.mark.parametrize(
    ("column", "part", "key", "scale"),
    [(2, "objective", "mean", 1), (4, "latency_s", "mean", 1), (5, "latency_s", "p95", 1), (6, "latency_s", "p99", 1),
     (7, "cost_usd", "mean", 1000)],
)  # fmt: skip
def test_intervals_are_those_of_the_runs(
    page: Element, comparison_directory: Path, column: int, part: str, key: str, scale: float
) -> None:
    runs = summaries(comparison_directory)
    rows = {row[0].text: row[column] for row in page.by_id("agents").rows()}
    assert rows.keys() == AGENTS.keys()
    for name, cell in rows.items():
        values = [scale * run[part][key] for run in runs[name]]
        half_width = stats.t.ppf(0.975, 2) * stats.sem(values)
        assert float(cell.attributes["data-mean"]) == pytest.approx(fmean(values))
        assert float(cell.attributes["data-half-width"]) == pytest.approx(half_width)


def test_differences_are_paired_by_seed_and_adjusted_for_all_pairs(page: Element, comparison_directory: Path) -> None:
    objectives = {
        name: [run["objective"]["mean"] for run in runs] for name, runs in summaries(comparison_directory).items()
    }
    order = sorted(objectives, key=lambda name: fmean(objectives[name]))
    rows = page.by_id("agents").rows()
    assert [row[0].text for row in rows] == order
    tests = {(a, b): stats.ttest_rel(objectives[b], objectives[a]) for k, a in enumerate(order) for b in order[k + 1 :]}
    by_p = sorted(tests, key=lambda pair: float(tests[pair].pvalue))
    share, rejecting = 0.0, True
    shares = {}
    for rank, pair in enumerate(by_p):
        if rejecting:
            share = 0.05 / (len(by_p) - rank)
            rejecting = tests[pair].pvalue <= share
        shares[pair] = (share, rejecting)
    for row in rows[1:]:
        pair = (order[0], row[0].text)
        low, high = tests[pair].confidence_interval(1 - shares[pair][0])
        cell = row[3].attributes
        mean, half_width = float(cell["data-mean"]), float(cell["data-half-width"])
        assert (mean - half_width, mean + half_width) == pytest.approx((low, high))
        assert ("not distinguishable" in row[3].text) == (not shares[pair][1])


def test_the_answer_names_the_first_and_the_overloaded(page: Element) -> None:
    answer = page.by_id("answer").text
    assert answer.startswith("ucb-coma has the lowest objective")
    assert "Under all-edge the backlog grew all through the run" in answer
    assert warnings_of(page) == []


def test_every_run_is_listed_with_its_fingerprint(page: Element, comparison_directory: Path) -> None:
    prints = {row[-1].text for row in page.by_id("replications").rows()}
    manifests = comparison_directory.glob("runs/*/*/manifest.json")
    assert prints == {json.loads(path.read_bytes())["fingerprint"] for path in manifests}


def test_the_command_repeats_the_comparison(page: Element, comparison_directory: Path) -> None:
    words = shlex.split(next(page.all("pre")).text)
    assert words[:2] == ["simoffload", "compare"]
    assert (comparison_directory / words[2]).is_file()
    assert words[3:] == ["--agents", ",".join(AGENTS), "--seeds", "7,8,9"]


def test_the_scenario_is_there_whole(page: Element, comparison_directory: Path) -> None:
    scenario = (comparison_directory / "runs" / "ucb-coma" / "7" / "scenario.yaml").read_text()
    assert " ".join(scenario.split()) in [listing.text for listing in page.all("pre")]


def test_the_same_records_make_the_same_page(page: Element, comparison_directory: Path) -> None:
    assert page_of(comparison_directory) == page


def test_one_replication_claims_no_difference(tmp_path: Path) -> None:
    setup = Setup(tasks=60, kept_one_in=0)
    page = page_of(write_comparison(tmp_path, {"a": Behaviour(), "b": Behaviour(9.0)}, seeds=[7], setup=setup))
    assert "no two agents are distinguishable" in page.by_id("answer").text
    for row in page.by_id("agents").rows():
        assert row[1].text == "1–2"
        assert "data-half-width" not in row[2].attributes
    assert "not distinguishable" in page.by_id("agents").rows()[1][3].text
    assert pictures(page) == ["objective", "pareto", "utilisation"]


def test_without_rows_the_page_says_so_and_shows_the_rest(tmp_path: Path) -> None:
    setup = Setup(tasks=60, kept_one_in=0)
    page = page_of(write_comparison(tmp_path, {"a": Behaviour(), "b": Behaviour(2.0)}, setup=setup))
    assert pictures(page) == ["objective", "pareto", "utilisation"]
    assert "No rows were kept" in page.by_id("latency-section").text
    assert_well_linked(page)


def test_sampled_rows_are_called_so(tmp_path: Path) -> None:
    page = page_of(write_comparison(tmp_path, {"a": Behaviour()}, setup=Setup(tasks=90, kept_one_in=3)))
    assert "Rows were kept of one task in 3" in page.by_id("latency-section").text


def test_runs_that_did_not_end_well_are_named_on_top(tmp_path: Path) -> None:
    setup = Setup(tasks=60, kept_one_in=0)
    directory = write_comparison(tmp_path, {"a": Behaviour(), "b": Behaviour(2.0)}, setup=setup)
    edit_json(directory / "runs" / "b" / "8" / "manifest.json", "status", value="failed")
    (warning,) = warnings_of(page_of(directory))
    assert "b on seed 8." in warning


def test_a_long_list_of_unfinished_runs_is_cut_short(tmp_path: Path) -> None:
    setup = Setup(tasks=60, kept_one_in=0, status="incomplete")
    agents = {f"agent-{k}": Behaviour() for k in range(4)}
    (warning,) = warnings_of(page_of(write_comparison(tmp_path, agents, setup=setup)))
    assert "agent-2 on seed 7 and 5 others." in warning


def test_names_of_any_kind_are_shown_as_they_are(tmp_path: Path) -> None:
    agents = {name: Behaviour(1.0 + k) for k, name in enumerate(WEIRD)}
    page = page_of(write_comparison(tmp_path, agents, setup=Setup(("node-" + "y" * 60, "z"), tasks=60)))
    assert {row[0].text for row in page.by_id("agents").rows()} == set(WEIRD)
    assert_stands_alone(page)
    assert_well_linked(page)


def test_a_comparison_whose_runs_are_gone_still_has_a_report(tmp_path: Path) -> None:
    directory = write_comparison(tmp_path, {"a": Behaviour(), "b": Behaviour(2.0)}, setup=FEW)
    (directory / "runs").rename(directory / "elsewhere")
    page = page_of(directory)
    assert pictures(page) == ["objective", "pareto", "utilisation"]
    assert next(page.all("pre")).text.startswith("simoffload compare made-up --agents a,b ")


def test_many_nodes_have_one_table_and_not_one_per_agent(tmp_path: Path) -> None:
    setup = Setup(tuple(f"n{k}" for k in range(150)), tasks=60, kept_one_in=0)
    page = page_of(write_comparison(tmp_path, {f"a{k}": Behaviour() for k in range(3)}, seeds=[7], setup=setup))
    assert [table.attributes["id"] for table in page.all("table") if "nodes" in table.attributes["id"]] == ["nodes"]


def test_where_nothing_was_measured_the_page_says_so(tmp_path: Path) -> None:
    setup = Setup(tasks=60, kept_one_in=0)
    directory = write_comparison(tmp_path, {"a": Behaviour()}, seeds=[7], setup=setup)
    for key in ("mean", "p95", "p99"):
        edit_json(directory / "comparison.json", "agents", "a", "latency_s", key, value=None)
    edit_json(directory / "comparison.json", "agents", "a", "objective", "mean", value=None)
    edit_json(directory / "comparison.json", "agents", "a", "replications", 0, "objective", value=None)
    page = page_of(directory)
    assert "nothing to compare" in page.by_id("answer").text
    assert "objective" not in pictures(page)


def test_commands_quote_what_a_shell_would_split(tmp_path: Path) -> None:
    directory = write_comparison(tmp_path, {"two words": Behaviour()}, seeds=[7], setup=FEW)
    words = shlex.split(command(open_comparison(directory), ["two words", "$(b)"]))
    assert words[2] == "runs/two words/7/scenario.yaml"
    assert words[4] == "two words,$(b)"


def test_what_is_no_comparison_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=re.escape(f"cannot read {tmp_path / 'comparison.json'}")):
        write_report(tmp_path)
