"""The report on a run's behaviour adds up: parts to the latency, both sides of every law to the same."""

from __future__ import annotations

import numpy as np
import pytest

from simoffload.analysis.behaviour_section import (
    FEWEST,
    fits_in_words,
    law_blocks,
    queue_blocks,
    split_blocks,
    tail_blocks,
)
from simoffload.analysis.page import Folded, Paragraph, Table
from simoffload.analysis.runs import Run

from .simulated import simulated


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return simulated(tmp_path_factory.mktemp("behaviour") / "run", "tiny", "horizon={tasks: 150}")


def test_parts_add_up_to_the_mean_latency(run: Run) -> None:
    by_stage, by_node = split_blocks(run)[:2]
    assert isinstance(by_stage, Table)
    total = by_stage.rows[-1]
    assert [row[0].text for row in by_stage.rows] == ["explain", "analyze", "generate", "all"]
    assert total[-1].mean == pytest.approx(run.summary.latency_s.mean)
    assert sum(cell.mean or 0.0 for cell in total[1:-1]) == pytest.approx(run.summary.latency_s.mean)
    assert isinstance(by_node, Folded)
    (nodes,) = by_node.blocks
    assert isinstance(nodes, Table)
    assert sum(row[-1].mean or 0.0 for row in nodes.rows[:-1]) == pytest.approx(run.summary.latency_s.mean)


def test_every_node_with_work_has_busy_periods(run: Run) -> None:
    _, folded = queue_blocks(run, run.directory / "figures")
    assert isinstance(folded, Folded)
    (table,) = folded.blocks
    assert isinstance(table, Table)
    assert {row[0].text for row in table.rows} <= set(run.summary.nodes)
    assert all((row[3].mean or 0.0) >= 1.0 for row in table.rows)


def test_the_laws_hold_on_a_run_and_say_so(run: Run) -> None:
    words, folded = law_blocks(run)
    assert isinstance(words, Paragraph)
    assert words.text.startswith("Little's law, conservation, utilisation law and flow balance hold in all")
    assert isinstance(folded, Folded)


def test_of_few_or_equal_latencies_no_tail_is_told() -> None:
    generator = np.random.default_rng(1)
    assert len(tail_blocks(generator.lognormal(0.0, 0.8, FEWEST))) == 2
    assert tail_blocks(generator.lognormal(0.0, 0.8, FEWEST - 1)) == []
    assert tail_blocks(np.ones(FEWEST)) == []


def test_the_law_of_latencies_is_named_with_its_caveat() -> None:
    words = fits_in_words(np.random.default_rng(1).lognormal(0.0, 0.8, 300))
    assert "lognormal describes 300 values best, and fits" in words
    assert "take values for independent" in words
