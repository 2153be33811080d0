"""What fuzz tests feed the program with: nasty values, damaged texts and bytes, and how it may answer."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from click.testing import CliRunner
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from simoffload.cli.main import main

QUICK = settings(
    max_examples=25,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
LONGEST_LINE = 8_000
"""Characters of a line of an error, lists of what is allowed included."""

NASTY: Sequence[Any] = (
    None, True, "", " ", "\x00", "\x1b[31m", "🤖", "a" * 5000, [], {}, [[]], {"kind": None}, {"kind": "poisson"},
    0, -1, 1e-300, -0.0, 10**9, 10**12, 2**63, 10**400, float("nan"), float("inf"), 1e308,
    "1e12 /s", "1e-12 /s", "1e12 s", "1e-12 s", "1e18 B", "1e12 tok", "1e-30 bit/s", "0 s", "-1 s", "nan s", "1e400 s",
    "all", "auto", "text", "/", "/dev/zero", "..",
)  # fmt: skip
"""Values at which programs break."""
PIECES = (
    "\x00",
    "\t",
    ": ",
    "- ",
    "{",
    "[",
    "&a ",
    "*a",
    "<<: *a",
    "!!python/object:os.system ",
    "\n---\n",
    '"',
    "1e999",
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to all values inside a nested one."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way for key, part in parts for way in [(*path, key), *paths(part, (*path, key))]]


def replaced(data: Any, path: Sequence[Any], value: Any) -> Any:
    """A copy of nested data with another value at a path."""
    data = copy.deepcopy(data)
    holder = data
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    return data


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Bytes of which some have been cut off, flipped, taken out or put in."""
    place = draw(st.integers(0, max(len(content) - 1, 0)))
    kind = draw(st.sampled_from(["cut", "flip", "drop", "insert", "repeat"]))
    if kind == "cut":
        return content[:place]
    if kind == "flip":
        return content[:place] + bytes([content[place] ^ 1 << draw(st.integers(0, 7))]) + content[place + 1 :]
    length = draw(st.integers(1, 40))
    if kind == "drop":
        return content[:place] + content[place + length :]
    if kind == "repeat":
        return content[:place] + content[place : place + length] * 50 + content[place:]
    piece = draw(st.sampled_from(PIECES) | st.text(max_size=6)).encode(errors="surrogatepass")
    return content[:place] + piece + content[place:]


def answered(*arguments: str) -> int:
    """Run a command; its exit code. It raises nothing but an exit, and complains in lines that can be read."""
    result = CliRunner().invoke(main, arguments, prog_name="simoffload")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    if result.exit_code:
        assert result.output.strip()
        assert "Traceback" not in result.output
        assert max(map(len, result.output.split("\n"))) < LONGEST_LINE
    return result.exit_code
