"""ServeGen's clients: a day of requests drawn from what is published of each client of a model.

For every client a folder holds `chunk-<k>-trace.csv`, with a row for each window of time: its start (s), the rate
(requests/s), the coefficient of variation of the gaps, their law (Gamma or Weibull), its shape and scale; and
`chunk-<k>-dataset.json`, with the distributions of token counts from certain times on (github.com/alibaba/ServeGen;
Xiang et al., arXiv:2505.09999).

Of each window, rate and shape are used. It gets as many requests as its rate says (a fraction is rounded by chance),
with gaps of its law scaled to fill it, laid around the window as around a circle and turned by chance: so the count is
the one recorded, and nothing marks where a window begins. The scale is not used: it often belongs to another mean gap
than 1/rate, in one of twenty published windows to one of less than half. A window of a rate without a law has
exponential gaps. Token counts are drawn independently of one another and of time within their window. The draws come
from a seed of their own, so that a folder is always the same trace, whatever the seed of a run.
"""

from __future__ import annotations

import ast
import json
import re
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..random_streams import Streams
from .fields import LONGEST_TIME_S, MOST_TOKENS, finite, within
from .lines import MOST_ROWS, FieldError, Place, TraceError, rows_of, shown, text_of
from .requests import Requests

SEED = 2505_09999
"""Of all draws: the number of the paper at arXiv."""
LARGEST_DATASET = 50_000_000
"""Bytes of a client's distributions."""
LONGEST_LITERAL = 5_000_000
"""Characters of a distribution."""
_SHAPES = (1e-4, 1e6)
_LEAST = 1e-300
"""Exponential variates below this are taken to be so large, so that they have a logarithm."""

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a client's day."""

    start_s: float
    length_s: float
    rate: float
    """Requests per second."""
    family: str
    """Gamma or Weibull."""
    shape: float


@dataclass(frozen=True, slots=True)
class Distribution:
    """Numbers with their chances, cumulated."""

    values: Counts
    below: Numbers

    def draw(self, count: int, generator: np.random.Generator) -> Counts:
        """Independent draws."""
        places = np.searchsorted(self.below, generator.random(count), side="right")
        return self.values[np.minimum(places, len(self.values) - 1)]


@dataclass(frozen=True, slots=True)
class Client:
    """A client's windows in order, and from which time on its token counts have which distributions."""

    name: str
    windows: tuple[Window, ...]
    starts_s: tuple[float, ...]
    datasets: tuple[Mapping[str, Distribution], ...]

    def dataset(self, time_s: float) -> Mapping[str, Distribution]:
        """The distributions that hold at a time; before the first, the first."""
        return self.datasets[max(bisect_right(self.starts_s, time_s) - 1, 0)]


def draw_requests(path: str) -> Requests:
    """The requests of all clients of a folder; TraceError when it holds none or a file in it cannot be read."""
    clients = [_read_client(trace) for trace in _trace_files(path)]
    expected = sum(window.rate * window.length_s for client in clients for window in client.windows)
    if expected > MOST_ROWS:
        raise TraceError(f"{path}: its rates make {expected:.3g} requests; at most {MOST_ROWS} are drawn")
    drawn = [_draw_client(path, client) for client in clients]
    times, prompts, outputs = (np.concatenate(column) for column in zip(*drawn, strict=True))
    if not len(times):
        raise TraceError(f"{path}: every window is idle, so there are no requests")
    order = np.argsort(times, kind="stable")
    times = times[order]
    return Requests(
        array("d", (times - times[0]).tobytes()),
        array("q", prompts[order].tobytes()),
        array("q", outputs[order].tobytes()),
        "servegen",
    )


def _trace_files(path: str) -> list[Path]:
    """The windows' files of a folder in the order of their numbers."""
    numbers = {}
    folder = Path(path)
    if not folder.is_dir():
        raise TraceError(f"{path}: is not a folder, as servegen is")
    for file in folder.iterdir():
        if found := re.fullmatch(r"chunk-(\d{1,9})-trace\.csv", file.name):
            numbers[file] = int(found[1])
    if not numbers:
        raise TraceError(f"{path}: no chunk-<k>-trace.csv in it, as a folder of ServeGen's clients has")
    return sorted(numbers, key=lambda file: numbers[file])


def _read_client(trace: Path) -> Client:
    windows = _read_windows(str(trace))
    dataset = trace.with_name(trace.name.replace("-trace.csv", "-dataset.json"))
    by_start = _read_dataset(str(dataset))
    return Client(trace.name.removesuffix("-trace.csv"), windows, tuple(by_start), tuple(by_start.values()))


def _read_windows(path: str) -> tuple[Window, ...]:
    """Windows in order; one lasts until the next, the last as long as the one before it, a single one 600 s."""
    read: list[tuple[float, float, str, float]] = []
    with Place(path) as at:
        for at.line, row in rows_of(path):
            if len(row) != 6:
                raise FieldError(f"{len(row)} fields; expected start, rate, CV, law, shape, scale")
            start, rate, _, family, shape, _ = (field.strip() for field in row)
            start_s = finite(start, "start", LONGEST_TIME_S)
            if read and start_s <= read[-1][0]:
                raise FieldError(f"start {shown(start)} is not after the one above")
            read.append((start_s, *_law(rate, family, shape)))
    if not read:
        raise TraceError(f"{path}: no windows in it")
    lengths = [later[0] - earlier[0] for earlier, later in pairwise(read)]
    lengths.append(lengths[-1] if lengths else 600.0)
    return tuple(Window(row[0], length, *row[1:]) for row, length in zip(read, lengths, strict=True))


def _law(rate: str, family: str, shape: str) -> tuple[float, str, float]:
    """Rate, family and shape of a window's gaps."""
    per_s = finite(rate or "0", "rate", 1e6)
    if per_s == 0 or not family:
        return per_s, "Gamma", 1.0
    if family not in ("Gamma", "Weibull"):
        raise FieldError(f"law {shown(family)} is neither Gamma nor Weibull")
    number = finite(shape, "shape", _SHAPES[1])
    if number < _SHAPES[0]:
        raise FieldError(f"shape {shown(shape)} is below {_SHAPES[0]:g}")
    return per_s, family, number


def _read_dataset(path: str) -> dict[float, Mapping[str, Distribution]]:
    """From which time on token counts have which distributions; those that a file leaves empty are left out."""
    with Place(path):
        data = _json_maps(text_of(path, LARGEST_DATASET))
        by_start = {finite(start, "time", LONGEST_TIME_S): _distributions(fields) for start, fields in data.items()}
    if not by_start:
        raise TraceError(f"{path}: no distributions in it")
    return dict(sorted(by_start.items()))


def _json_maps(text: str) -> dict[str, dict[str, Any]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FieldError(f"no JSON that can be read: {error}") from None
    if not isinstance(data, dict) or not all(isinstance(fields, dict) for fields in data.values()):
        raise FieldError("expected a map of times to maps")
    return data


_COUNTED = (("image_tokens", "image_count"), ("audio_tokens", "audio_count"), ("video_tokens", "video_count"))
"""Tokens of each piece of a payload, and how many pieces there are."""
_USED = {"input_tokens", "text_tokens", "output_tokens", *(field for pair in _COUNTED for field in pair)}


def _distributions(fields: Mapping[str, Any]) -> dict[str, Distribution]:
    return {name: found for name in fields if name in _USED and (found := _distribution(name, fields[name]))}


def _distribution(name: str, literal: Any) -> Distribution | None:
    """Of text such as `{136: 0.25, 372: 0.75}`; None of `{}`."""
    if not isinstance(literal, str) or len(literal) > LONGEST_LITERAL:
        raise FieldError(f"{name} is not text of at most {LONGEST_LITERAL} characters")
    try:
        chances = ast.literal_eval(literal)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        raise FieldError(f"{name}: {shown(literal)} is no map of numbers to chances") from None
    if not isinstance(chances, dict) or not all(
        isinstance(number, (int, float)) for pair in chances.items() for number in pair
    ):
        raise FieldError(f"{name}: {shown(literal)} is no map of numbers to chances")
    values = [within(value, str(value), name, MOST_TOKENS) for value in chances]
    weights = [within(chance, str(chance), f"chance of {name}", 1.0 + 1e-6) for chance in chances.values()]
    if any(not float(value).is_integer() for value in values):
        raise FieldError(f"{name}: some numbers are not whole")
    if not sum(weights) > 0:
        return None
    below = np.cumsum(weights)
    return Distribution(np.array(values, dtype=np.int64), below / below[-1])


def _draw_client(path: str, client: Client) -> tuple[Numbers, Counts, Counts]:
    """Times, prompt and output tokens, window by window."""
    streams = Streams(SEED)
    arrivals = streams.generator(client.name, "arrivals")
    tokens = {field: streams.generator(client.name, field) for field in sorted(_USED)}
    times, prompts, outputs = [np.empty(0)], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for window in client.windows:
        found = _draw_times(window, arrivals)
        if len(found):
            prompt, output = _draw_tokens(path, client, window, len(found), tokens)
            times.append(found)
            prompts.append(prompt)
            outputs.append(output)
    return np.concatenate(times), np.concatenate(prompts), np.concatenate(outputs)


def _draw_times(window: Window, generator: np.random.Generator) -> Numbers:
    """The times of a window's requests, not in order."""
    count = int(window.rate * window.length_s + generator.random())
    if not count:
        return np.empty(0)
    around = np.cumsum(_draw_gaps(window, count, generator))
    if around[-1] > 0:
        around /= around[-1]
    times: Numbers = window.start_s + window.length_s * ((around + generator.random()) % 1.0)
    return times


def _draw_gaps(window: Window, count: int, generator: np.random.Generator) -> Numbers:
    """Gaps of a window's law, to some scale: Weibull ones, powers of exponential ones, to that of the largest."""
    if window.family == "Gamma":
        return generator.standard_gamma(window.shape, count)
    logarithms = np.log(np.maximum(generator.standard_exponential(count), _LEAST)) / window.shape
    gaps: Numbers = np.exp(logarithms - logarithms.max())
    return gaps


def _draw_tokens(
    path: str, client: Client, window: Window, count: int, generators: Mapping[str, np.random.Generator]
) -> tuple[Counts, Counts]:
    """Prompt and output tokens of as many requests of a window."""
    dataset = client.dataset(window.start_s)
    text = "input_tokens" if "input_tokens" in dataset else "text_tokens"
    for field in (text, "output_tokens"):
        if field not in dataset:
            where = f"{path}: {client.name} has requests from {window.start_s:g} s on"
            raise TraceError(f"{where}, but no distribution of {field} there")
    prompt = dataset[text].draw(count, generators[text])
    for tokens, pieces in _COUNTED:
        if tokens in dataset and pieces in dataset:
            numbers = dataset[pieces].draw(count, generators[pieces])
            if int(numbers.sum()) > MOST_ROWS:
                raise TraceError(f"{path}: {client.name} has more than {MOST_ROWS} pieces in {pieces}")
            each = dataset[tokens].draw(int(numbers.sum()), generators[tokens])
            owners = np.repeat(np.arange(count), numbers)
            prompt = prompt + np.bincount(owners, weights=each, minlength=count).astype(np.int64)
    return prompt, dataset["output_tokens"].draw(count, generators["output_tokens"])
