"""A checkpoint holds a world that goes on as it would have, and a reader that can be made to do nothing else."""

from __future__ import annotations

import json
import math
import operator
import os
import pickle
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.decision import Decision
from simoffload.record.manifest import CHECKPOINT_FILE, versions
from simoffload.run import checkpoint
from simoffload.run.agents import agent_names, load_agent
from simoffload.run.checkpoint import CheckpointError, NotSaved, Origin, origin, packed, read_checkpoint, unpacked
from simoffload.run.recorder import statistics_of
from simoffload.run.world import World
from simoffload.schema import load_scenario
from simoffload.schema.bundled import bundled_scenarios

REFERENCES = "objective={latency_weight: 0.5, latency_reference: 20 s, cost_reference: 0.001 USD}"
EFT = load_agent("eft")
OF = origin(versions(), "ab" * 32, "eft", EFT)


def world_of(agent: Any, scenario: str = "tiny", *overrides: str, events: int = 1500) -> World:
    loaded = load_scenario(scenario, [REFERENCES, *overrides])
    world = World(loaded, agent, statistics_of(loaded))
    world.begin()
    world.kernel.advance(math.inf, events)
    return world


def fingerprint_after(world: World, events: int) -> str:
    world.kernel.advance(math.inf, events)
    world.wind_up()
    return world.recorder.close()


# ------------------------------------------------------------------------------------------------------- going on


@pytest.mark.parametrize("name", agent_names())
def test_a_world_with_any_agent_goes_on_from_a_checkpoint_as_it_would_have(name: str) -> None:
    agent = load_agent(name)
    world = world_of(agent, events=700)
    copy = unpacked(packed(OF, world), OF, agent)
    assert copy is not world
    assert fingerprint_after(copy, 700) == fingerprint_after(world, 700)


@pytest.mark.parametrize("scenario", sorted(bundled_scenarios()))
def test_a_world_of_any_bundled_scenario_goes_on_from_a_checkpoint_as_it_would_have(scenario: str) -> None:
    world = world_of(EFT, scenario)
    copy = unpacked(packed(OF, world), OF, EFT)
    assert fingerprint_after(copy, 1500) == fingerprint_after(world, 1500)


def test_saving_a_world_changes_nothing_in_it() -> None:
    saved, other = world_of(EFT), world_of(EFT)
    packed(OF, saved)
    assert fingerprint_after(saved, 1500) == fingerprint_after(other, 1500)


def test_a_crowded_world_makes_a_small_checkpoint(capsys: pytest.CaptureFixture[str]) -> None:
    world = world_of(EFT, "theory/mm1", "horizon={tasks: 1000000}", "workloads.customers.arrivals.rate=3 /s", events=0)
    while len(world.dispatcher.courses) < 10_000:
        world.kernel.advance(math.inf, 2000)
    world.recorder._cut()
    content = packed(OF, world)
    with capsys.disabled():
        print(f" {len(content) / 1e6:.2f} MB with {len(world.dispatcher.courses)} tasks ", end="")
    assert len(content) < 1_000_000
    copy = unpacked(content, OF, EFT)
    assert fingerprint_after(copy, 3000) == fingerprint_after(world, 3000)


class Remembering:
    """An agent of another package than simoffload's."""

    order = "fifo"

    def reset(self, setting: Any, generator: Any) -> None:
        self.asked = 0

    def decide(self, observation: Any) -> Decision:
        self.asked += 1
        return Decision(self.asked % len(observation.candidates))


def test_an_agent_of_another_package_is_saved_with_the_classes_of_its_package() -> None:
    agent = Remembering()
    world = world_of(agent)
    content = packed(OF, world)
    assert fingerprint_after(unpacked(content, OF, Remembering()), 800) == fingerprint_after(world, 800)
    with pytest.raises(CheckpointError, match=r"names tests\.run\.test_checkpoint\.Remembering"):
        unpacked(content, OF, EFT)


class Generating(Remembering):
    """Keeps a generator, which cannot be pickled."""

    def reset(self, setting: Any, generator: Any) -> None:
        super().reset(setting, generator)
        self.turns = (turn for turn in range(10**9))


def test_an_agent_that_does_not_pickle_is_told_with_the_reason() -> None:
    with pytest.raises(NotSaved, match="cannot pickle 'generator' object"):
        packed(OF, world_of(Generating()))


def test_a_world_that_nobody_would_read_back_is_not_saved() -> None:
    with pytest.raises(NotSaved, match=r"it takes \d+ bytes, \d+ compressed, which nobody would read back"):
        packed(OF, bytes(10**7))


# -------------------------------------------------------------------------------------------------------- refusing


def test_a_directory_without_checkpoint_and_one_with_it(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=f"cannot read {tmp_path}/checkpoint: No such file"):
        read_checkpoint(tmp_path, OF, EFT)
    (tmp_path / CHECKPOINT_FILE).write_bytes(packed(OF, {"a": 1.5}))
    assert read_checkpoint(tmp_path, OF, EFT) == {"a": 1.5}
    (tmp_path / CHECKPOINT_FILE).write_bytes(b"something else")
    with pytest.raises(CheckpointError, match=f"{tmp_path}/checkpoint is no checkpoint that this simoffload reads"):
        read_checkpoint(tmp_path, OF, EFT)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (replace(OF, versions=versions() | {"numpy": "1.0"}), "was written by numpy .*; this is numpy 1.0"),
        (replace(OF, scenario_sha256="cd" * 32), "was written with another scenario"),
        (replace(OF, agent="eft-wspt"), "was written with another agent"),
        (replace(OF, code="0" * 32), "was written with another code of simoffload or of the agent"),
    ],
)
def test_a_checkpoint_of_another_origin_is_refused(other: Origin, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        unpacked(packed(OF, 1), other, EFT)


def test_the_code_of_a_checkpoint_is_that_of_the_worlds_and_of_the_agent() -> None:
    foreign = origin(versions(), "", "eft", Remembering())
    assert OF.code == origin(versions(), "", "eft", EFT).code != foreign.code


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_checkpoint_is_refused_whatever_is_wrong_with_it(data: st.DataObject) -> None:
    content = packed(OF, list(range(50)))
    kind = data.draw(st.sampled_from(["cut", "flipped", "longer", "noise"]))
    at = data.draw(st.integers(0, len(content) - 1))
    damaged = {
        "cut": content[:at],
        "flipped": content[:at] + bytes([content[at] ^ data.draw(st.integers(1, 255))]) + content[at + 1 :],
        "longer": content + data.draw(st.binary(min_size=1)),
        "noise": data.draw(st.binary()),
    }[kind]
    with pytest.raises(CheckpointError, match=r"is damaged|is no checkpoint"):
        unpacked(damaged, OF, EFT)


# ------------------------------------------------------------------------------------------------------ evil pickles


def forged(raw: bytes) -> bytes:
    """A checkpoint with this pickle in it, right in all else."""
    import pyarrow as pa

    line, _, _ = packed(OF, 1).partition(b"}\n")[0].rpartition(b'"raw_bytes"')
    head = line[line.index(b"{") :] + b'"raw_bytes": %d}' % len(raw)
    assert json.loads(head)["raw_bytes"] == len(raw)
    rest = head + b"\n" + pa.compress(raw, codec="zstd", asbytes=True)
    return checkpoint._MAGIC + checkpoint._digest(rest) + rest


class Calls:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def by_name(module: str, name: str, *arguments: str) -> bytes:
    """A pickle that calls what a module has under a name."""
    texts = b"".join(b"\x8c" + bytes([len(text)]) + text.encode() for text in arguments)
    names = b"".join(b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name))
    return b"\x80\x05" + names + b"\x93(" + texts + b"tR."


def a_method_of_an_array(path: str) -> object:
    return Calls(np.arange(3).tofile, path)


EVIL: dict[str, Callable[[str], bytes]] = {
    "the shell": lambda path: pickle.dumps(Calls(os.system, f"touch {path}")),
    "open": lambda path: pickle.dumps(Calls(open, path, "w")),
    "exec": lambda path: pickle.dumps(Calls(exec, f"open({path!r}, 'w')")),
    "eval": lambda path: pickle.dumps(Calls(eval, f"open({path!r}, 'w')")),
    "a module's import": lambda path: by_name("simoffload.record.durable", "os.system", f"touch {path}"),
    "a function of ours": lambda path: by_name("simoffload.record.durable", "make_directory", path),
    "what a module imported": lambda path: by_name("simoffload.record.parts", "Path", path),
    "numpy's save": lambda path: by_name("numpy", "save", path),
    "an array's method": lambda path: pickle.dumps(a_method_of_an_array(path)),
    "getattr": lambda path: pickle.dumps(Calls(getattr, World, "__init__")),
    "attrgetter": lambda path: pickle.dumps(operator.attrgetter("__class__")),
    "a dotted attrgetter": lambda path: pickle.dumps(operator.attrgetter("__init__.__globals__")),
}


@pytest.mark.parametrize("way", EVIL)
def test_a_pickle_that_was_made_to_do_harm_does_none(way: str, tmp_path: Path) -> None:
    target = tmp_path / "harm"
    content = forged(EVIL[way](str(target)))
    with pytest.raises(CheckpointError, match="which has no place in a checkpoint"):
        unpacked(content, OF, EFT)
    assert not target.exists()


def test_what_is_no_pickle_is_refused_with_the_reason() -> None:
    with pytest.raises(CheckpointError, match="cannot be read: UnpicklingError"):
        unpacked(forged(b"not a pickle"), OF, EFT)


@settings(max_examples=200)
@given(st.binary(max_size=60))
def test_no_pickle_raises_anything_but_a_refusal(raw: bytes) -> None:
    with suppress(CheckpointError):
        unpacked(forged(b"\x80\x05" + raw), OF, EFT)
