"""Environments are an extra: nothing else needs what they need, and who lacks it is told what to install."""

from __future__ import annotations

import importlib
import importlib.util

import pytest

import simoffload.environments
from tests.cli.program import imported_by


@pytest.mark.parametrize("name", ["gymnasium", "pettingzoo", "greenlet"])
def test_who_lacks_a_library_is_told_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda wanted: None if wanted == name else find(wanted))
    with pytest.raises(ModuleNotFoundError, match=rf"needs {name}: pip install 'simoffload\[environments\]'"):
        importlib.reload(simoffload.environments)


def test_the_program_runs_without_them() -> None:
    assert not imported_by("run", "tiny", "--agent", "eft", "--set", "horizon={tasks: 2}") & {
        "gymnasium",
        "pettingzoo",
        "greenlet",
    }
