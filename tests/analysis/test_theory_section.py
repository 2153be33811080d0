"""Stations stand beside their nearest forms, with quantiles only where nothing is amiss with the form."""

from __future__ import annotations

from pathlib import Path

from simoffload.analysis.page import Folded, Picture, Table
from simoffload.analysis.theory_section import theory_section

from .simulated import simulated


def test_a_queue_that_is_its_form_has_its_quantiles_drawn(tmp_path: Path) -> None:
    run = simulated(tmp_path / "run", "theory/mm1", "horizon={tasks: 4000}")
    table, words, picture = theory_section(run, run.directory / "figures").blocks
    assert isinstance(table, Table)
    ((station, form, *_, not_met),) = table.rows
    assert (station.text, form.text, not_met.text) == ("station", "M/M/1", "0")
    assert "should agree" in str(words)
    assert isinstance(picture, Picture)


def test_stations_of_a_plant_have_a_row_and_no_picture(tmp_path: Path) -> None:
    run = simulated(tmp_path / "run", "tiny", "horizon={tasks: 150}")
    blocks = theory_section(run, run.directory / "figures").blocks
    assert not any(isinstance(block, Picture) for block in blocks)
    table, others, _ = blocks
    assert isinstance(table, Table) and isinstance(others, Folded)
    assert all(int(row[-1].text) > 0 for row in table.rows)
    (folded,) = others.blocks
    assert isinstance(folded, Table)
    assert all((row[2].mean or 0.0) >= 0.01 for row in table.rows)
    assert all((row[2].mean or 0.0) < 0.01 for row in folded.rows)
    assert any(cell.text == "<0.001" for row in folded.rows for cell in row)


def test_without_rows_nothing_is_said(tmp_path: Path) -> None:
    run = simulated(tmp_path / "run", "tiny", "records.level=off", "horizon={tasks: 10}")
    assert theory_section(run, run.directory / "figures").blocks == []
