"""The decision process as a PettingZoo environment: an agent per edge node, one acting at a time (AEC).

Which agent acts next is up to the world: the home of the subtask that has become ready. All share the reward: each gets
what J grew by since it last acted, whoever caused it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import AECEnv

from ..run.plant_state import STATE_COLUMNS
from ..schema import Scenario
from .process import DecisionProcess, Mark
from .view import LARGEST, Mask, Rows, View, progress

Seen = dict[str, Rows | Mask]


class EdgeAgents(AECEnv[str, Seen, int]):  # type: ignore[misc]
    """Agents ``edge_0``, ``edge_1``, ... by node number: the homes of tasks; `node_ids` has their names.

    Arguments are those of `DecisionProcess`. With `order` ``decide`` every node is an agent, clouds (``cloud_4``) too:
    each chooses for its own line and links. An observation holds ``observation`` and ``action_mask``; an agent that has
    nothing to decide sees zeros. ValueError for a row that is masked.
    """

    metadata = {"name": "simoffload_edge_agents_v0", "render_modes": [], "is_parallelizable": False}  # noqa: RUF012

    def __init__(
        self,
        scenario: Scenario | str | Path = "tiny",
        settings: Sequence[str] = (),
        order: str = "fifo",
        most_decisions: int | None = None,
        discount_rate_per_s: float = 0.0,
    ) -> None:
        super().__init__()
        self.process = process = DecisionProcess(
            scenario,
            settings,
            order=order,
            most_decisions=most_decisions,
            discount_rate_per_s=discount_rate_per_s,
        )
        self.render_mode = None
        self._view = view = View(process.plant, order)
        nodes = process.plant.nodes
        deciding = [node.number for node in nodes] if view.shows_orders else _homes(process.scenario)
        self._names = {number: f"{'cloud' if nodes[number].is_cloud else 'edge'}_{number}" for number in deciding}
        self.possible_agents = list(self._names.values())
        self.agents: list[str] = []
        self.node_ids = {name: nodes[number].id for number, name in self._names.items()}
        """Names of the agents' nodes in the scenario."""
        shape = (view.rows, len(view.columns))
        self.observation_spaces = {name: _space(shape) for name in self.possible_agents}
        self.action_spaces = {name: spaces.Discrete(view.rows) for name in self.possible_agents}
        self.state_space = spaces.Box(0.0, LARGEST, (STATE_COLUMNS,), np.float32)

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """The same for all agents in shape, the same object for one agent."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """A row of the observation."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin the episode of a seed, the same for the same; without one see `DecisionProcess.reset`. No options."""
        self.process.reset(seed)
        self.agents = list(self.possible_agents)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self._acted: dict[str, Mark] = dict.fromkeys(self.agents, self.process.mark)
        """How things stood when each agent last acted, or at the first decision."""
        self._skip_agent_selection = None
        self._ask()

    def step(self, action: int | None) -> None:
        """Let the selected agent take a row, and select the one that decides next; None once the agent has ended."""
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        if not self.action_spaces[agent].contains(action):
            raise ValueError(f"action {action!r} of {agent} is not in {self.action_spaces[agent]}")
        assert action is not None
        mark = self.process.mark
        stretch = self.process.step(int(action))
        self._acted[agent] = mark
        self._cumulative_rewards[agent] = 0.0
        self.rewards = dict.fromkeys(self.agents, stretch.reward)
        self._accumulate_rewards()
        self._ask()

    def observe(self, agent: str) -> Seen:
        """What an agent has to decide: ``observation`` [rows, columns] and ``action_mask`` [rows], 0 for nothing."""
        seen = self.process.observation if agent == self._decider else None
        return {"observation": self._view.array(seen), "action_mask": self._view.mask(seen)}

    def state(self) -> NDArray[np.float32]:
        """[14]: the plant as it is, for a critic while training; no agent may know it."""
        return self.process.state()

    def render(self) -> None:
        """There is nothing to draw."""

    def close(self) -> None:
        """Give up the episode under way."""
        self.process.close()

    def _ask(self) -> None:
        """Select the agent that decides next, if any, and tell all agents how things stand."""
        process, view = self.process, self._view
        seen = process.observation
        self._decider = None if seen is None else self._names[view.decider(seen)]
        if self._decider is not None:
            self.agent_selection = self._decider
        self.terminations = dict.fromkeys(self.agents, process.terminated)
        self.truncations = dict.fromkeys(self.agents, process.truncated)
        self.infos = {
            agent: {
                **view.told(seen if agent == self._decider else None),
                **progress(process, process.since(self._acted[agent])),
            }
            for agent in self.agents
        }


def _space(shape: tuple[int, int]) -> spaces.Dict:
    return spaces.Dict(
        {
            "observation": spaces.Box(-LARGEST, LARGEST, shape, np.float32),
            "action_mask": spaces.Box(0, 1, shape[:1], np.int8),
        }
    )


def _homes(scenario: Scenario) -> list[int]:
    """Numbers of the edge nodes at which tasks arrive."""
    ids = [edge.id for edge in scenario.edges]
    named = {home for each in scenario.workloads for home in (ids if each.homes == "all" else each.homes)}
    return [number for number, name in enumerate(ids) if name in named]
