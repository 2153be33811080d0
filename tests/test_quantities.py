"""Quantities as model fields: text with a unit outside, SI floats inside."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from simoffload import quantities
from simoffload.quantities import (
    Fraction,
    Number,
    PositiveNumber,
    PositiveWhole,
    Quantity,
    Seconds,
    Whole,
    kind_of,
    shown,
)

WITH_UNITS = {
    name: annotation
    for name, annotation in vars(quantities).items()
    if any(isinstance(mark, Quantity) for mark in getattr(annotation, "__metadata__", ()))
}


def quantity_of(annotation: Any) -> Quantity:
    return next(mark for mark in annotation.__metadata__ if isinstance(mark, Quantity))


class Timed(BaseModel):
    pause: Seconds = 1.5
    limit: Annotated[Seconds, Field(gt=0)] | Literal["auto"] = "auto"
    maybe: Seconds | None = None


def message(annotation: Any, value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(annotation).validate_python(value)
    return str(caught.value.errors()[0]["msg"])


def test_text_with_a_unit_becomes_a_float_in_si() -> None:
    assert Timed(pause="20 ms").pause == 0.02  # type: ignore[arg-type]


def test_defaults_are_si_floats_that_are_not_read_again() -> None:
    assert Timed().pause == 1.5


@pytest.mark.parametrize("value", [20, 2.5, "20"])
def test_a_bare_number_where_a_unit_belongs_says_what_to_write(value: object) -> None:
    assert message(Seconds, value) == f"{value} has no unit; write a time such as '20 ms' or '24 h'"


@pytest.mark.parametrize("value", [0, 0.0, "0", -0.0])
def test_zero_needs_no_unit(value: object) -> None:
    assert TypeAdapter(Seconds).validate_python(value) == 0


@pytest.mark.parametrize(
    ("value", "kind"), [(True, "a truth value"), (None, "nothing"), ([1], "a list"), ({"a": 1}, "a map")]
)
def test_what_is_neither_text_nor_number_is_no_quantity(value: object, kind: str) -> None:
    assert message(Seconds, value) == f"expected a time such as '20 ms', not {kind}"


def test_a_share_is_a_number_up_to_1_or_a_percentage() -> None:
    adapter = TypeAdapter(Fraction)
    assert [adapter.validate_python(value) for value in (0, 1, 0.25, "30 %", "5%", "100 %")] == [
        0,
        1,
        0.25,
        0.3,
        0.05,
        1,
    ]


@pytest.mark.parametrize("value", [1.5, -0.1, "0.3", "120 %", "-3 %", "a", True, float("nan"), None, "9" * 1000 + "%"])
def test_what_is_no_share_is_refused(value: object) -> None:
    assert message(Fraction, value).startswith("expected a number from 0 to 1, or a percentage such as '30 %', not ")


def test_bare_numbers_are_finite_and_unquoted() -> None:
    assert TypeAdapter(Number).validate_python(-3) == -3.0
    assert message(Number, "1e3") == "expected a number without quotes, not '1e3'"
    assert message(Number, "many") == "expected a number, not 'many'"
    assert message(Number, True) == "expected a number, not true"
    assert message(Number, float("inf")) == "expected a finite number of sensible size, not inf"
    assert message(Number, 10**400) == "expected a finite number of sensible size, not a number of more than 40 digits"
    assert message(PositiveNumber, 0) == "Input should be greater than 0"


def test_whole_numbers_may_be_written_with_an_exponent_but_not_with_a_fraction() -> None:
    assert TypeAdapter(Whole).validate_python(1e5) == 100_000
    assert type(TypeAdapter(Whole).validate_python(1e5)) is int
    assert message(Whole, 1.5) == "expected a whole number, not 1.5"
    assert message(Whole, "3") == "expected a whole number without quotes, not '3'"
    assert message(Whole, False) == "expected a whole number, not false"
    assert message(Whole, float("inf")) == "expected a whole number, not inf"
    assert message(PositiveWhole, 0) == "Input should be greater than or equal to 1"


@given(st.floats(min_value=1e-30, max_value=1e10))
def test_a_dumped_model_reads_back_bit_for_bit(pause: float) -> None:
    model = Timed.model_construct(pause=pause, limit=pause, maybe=pause)
    again = Timed.model_validate(model.model_dump())
    assert (again.pause, again.limit, again.maybe) == (pause, pause, pause)


def test_a_word_beside_a_quantity_is_dumped_as_it_is() -> None:
    assert Timed().model_dump() == {"pause": "1.5 s", "limit": "auto", "maybe": None}


@pytest.mark.parametrize("name", WITH_UNITS)
def test_json_schemas_accept_the_examples_and_what_is_written_and_no_bare_number(name: str) -> None:
    quantity = quantity_of(WITH_UNITS[name])
    text, zero = TypeAdapter(WITH_UNITS[name]).json_schema()["anyOf"]
    assert zero == {"const": 0}
    for example in [*text["examples"], quantity.write(1.0), quantity.write(0.0)]:
        assert re.search(text["pattern"], example)
    assert not re.search(text["pattern"], "17")


def test_values_are_named_by_what_they_are() -> None:
    values: list[object] = [None, True, "a", 1, 1.5, [], {}]
    assert [kind_of(value) for value in values] == [
        "nothing", "a truth value", "text", "a number", "a number", "a list", "a map",
    ]  # fmt: skip
    values = [False, "a" * 50, 3.0, 2.5, None]
    assert [shown(value) for value in values] == [
        "false", f"'{'a' * 40}...'", "3", "2.5", "nothing",
    ]  # fmt: skip
