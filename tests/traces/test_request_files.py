"""Requests are read with exact times and in order; what real files hold is kept, and what cannot be has a line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simoffload.traces import Requests, Skipped, TraceError, read_requests, request_files

from .samples import (
    AZURE_2023,
    AZURE_2024,
    AZURE_MULTIMODAL,
    BURSTGPT_FIRST,
    BURSTGPT_LATER,
    MOONCAKE,
    REQUESTS,
    written,
)

IN_ANY_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def rows(found: Requests) -> list[tuple[float, int, int]]:
    return list(zip(found.times_s, found.prompt_tokens, found.output_tokens, strict=True))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (AZURE_2023, [(0, 374, 44), (1e-7, 396, 0), (244.541877, 879, 55)]),
        (AZURE_2024, [(0, 2162, 5), (0.99007, 12, 7), (1.49007, 13, 8), (2, 14, 9)]),
        (AZURE_MULTIMODAL, [(0, 1700, 20), (0.25, 90, 310)]),
        (BURSTGPT_FIRST, [(0, 472, 18), (40, 1087, 230), (113, 417, 0)]),
        (BURSTGPT_LATER, [(0, 906, 446), (51, 36, 29)]),
        (MOONCAKE, [(0, 6758, 500), (3, 7322, 490), (3, 7236, 0)]),
        (REQUESTS["csv"], [(0, 100, 7), (1.5, 300, 9)]),
    ],
)
def test_published_layouts_are_read(tmp_path: Path, text: str, expected: list[tuple[float, int, int]]) -> None:
    found = read_requests(written(tmp_path, text))
    assert rows(found) == expected
    assert (found.skipped, found.out_of_order) == (Skipped(), 0)


def test_columns_may_stand_anywhere_under_their_usual_names(tmp_path: Path) -> None:
    text = "id,Completion Tokens,arrived_at,note,input-tokens\na,9,2.5,,100.0\nb,0,2.5,x,7\n"
    assert rows(read_requests(written(tmp_path, text))) == [(0, 100, 9), (0, 7, 0)]


def test_plain_csv_may_have_dates(tmp_path: Path) -> None:
    text = "timestamp,prompt_tokens,output_tokens\n2024-01-01 23:59:59.75Z,1,2\n2024-01-02T00:00:01Z,3,4\n"
    assert rows(read_requests(written(tmp_path, text))) == [(0, 1, 2), (1.25, 3, 4)]


@pytest.mark.parametrize("zone", ["", "+00:00"])
def test_hundreds_of_nanoseconds_survive_a_day(tmp_path: Path, zone: str) -> None:
    text = f"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 00:00:00.0000001{zone},1,1\n"
    text += f"2023-11-16 23:59:59.9999999{zone},1,1\n"
    assert read_requests(written(tmp_path, text)).times_s[1] == 86399.9999998


def test_gaps_of_minutes_and_equal_times_are_kept(tmp_path: Path) -> None:
    text = "time_s,prompt_tokens,output_tokens\n" + "".join(f"{time},1,1\n" for time in (0, 3, 3, 3, 903, 903, 906))
    assert list(read_requests(written(tmp_path, text)).times_s) == [0, 3, 3, 3, 903, 903, 906]


def test_rows_out_of_order_are_put_in_order_and_counted(tmp_path: Path) -> None:
    text = "time_s,prompt_tokens,output_tokens\n5,1,1\n7,2,2\n4,3,3\n7,4,4\n5,5,5\n"
    found = read_requests(written(tmp_path, text))
    assert rows(found) == [(0, 3, 3), (1, 1, 1), (1, 5, 5), (3, 2, 2), (3, 4, 4)]
    assert found.out_of_order == 2


def test_rows_with_an_empty_field_are_left_out_and_counted(tmp_path: Path) -> None:
    text = "time_s,prompt_tokens,output_tokens\n,1,1\n1,2,\n\n2, ,3\n3,4,5\n4,5,6\n,,\n"
    found = read_requests(written(tmp_path, text))
    assert rows(found) == [(0, 4, 5), (1, 5, 6)]
    assert found.skipped == Skipped(4, 2)
    text = MOONCAKE.replace("7322", "null")
    assert read_requests(written(tmp_path, text)).skipped == Skipped(1, 2)


def test_empty_fields_of_other_columns_do_not_matter(tmp_path: Path) -> None:
    assert read_requests(written(tmp_path, BURSTGPT_LATER)).skipped == Skipped()


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("3,-1,2", "prompt tokens '-1' is negative; allowed: 0 to 1e+07"),
        ("3,1,nan", "output tokens 'nan' is not a number"),
        ("3,1,inf", "output tokens 'inf' is above 1e+07"),
        ("3,2000000000,2", "prompt tokens '2000000000' is above 1e+07"),
        ("3,1.5,2", "prompt tokens '1.5' is not a whole number"),
        ("-3,1,2", "time '-3' is negative"),
        ("nan,1,2", "time 'nan' is not a number"),
        ("1700000000000,1,2", "time '1700000000000' is above 1e+11"),
        ("2023-11-16 10:00:00,1,2", "time '2023-11-16 10:00:00' is not a number"),
        ("3,1", "2 fields, but the header has 3"),
        ("3,1,2,", "4 fields, but the header has 3"),
    ],
)
def test_a_broken_line_is_reported_with_its_number(tmp_path: Path, row: str, fault: str) -> None:
    path = written(tmp_path, f"# made up\ntime_s,prompt_tokens,output_tokens\n1,2,3\n\n{row}\n4,5,6\n")
    with pytest.raises(TraceError) as refused:
        read_requests(path)
    assert str(refused.value).startswith(f"{path}:5: {fault}")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"timestamp": 1, "input_length": 2', "no JSON: Expecting ',' delimiter at column 35"),
        ('{"timestamp": 1, "input_length": 2}', "the object has no 'output_length'"),
        ('{"timestamp": 1, "input_length": "2", "output_length": 3}', "input_length '2' is not a number"),
        ('{"timestamp": true, "input_length": 2, "output_length": 3}', "timestamp 'True' is not a number"),
        ('{"timestamp": 1, "input_length": NaN, "output_length": 3}', "prompt tokens 'nan' is not a number"),
        ('{"timestamp": -1, "input_length": 2, "output_length": 3}', "time '-1' is negative"),
        ("[1, 2, 3]", "'[1, 2, 3]' is not a JSON object"),
        ("[" * 100_000, "no JSON that can be read"),
        ("9" * 10_000, "no JSON that can be read"),
    ],
)
def test_a_broken_line_of_json_is_reported_with_its_number(tmp_path: Path, line: str, fault: str) -> None:
    path = written(tmp_path, f"{MOONCAKE}\n{line}\n")
    with pytest.raises(TraceError) as refused:
        read_requests(path)
    assert str(refused.value).startswith(f"{path}:5: {fault}")


def test_a_trace_has_at_least_one_request(tmp_path: Path) -> None:
    header = "time_s,prompt_tokens,output_tokens\n"
    with pytest.raises(TraceError, match=r"trace: no requests in it$"):
        read_requests(written(tmp_path, header))
    with pytest.raises(TraceError, match="no requests in it; a field is empty in each of its 2 rows"):
        read_requests(written(tmp_path, header + "1,,2\n2,,3\n"))
    with pytest.raises(TraceError, match="trace: the header '' has no column 'time_s'"):
        read_requests(written(tmp_path, ""), "csv")


def test_there_is_a_limit_to_the_number_of_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_files, "MOST_ROWS", 2)
    assert len(read_requests(written(tmp_path, AZURE_MULTIMODAL)).times_s) == 2
    with pytest.raises(TraceError, match="trace:4: there are more than 2 requests"):
        read_requests(written(tmp_path, AZURE_2023))


TEXT = st.text(st.sampled_from("0159.,-:eE+ \n\r\"'#{}[]Ttimespropuk_anf\x00\xe9"), max_size=60)


@IN_ANY_FOLDER
@given(st.sampled_from(["azure-llm", "burstgpt", "mooncake", "csv"]), TEXT)
def test_any_text_below_a_sample_is_read_or_refused_by_line(tmp_path: Path, format: str, text: str) -> None:
    path = written(tmp_path, REQUESTS[format] + text)
    try:
        found = read_requests(path, format)
    except TraceError as refused:
        assert str(refused).startswith(f"{path}:")
        return
    times = list(found.times_s)
    assert times == sorted(times)
    assert times[0] == 0
    assert len(times) == len(found.prompt_tokens) == len(found.output_tokens)
