"""`simoffload trace` tells what a file holds and writes it in a plain format; bad input is told in a line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from simoffload.traces import RATE_FORMATS, REQUEST_FORMATS, read_rates, read_requests

from ..traces.samples import AZURE_2023, G_NETTRACK, MOONCAKE, RATES, REQUESTS, client
from .program import HEAVY, imported_by, invoke


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def mooncake() -> str:
    Path("mooncake.jsonl").write_text(MOONCAKE)
    return "mooncake.jsonl"


def lines_of(*arguments: str) -> dict[str, str]:
    """What `info` prints, by label."""
    shown = invoke("trace", "info", *arguments)
    assert (shown.exit_code, shown.stderr) == (0, "")
    return {line[:22].strip(): line[22:].strip() for line in shown.stdout.splitlines()}


def figures_of(*arguments: str) -> dict[str, object]:
    shown = invoke("trace", "info", "--json", *arguments)
    assert (shown.exit_code, shown.stderr) == (0, "")
    found: dict[str, object] = json.loads(shown.stdout)
    return found


def test_info_tells_of_requests(mooncake: str) -> None:
    assert lines_of(mooncake) == {
        "format": "mooncake (requests)",
        "requests": "3, 1 without output",
        "span": "3 s",
        "rate": "0.6667 /s",
        "gaps": "mean 1.5 s, CV 1, longest 3 s after 0 s",
        "gaps of 60 s and more": "0",
        "index of dispersion": "0.6667 (1 s), - (10 s), - (60 s)",
        "prompt tokens": "mean 7105.33, sd 248.099, min 6758, p5 6758, p50 7236, p95 7322, p99 7322, max 7322",
        "output tokens": "mean 330, sd 233.381, min 0, p5 0, p50 490, p95 500, p99 500, max 500",
        "distinct times": "2, median step 3 s, at most 2 requests at one",
        "rows out of order": "0",
        "rows left out": "0",
    }


def test_info_tells_of_rates() -> None:
    Path("log.csv").write_text(G_NETTRACK)
    assert lines_of("log.csv", "--column", "up") == {
        "format": "g-nettrack (rates)",
        "segments": "3, median length 1.5 s, longest 2 s",
        "loop": "4.5 s",
        "rate, Mbit/s": "mean 0.611111, sd 0.109994, min 0.5, p5 0.5, p50 0.6, p95 0.8, p99 0.8, max 0.8",
        "outage": "0.00% of the time",
        "lag-1 autocorrelation": "-0.02381",
        "rows left out": "2, the first in line 3",
    }
    assert lines_of("log.csv")["outage"] == "33.33% of the time"


def test_info_as_json_has_the_same_figures(mooncake: str) -> None:
    found = figures_of(mooncake)
    assert (found["file"], found["format"], found["kind"], found["requests"]) == (mooncake, "mooncake", "requests", 3)
    assert found["dispersion"] == {"1 s": pytest.approx(2 / 3), "10 s": None, "60 s": None}
    assert (found["skipped_rows"], found["first_skipped_line"], found["out_of_order"]) == (0, None, 0)
    Path("rates.txt").write_text("0 2\n10 0\n")
    rates = figures_of("rates.txt")
    assert (rates["kind"], rates["loop_s"], rates["outage_share"], rates["autocorrelation"]) == ("rates", 20, 0.5, None)


@pytest.mark.parametrize("format", [*REQUEST_FORMATS, *RATE_FORMATS])
def test_every_format_is_found_and_may_be_given(format: str, elsewhere: Path) -> None:
    if format == "servegen":
        client(elsewhere, 1)
        file = "."
    else:
        file = "trace"
        Path(file).write_text({**REQUESTS, **RATES}[format])
    found = figures_of(file)
    assert found["format"] == format
    assert found["kind"] == ("requests" if format in REQUEST_FORMATS else "rates")
    assert figures_of(file, "--format", format) == found


@pytest.mark.parametrize("format", [*REQUEST_FORMATS, *RATE_FORMATS])
def test_every_format_is_converted_to_the_same_numbers(format: str, elsewhere: Path) -> None:
    file = str(elsewhere if format == "servegen" else elsewhere / "trace")
    if format == "servegen":
        client(elsewhere, 1)
    else:
        Path(file).write_text({**REQUESTS, **RATES}[format])
    converted = invoke("trace", "convert", file, "out")
    assert (converted.exit_code, converted.stdout) == (0, "")
    if format in REQUEST_FORMATS:
        before, after = read_requests(file), read_requests("out", "csv")
        assert after.times_s == before.times_s
        assert (after.prompt_tokens, after.output_tokens) == (before.prompt_tokens, before.output_tokens)
    else:
        rates, again = read_rates(file), read_rates("out", "two-column")
        assert (again.ends_s, again.rates_bps) == (rates.ends_s, rates.rates_bps)


def test_a_part_is_cut_out_and_played_faster() -> None:
    Path("in.csv").write_text(AZURE_2023)
    done = invoke("trace", "convert", "in.csv", "out.csv", "--from", "1e-7", "--to", "5 min", "--speed", "2")
    assert done.exit_code == 0
    assert Path("out.csv").read_text().splitlines()[1:] == ["0,396,0", "122.27093845,879,55"]
    Path("in.txt").write_text("0 2\n10 0\n20 4\n")
    assert invoke("trace", "convert", "in.txt", "out.txt", "--from", "5", "--to", "22", "--speed", "0.5").exit_code == 0
    assert Path("out.txt").read_text() == "0 2\n10 0\n30 4\n34\n"


def test_rows_that_are_left_out_are_told_on_the_way() -> None:
    Path("log.csv").write_text(G_NETTRACK)
    done = invoke("trace", "convert", "log.csv", "out.txt")
    assert done.exit_code == 0
    assert done.stderr == "log.csv: warning: rows with an empty field are left out: 1, the first in line 5\n"


def test_nothing_is_written_over_unless_forced(mooncake: str) -> None:
    Path("out.csv").write_text("mine")
    refused = invoke("trace", "convert", mooncake, "out.csv")
    assert (refused.exit_code, refused.stderr) == (2, "'out.csv' is there already; --force writes over it\n")
    assert Path("out.csv").read_text() == "mine"
    assert invoke("trace", "convert", mooncake, "out.csv", "--force").exit_code == 0
    assert read_requests("out.csv").times_s == read_requests(mooncake).times_s
    assert invoke("trace", "convert", "out.csv", "out.csv", "--force").exit_code == 0
    assert read_requests("out.csv").times_s == read_requests(mooncake).times_s
    assert sorted(os.listdir()) == [mooncake, "out.csv"]


def test_a_failure_leaves_nothing_half_written(mooncake: str) -> None:
    Path("broken.csv").write_text("time_s,prompt_tokens,output_tokens\n1,2,3\n2,x,3\n")
    assert invoke("trace", "convert", "broken.csv", "out.csv").exit_code == 2
    failed = invoke("trace", "convert", mooncake, "nowhere/out.csv")
    assert (failed.exit_code, failed.stderr) == (
        1, f"Error: cannot write {os.path.join('nowhere', 'out.csv')}: No such file or directory\n"
    )  # fmt: skip
    assert sorted(os.listdir()) == ["broken.csv", mooncake]


@pytest.mark.parametrize("command", [("info",), ("convert", "out.csv")])
def test_a_file_that_cannot_be_read_is_told_in_a_line(command: tuple[str, ...]) -> None:
    Path("broken.csv").write_text("time_s,prompt_tokens,output_tokens\n1,2,3\n2,-3,3\n")
    name, *out = command
    refused = invoke("trace", name, "broken.csv", *out)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == "broken.csv:3: prompt tokens '-3' is negative; allowed: 0 to 1e+07\n"
    refused = invoke("trace", name, "missing.csv", *out)
    assert (refused.exit_code, refused.stdout, refused.stderr) == (2, "", "no file 'missing.csv'\n")
    assert not Path("out.csv").exists()


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (("--from", "5", "--to", "4"), "--to (4 s) is not after --from (5 s)"),
        (("--from", "-1"), "'-1' is not a time from 0 on"),
        (("--to", "nan"), "'nan' is not a time from 0 on"),
        (("--to", "5 minutes"), "unknown unit 'minutes' for a time; did you mean 'min'?"),
        (("--speed", "0"), "'0' is not a number from 1e-6 to 1e6"),
        (("--speed", "nan"), "'nan' is not a number from 1e-6 to 1e6"),
        (("--speed", "fast"), "'fast' is not a number from 1e-6 to 1e6"),
        (("--from", "1 d"), "no request comes from 86400 s to inf s"),
        (("--format", "burst"), "'burst' is not one of 'azure-llm'"),
        (("--column", "left"), "'left' is not one of 'down', 'up'"),
    ],
)
def test_options_that_cannot_be_are_refused(mooncake: str, options: tuple[str, ...], fault: str) -> None:
    refused = invoke("trace", "convert", mooncake, "out.csv", *options)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert fault in refused.stderr
    assert not Path("out.csv").exists()


def test_a_directory_is_no_place_to_write_to(mooncake: str, elsewhere: Path) -> None:
    (elsewhere / "out").mkdir()
    refused = invoke("trace", "convert", mooncake, "out", "--force")
    assert (refused.exit_code, refused.stderr) == (2, "'out' is a directory\n")


def test_a_name_that_cannot_be_one_is_refused(mooncake: str) -> None:
    refused = invoke("trace", "convert", mooncake, "x" * 300)
    assert (refused.exit_code, refused.stderr) == (2, f"{'x' * 300}: File name too long\n")


def test_help_imports_nothing_large() -> None:
    unwanted = HEAVY | {"numpy", "pyarrow", "pydantic", "scipy", "simpy", "networkx", "yaml", "rich"}
    assert not imported_by("trace", "--help") & unwanted
