"""Request traces: when requests came and how long their prompts and answers were.

A file is read once from front to back. Times count from the first request. Real logs are sometimes written when a
request ends, so rows out of order are put in order and counted. A row in which the time or a number of tokens is empty
is left out and counted; anything else that cannot be is an error. Requests without any output are kept: they failed,
but they came. Equal times are kept as well, such as those of Mooncake's trace, which is grouped every 3 s.
"""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Iterator
from typing import Any, cast

from .fields import MILLISECONDS, MOST_TOKENS, Clock, clock_for, find_column, whole
from .formats import COLUMNS, REQUEST_FORMATS, RequestFormat, resolve_format
from .lines import MOST_ROWS, NOTHING_SKIPPED, FieldError, Place, TraceError, lines_of, rows_of, shown
from .requests import Requests

Row = tuple[int, str, str, str]
"""Line, time, prompt tokens, output tokens."""


def read_requests(file: str | os.PathLike[str], format: str | None = None) -> Requests:
    """The requests of a file, or drawn from a folder of ServeGen's clients; the format is found out if not given.

    TraceError when there are none, the format is unknown or not that of the file, or a line cannot be read.
    """
    path = os.fspath(file)
    found = cast(RequestFormat, resolve_format(path, format, REQUEST_FORMATS, "requests"))
    if found == "servegen":
        from .servegen import draw_requests

        return draw_requests(path)
    if found == "mooncake":
        return _gather(path, found, _json_rows(path), MILLISECONDS)
    return _gather(path, found, _table_rows(path, found))


def _gather(path: str, format: RequestFormat, rows: Iterator[Row], clock: Clock | None = None) -> Requests:
    """The requests that rows stand for; without a clock the first row's time tells which."""
    times, prompts, outputs = array("d"), array("q"), array("q")
    skipped, out_of_order = NOTHING_SKIPPED, 0
    first, last_s = 0.0, 0.0
    with Place(path) as at:
        for at.line, time, prompt, output in rows:
            if not (time and prompt and output):
                skipped = skipped.and_line(at.line)
                continue
            clock = clock or clock_for(time)
            ticks = clock.read(time)
            if not times:
                first = ticks
            time_s = (ticks - first) / clock.ticks_per_s
            out_of_order += time_s < last_s
            last_s = time_s
            prompts.append(whole(prompt, "prompt tokens", MOST_TOKENS))
            outputs.append(whole(output, "output tokens", MOST_TOKENS))
            times.append(time_s)
            if len(times) > MOST_ROWS:
                raise FieldError(f"there are more than {MOST_ROWS} requests; cut the file into pieces")
    if not times:
        left_out = f"; a field is empty in each of its {skipped.rows} rows" if skipped.rows else ""
        raise TraceError(f"{path}: no requests in it{left_out}")
    if out_of_order:
        times, prompts, outputs = _in_order(times, prompts, outputs)
    return Requests(times, prompts, outputs, format, skipped, out_of_order)


def _in_order(
    times: array[float], prompts: array[int], outputs: array[int]
) -> tuple[array[float], array[int], array[int]]:
    """The same requests by time, those of one time in the order of the file."""
    order = sorted(range(len(times)), key=times.__getitem__)
    first = times[order[0]]
    return (
        array("d", [times[place] - first for place in order]),
        array("q", [prompts[place] for place in order]),
        array("q", [outputs[place] for place in order]),
    )


def _table_rows(path: str, format: RequestFormat) -> Iterator[Row]:
    """Of a CSV file with a header."""
    rows = rows_of(path)
    with Place(path) as at:
        at.line, header = next(rows, (0, []))
        time, prompt, output = (find_column(header, spellings) for spellings in COLUMNS[format])
        for at.line, row in rows:
            if len(row) != len(header):
                raise FieldError(f"{len(row)} fields, but the header has {len(header)}")
            yield at.line, row[time].strip(), row[prompt].strip(), row[output].strip()


_JSON_KEYS = ("timestamp", "input_length", "output_length")


def _json_rows(path: str) -> Iterator[Row]:
    """Of a file with a JSON object on each line, as Mooncake's traces have it; null is an empty field."""
    with Place(path) as at:
        for at.line, text in enumerate(lines_of(path), 1):
            if text.strip():
                item = _json_object(text)
                time, prompt, output = (_json_field(item, key) for key in _JSON_KEYS)
                yield at.line, time, prompt, output


def _json_object(text: str) -> dict[str, Any]:
    try:
        item = json.loads(text.rstrip())
    except json.JSONDecodeError as error:
        raise FieldError(f"no JSON: {error.msg} at column {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise FieldError(f"no JSON that can be read: {error}") from None
    if not isinstance(item, dict):
        raise FieldError(f"{shown(text.strip())} is not a JSON object")
    return item


def _json_field(item: dict[str, Any], key: str) -> str:
    """A number as text; FieldError where it is none."""
    if key not in item:
        raise FieldError(f"the object has no '{key}'")
    value = item[key]
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise FieldError(f"{key} {shown(str(value))} is not a number")
    return repr(value)
