"""A comparison in a screenful: best first, each number with its half-width, and how sure the first place is."""

from __future__ import annotations

from pathlib import Path

import pytest

from simoffload.analysis.runs import open_comparison
from simoffload.cli.comparison_summary import growing_backlogs, print_comparison

from ..analysis.synthetic import Behaviour, Setup, write_comparison

AGENTS = {"slow": Behaviour(wait_s=6.0), "fast": Behaviour(wait_s=0.5), "piling-up": Behaviour(wait_s=8.0, growth=30.0)}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write_comparison(tmp_path, AGENTS, setup=Setup(tasks=300))


def test_agents_stand_in_order_with_their_estimates(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_comparison(directory)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[2:5]]
    assert [row[:2] for row in rows] == [["fast", "1"], ["slow", "2"], ["piling-up", "3"]]
    results = open_comparison(directory).results
    for name, _, *numbers in rows:
        agent, latency = results.agents[name], results.agents[name].latency_s
        means = [float(number) for number in numbers[0:10:2]]
        half_widths = [float(number.removeprefix("±")) for number in numbers[1:10:2]]
        expected = [agent.objective.mean, latency.mean, latency.p95, latency.p99, 1000 * agent.cost_usd.mean]
        assert means == pytest.approx(expected, rel=0.05)
        widths = [latency.mean_half_width, latency.p95_half_width, latency.p99_half_width]
        expected = [agent.objective.half_width, *widths, 1000 * agent.cost_usd.half_width]
        assert half_widths == pytest.approx(expected, rel=0.05)


def test_an_agent_whose_backlog_grew_is_named(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert growing_backlogs(open_comparison(directory)) == ["piling-up"]
    print_comparison(directory)
    printed = capsys.readouterr().out
    assert "Under piling-up the backlog grew all through the run" in " ".join(printed.split())


def test_agents_that_chance_may_have_ordered_share_their_ranks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_comparison(write_comparison(tmp_path, {"one": Behaviour(), "two<b>": Behaviour()}, setup=Setup(tasks=40)))
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines()[2:4]]
    assert [row[1] for row in rows] == ["1-2", "1-2"]
    assert {row[0] for row in rows} == {"one", "two<b>"}


def test_the_answer_is_in_plain_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    comparison = write_comparison(tmp_path, {"first<b>": Behaviour(wait_s=0.1), "second": Behaviour(wait_s=9)})
    print_comparison(comparison)
    printed = " ".join(capsys.readouterr().out.split())
    assert "first<b> has the lowest objective: " in printed
    assert "<strong>" not in printed


def test_without_rows_the_table_is_there_and_no_backlog_is_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    comparison = write_comparison(tmp_path, AGENTS, setup=Setup(kept_one_in=0))
    assert growing_backlogs(open_comparison(comparison)) == []
    print_comparison(comparison)
    assert "piling-up" in capsys.readouterr().out


def test_one_replication_gives_no_half_widths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_comparison(write_comparison(tmp_path, AGENTS, seeds=(7,)))
    printed = capsys.readouterr().out
    assert printed.splitlines()[2].count("±?") == 5
    assert "There is one replication only" in printed
