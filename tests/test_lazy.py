"""A lazy attribute is worked out once, at its first reading, and only then stands among the others."""

from __future__ import annotations

import pickle

from simoffload.lazy import lazy


class Cellar:
    def __init__(self) -> None:
        self.walks = 0

    @lazy
    def bottles(self) -> int:
        """How many there are."""
        self.walks += 1
        return 12


def test_it_is_worked_out_once() -> None:
    cellar = Cellar()
    assert "bottles" not in vars(cellar)
    assert (cellar.bottles, cellar.bottles, cellar.walks) == (12, 12, 1)
    assert vars(cellar)["bottles"] == 12


def test_every_instance_has_its_own() -> None:
    one, other = Cellar(), Cellar()
    assert one.bottles == 12
    assert (one.walks, other.walks) == (1, 0)


def test_it_may_be_set_to_something_else() -> None:
    cellar = Cellar()
    cellar.bottles = 3
    assert (cellar.bottles, cellar.walks) == (3, 0)


def test_its_value_goes_with_a_pickle() -> None:
    cellar = Cellar()
    assert cellar.bottles == 12
    copy = pickle.loads(pickle.dumps(cellar))
    assert (copy.bottles, copy.walks) == (12, 1)


def test_the_class_tells_what_it_is() -> None:
    assert isinstance(Cellar.bottles, lazy)
    assert Cellar.bottles.__doc__ == "How many there are."
