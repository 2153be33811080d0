"""Files that a scenario names are there and can be used as it asks, before anything runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ..traces.samples import RATES, REQUESTS, written
from .sample import changed, headlines

ARRIVALS = "arrivals: {kind: poisson, rate: 0.5 /s}"
CHANNEL = "channel: {kind: gilbert-elliott, good: 40 Mbit/s, bad: 1 Mbit/s, mean_good: 10 s, mean_bad: 1 s}"
HEADER = "time_s,prompt_tokens,output_tokens\n"


def called(file: Path) -> str:
    """What messages call a file: its path from here where that is shorter."""
    return min(str(file), os.path.relpath(file), key=len)


def complaints(old: str, new: str) -> list[str]:
    """What is said of the sample with a piece replaced, from the place in the tree on."""
    return [headline.split(": ", 1)[1] for headline in headlines(changed((old, new)))]


def replayed(file: Path, more: str = "") -> list[str]:
    return complaints(ARRIVALS, f"arrivals: {{kind: trace, file: {file}{more}}}")


def played_back(file: Path, more: str = "") -> list[str]:
    return complaints(CHANNEL, f"channel: {{kind: trace, file: {file}{more}}}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of one ServeGen client."""
    (tmp_path / "chunk-0-trace.csv").write_text("0,0.5,1,Gamma,1,2\n")
    tokens = {"input_tokens": "{100: 1.0}", "output_tokens": "{10: 1.0}"}
    (tmp_path / "chunk-0-dataset.json").write_text(json.dumps({"0": tokens}))
    return tmp_path


@pytest.mark.parametrize("format", REQUESTS)
def test_requests_of_any_format_may_be_named(tmp_path: Path, format: str) -> None:
    file = Path(written(tmp_path, REQUESTS[format]))
    assert replayed(file) == replayed(file, f", format: {format}") == []
    assert complaints("tokens: 120 tok", f"tokens: {{kind: empirical, file: {file}, column: output_tokens}}") == []


@pytest.mark.parametrize("format", RATES)
def test_rates_of_any_format_may_be_named(tmp_path: Path, format: str) -> None:
    file = Path(written(tmp_path, RATES[format]))
    assert played_back(file, f", format: {format}") == played_back(file)
    assert all(complaint.startswith("warning: ") for complaint in played_back(file))


def test_requests_may_come_from_a_folder(folder: Path) -> None:
    assert replayed(folder) == replayed(folder, ", format: servegen") == []
    assert complaints("tokens: 120 tok", f"tokens: {{kind: empirical, file: {folder}, column: prompt_tokens}}") == []


def test_nothing_else_may(folder: Path) -> None:
    assert played_back(folder)[0].endswith(f"'{called(folder)}' is a directory, not a file")
    (complaint,) = replayed(folder, ", format: csv")
    assert complaint.endswith(f"{folder}: is a directory, not a file; of the formats only servegen is a folder")


def test_a_broken_line_is_told_with_its_number_where_the_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "requests.csv"
    file.write_text(f"{HEADER}0,1,2\n1,-1,2\n")
    (complaint,) = replayed(file)
    assert complaint.startswith("workloads.faults.arrivals.file: ")
    assert f"{file}:3: prompt tokens '-1' is negative" in complaint


def test_rows_that_are_left_out_are_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "requests.csv"
    file.write_text(f"{HEADER}0,1,2\n1,,2\n2,3,\n3,4,5\n")
    (complaint,) = replayed(file)
    assert complaint == (
        f"warning: workloads.faults.arrivals.file: rows of '{called(file)}' with an empty field are left out: 2, "
        f"the first in line 3"
    )


def test_a_link_that_never_carries_anything_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rates.txt"
    file.write_text("0 0\n5 0\n")
    (complaint,) = played_back(file)
    assert complaint.endswith(f"every rate of '{called(file)}' is 0, so nothing would ever get through")


def test_requests_of_one_moment_cannot_be_repeated(tmp_path: Path) -> None:
    file = tmp_path / "requests.csv"
    file.write_text(f"{HEADER}7,1,2\n7,1,2\n")
    assert replayed(file) == []
    (complaint,) = replayed(file, ", repeat: true")
    assert complaint.endswith(f"all requests of '{called(file)}' come at one moment, so it cannot be repeated")


def test_a_format_that_does_not_exist_is_refused_with_the_nearest(tmp_path: Path) -> None:
    (complaint,) = replayed(tmp_path / "requests.csv", ", format: mooncak")
    assert complaint.endswith("csv; did you mean 'mooncake'?")
