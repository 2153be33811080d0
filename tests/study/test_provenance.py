"""What was made by which state of the code is told in a sentence that claims no more than was noted."""

from __future__ import annotations

import pytest

from simoffload.study.provenance import UNKNOWN, States, told

NOT_ALL = "Not all was made by one known state of the code: "


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (
            {"training": [("a",)], "run": [("a",)] * 3},
            "All trainings and runs were made by one state of the code (`a`).",
        ),
        ({"training": [], "run": [("a",)]}, "All runs were made by one state of the code (`a`)."),
        ({"training": [("a",)], "run": [("b",)] * 2}, f"{NOT_ALL}`b` made 2 runs; `a` made 1 training."),
        ({"run": [(UNKNOWN,)] * 2}, f"{NOT_ALL}an unknown one made 2 runs."),
        (
            {"training": [("a", "b"), (UNKNOWN, "a")], "run": [("a",)]},
            f"{NOT_ALL}`a` made 1 run; `a` and then `b` made 1 training; an unknown one and then `a` made 1 training.",
        ),
    ],
)
def test_one_state_is_named_and_of_several_what_each_made(made: dict[str, list[States]], sentence: str) -> None:
    assert told(made) == sentence
