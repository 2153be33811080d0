"""Every kind of mistake has its message, word for word: what is wrong, what is allowed, what was meant."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from simoffload.schema import Catalogue, ScenarioError, diagnose_text, load_scenario_text
from simoffload.schema.problems import WIDTH

from .sample import changed, headlines


def mistakes() -> list[tuple[list[tuple[str, str]], list[str]]]:
    """The blocks of mistakes.txt: pieces of the sample (-), what stands there instead (+), and what is told (=)."""
    blocks = []
    for block in (Path(__file__).parent / "mistakes.txt").read_text(encoding="utf-8").split("\n\n"):
        changes: list[tuple[list[str], list[str]]] = []
        told, last = [], ""
        for line in block.splitlines():
            sign, text = line[0], line[2:]
            if sign == "-" and last != "-":
                changes.append(([], []))
            if sign == "=":
                told.append(f"s.yaml:{text}")
            else:
                changes[-1][sign == "+"].append(text)
            last = sign
        blocks.append(([_change(old, new) for old, new in changes], told))
    return blocks


def _change(old: list[str], new: list[str]) -> tuple[str, str]:
    return ("\n".join(old), "\n".join(new)) if new else ("\n".join([*old, ""]), "")


MISTAKES = mistakes()


@pytest.mark.parametrize(("changes", "told"), MISTAKES, ids=[changes[0][1][:50] for changes, _ in MISTAKES])
def test_a_mistake_is_told_word_for_word(
    changes: list[tuple[str, str]], told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the bundled catalogue, whose names would be among those that are allowed."""
    monkeypatch.setattr("simoffload.schema.loading.bundled_catalogue", Catalogue)
    assert headlines(changed(*changes)) == told


def test_the_sample_itself_has_no_problem() -> None:
    assert headlines(changed()) == []


def test_a_problem_shows_its_line_with_a_caret_below_it() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario_text(changed(("deadline: 10 s", "deadline: 10 sec")), "plant.yaml")
    assert str(caught.value) == (
        "plant.yaml:55:15: workloads.faults.deadline: unknown unit 'sec' for a time; "
        "allowed: ns, us, ms, s, min, h, d; did you mean 's'?\n"
        "        deadline: 10 sec\n"
        "                  ^"
    )


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    text = changed(
        ("deadline: 10 s", "deadlin: 10 s"),
        ("seed: 7", "seed: seven"),
        ("- id: paint", "- id: press"),
        ("price: list", "price: lost"),
        ("rate: 0.5 /s", "rate: 0.5"),
        ("    hardware: rack\n", "    hardwear: rack\n"),
    )
    assert [line.split(":")[1] for line in headlines(text)] == ["3", "32", "40", "41", "43", "48", "49", "55"]


def test_a_long_line_is_cut_around_the_caret() -> None:
    text = changed(("name: sample", f"description: {'x' * 300}\nname: sample")).replace("\n", "\n", 1)
    flow = text.replace("seed: 7\n", "").replace("horizon: {tasks: 100}", f"horizon: {{{' ' * 200}taks: 100}}")
    (_, problem) = diagnose_text(flow, "s.yaml").problems
    _, line, caret = str(problem).split("\n")
    assert len(line) <= 4 + WIDTH
    assert line[caret.index("^") :].startswith("taks")


def test_very_many_problems_are_cut_in_the_text_but_kept_in_the_list() -> None:
    nodes = "".join(f"  - {{id: n{number}, hardware: box, models: [small], colour: red}}\n" for number in range(300))
    with pytest.raises(ScenarioError) as caught:
        load_scenario_text(changed(("edges:\n", "edges:\n" + nodes)))
    assert len(caught.value.problems) == 300
    assert str(caught.value).endswith("... and 200 more")


def test_an_error_survives_pickling() -> None:
    problems = diagnose_text("a: 1").problems
    assert pickle.loads(pickle.dumps(ScenarioError(problems))).problems == problems


def test_no_message_speaks_of_the_validator() -> None:
    told = " ".join(line for changes, _ in MISTAKES for line in headlines(changed(*changes)))
    for word in ("Input should", "pydantic", "https", "validator", "function-", "constrained"):
        assert word not in told


def test_a_mistake_behind_an_alias_is_told_where_it_is_written() -> None:
    text = changed(
        ("  radio: {channel: 40 Mbit/s, delay: 10 ms}", "  radio: &radio {channel: 40 Mbit/s, delay: 10}"),
        ("    uplink: radio\n", "    uplink: *radio\n"),
    )
    assert [line.partition(" has")[0] for line in headlines(text)] == [
        "s.yaml:22:45: edges.press.uplink.delay: 10",
        "s.yaml:22:45: links.radio.delay: 10",
    ]


def test_a_headline_is_one_line_that_can_be_printed_and_read() -> None:
    (headline,) = headlines(f'? !!str "{"k" * 5000}\\n\\e[31m"\n: 1\n? !!str "{"k" * 5000}\\n\\e[31m"\n: 2\n')
    assert headline.startswith("s.yaml:3:3: duplicate key 'kkk")
    assert headline.endswith("k\\n\\x1b[31m' (first in line 1)")
    assert len(headline) < 1100


@pytest.mark.parametrize("key", ["[key]", "edges.[key]", "links.[key]", "edges.press.[key]", "catalogue.models.[key]"])
def test_a_key_by_the_name_that_validation_gives_to_keys_is_told_like_any_other(key: str) -> None:
    (headline, *_) = headlines(changed(), f"{key}=0")
    assert "[key]" in headline.partition("': ")[2]
