"""The formats that are read, by name, and how a file's first line tells which it has.

Requests: the traces of Azure's LLM inference services of 2023 and 2024 and of its multimodal one (2025), BurstGPT with
and without sessions, Mooncake's JSON lines, folders of ServeGen's clients, and plain CSV. Rates: two columns, as
Pensieve's traces have them, Mahimahi's packet times, and logs of G-NetTrack as in the Irish 4G and 5G data sets.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple, get_args

from .fields import key_of
from .lines import TraceError, lines_of, meant, shown

RequestFormat = Literal["azure-llm", "azure-multimodal", "burstgpt", "mooncake", "servegen", "csv"]
RateFormat = Literal["two-column", "mahimahi", "g-nettrack"]
REQUEST_FORMATS: tuple[RequestFormat, ...] = get_args(RequestFormat)
RATE_FORMATS: tuple[RateFormat, ...] = get_args(RateFormat)


class Columns(NamedTuple):
    """The names that the columns of a format may have, the usual one first."""

    time: tuple[str, ...]
    prompt_tokens: tuple[str, ...]
    output_tokens: tuple[str, ...]


_AZURE = Columns(("TIMESTAMP",), ("ContextTokens",), ("GeneratedTokens",))
COLUMNS: Mapping[str, Columns] = {
    "azure-llm": _AZURE,
    "azure-multimodal": _AZURE,
    "burstgpt": Columns(("Timestamp",), ("Request tokens",), ("Response tokens",)),
    "csv": Columns(
        ("time_s", "time", "timestamp", "arrival_s", "arrival_time", "arrived_at"),
        ("prompt_tokens", "input_tokens", "context_tokens", "prompt_len", "input_length", "num_prefill_tokens"),
        ("output_tokens", "completion_tokens", "generated_tokens", "output_len", "output_length", "num_decode_tokens"),
    ),
}
"""Of the formats with a header. Case, spaces and punctuation of names do not count, nor does the order of columns, and
further ones are not looked at. Times are seconds or dates, as the first row has them.
"""
BITRATES: Mapping[str, str] = {"down": "DL_bitrate", "up": "UL_bitrate"}
"""The columns of G-NetTrack, in kbit/s."""

LAYOUTS: Mapping[str, str] = {
    "azure-llm": "TIMESTAMP,ContextTokens,GeneratedTokens",
    "azure-multimodal": "TIMESTAMP,NumImages,ContextTokens,GeneratedTokens",
    "burstgpt": "Timestamp,...,Request tokens,Response tokens,...",
    "mooncake": '{"timestamp": <ms>, "input_length": .., "output_length": ..}',
    "servegen": "a folder of chunk-<k>-trace.csv and chunk-<k>-dataset.json",
    "csv": "time_s,prompt_tokens,output_tokens",
    "two-column": "<s> <Mbit/s>",
    "mahimahi": "<ms>",
    "g-nettrack": "Timestamp,...,DL_bitrate,UL_bitrate,...",
}
"""What a file looks like in each format."""


def detect_format(path: str) -> RequestFormat | RateFormat:
    """The format of a file or folder, by its first line; TraceError, with all formats, when none fits."""
    if os.path.isdir(path):
        return "servegen"
    first = first_line(path)
    if first.startswith("{"):
        return "mooncake"
    names = {key_of(field) for field in first.split(",")}
    if _has(names, "azure-llm"):
        return "azure-multimodal" if key_of("NumImages") in names else "azure-llm"
    if _has(names, "burstgpt"):
        return "burstgpt"
    if names.issuperset(map(key_of, ("Timestamp", *BITRATES.values()))):
        return "g-nettrack"
    if _has(names, "csv"):
        return "csv"
    numbers = first.replace(",", " ").split()
    if len(numbers) == 1 and numbers[0].isdecimal():
        return "mahimahi"
    if len(numbers) == 2 and all(map(_is_number, numbers)):
        return "two-column"
    known = "; ".join(f"{name}: {layout}" for name, layout in LAYOUTS.items())
    raise TraceError(f"{path}: its first line {shown(first)} fits no format; there are {known}")


def first_line(path: str) -> str:
    """The first line that is neither blank nor a comment (`#`), stripped; TraceError when there is none."""
    for line in lines_of(path):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            return stripped
    raise TraceError(f"{path}: there is nothing in it")


def resolve_format(path: str, format: str | None, known: Collection[str], kind: str) -> str:
    """The format of a file that is to hold `kind`: the one that is given, else the one that is found.

    TraceError when it is none of those `known`.
    """
    if format is None:
        found = detect_format(path)
        if found not in known:
            raise TraceError(f"{path}: looks like {found} ({LAYOUTS[found]}), which holds no {kind}")
        return found
    if format not in known:
        allowed = f"allowed: {', '.join(known)}{meant(format, known)}"
        raise TraceError(f"{path}: {shown(format)} is no format of {kind}; {allowed}")
    return format


def _has(names: Collection[str], format: str) -> bool:
    return all(any(key_of(spelling) in names for spelling in column) for column in COLUMNS[format])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
