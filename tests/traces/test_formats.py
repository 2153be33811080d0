"""The first line tells the format; a format that is given must be one of the kind that is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from simoffload.traces import RATE_FORMATS, REQUEST_FORMATS, TraceError, detect_format, read_rates, read_requests
from simoffload.traces.formats import LAYOUTS

from .samples import AZURE_2024, BURSTGPT_FIRST, RATES, REQUESTS, client, written


def test_every_format_has_a_layout_and_a_sample() -> None:
    assert set(LAYOUTS) == {*REQUEST_FORMATS, *RATE_FORMATS} == {*REQUESTS, "servegen", *RATES}


@pytest.mark.parametrize(
    ("format", "text"),
    [*REQUESTS.items(), *RATES.items(), ("azure-llm", AZURE_2024), ("burstgpt", BURSTGPT_FIRST)],
)
def test_a_format_is_known_by_its_first_line(tmp_path: Path, format: str, text: str) -> None:
    assert detect_format(written(tmp_path, text)) == format
    assert detect_format(written(tmp_path, "\ufeff\r\n" + text.replace("\n", "\r\n"))) == format
    read = read_requests if format in REQUEST_FORMATS else read_rates
    found = read(written(tmp_path, text))
    assert found.format == format
    assert read(written(tmp_path, text), format) == found


def test_a_folder_is_of_servegen(tmp_path: Path) -> None:
    assert detect_format(client(tmp_path, 1)) == "servegen"


@pytest.mark.parametrize("text", ["a,b\n", "0,100,50\n", "[1, 2]\n", "1.5\n", "-4\n", "fast 3\n", "\x00\x01\n"])
def test_a_file_that_fits_none_is_refused_with_all_there_are(tmp_path: Path, text: str) -> None:
    with pytest.raises(TraceError) as refused:
        detect_format(written(tmp_path, text))
    assert "trace: its first line '" in str(refused.value)
    assert all(f"{name}: {layout}" in str(refused.value) for name, layout in LAYOUTS.items())


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n"])
def test_an_empty_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(TraceError, match="trace: there is nothing in it"):
        read_requests(written(tmp_path, text))


def test_rates_are_no_requests_nor_the_other_way_round(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"trace: looks like two-column \(<s> <Mbit/s>\), which holds no requests"):
        read_requests(written(tmp_path, RATES["two-column"]))
    with pytest.raises(TraceError, match=r"trace: looks like csv .* which holds no rates"):
        read_rates(written(tmp_path, REQUESTS["csv"]))
    with pytest.raises(TraceError, match="which holds no rates"):
        read_rates(client(tmp_path, 1))


def test_an_unknown_format_is_refused_with_those_there_are_and_the_nearest(tmp_path: Path) -> None:
    path = written(tmp_path, REQUESTS["csv"])
    allowed = "allowed: azure-llm, azure-multimodal, burstgpt, mooncake, servegen, csv"
    with pytest.raises(TraceError, match=f"'burst-gpt' is no format of requests; {allowed}; did you mean 'burstgpt'"):
        read_requests(path, "burst-gpt")
    with pytest.raises(TraceError, match=r"'csv' is no format of rates; allowed: two-column, mahimahi, g-nettrack$"):
        read_rates(path, "csv")


def test_a_format_that_is_given_is_not_asked_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="trace:1: the header 'time_s,prompt_tokens,output_tokens' has no column"):
        read_requests(written(tmp_path, REQUESTS["csv"]), "burstgpt")
    with pytest.raises(TraceError, match="is a directory, not a file; of the formats only servegen is a folder"):
        read_requests(tmp_path, "csv")
    with pytest.raises(TraceError, match="is not a folder, as servegen is"):
        read_requests(written(tmp_path, REQUESTS["csv"]), "servegen")
