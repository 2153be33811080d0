"""Tables are whole at any width: a line a row where output is kept, folded cells on a narrow terminal."""

from __future__ import annotations

import pytest

from simoffload.cli.tables import LONGEST_NAME, print_table

HEADS = ("agent", "objective", "cost")
ROWS = [("all-cloud", "1.5 ±0.1", "12"), ("weighted-greedy-wspt" * 5, "0.123 ±0.004", "3")]


def test_columns_are_aligned_and_numbers_set_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(HEADS, ROWS, numbers=2)
    head, rule, *lines = capsys.readouterr().out.splitlines()
    assert set(rule) == {"─"}
    assert len(lines) == len(ROWS)
    assert len({len(line) for line in (head, *lines)}) == 1
    assert [line.split("  ")[0].strip() for line in lines] == [row[0] for row in ROWS]
    assert lines[0].endswith(" 1.5 ±0.1    12")


def test_no_line_ends_in_blanks(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(HEADS, [("a", "b", ""), ("a", "b", "long")])
    assert all(line == line.rstrip() for line in capsys.readouterr().out.splitlines())


def test_what_looks_like_markup_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("[b]",), [("[red]x[/red] :smile:",)])
    assert "[red]x[/red] :smile:" in capsys.readouterr().out


def test_a_narrow_terminal_folds_cells_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    print_table(HEADS, [*ROWS, ("b" * LONGEST_NAME, "0.6 ±0.1", "2")], numbers=2)
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 40
    words = "".join(printed.split())
    for part in ("all-cloud", "1.5", "±0.1", "0.123", "±0.004"):
        assert part in words


def test_names_of_usual_length_stay_whole_on_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "50")
    print_table(("agent", *["number"] * 3), [("b" * LONGEST_NAME, *["0.123 ±0.004"] * 3)], numbers=3)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 50
    assert any(line.startswith("b" * LONGEST_NAME) for line in lines)
