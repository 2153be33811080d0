"""Remarks of the same words become one, with the range of their numbers."""

from __future__ import annotations

from simoffload.analysis.theory.remarks import Remark, merged


def test_a_number_is_told_where_the_words_have_room_for_it() -> None:
    assert str(Remark("a CV of {}, not 1", 1.234)) == "a CV of 1.23, not 1"
    assert str(Remark("it breaks down")) == "it breaks down"
    assert str(Remark("{} came together", 0.125, is_share=True)) == "12.5 % came together"


def test_several_numbers_become_a_range() -> None:
    assert merged([Remark("a CV of {}", 1.2), Remark("a CV of {}", 0.8)]) == "a CV of 0.800 to 1.20"
    assert merged([Remark("a CV of {}", 1.2), Remark("a CV of {}", 1.2)]) == "a CV of 1.20"
