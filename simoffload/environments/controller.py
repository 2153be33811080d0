"""The decision process as a Gymnasium environment: one controller decides for all edge nodes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import logger, spaces
from numpy.typing import NDArray

from ..schema import Scenario
from .process import DecisionProcess, Stretch, in_words, legal_rows
from .view import LARGEST, Rows, View, progress


class Controller(gymnasium.Env[Rows, int]):
    """``gymnasium.make("simoffload/Controller-v0", scenario="tiny")``: an action is a row of the observation.

    Arguments are those of `DecisionProcess`. `info["action_mask"]` says which rows are legal, and so does
    `action_masks()`. A row that is masked is refused with a warning: the decision stays open, no time passes, the
    reward is 0 and `info["refused"]` is True. ValueError for an action outside the action space.
    """

    def __init__(
        self,
        scenario: Scenario | str | Path = "tiny",
        settings: Sequence[str] = (),
        order: str = "fifo",
        most_decisions: int | None = None,
        discount_rate_per_s: float = 0.0,
        render_mode: None = None,
    ) -> None:
        if render_mode is not None:
            raise ValueError(f"render_mode is {render_mode!r}; there is nothing to draw, only None is allowed")
        self.process = DecisionProcess(
            scenario,
            settings,
            order=order,
            most_decisions=most_decisions,
            discount_rate_per_s=discount_rate_per_s,
        )
        self._view = View(self.process.plant, order)
        shape = (self._view.rows, len(self._view.columns))
        self.observation_space = spaces.Box(-LARGEST, LARGEST, shape, np.float32)
        self.action_space = spaces.Discrete(self._view.rows)  # type: ignore[assignment]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Rows, dict[str, Any]]:
        """Begin the episode of a seed, the same for the same; without one see `DecisionProcess.reset`. No options."""
        super().reset(seed=seed)
        self.process.reset(seed)
        return self._seen(self.process.since(self.process.mark))

    def step(self, action: int) -> tuple[Rows, float, bool, bool, dict[str, Any]]:
        """Take a row and go on to the next decision: observation, reward, terminated, truncated, info."""
        if not self.action_space.contains(action):
            raise ValueError(f"action {action!r} is not in {self.action_space}; {self._legal()}")
        process = self.process
        seen = process.observation
        refused = seen is not None and not process.truncated and action not in legal_rows(seen)
        if refused:
            logger.warn(f"row {action} is not legal and is refused: {self._legal()} (see info['action_mask'])")
            stretch = process.since(process.mark)
        else:
            stretch = process.step(int(action))
        rows, info = self._seen(stretch, refused=refused)
        return rows, stretch.reward, process.terminated, process.truncated, info

    def action_masks(self) -> NDArray[np.bool_]:
        """[rows]: which are legal now; where learners that mask by a method look for it."""
        return self._view.mask(self.process.observation).astype(np.bool_)

    def state(self) -> NDArray[np.float32]:
        """[14]: the plant as it is, for a critic while training; no agent may know it."""
        return self.process.state()

    def close(self) -> None:
        """Give up the episode under way."""
        self.process.close()

    def _legal(self) -> str:
        legal = np.flatnonzero(self.action_masks()).tolist()
        return f"legal are {in_words(legal)}" if legal else "no decision is open"

    def _seen(self, stretch: Stretch, *, refused: bool = False) -> tuple[Rows, dict[str, Any]]:
        seen, view = self.process.observation, self._view
        info = {
            "action_mask": view.mask(seen),
            **view.told(seen),
            **progress(self.process, stretch),
            "refused": refused,
        }
        return view.array(seen), info
