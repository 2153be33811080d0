"""Progress is a line now and then, a bar on a terminal, or nothing; it never goes to stdout."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.cli.progress import Lines, Pace, duration, shown, watcher
from simoffload.cli.stopping import Stop


@dataclass(frozen=True)
class Look:
    """A look at something that is a quarter done after 10 s."""

    share: float = 0.25
    wall_s: float = 10.0


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (961_200, "11 d 3 h")],
)
def test_times_are_told_in_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@given(st.floats(0, 1e9))
def test_a_time_as_told_is_less_than_one_smaller_unit_off(seconds: float) -> None:
    size = {"s": 1, "min": 60, "h": 3600, "d": 86400}
    words = duration(seconds).split()
    told = sum(int(number) * size[unit] for number, unit in zip(words[::2], words[1::2], strict=True))
    assert -0.5 <= seconds - told < size[words[-1]]


def test_what_is_left_goes_on_as_before() -> None:
    assert Pace().left(0.25, 10.0) == "30 s left"
    assert Pace().left(1.0, 10.0) == "0 s left"
    assert Pace().left(0.0, 10.0) == "time left unknown"


def test_what_was_done_at_another_time_does_not_make_it_look_faster() -> None:
    pace = Pace()
    pace.left(0.8, 10.0)  # most of it was there when this began
    assert pace.left(0.81, 20.0) == "3 min 10 s left"
    assert pace.left(0.8, 20.0) == "time left unknown"


def test_a_line_comes_after_five_seconds_and_then_ever_more_seldom(capsys: pytest.CaptureFixture[str]) -> None:
    lines, seen = Lines(), []
    for tenth in range(20_000):
        lines.show(tenth / 20_000, tenth / 10, "text")
        if capsys.readouterr().err:
            seen.append(tenth / 10)
    assert seen[:4] == [5, 10, 15, 20]
    gaps = [round(after - before, 6) for before, after in pairwise(seen)]
    assert gaps == sorted(gaps)
    assert gaps[-1] == 60


def test_a_line_has_the_share_the_text_and_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    Lines().show(0.25, 10.0, "7 tasks done")
    assert capsys.readouterr() == ("", " 25 %, 7 tasks done, 30 s left\n")


def test_without_a_terminal_there_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with shown(quiet=False) as show:
        show(0.25, 10.0, "text")
    assert capsys.readouterr() == ("", " 25 %, text, 30 s left\n")


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with shown(quiet=True) as show:
        show(0.25, 10.0, "text")
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_there_is_a_bar_that_goes_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with shown(quiet=False) as show:
        show(0.25, 10.0, "[7] tasks done")
        assert "[7] tasks done, 30 s left" in terminal.getvalue()
        assert " 25 %" in terminal.getvalue()
    assert "\x1b[2K" in terminal.getvalue().rpartition("left")[2]
    assert capsys.readouterr().out == ""


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "dumb")
    with shown(quiet=False) as show:
        show(0.25, 10.0, "text")
    assert terminal.getvalue() == " 25 %, text, 30 s left\n"


def test_watching_goes_on_until_somebody_asks_to_stop() -> None:
    said = []
    with Stop() as stop:
        watch = watcher(lambda *what: said.append(what), stop, lambda look: f"{look.share:.0%}")
        assert watch(Look())
        signal.raise_signal(signal.SIGINT)
        assert not watch(Look())
    assert said == [(0.25, 10.0, "25%")] * 2
