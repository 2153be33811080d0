"""Runs of an agent on several seeds are its replications; a seed counts once."""

from __future__ import annotations

from pathlib import Path

import pytest

from simoffload.analysis.grouping import accounted, grouped, open_runs
from simoffload.record.durable import RecordError

from .synthetic import Behaviour, Setup, write_comparison, write_run

LONG = Setup(tasks=400)


def test_runs_are_grouped_by_agent_and_ordered_by_seed(tmp_path: Path) -> None:
    for agent, seed in (("eft", 9), ("eft", 8), ("all-edge", 8)):
        write_run(tmp_path / f"{agent}-{seed}", agent, Behaviour(), seed, LONG)
    groups = accounted(open_runs(sorted(tmp_path.iterdir())), ["latency"], 0.95, 0.05)
    assert {(group.agent, group.seeds) for group in groups} == {("eft", (8, 9)), ("all-edge", (8,))}
    methods = {group.agent: group.accounts[0].mean.method for group in groups}
    assert methods["eft"] == "pooled batches"
    assert methods["all-edge"] != "pooled batches"


def test_a_comparison_stands_for_its_runs_that_kept_rows(tmp_path: Path) -> None:
    write_comparison(tmp_path / "c", {"eft": Behaviour(), "all-edge": Behaviour()}, seeds=(7, 8), setup=LONG)
    runs = open_runs([tmp_path / "c"])
    assert [(run.summary.agent, run.summary.seed) for run in runs] == [("all-edge", 7), ("eft", 7)]


def test_a_seed_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    for name in "ab":
        write_run(tmp_path / name, "eft", Behaviour(), 7, LONG)
    with pytest.raises(RecordError, match=r"are of one seed; replications need their own"):
        grouped(open_runs([tmp_path / "a", tmp_path / "b"]))


def test_what_is_no_run_or_measured_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="is no result"):
        open_runs([tmp_path])
    write_run(tmp_path / "short", "eft", Behaviour(), 7, Setup(tasks=2))
    with pytest.raises(RecordError, match="short has nothing to measure after its warm-up of 20 s"):
        accounted(open_runs([tmp_path / "short"]), ["latency"], 0.95, 0.05)
