"""What is written reads back as the same numbers, bit for bit, and looks as a person would write it."""

from __future__ import annotations

from array import array
from itertools import accumulate
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from simoffload.traces import Rates, Requests, read_rates, read_requests
from simoffload.traces.fields import MOST_TOKENS
from simoffload.traces.writing import rates_text, requests_text

from .samples import MOONCAKE, written
from .test_request_files import IN_ANY_FOLDER

TOKENS = st.integers(0, MOST_TOKENS)
GAPS = st.floats(1e-6, 1e6)


def test_requests_are_written_as_plain_csv(tmp_path: Path) -> None:
    text = requests_text(read_requests(written(tmp_path, MOONCAKE)))
    assert text == "time_s,prompt_tokens,output_tokens\n0,6758,500\n3,7322,490\n3,7236,0\n"


def test_rates_are_written_in_two_columns_with_an_end_only_where_it_is_needed() -> None:
    def text(ends: list[float], rates: list[float]) -> str:
        return rates_text(Rates(array("d", ends), array("d", rates), "mahimahi"))

    assert text([0.1, 0.2], [12e6, 548e3]) == "0 12\n0.1 0.548\n"
    assert text([0.1, 0.2, 0.25], [12e6, 0.0, 1e7]) == "0 12\n0.1 0\n0.2 10\n0.25\n"
    assert text([5.0], [1.0]) == "0 0.000001\n5\n"


@IN_ANY_FOLDER
@given(st.lists(st.tuples(st.just(0.0) | GAPS, TOKENS, TOKENS), min_size=1, max_size=12))
def test_requests_read_back_as_they_were(tmp_path: Path, rows: list[tuple[float, int, int]]) -> None:
    gaps, prompts, outputs = zip(*rows, strict=True)
    times = array("d", accumulate(gaps[1:], initial=0.0))
    trace = Requests(times, array("q", prompts), array("q", outputs), "csv")
    text = requests_text(trace)
    assert read_requests(written(tmp_path, text)) == trace
    assert "e" not in text.split("\n", 1)[1]


@IN_ANY_FOLDER
@given(st.lists(st.tuples(GAPS, st.just(0.0) | st.floats(1e-3, 1e13)), min_size=1, max_size=12))
def test_rates_read_back_as_they_were(tmp_path: Path, rows: list[tuple[float, float]]) -> None:
    lengths, rates = zip(*rows, strict=True)
    trace = Rates(array("d", accumulate(lengths)), array("d", rates), "two-column")
    text = rates_text(trace)
    assert read_rates(written(tmp_path, text)) == trace
    assert "e" not in text
