"""Rows come back from Parquet as they went in; only whole parts that the manifest lists are read."""

from __future__ import annotations

import math
import os
import pickle
import random
import signal
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from simoffload.record.durable import RecordError
from simoffload.record.manifest import Manifest, begin_manifest, write_manifest
from simoffload.record.parts import PartWriter, part_files, read_parts, read_table
from simoffload.record.rows import LAYOUTS, LINKS, NODES, SUBTASKS, TASKS, Layout

from .strategies import packed, rows

MANIFEST = begin_manifest("tiny", b"", agent="random", seed=0)


def list_parts(directory: Path, *writers: PartWriter) -> Manifest:
    manifest = MANIFEST.model_copy(update={"parts": tuple(part for writer in writers for part in writer.parts)})
    write_manifest(directory, manifest)
    return manifest


def write_rows(directory: Path, layout: Layout, values: list[tuple[Any, ...]], rows_per_part: int = 4) -> PartWriter:
    writer = PartWriter(directory, layout, rows_per_part)
    writer.write(packed(layout, values))
    writer.flush()
    return writer


def node_rows(count: int) -> list[tuple[Any, ...]]:
    return [(5.0 * k, k % 3, k / 8, k / 16, 1.0) for k in range(count)]


def bits(table: pa.Table) -> list[tuple[Any, ...]]:
    """The rows of a table with floats as their bytes, so that nan equals itself and 0 differs from -0."""
    return [
        tuple(struct.pack("<d", value) if isinstance(value, float) else value for value in row.values())
        for row in table.to_pylist()
    ]


@settings(max_examples=40)
@given(rows(), st.integers(1, 20), st.integers(1, 50))
def test_rows_come_back_bit_for_bit_whatever_the_size_of_parts_and_writes(
    drawn: Any, per_part: int, at_a_time: int
) -> None:
    layout, values = drawn
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        writer = PartWriter(directory, layout, per_part)
        for begin in range(0, len(values), at_a_time):
            writer.write(packed(layout, values[begin : begin + at_a_time]))
        writer.flush()
        list_parts(directory, writer)
        table = read_table(directory, layout.name)
        assert sum(len(part) for part in read_parts(directory, layout.name)) == len(values)
    assert table.column_names == [column.name for column in layout.columns]
    assert [str(field.type).replace("double", "float64") for field in table.schema] == [
        column.arrow_type for column in layout.columns
    ]
    assert bits(table) == [
        tuple(struct.pack("<d", value) if isinstance(value, float) else value for value in each) for each in values
    ]
    assert [part.rows for part in writer.parts] == [
        min(per_part, len(values) - k) for k in range(0, len(values), per_part)
    ]


def test_parts_are_numbered_and_tell_their_span_of_time(tmp_path: Path) -> None:
    parts = write_rows(tmp_path, NODES, node_rows(10)).parts
    assert [part.file for part in parts] == [f"nodes/part-0000{k}.parquet" for k in range(3)]
    assert [(part.first_s, part.last_s) for part in parts] == [(0.0, 15.0), (20.0, 35.0), (40.0, 45.0)]
    assert sorted(os.listdir(tmp_path / "nodes")) == [Path(part.file).name for part in parts]


def test_tasks_that_never_finished_have_no_time(tmp_path: Path) -> None:
    unfinished = [(k, 0, 0, 1.0 * k, math.nan, 2, 3, *[math.nan] * 5, -1, -1) for k in range(2)]
    (part,) = write_rows(tmp_path, TASKS, unfinished).parts
    assert (part.first_s, part.last_s) == (None, None)


def test_writing_tells_whether_a_part_was_completed(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path, NODES, rows_per_part=4)
    assert not writer.write(packed(NODES, node_rows(3)))
    assert writer.write(packed(NODES, node_rows(1)))
    assert not writer.flush()
    assert not writer.write(packed(NODES, node_rows(2)))
    assert writer.flush()
    assert [part.rows for part in writer.parts] == [4, 2]


def test_a_writer_continues_from_a_pickle_with_the_same_files(tmp_path: Path) -> None:
    whole = write_rows(tmp_path / "whole", NODES, node_rows(11))
    writer = PartWriter(tmp_path / "resumed", NODES, rows_per_part=4)
    writer.write(packed(NODES, node_rows(11)[:6]))
    saved = pickle.dumps(writer)
    writer.write(packed(NODES, node_rows(11)[6:]))
    resumed = pickle.loads(saved)
    resumed.continue_in(tmp_path / "resumed", writer.parts)
    resumed.write(packed(NODES, node_rows(11)[6:]))
    resumed.flush()
    assert resumed.parts == whole.parts
    list_parts(tmp_path / "resumed", resumed)
    assert read_table(tmp_path / "resumed", "nodes").num_rows == 11


def test_a_part_that_is_to_come_out_as_it_was_is_not_replaced_by_another_one(tmp_path: Path) -> None:
    listed = write_rows(tmp_path, NODES, node_rows(8)).parts
    again, other = (PartWriter(tmp_path, NODES, rows_per_part=4) for _ in range(2))
    for writer in (again, other):
        writer.repeat(listed)
    again.write(packed(NODES, node_rows(8)))
    assert again.parts == listed
    held = (tmp_path / listed[0].file).read_bytes()
    with pytest.raises(RecordError, match=r"nodes/part-00000\.parquet does not come out as it was"):
        other.write(packed(NODES, node_rows(9)[1:]))
    assert (tmp_path / listed[0].file).read_bytes() == held


def test_a_writer_goes_on_only_where_its_parts_are_listed(tmp_path: Path) -> None:
    writer = write_rows(tmp_path, NODES, node_rows(9))
    other = write_rows(tmp_path, LINKS, [(1, 0, 0, 1.0, 0.0, 0.0, 1.0, 2.0)])
    resumed = pickle.loads(pickle.dumps(writer))
    with pytest.raises(RecordError, match=f"{tmp_path} lists 2 parts of 'nodes' of 3"):
        resumed.continue_in(tmp_path, (*other.parts, *writer.parts[:2]))
    resumed.continue_in(tmp_path, (*other.parts, *writer.parts))
    assert resumed.parts == writer.parts


def test_a_record_without_rows_reads_as_an_empty_table(tmp_path: Path) -> None:
    list_parts(tmp_path)
    for layout in LAYOUTS:
        table = read_table(tmp_path, layout.name)
        assert (table.num_rows, table.column_names) == (0, [column.name for column in layout.columns])
    assert read_table(tmp_path, "tasks", ["latency_s"]).schema == pa.schema(
        [pa.field("latency_s", pa.float64(), nullable=False)]
    )


def test_some_columns_are_read_in_the_order_asked_for(tmp_path: Path) -> None:
    list_parts(tmp_path, write_rows(tmp_path, NODES, node_rows(9)))
    table = read_table(tmp_path, "nodes", ["busy", "node"])
    assert table.column_names == ["busy", "node"]
    assert table["node"].to_pylist() == [row[1] for row in node_rows(9)]


def test_what_the_manifest_does_not_list_is_not_read(tmp_path: Path) -> None:
    writer = write_rows(tmp_path, NODES, node_rows(10))
    manifest = list_parts(tmp_path, writer)
    (tmp_path / "nodes" / "part-00009.parquet").write_bytes(b"of another run")
    (tmp_path / "nodes" / "part-00003.parquet.tmp").write_bytes(b"PAR1")
    write_manifest(tmp_path, manifest.model_copy(update={"parts": manifest.parts[:2]}))
    assert read_table(tmp_path, "nodes").num_rows == 8


def test_other_readers_can_read_the_parts(tmp_path: Path) -> None:
    write_rows(tmp_path, LINKS, [(k, 0, 3, 1e6, 0.0, 1.0, 2.0, 2.5) for k in range(10)])
    table = parquet.read_table(tmp_path / "links")
    assert table["task"].to_pylist() == list(range(10))


def encodings_of(path: Path) -> dict[str, str]:
    """How the columns of a part are encoded: by dictionary, or as Parquet calls it."""
    group = parquet.ParquetFile(path).metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    known = {"RLE_DICTIONARY", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"}
    return {each.path_in_schema: next(iter(known & set(each.encodings)), "PLAIN") for each in columns}


def test_numbers_are_encoded_by_what_they_are_and_floats_by_how_often_they_recur(tmp_path: Path) -> None:
    draws = random.Random(1)
    instants = sorted(draws.uniform(1000, 2000) for _ in range(3000))
    by_threes = [instants[k - k % 3] for k in range(3000)]
    write_rows(
        tmp_path,
        LINKS,
        [(k, k % 5, 3, 1e6, by_threes[k], at, at + draws.random(), math.nan) for k, at in enumerate(instants)],
        rows_per_part=3000,
    )
    split, plain, dictionary = "BYTE_STREAM_SPLIT", "PLAIN", "RLE_DICTIONARY"
    assert encodings_of(tmp_path / "links" / "part-00000.parquet") == {
        "task": "DELTA_BINARY_PACKED", "subtask": dictionary, "link": dictionary, "bytes": split,
        "queued_s": plain, "start_s": split, "end_s": split, "delivered_s": split,
    }  # fmt: skip


def test_a_column_with_nan_does_not_say_what_its_least_and_greatest_values_are(tmp_path: Path) -> None:
    write_rows(tmp_path, LINKS, [(k, 0, 3, 1e6, 0.0, 1.0, 2.0, math.nan if k == 2 else 2.5) for k in range(5)])
    group = parquet.ParquetFile(tmp_path / "links" / "part-00000.parquet").metadata.row_group(0)
    columns = (group.column(number) for number in range(group.num_columns))
    assert {column.path_in_schema: column.is_stats_set for column in columns} == {
        column.name: column.name != "delivered_s" for column in LINKS.columns
    }


def test_instants_that_siblings_share_take_fewer_bytes_than_split_ones(tmp_path: Path) -> None:
    draws = random.Random(2)
    instants = [draws.uniform(1e4, 2e4) for _ in range(10_000)]

    def size(repeats: int) -> int:
        folder = tmp_path / str(repeats)
        shared = [instants[k - k % repeats] for k in range(10_000)]
        write_rows(folder, NODES, [(at, 0, 0.0, 0.0, 0.0) for at in shared], rows_per_part=10_000)
        return (folder / "nodes" / "part-00000.parquet").stat().st_size

    assert size(2) < 0.75 * size(1)


def test_the_files_of_some_rows_are_told_in_the_order_of_writing(tmp_path: Path) -> None:
    list_parts(tmp_path, write_rows(tmp_path, NODES, node_rows(10)), write_rows(tmp_path, LINKS, []))
    assert part_files(tmp_path, "nodes") == [tmp_path / f"nodes/part-0000{number}.parquet" for number in range(3)]
    assert part_files(tmp_path, "links") == []


def _replace(path: Path, with_: bytes) -> None:
    path.write_bytes(with_)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda path: path.unlink(), "cannot read .*part-00001.parquet, which the manifest lists: No such file"),
        (lambda path: _replace(path, path.read_bytes()[:-10]), "part-00001.parquet is damaged or from another run"),
        (lambda path: _replace(path, b""), "part-00001.parquet is damaged or from another run"),
        (lambda path: _replace(path, b"x" + path.read_bytes()[1:]), "part-00001.parquet is damaged"),
        (lambda path: _replace(path, path.with_name("part-00000.parquet").read_bytes()), "from another run"),
    ],
    ids=["missing", "truncated", "empty", "changed", "another"],
)
def test_a_part_that_is_not_what_was_written_is_refused(harm: Any, message: str, tmp_path: Path) -> None:
    list_parts(tmp_path, write_rows(tmp_path, NODES, node_rows(8)))
    harm(tmp_path / "nodes" / "part-00001.parquet")
    for reader in (read_table, part_files):
        with pytest.raises(RecordError, match=message):
            reader(tmp_path, "nodes")


def _listed_as(directory: Path, content: bytes, rows_listed: int) -> None:
    """A manifest that vouches for `content` as the only part of the rows of nodes."""
    (part,) = write_rows(directory, NODES, node_rows(1)).parts
    (directory / part.file).write_bytes(content)
    from hashlib import blake2b

    digest = blake2b(content, digest_size=16).hexdigest()
    part = part.model_copy(update={"blake2b": digest, "rows": rows_listed})
    write_manifest(directory, MANIFEST.model_copy(update={"parts": (part,)}))


def test_a_listed_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    _listed_as(tmp_path, b"not Parquet at all", 1)
    with pytest.raises(RecordError, match=r"part-00000\.parquet is not Parquet"):
        read_table(tmp_path, "nodes")


def test_a_listed_file_of_other_rows_or_another_number_of_them_is_refused(tmp_path: Path) -> None:
    write_rows(tmp_path, LINKS, [(0, 0, 3, 1e6, 0.0, 1.0, 2.0, 2.5)])
    for content, count in (
        ((tmp_path / "links" / "part-00000.parquet").read_bytes(), 1),
        ((write_rows(tmp_path, NODES, node_rows(2)), (tmp_path / "nodes/part-00000.parquet").read_bytes())[1], 3),
    ):
        _listed_as(tmp_path, content, count)
        with pytest.raises(RecordError, match=f"does not hold {count} rows of 'nodes'"):
            read_table(tmp_path, "nodes")


def test_unknown_rows_and_columns_are_refused_with_the_known_ones(tmp_path: Path) -> None:
    list_parts(tmp_path)
    with pytest.raises(RecordError, match="no rows are called 'jobs'; there are tasks, subtasks, links, nodes"):
        read_table(tmp_path, "jobs")
    with pytest.raises(RecordError, match="'nodes' has no column 'latency_s'; it has time_s, node"):
        read_table(tmp_path, "nodes", ["node", "latency_s"])


def test_a_directory_that_is_no_run_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="is no run directory"):
        read_table(tmp_path, "nodes")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_is_told_and_the_rows_can_be_written_later(tmp_path: Path) -> None:
    writer = PartWriter(tmp_path, NODES, rows_per_part=4)
    writer.write(packed(NODES, node_rows(4)))
    (tmp_path / "nodes" / "part-00001.parquet.tmp").symlink_to("/dev/full")
    with pytest.raises(RecordError, match=r"cannot write .*part-00001\.parquet: No space left on device"):
        writer.write(packed(NODES, node_rows(10)[4:]))
    list_parts(tmp_path, writer)
    assert read_table(tmp_path, "nodes").num_rows == 4
    writer.flush()
    list_parts(tmp_path, writer)
    assert read_table(tmp_path, "nodes")["time_s"].to_pylist() == [row[0] for row in node_rows(10)]


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "nodes").write_bytes(b"a file in the way")
    with pytest.raises(RecordError, match=r"cannot write .*part-00000\.parquet"):
        PartWriter(tmp_path, NODES, rows_per_part=1).write(packed(NODES, node_rows(1)))


WRITES_FOR_EVER = """
import itertools, struct, sys
from pathlib import Path
from simoffload.record.manifest import begin_manifest, write_manifest
from simoffload.record.parts import PartWriter
from simoffload.record.rows import NODES

directory = Path(sys.argv[1])
manifest = begin_manifest("tiny", b"", "random", 0)
write_manifest(directory, manifest)
writer = PartWriter(directory, NODES, rows_per_part=50)
for k in itertools.count():
    if writer.write(struct.pack(NODES.format, k, 0, 0.0, 0.0, 0.0)):
        write_manifest(directory, manifest.model_copy(update={"parts": writer.parts}))
        print(len(writer.parts), flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.parametrize("parts", [1, 8])
def test_a_run_that_is_killed_leaves_its_parts_readable(parts: int, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITES_FOR_EVER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        for _ in range(parts):
            run.stdout.readline()
        run.kill()
    assert run.returncode == -signal.SIGKILL
    times = read_table(tmp_path, "nodes")["time_s"].to_pylist()
    assert len(times) >= 50 * parts
    assert times == list(range(len(times)))


def test_pyarrow_is_imported_only_when_rows_are_written_or_read() -> None:
    program = "import sys, simoffload.record.parts; sys.exit('pyarrow' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_writing_rows_does_not_import_pandas() -> None:
    program = """
import sys, tempfile
from pathlib import Path
from simoffload.record.parts import PartWriter
from simoffload.record.rows import NODES
with tempfile.TemporaryDirectory() as directory:
    writer = PartWriter(Path(directory), NODES)
    writer.write(bytes(NODES.size))
    writer.flush()
sys.exit("pandas" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def plausible_subtasks(count: int) -> list[tuple[Any, ...]]:
    """Rows such as a run writes: instants in the order of events, sizes and costs at random."""
    draw = random.Random(5)
    values = []
    now = 0.0
    for k in range(count):
        now += draw.expovariate(20.0)
        service, wait = draw.lognormvariate(0, 0.7), draw.expovariate(0.5)
        prompt, output = draw.randrange(50, 3000), draw.randrange(20, 700)
        ready = now - service - wait
        values.append(
            (
                k // 4, k % 4, min(k % 4, 2), draw.randrange(4), draw.randrange(6), ready, ready + 0.02, now - service,
                now - 0.8 * service, now, prompt, output, float(round(output * 1.1)), 0.0,
                1e-6 * prompt + 4e-6 * output, 5.0 * service, 0.0, now + draw.gauss(0, 0.3), 1,
            )
        )  # fmt: skip
    return values


def test_a_row_of_subtasks_takes_less_than_its_packed_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    count = 20_000
    writer = write_rows(tmp_path, SUBTASKS, plausible_subtasks(count), rows_per_part=count)
    (part,) = writer.parts
    size = (tmp_path / part.file).stat().st_size / count
    with capsys.disabled():
        print(f" {size:.1f} B per row of subtasks, {SUBTASKS.size} B packed ", end="")
    assert size < 60
