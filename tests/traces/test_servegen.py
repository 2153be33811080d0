"""A folder of clients is one trace for ever: as many requests as each window had, with gaps of its law."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from simoffload.random_streams import Streams
from simoffload.traces import Requests, TraceError, read_requests, servegen
from simoffload.traces.servegen import Window, _draw_times

from .samples import client


def test_each_window_gets_the_requests_of_its_rate(tmp_path: Path) -> None:
    found = read_requests(client(tmp_path, 3))
    assert found.format == "servegen"
    times = np.asarray(found.times_s)
    assert len(times) == 1200 + 600
    assert times[0] == 0
    assert np.all(np.diff(times) >= 0)
    begin = times[-1] - 1800
    assert not np.any((times > 600) & (times < 1200 + begin))
    assert begin == pytest.approx(0, abs=20)


def test_a_folder_is_the_same_trace_each_time_and_clients_do_not_change_one_another(tmp_path: Path) -> None:
    first = read_requests(client(tmp_path, 1))
    assert read_requests(tmp_path, "servegen") == first
    client(tmp_path, 20)
    both = read_requests(tmp_path)
    assert len(both.times_s) == 2 * len(first.times_s)
    lone = Counter(zip(first.prompt_tokens, first.output_tokens, strict=True))
    assert not lone - Counter(zip(both.prompt_tokens, both.output_tokens, strict=True))
    (tmp_path / "chunk-1-trace.csv").unlink()
    other = read_requests(tmp_path)
    assert len(other.times_s) == len(first.times_s)
    assert list(other.times_s) != list(first.times_s)


def test_a_fraction_of_a_request_is_rounded_by_chance(tmp_path: Path) -> None:
    windows = "".join(f"{600 * k},0.0005,1,Gamma,1,1\n" for k in range(2000))
    found = read_requests(client(tmp_path, 1, windows))
    assert len(found.times_s) == pytest.approx(0.3 * 2000, abs=4 * math.sqrt(2000 * 0.3 * 0.7))


@pytest.mark.parametrize(
    ("family", "shape", "cv"), [("Gamma", 1.0, 1.0), ("Gamma", 0.25, 2.0), ("Weibull", 2.0, 0.5227)]
)
def test_gaps_within_a_window_have_the_law_of_the_window(family: str, shape: float, cv: float) -> None:
    times = np.sort(_draw_times(Window(1000.0, 20_000.0, 1.0, family, shape), Streams(1).generator("x", "arrivals")))
    assert len(times) == 20_000
    assert 1000 <= times[0] <= times[-1] < 21_000
    gaps = np.diff(times, append=times[0] + 20_000)
    assert gaps.mean() == pytest.approx(1)
    assert gaps.std() == pytest.approx(cv, rel=0.05)


def test_nothing_marks_where_a_window_begins() -> None:
    """Requests of a bursty law fall on all parts of a window alike: each tenth has a tenth, to five deviations."""
    generator = Streams(2).generator("x", "arrivals")
    counts = np.zeros(10)
    for _ in range(2000):
        times = _draw_times(Window(0.0, 10.0, 2.0, "Gamma", 0.1), generator)
        counts += np.histogram(times, 10, (0, 10))[0]
    assert counts.sum() == 40_000
    bunching = 20
    assert np.all(np.abs(counts - 4000) < 5 * math.sqrt(4000 * bunching))


def test_the_smallest_gaps_do_no_harm(tmp_path: Path) -> None:
    found = read_requests(client(tmp_path, 1, "0,0.01,30,Gamma,0.0001,1\n600,1,40,Weibull,0.0001,1\n"))
    assert len(found.times_s) == 606
    assert all(0 <= time < 1200 for time in found.times_s)


def test_lengths_have_the_published_distributions(tmp_path: Path) -> None:
    found = read_requests(client(tmp_path, 1, "0,10,1,Gamma,1,1\n", reason_ratio="{0.5: 1.0}"))
    assert len(found.times_s) == 6000
    for values, chances in ((found.prompt_tokens, {100: 0.25, 200: 0.75}), (found.output_tokens, {0: 0.5, 7: 0.5})):
        counts = Counter(values)
        assert set(counts) == set(chances)
        for value, chance in chances.items():
            assert counts[value] == pytest.approx(6000 * chance, abs=4 * math.sqrt(6000 * chance * (1 - chance)))
    assert np.corrcoef(found.prompt_tokens, found.output_tokens)[0, 1] == pytest.approx(0, abs=0.06)


def test_a_prompt_is_text_and_each_piece_of_its_payload(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    folder = client(
        tmp_path / "a", 1, "0,10,1,Gamma,1,1\n", text_tokens="{1: 1.0}", image_count="{0: 0.5, 2: 0.5}",
        image_tokens="{100: 0.5, 1000: 0.5}", audio_count="{1: 1}", audio_tokens="{10: 1}", video_tokens="{7: 1}",
    )  # fmt: skip
    dataset = Path(folder) / "chunk-1-dataset.json"
    dataset.write_text(dataset.read_text().replace('"input_tokens": "{100: 0.25, 200: 0.75}", ', ""))
    counts = Counter(read_requests(folder).prompt_tokens)
    assert set(counts) == {11, 211, 1111, 2011}
    for value, chance in ((11, 0.5), (211, 0.125), (1111, 0.25), (2011, 0.125)):
        assert counts[value] == pytest.approx(6000 * chance, abs=4 * math.sqrt(6000 * chance))


def test_distributions_hold_from_their_time_on(tmp_path: Path) -> None:
    folder = client(tmp_path, 1, "".join(f"{600 * k},1,1,Gamma,1,1\n" for k in range(4)))
    (tmp_path / "chunk-1-dataset.json").write_text(
        '{"1200": {"input_tokens": "{9: 1}", "output_tokens": "{9: 1}"},'
        ' "600": {"input_tokens": "{5: 2e-1}", "output_tokens": "{5: 1}"}}'
    )
    found = read_requests(folder)
    assert (list(found.prompt_tokens), list(found.output_tokens)) == ([5] * 1200 + [9] * 1200,) * 2


def test_a_rate_without_a_law_has_exponential_gaps(tmp_path: Path) -> None:
    def of(row: str) -> Requests:
        return read_requests(client(tmp_path, 1, row))

    assert of("0,1,,,,\n") == of("0,1,1,Gamma,1,1\n")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("600,-1,1,Gamma,1,1", "rate '-1' is negative"),
        ("600,nan,1,Gamma,1,1", "rate 'nan' is not a number"),
        ("600,1,1,Normal,1,1", "law 'Normal' is neither Gamma nor Weibull"),
        ("600,1,1,Gamma,0,1", "shape '0' is below 0.0001"),
        ("600,1,1,Gamma,,1", "shape '' is not a number"),
        ("0,1,1,Gamma,1,1", "start '0' is not after the one above"),
        ("600,1,1,Gamma,1", "5 fields; expected start, rate, CV, law, shape, scale"),
    ],
)
def test_a_broken_window_is_reported_with_its_line(tmp_path: Path, row: str, fault: str) -> None:
    folder = client(tmp_path, 7, f"0,1,1,Gamma,1,1\n{row}\n")
    with pytest.raises(TraceError) as refused:
        read_requests(folder)
    assert str(refused.value).startswith(f"{folder}/chunk-7-trace.csv:2: {fault}")


@pytest.mark.parametrize(
    ("literal", "fault"),
    [
        ("{1: -0.5}", "chance of output_tokens '-0.5' is negative"),
        ("{1: 1.5}", "chance of output_tokens '1.5' is above 1"),
        ("{-1: 0.5}", "output_tokens '-1' is negative"),
        ("{2000000000: 1}", "output_tokens '2000000000' is above 1e+07"),
        ("{1.5: 1}", "output_tokens: some numbers are not whole"),
        ("{1e999: 1}", "output_tokens 'inf' is above"),
        ("{'a': 1}", "is no map of numbers to chances"),
        ("[1]", "is no map of numbers to chances"),
        ("{1: exit()}", "is no map of numbers to chances"),
        ("{1: __import__('os').getpid()}", "is no map of numbers to chances"),
        ("{[]: 1}", "is no map of numbers to chances"),
        ("{1: 1", "is no map of numbers to chances"),
        ("-" * 100_000 + "1", "is no map of numbers to chances"),
        ("(" * 100_000, "is no map of numbers to chances"),
        ("9" * 10_000, "is no map of numbers to chances"),
        ("", "is no map of numbers to chances"),
        (7, "output_tokens is not text of at most"),
        ("1" * 5_000_001, "output_tokens is not text of at most 5000000 characters"),
        ("{}", "has requests from 0 s on, but no distribution of output_tokens there"),
        ("{5: 0}", "has requests from 0 s on, but no distribution of output_tokens there"),
    ],
)
def test_distributions_that_are_none_are_refused(tmp_path: Path, literal: str | int, fault: str) -> None:
    folder = client(tmp_path, 1, output_tokens=literal)
    with pytest.raises(TraceError) as refused:
        read_requests(folder)
    assert folder in str(refused.value)
    assert fault in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", '{"0": 1}', '{"x": {}}', '{"-1": {}}', "[" * 100_000, "{}", '{"0": {}}'])
def test_a_dataset_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    folder = client(tmp_path, 1)
    (tmp_path / "chunk-1-dataset.json").write_text(text)
    with pytest.raises(TraceError, match="chunk-1"):
        read_requests(folder)


def test_a_folder_without_clients_or_with_half_of_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"no chunk-<k>-trace\.csv in it"):
        read_requests(tmp_path)
    client(tmp_path, 1, "0,0,0,,0,0\n")
    with pytest.raises(TraceError, match="every window is idle, so there are no requests"):
        read_requests(tmp_path)
    client(tmp_path, 2, "\n")
    with pytest.raises(TraceError, match=r"chunk-2-trace\.csv: no windows in it"):
        read_requests(tmp_path)
    client(tmp_path, 2)
    (tmp_path / "chunk-2-dataset.json").unlink()
    with pytest.raises(TraceError, match=r"no file '.*chunk-2-dataset\.json'"):
        read_requests(tmp_path)


def test_there_is_a_limit_to_what_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TraceError, match=r"its rates make 6e\+08 requests; at most 50000000 are drawn"):
        read_requests(client(tmp_path, 1, "0,1e6,1,Gamma,1,1\n"))
    monkeypatch.setattr(servegen, "MOST_ROWS", 2000)
    with pytest.raises(TraceError, match="chunk-1 has more than 2000 pieces in image_count"):
        read_requests(client(tmp_path, 1, image_count="{3: 1}", image_tokens="{1: 1}"))
