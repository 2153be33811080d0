"""Rates hold until the next one, the last a median step; packets are counted so that every byte is carried."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.traces import Rates, Skipped, TraceError, rates, read_rates
from simoffload.world.channel_path import PathChannel
from simoffload.world.channel_trace import TraceSegments

from .samples import G_NETTRACK, written
from .test_request_files import IN_ANY_FOLDER, TEXT


def segments(found: Rates) -> list[tuple[float, float]]:
    return list(zip(found.ends_s, found.rates_bps, strict=True))


def test_two_columns_are_times_and_megabits_per_second(tmp_path: Path) -> None:
    for text in (
        "0 0.548\n5\t0\n10  12.5\n",
        "# s, Mbit/s\n0,0.548\n\n5, 0\n10 ,12.5",
        "0 .548\r\n5 0e0\r\n10 1.25e1\r\n",
    ):
        found = read_rates(written(tmp_path, text), "two-column")
        assert segments(found) == [(5, 548_000), (10, 0), (15, 12_500_000)]
        assert (found.format, found.skipped) == ("two-column", Skipped())


def test_the_last_rate_lasts_as_long_as_the_median_step(tmp_path: Path) -> None:
    assert segments(read_rates(written(tmp_path, "100 1\n101 2\n103 3\n109 4\n"))) == [
        (1, 1e6), (3, 2e6), (9, 3e6), (11, 4e6),
    ]  # fmt: skip


def test_a_time_alone_ends_the_last_rate(tmp_path: Path) -> None:
    assert segments(read_rates(written(tmp_path, "0 1\n5 2\n5.5\n"))) == [(5, 1e6), (5.5, 2e6)]
    assert segments(read_rates(written(tmp_path, "3 1\n8\n"))) == [(5, 1e6)]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("5 2", "time '5' is not after the one above"),
        ("4 2", "time '4' is not after the one above"),
        ("6 -2", "rate '-2' is negative; allowed: 0 to 1e+07"),
        ("6 nan", "rate 'nan' is not a number"),
        ("6 1e8", "rate '1e8' is above 1e+07"),
        ("6 1_0", "rate '1_0' is not a number"),
        ("nan 2", "time 'nan' is not a number"),
        ("6 2 3", "'6 2 3' is not a time and a rate"),
        ("6\n7 2", "'7 2' is not a time and a rate"),
        ("time rate", "time 'time' is not a number"),
    ],
)
def test_a_broken_line_is_reported_with_its_number(tmp_path: Path, line: str, fault: str) -> None:
    path = written(tmp_path, f"# made up\n0 1\n5 2\n{line}\n8 2\n")
    with pytest.raises(TraceError) as refused:
        read_rates(path, "two-column")
    assert str(refused.value).startswith(f"{path}:{4 + line.count(chr(10))}: {fault}")


def test_a_single_rate_has_no_length(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="trace: a single rate, and nothing says how long it lasts"):
        read_rates(written(tmp_path, "0 1\n"))
    with pytest.raises(TraceError, match="trace: no rates in it"):
        read_rates(written(tmp_path, "\n"), "two-column")


def test_packets_are_counted_in_tenths_of_a_second(tmp_path: Path) -> None:
    found = read_rates(written(tmp_path, "0\n100\n101\n101\n450\n"))
    assert segments(found) == [(0.1, 240_000), (0.2, 240_000), (0.3, 0), (0.4, 0), (0.45, 240_000)]


def test_a_packet_each_millisecond_is_a_constant_rate(tmp_path: Path) -> None:
    found = read_rates(written(tmp_path, "".join(f"{time}\n" for time in range(1, 235))))
    assert segments(found) == [(0.1, 12e6), (0.2, 12e6), (0.234, 12e6)]


@IN_ANY_FOLDER
@given(st.lists(st.integers(0, 3000), min_size=1, max_size=80).filter(max))
def test_every_byte_of_the_packets_is_carried_in_a_loop(tmp_path: Path, times: list[int]) -> None:
    found = read_rates(written(tmp_path, "".join(f"{time}\n" for time in sorted(times))), "mahimahi")
    assert found.ends_s[-1] == max(times) / 1000
    channel = PathChannel(TraceSegments(found.ends_s, found.rates_bps))
    assert channel.mean_bps * found.ends_s[-1] == pytest.approx(12_000 * len(times), rel=1e-12)
    assert channel.finish(0.0, 12_000 * len(times) * 7 * (1 - 1e-9)) <= 7 * found.ends_s[-1] * (1 + 1e-12)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("1\n3\n2\n", ":3: time '2' is before the one above"),
        ("1\n-3\n", ":2: time '-3' is negative"),
        ("1\n1.5\n", ":2: time '1.5' is not a whole number"),
        ("1\n9999999999\n", ":2: time '9999999999' is above 2.592e"),
        ("1\n2 3\n", ":2: time '2 3' is not a number"),
        ("0\n0\n", ": no packet after 0 ms, so the loop has no length"),
    ],
)
def test_packet_times_that_cannot_be_are_refused(tmp_path: Path, text: str, fault: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(TraceError) as refused:
        read_rates(path, "mahimahi")
    assert str(refused.value).startswith(path + fault)


def test_a_log_has_both_directions_averages_a_second_and_leaves_out_what_is_missing(tmp_path: Path) -> None:
    path = written(tmp_path, G_NETTRACK)
    down, up = read_rates(path), read_rates(path, "g-nettrack", "up")
    assert segments(down) == [(1, 40e6), (4, 25e6), (6, 0)]
    assert down.skipped == Skipped(1, 5)
    assert segments(up) == [(1, 800e3), (3, 600e3), (4.5, 500e3)]
    assert up.skipped == Skipped(2, 3)


def test_a_second_with_many_rows_has_their_mean(tmp_path: Path) -> None:
    rows = "".join(f"2019.12.14_10.16.3{second},{rate},1\n" for second, rate in [(0, 1), (0, 2), (0, 6), (1, 8)])
    found = read_rates(written(tmp_path, "Timestamp,DL_bitrate,UL_bitrate\n" + rows))
    assert segments(found) == [(1, 3000), (2, 8000)]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("2019.12.14_10.16.29,1,1", "time '2019.12.14_10.16.29' is before the one above"),
        ("2019.12.14 10:16:31,1,1", "is not a moment such as 2019.12.14_10.16.30"),
        ("2019.13.14_10.16.31,1,1", "is not a moment such as"),
        (",1,1", "time '' is not a moment"),
        ("2019.12.14_10.16.31,-7,1", "DL_bitrate '-7' is negative"),
        ("2019.12.14_10.16.31,1e11,1", "DL_bitrate '1e11' is above 1e+10"),
        ("2019.12.14_10.16.31,fast,1", "DL_bitrate 'fast' is not a number"),
        ("2019.12.14_10.16.31,1", "2 fields, but the header has 3"),
    ],
)
def test_a_broken_row_of_a_log_is_reported_with_its_number(tmp_path: Path, row: str, fault: str) -> None:
    path = written(tmp_path, f"Timestamp,DL_bitrate,UL_bitrate\n2019.12.14_10.16.30,1,1\n{row}\n")
    with pytest.raises(TraceError) as refused:
        read_rates(path)
    assert f"{path}:3: " in str(refused.value)
    assert fault in str(refused.value)


def test_there_is_a_limit_to_the_number_of_rates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_ROWS", 2)
    with pytest.raises(TraceError, match="trace:3: there are more than 2 rates"):
        read_rates(written(tmp_path, "0 1\n1 1\n2 1\n"))


@IN_ANY_FOLDER
@given(st.sampled_from(["two-column", "mahimahi", "g-nettrack"]), TEXT)
def test_any_text_is_read_as_rates_or_refused(tmp_path: Path, format: str, text: str) -> None:
    start = {"two-column": "0 1\n", "mahimahi": "1\n", "g-nettrack": "Timestamp,DL_bitrate,UL_bitrate\n"}[format]
    path = written(tmp_path, start + text)
    try:
        found = read_rates(path, format)
    except TraceError as refused:
        assert str(refused).startswith(path)
        return
    ends = list(found.ends_s)
    assert ends[0] > 0
    assert ends == sorted(set(ends))
    assert len(ends) == len(found.rates_bps)
    assert all(0 <= rate <= 1e13 for rate in found.rates_bps)
