"""Studies that run within this process."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from simoffload.agents.learning import loop
from simoffload.study import evaluation
from tests.agents.learning.test_training import InTurn

from .examples import AtOnce


@pytest.fixture
def in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker processes; nobody has asked for an end."""
    monkeypatch.setattr(loop, "ProcessPoolExecutor", InTurn)
    monkeypatch.setattr(evaluation, "ProcessPoolExecutor", AtOnce)
    monkeypatch.setattr(evaluation, "_stopped", SimpleNamespace(value=0))
