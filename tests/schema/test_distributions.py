"""Distributions: plain quantities stand for constants, and each survives pickling as what it is."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from pydantic import TypeAdapter

from simoffload.schema import load_scenario_text
from simoffload.schema.distributions import (
    ByteDistribution,
    Constant,
    NumberDistribution,
    SecondDistribution,
    TokenDistribution,
)

from .sample import TEXT


@pytest.mark.parametrize(
    ("distribution", "text", "value"),
    [
        (TokenDistribution, "120 tok", 120.0),
        (SecondDistribution, "20 ms", 0.02),
        (ByteDistribution, "2 MB", 2e6),
        (NumberDistribution, 1.5, 1.5),
        (TokenDistribution, 0, 0.0),
    ],
)
def test_a_plain_quantity_stands_for_a_constant(distribution: Any, text: object, value: float) -> None:
    read = TypeAdapter(distribution).validate_python(text)
    assert isinstance(read, Constant)
    assert read == TypeAdapter(distribution).validate_python({"kind": "constant", "value": text})
    assert read.value == value


@pytest.mark.parametrize(
    "text",
    [
        {"kind": "uniform", "low": "1 tok", "high": "2 tok"},
        {"kind": "exponential", "mean": "1 tok"},
        {"kind": "lognormal", "mean": "1 tok", "cv": 2, "max": "9 tok"},
        {"kind": "normal", "mean": "1 tok", "sd": "1 tok", "min": "0 tok"},
        {"kind": "choice", "values": ["1 tok", "2 tok"], "weights": [1, 2]},
        {"kind": "empirical", "file": "a.csv", "column": "output_tokens"},
    ],
    ids=lambda text: text["kind"],
)
def test_every_distribution_dumps_to_what_it_was_read_from(text: dict[str, object]) -> None:
    adapter = TypeAdapter(TokenDistribution)
    read = adapter.validate_python(text)
    assert adapter.validate_python(read.model_dump(exclude_none=True)) == read
    assert pickle.loads(pickle.dumps(read)) == read


def test_a_scenario_survives_pickling() -> None:
    scenario = load_scenario_text(TEXT)
    assert pickle.loads(pickle.dumps(scenario)) == scenario
