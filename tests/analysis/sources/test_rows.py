"""Rows are asked for in one way wherever they lie, and what is not numbers is told with its place."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from simoffload.analysis.runs import Run, read_columns
from simoffload.analysis.sources import rows as rows_module
from simoffload.analysis.sources.rows import Rows, open_rows
from simoffload.analysis.steady.quantiles import sample_quantile
from simoffload.record.durable import RecordError

from ..synthetic import Setup, write_run

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def csv(folder: Path, text: str, name: str = "rows.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def table(path: Path, **columns: Sequence[object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(columns), path)
    return path


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Rows]:
    text = "wait,node,id\n1.5,a,1\n,b,2\n2.5,a,3\nnan,c,4\n"
    with open_rows(csv(tmp_path, text)) as rows:
        yield rows


def test_a_run_directory_gives_the_columns_that_were_written(run: Run) -> None:
    with open_rows(run.directory, "subtasks") as rows:
        written = read_columns(run, "subtasks", ["task", "node", "finish_s"])
        assert rows.count == len(written["task"])
        assert list(rows.columns)[:3] == ["task", "subtask", "stage"]
        for name, column in written.items():
            found = rows.array(name)
            assert found.dtype == column.dtype
            assert (found == column).all()


def test_a_condition_picks_rows(run: Run) -> None:
    written = read_columns(run, "tasks", ["home", "latency_s"])
    with open_rows(run.directory) as rows:
        assert rows.array("latency_s", "home = 1").tolist() == written["latency_s"][written["home"] == 1].tolist()


def test_several_runs_are_one_table_that_tells_them_apart(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_run(tmp_path / str(seed), seed=seed, setup=Setup(tasks=5))
    with open_rows([tmp_path / "2", tmp_path / "1"]) as rows:
        assert rows.array("source").tolist() == [0] * 5 + [1] * 5
        with open_rows(tmp_path / "1") as first:
            assert rows.array("latency_s", "source = 1").tolist() == first.array("latency_s").tolist()


def test_a_kind_without_rows_has_its_columns_all_the_same(tmp_path: Path) -> None:
    write_run(tmp_path / "run", setup=Setup(tasks=5), rows=False)
    with open_rows(tmp_path / "run", "links") as rows:
        assert (rows.count, rows.columns["bytes"]) == (0, "DOUBLE")
        assert rows.array("delivered_s").tolist() == []
        assert math.isnan(rows.sums("bytes").mean)
        assert np.isnan(rows.quantiles("bytes", [0.5])).all()


@pytest.mark.parametrize(("name", "separator"), [("a.csv", ","), ("a.CSV", ","), ("a.tsv", "\t"), ("b.csv", ";")])
def test_text_is_read_by_the_end_of_its_name(tmp_path: Path, name: str, separator: str) -> None:
    text = separator.join(["x", "y"]) + "\n" + separator.join(["1", "2.5"]) + "\n"
    with open_rows(csv(tmp_path, text, name)) as rows:
        assert (rows.array("x").tolist(), rows.array("y").tolist()) == ([1], [2.5])


@pytest.mark.parametrize("place", ["it's", "a[1]b", "what?", "star*", "seed=7"])
def test_paths_mean_what_they_say(tmp_path: Path, place: str) -> None:
    path = table(tmp_path / place / "x.parquet", x=[1.0])
    table(tmp_path / "stare" / "x.parquet", x=[2.0])
    with open_rows(path) as rows:
        assert rows.columns == {"x": "DOUBLE"}
        assert rows.array("x").tolist() == [1.0]


def test_columns_come_as_they_are_when_several_are_asked_for(opened: Rows) -> None:
    found = opened.arrays(["wait", "node", "id"])
    assert np.array_equal(found["wait"], [1.5, math.nan, 2.5, math.nan], equal_nan=True)
    assert found["node"].tolist() == ["a", "b", "a", "c"]
    assert found["id"].tolist() == [1, 2, 3, 4]


def test_questions_are_asked_in_sql(opened: Rows) -> None:
    found = opened.query("SELECT node, fsum(wait) AS s FROM rows WHERE isfinite(wait) GROUP BY node ORDER BY node")
    assert (found["node"].tolist(), found["s"].tolist()) == (["a"], [4.0])


def test_nan_is_found_whatever_the_file_says_of_its_least_and_greatest_value(tmp_path: Path) -> None:
    """pyarrow writes both without it, and DuckDB takes that for a column without it."""
    parquet.write_table(pa.table({"x": [1.0, math.nan, 3.0], "y": [5.0, 5.0, 5.0]}), tmp_path / "a.parquet")
    with open_rows(tmp_path / "a.parquet") as rows:
        assert rows.array("x", "NOT isnan(x)").tolist() == [1.0, 3.0]
        found = rows.query("SELECT fsum(CASE WHEN isnan(x) THEN 0 ELSE y - x END) AS s, count(*) AS n FROM rows")
        assert (found["s"].tolist(), found["n"].tolist()) == ([6.0], [3])
        assert rows.query("SELECT count(*) AS n FROM rows WHERE isnan(x)")["n"].tolist() == [1]
        assert rows.query("SELECT max(y) AS most FROM rows")["most"].tolist() == [5.0]


def test_a_missing_column_is_told_with_what_there_is(opened: Rows) -> None:
    for ask in (opened.array, opened.sums, lambda name: opened.arrays([name])):
        with pytest.raises(RecordError, match=r"rows.csv' has no column 'wiat'; it has wait, node, id; did you mean"):
            ask("wiat")


def test_text_where_numbers_are_needed_is_told_with_its_row(tmp_path: Path) -> None:
    path = csv(tmp_path, "x\n1\n2\nnone\n")
    with (
        open_rows(path) as rows,
        pytest.raises(RecordError, match=r"column 'x' is VARCHAR, as 'none' in row 3, where numbers are needed"),
    ):
        rows.array("x")


def test_gaps_are_told_with_their_number_and_the_first_row(opened: Rows) -> None:
    for ask in (opened.array, opened.sums, lambda name: opened.quantiles(name, [0.5])):
        with pytest.raises(RecordError, match=r"2 values are no finite numbers in column 'wait', the first in row 2"):
            ask("wait")
    with pytest.raises(RecordError, match=r"1 value is no finite number in column 'wait', the first in row 4: nan"):
        opened.array("wait", "id > 2")
    assert opened.array("wait", "isfinite(wait)").tolist() == [1.5, 2.5]


def test_infinity_is_refused(tmp_path: Path) -> None:
    with open_rows(table(tmp_path / "x.parquet", x=[1.0, math.inf])) as rows:
        with pytest.raises(RecordError, match="the first in row 2: inf"):
            rows.array("x")
        with pytest.raises(RecordError, match="the first in row 2: inf"):
            rows.sums("x")


def test_a_line_that_does_not_fit_is_told_when_the_file_is_opened(tmp_path: Path) -> None:
    path = csv(tmp_path, "x,y\n" + "1,2\n" * 30_000 + "abc,3\n")
    with pytest.raises(RecordError, match=r"rows.csv' cannot be read: .*CSV Error on Line: 30002; .*abc,3; .*\"x\""):
        open_rows(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.parquet", b"not Parquet at all", "x.parquet' cannot be read: .*No magic bytes"),
        ("x.csv", b"", "x.csv' is empty"),
        ("x.csv", b"1.5,2\n3,4\n", "does not name its columns: it begins with 1.5, 2"),
        ("x.csv", b"a\n\xff\xfe\n", "x.csv' cannot be read"),
        ("x.xlsx", b"PK", "is no source of rows; allowed: run directories, .parquet, .csv"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordError, match=said):
        open_rows(tmp_path / name)


def test_what_is_not_there_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    csv(tmp_path, "x\n1\n", "latency.csv")
    with pytest.raises(RecordError, match=r"there is no '.*latncy.csv'; did you mean 'latency.csv'"):
        open_rows(tmp_path / "latncy.csv")
    with pytest.raises(RecordError, match=r"there is no '.*nowhere.x.csv'$"):
        open_rows(tmp_path / "nowhere" / "x.csv")
    with pytest.raises(RecordError, match="is no run directory: it has no manifest"):
        open_rows(tmp_path)
    with pytest.raises(RecordError, match="no rows without a run directory or a file"):
        open_rows([])


def test_a_kind_that_is_not_there_is_told_with_the_nearest(run: Run) -> None:
    with pytest.raises(RecordError, match=r"no rows are called 'task'; allowed: tasks, .*; did you mean 'tasks'"):
        open_rows(run.directory, "task")


def test_a_damaged_part_is_told_by_name(tmp_path: Path) -> None:
    write_run(tmp_path / "run", setup=Setup(tasks=5))
    part = tmp_path / "run" / "tasks" / "part-00000.parquet"
    content = bytearray(part.read_bytes())
    content[100] ^= 1
    part.write_bytes(content)
    with pytest.raises(RecordError, match=r"part-00000.parquet is damaged"):
        open_rows(tmp_path / "run")


def test_files_of_different_columns_do_not_go_together(tmp_path: Path) -> None:
    paths = [csv(tmp_path, "x,y\n1,2\n", "a.csv"), csv(tmp_path, "y,z\n1,2\n", "b.csv")]
    with pytest.raises(RecordError, match=r"b.csv' and '.*a.csv' do not go together: one lacks 'x'"):
        open_rows(paths)
    own = csv(tmp_path, "source\n1\n", "c.csv")
    with pytest.raises(RecordError, match="has a column 'source'"):
        open_rows([own, own])
    with open_rows(own) as rows:
        assert rows.array("source").tolist() == [1]


def test_a_question_that_is_none_is_answered_in_a_line(opened: Rows) -> None:
    with pytest.raises(RecordError, match=r"rows.csv': Parser Error: [^\n]*$"):
        opened.query("SELEC * FROM rows")


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0])
def test_a_quantile_is_of_a_share(opened: Rows, share: float) -> None:
    with pytest.raises(ValueError, match=r"a share within \(0, 1\), not"):
        opened.quantiles("id", [share])


def test_text_with_gaps_has_none_in_them(tmp_path: Path) -> None:
    with open_rows(csv(tmp_path, "x,y\na,1\n,2\n")) as rows:
        assert rows.arrays(["x"])["x"].tolist() == ["a", None]


def test_yes_and_no_are_numbers(tmp_path: Path) -> None:
    with open_rows(csv(tmp_path, "x\ntrue\nfalse\n")) as rows:
        assert rows.array("x").tolist() == [1, 0]


def test_memory_that_is_no_amount_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="a database with much of memory cannot be opened"):
        open_rows(csv(tmp_path, "x\n1\n"), memory="much")


def test_sums_lose_nothing_to_cancellation(tmp_path: Path) -> None:
    with open_rows(table(tmp_path / "x.parquet", x=[1e16, 1.0, 1.0, -1e16] * 100)) as rows:
        assert rows.sums("x").sum == 200.0


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rows]:
    """Rows whose file may be written again."""
    with open_rows(table(tmp_path_factory.mktemp("kept") / "x.parquet", x=[0.0])) as rows:
        yield rows


@settings(max_examples=40)
@given(st.lists(FLOATS, min_size=1, max_size=200), st.floats(0.001, 0.999))
def test_quantiles_are_those_of_sorted_values_however_few_fit_into_memory(
    kept: Rows, values: list[float], share: float
) -> None:
    listing = ", ".join(f"({value!r}::DOUBLE)" for value in values)
    kept._database.ask(f"CREATE OR REPLACE VIEW rows AS SELECT * FROM (VALUES {listing}) AS t(x)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "FETCHED", 2)
        patch.setattr(rows_module, "BINS", 3)
        assert kept.quantiles("x", [share, 0.5]).tolist() == [
            sample_quantile(np.array(values), each) for each in (share, 0.5)
        ]


def test_more_than_fits_into_memory_is_spilled_and_nothing_is_left_behind(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    n = 1_000_000
    path = table(tmp_path / "x.parquet", key=generator.integers(0, n, n), x=generator.random(n))
    with open_rows(path, memory="48MB") as rows:
        folder = Path(rows._database._folder.name)
        found = rows.query("SELECT count(*) AS n FROM (SELECT key, fsum(x) AS s FROM rows GROUP BY key ORDER BY s)")
        assert 0 < found["n"][0] < n
        assert rows.sums("x").mean == pytest.approx(0.5, abs=0.002)
    assert not folder.exists()


def test_questions_load_nothing_before_they_are_asked() -> None:
    code = "import sys, simoffload.analysis.sources.rows; print(*sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"duckdb", "pandas", "pyarrow", "scipy"} & set(found.stdout.split())
