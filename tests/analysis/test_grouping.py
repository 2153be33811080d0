"""Runs of an agent on several seeds are its replications; a seed counts once."""

from __future__ import annotations

from pathlib import Path

import pytest

from simoffload.analysis.grouping import accounted, grouped, open_runs
from simoffload.record.durable import RecordError
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario

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


def test_a_comparison_stands_for_its_runs_that_kept_rows_and_says_so(tmp_path: Path) -> None:
    write_comparison(tmp_path / "c", {"eft": Behaviour(), "all-edge": Behaviour()}, seeds=(7, 8), setup=LONG)
    groups = accounted(open_runs([tmp_path / "c"]), ["latency"], 0.95, 0.05)
    assert [(group.agent, group.seeds) for group in groups] == [("all-edge", (7,)), ("eft", (7,))]
    assert groups[0].caveats == ("The numbers are of 1 of 2 seeds: the others kept no rows.",)


def test_a_run_that_did_not_come_to_its_end_and_dropped_tasks_are_told(tmp_path: Path) -> None:
    settings = ["horizon={tasks: 150}", "warm_up=60 s", "records.level=full", "faults.in_service=drop"]
    for number, horizon in enumerate(("horizon={tasks: 150}", "horizon={tasks: 20000}")):
        watch = (lambda progress: True) if number == 0 else (lambda progress: False)
        scenario = load_scenario("bad-day", [*settings, "faults.waiting=drop", horizon, f"seed={number}"])
        simulate(scenario, "eft", tmp_path / str(number), watch)
    whole, cut = (accounted(open_runs([tmp_path / each]), ["cost"], 0.95, 0.05)[0].caveats for each in "01")
    assert [text.split(" ")[-1] for text in whole] == ["energy."]
    assert "were dropped: they have no latency, but count in objective, cost and energy." in whole[0]
    assert "The run of seed 1 is incomplete: what was under way at its end is in no number." in cut


def test_sampled_rows_are_told_and_latency_is_that_of_all_tasks(tmp_path: Path) -> None:
    settings = ["horizon={tasks: 400}", "records={level: sampled, sample: 0.25}"]
    simulate(load_scenario("tiny", settings), "eft", tmp_path / "run")
    (group,) = accounted(open_runs([tmp_path / "run"]), ["latency", "waiting"], 0.95, 0.05)
    latency, waiting = group.accounts
    assert group.caveats == ("Rows are kept of one task in 4.",)
    assert (latency.one_in, waiting.one_in) == (1, 4)
    assert latency.mean.n + latency.mean.cut > 250
    assert waiting.mean.n < 1000


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
