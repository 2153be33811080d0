"""Policy files: what is written is read again, and what is no policy for these features is refused by its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from simoffload.agents.policy_file import read_policy, write_policy
from simoffload.agents.scoring import Heads
from simoffload.decision.features import ORDER_COLUMNS, POSITION_COLUMNS
from simoffload.record.durable import RecordError
from tests.agents.learning.episodes import heads


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy"
    write_policy(path, heads(), {"seed": 7})
    return path


def same(one: Heads, other: Heads) -> bool:
    rows = np.random.default_rng(1).normal(size=(4, len(POSITION_COLUMNS)))
    places = np.random.default_rng(2).normal(size=(4, len(ORDER_COLUMNS)))
    orders = (one.order is None) == (other.order is None)
    if one.order is not None and other.order is not None:
        orders = np.allclose(one.order(places), other.order(places), atol=1e-5)
    return orders and np.allclose(one.position(rows), other.position(rows), atol=1e-5)


@pytest.mark.parametrize("orders", [True, False])
def test_what_is_written_is_read_again(tmp_path: Path, orders: bool) -> None:
    made = heads(3, orders=orders, kappa=2.5, kappa_order=0.25)
    written = replace(made, optimism=0.5 if orders else None, orders_from=3)
    write_policy(tmp_path / "mine", written, {"seed": 7, "scenario": "Fabrik Süd"})
    read, card = read_policy(tmp_path / "mine")
    assert same(read, written)
    assert (read.kappa, read.kappa_order, read.optimism) == (2.5, 0.25, 0.5 if orders else None)
    assert read.orders_from == 3
    assert (card["seed"], card["scenario"]) == (7, "Fabrik Süd")
    assert card["columns"]["position"] == list(POSITION_COLUMNS)
    assert ("order" in card["columns"]) == orders


def test_a_policy_that_says_nothing_of_short_lines_orders_them_too(policy: Path) -> None:
    file = policy.with_suffix(".json")
    card = json.loads(file.read_bytes())
    del card["orders_from"]
    file.write_text(json.dumps(card), encoding="utf-8")
    assert read_policy(policy)[0].orders_from == 2


def test_what_is_read_is_written_again_byte_for_byte(policy: Path, tmp_path: Path) -> None:
    read, card = read_policy(policy)
    write_policy(tmp_path / "again", read, {"seed": card["seed"]})
    for suffix in (".safetensors", ".json"):
        assert (tmp_path / "again").with_suffix(suffix).read_bytes() == policy.with_suffix(suffix).read_bytes()


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_a_file_that_is_missing_is_named(policy: Path, suffix: str) -> None:
    policy.with_suffix(suffix).unlink()
    with pytest.raises(RecordError, match=rf"cannot read the policy .*policy\{suffix}: No such file"):
        read_policy(policy)


@settings(max_examples=40)
@given(share=st.floats(0.0, 1.0, exclude_max=True), suffix=st.sampled_from([".safetensors", ".json"]))
def test_a_file_cut_short_anywhere_is_refused_by_its_name(
    tmp_path_factory: pytest.TempPathFactory, share: float, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("cut") / "policy"
    write_policy(path, heads(), {})
    file = path.with_suffix(suffix)
    content = file.read_bytes().rstrip()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(RecordError, match=rf"policy\{suffix}"):
        read_policy(path)


@pytest.mark.parametrize("content", [b"", b"\x00" * 64, b"\xff" * 64, b"PK\x03\x04", b"[" * 100_000])
@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_a_foreign_file_is_refused_by_its_name(policy: Path, suffix: str, content: bytes) -> None:
    policy.with_suffix(suffix).write_bytes(content)
    with pytest.raises(RecordError, match=rf"policy\{suffix}"):
        read_policy(policy)


def without(key: str) -> Callable[[dict[str, Any]], object]:
    return lambda card: card.pop(key)


def with_entry(key: str, value: Any) -> Callable[[dict[str, Any]], object]:
    return lambda card: card.update({key: value})


OTHERS = list(POSITION_COLUMNS)[::-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_entry("format", 1), "is no policy of format 2"),
        (without("format"), "is no policy of format 2"),
        (without("columns"), "does not say what its networks read"),
        (with_entry("columns", {}), "does not say what its networks read"),
        (with_entry("columns", {"position": list(POSITION_COLUMNS), "colour": []}), "does not say what"),
        (with_entry("columns", {"position": OTHERS}), "its position network was trained on other features"),
        (with_entry("columns", {"position": None}), "its position network was trained on other features"),
        *[
            (with_entry(key, value), f"has no {key}")
            for key in ("kappa", "kappa_order")
            for value in (None, "8", [8], float("nan"), float("inf"), -1.0, 10**400)
        ],
        (without("kappa"), "has no kappa"),
        (with_entry("optimism", -0.1), "has no optimism"),
        *[(with_entry("orders_from", value), "has no orders_from") for value in (1, 2.5, "2", True, None)],
    ],
)
def test_a_card_that_does_not_fit_is_refused(
    policy: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    file = policy.with_suffix(".json")
    card = json.loads(file.read_bytes())
    change(card)
    file.write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(RecordError, match=rf"policy\.json.*{message}"):
        read_policy(policy)


def test_a_network_that_the_card_does_not_name_is_refused(policy: Path) -> None:
    file = policy.with_suffix(".json")
    card = json.loads(file.read_bytes())
    with_entry("columns", {"order": list(ORDER_COLUMNS)})(card)
    file.write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(RecordError, match=r"policy\.safetensors: its card says nothing of position\.0\.bias"):
        read_policy(policy)


def test_a_card_that_is_no_mapping_is_refused(policy: Path) -> None:
    policy.with_suffix(".json").write_text("[1]", encoding="utf-8")
    with pytest.raises(RecordError, match=r"policy\.json is no policy of format 2"):
        read_policy(policy)


def test_the_weights_of_another_policy_are_refused(policy: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_policy(other, heads(5), {"seed": 7})
    policy.with_suffix(".safetensors").write_bytes(other.with_suffix(".safetensors").read_bytes())
    with pytest.raises(
        RecordError, match=r"policy\.safetensors holds other weights than those its card was written for"
    ):
        read_policy(policy)
    policy.with_suffix(".json").write_bytes(other.with_suffix(".json").read_bytes())
    assert same(read_policy(policy)[0], heads(5))


def test_a_card_that_does_not_name_its_weights_is_refused(policy: Path) -> None:
    file = policy.with_suffix(".json")
    card = json.loads(file.read_bytes())
    assert card.pop("weights_sha256") == sha256(policy.with_suffix(".safetensors").read_bytes()).hexdigest()
    file.write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(
        RecordError, match=r"policy\.safetensors holds other weights than those its card was written for"
    ):
        read_policy(policy)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_no_number_is_refused(policy: Path, value: float) -> None:
    file = policy.with_suffix(".safetensors")
    tensors = {name: array.copy() for name, array in load(file.read_bytes()).items()}
    tensors["order.0.weight"][1, 2] = value
    file.write_bytes(save(tensors))
    with pytest.raises(RecordError, match=r"policy\.safetensors: order: a number is not finite"):
        read_policy(policy)


def test_weights_of_another_width_are_refused(policy: Path) -> None:
    file = policy.with_suffix(".safetensors")
    tensors = dict(load(file.read_bytes()))
    for name in ("mean", "scale", "0.weight"):
        tensors[f"position.{name}"] = tensors[f"position.{name}"][:-1].copy()
    file.write_bytes(save(tensors))
    narrow, wanted = len(POSITION_COLUMNS) - 1, len(POSITION_COLUMNS)
    with pytest.raises(RecordError, match=rf"policy\.safetensors: position reads {narrow} numbers, not {wanted}"):
        read_policy(policy)


def test_a_network_that_the_card_promises_must_be_there(policy: Path) -> None:
    file = policy.with_suffix(".safetensors")
    kept = {name: array for name, array in load(file.read_bytes()).items() if name.startswith("position.")}
    file.write_bytes(save(kept))
    with pytest.raises(RecordError, match=r"policy\.safetensors: order: tensors \[\] are no network"):
        read_policy(policy)


def test_a_policy_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"cannot write .*nowhere.*policy\.safetensors"):
        write_policy(tmp_path / "nowhere" / "policy", heads(), {})
