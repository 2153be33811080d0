"""Equal rows have equal fingerprints, however they are cut; a difference of one bit anywhere shows."""

from __future__ import annotations

import pickle
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.record.fingerprint import Fingerprint
from simoffload.record.rows import LAYOUTS, LINKS, NODES, SUBTASKS, TASKS, Layout, RowBuffer, sampled

from .strategies import row

RECORDS = st.fixed_dictionaries({layout: st.lists(row(layout), max_size=30) for layout in LAYOUTS})


def fingerprint_of(record: dict[Layout, Any], capacity: int) -> str:
    fingerprint = Fingerprint()
    buffers = [RowBuffer(layout, capacity, fingerprint.update) for layout in record]
    for buffer, values in zip(buffers, record.values(), strict=True):
        for each in values:
            buffer.add(*each)
    for buffer in buffers:
        buffer.flush()
    return fingerprint.hexdigest()


@given(RECORDS, st.integers(1, 40))
def test_the_fingerprint_does_not_depend_on_the_capacity_of_the_buffers(record: dict[Layout, Any], size: int) -> None:
    assert fingerprint_of(record, size) == fingerprint_of(record, 1000)


@given(st.lists(st.integers(0, 200_000), max_size=8), st.integers(0, 200_000))
def test_long_rows_may_be_cut_anywhere_and_pickled_in_between(cuts: list[int], pause: int) -> None:
    content = bytes(range(256)) * 800
    whole = Fingerprint()
    whole.update(LINKS, content)
    pieces = Fingerprint()
    ends = sorted([*cuts, pause, len(content)])
    for begin, end in zip([0, *ends], ends, strict=False):
        pieces.update(LINKS, content[begin:end])
        assert len(pieces.hexdigest()) == 32
        if end == pause:
            pieces = pickle.loads(pickle.dumps(pieces))
    assert pieces.hexdigest() == whole.hexdigest()


@pytest.mark.parametrize("place", [0, 1, 65_535, 65_536, 99_999])
def test_one_changed_bit_changes_the_fingerprint(place: int) -> None:
    content = bytearray(100_000)
    before, after = Fingerprint(), Fingerprint()
    before.update(TASKS, content)
    content[place] ^= 1
    after.update(TASKS, content)
    assert before.hexdigest() != after.hexdigest()


def test_the_layouts_of_equal_bytes_and_their_number_tell_fingerprints_apart() -> None:
    seen = {Fingerprint().hexdigest()}
    for layout in (LINKS, NODES):
        for size in (1, 2, 65_536, 131_072):
            fingerprint = Fingerprint()
            fingerprint.update(layout, bytes(size))
            seen.add(fingerprint.hexdigest())
    assert len(seen) == 9


def test_keeping_a_sample_of_the_rows_leaves_the_fingerprint_alone() -> None:
    class Run:
        def __init__(self, one_in: int) -> None:
            self.fingerprint, self.one_in, self.kept = Fingerprint(), one_in, b""

        def take(self, layout: Layout, rows: memoryview) -> None:
            self.fingerprint.update(layout, rows)
            self.kept += sampled(layout, rows, self.one_in)

    runs = [Run(one_in) for one_in in (1, 3, 50)]
    for run in runs:
        buffer = RowBuffer(SUBTASKS, 64, run.take)
        for task in range(1000):
            buffer.add(task, *[0] * (len(SUBTASKS.columns) - 1))
        buffer.flush()
    assert len({run.fingerprint.hexdigest() for run in runs}) == 1
    assert len({len(run.kept) for run in runs}) == 3


def test_the_fingerprint_is_the_chain_of_hashes_that_its_module_describes() -> None:
    contents = {"tasks": b"", "subtasks": bytes(70_000), "links": b"\1" * 65_536, "nodes": b"\2" * 200_000}
    contents["attempts"] = bytes(72)
    fingerprint = Fingerprint()
    ends = b""
    for layout in LAYOUTS:
        content = contents[layout.name]
        fingerprint.update(layout, content)
        columns = ",".join(f"{column.name}:{column.code}" for column in layout.columns)
        state = blake2b(f"{layout.name}({columns})".encode(), digest_size=16).digest()
        whole = len(content) // 65_536 * 65_536
        for begin in range(0, whole, 65_536):
            state = blake2b(state + content[begin : begin + 65_536], digest_size=16).digest()
        ends += blake2b(state + content[whole:], digest_size=16).digest()
    assert fingerprint.hexdigest() == blake2b(ends, digest_size=16).hexdigest()
