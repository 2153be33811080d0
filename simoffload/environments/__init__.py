"""The decision process as environments: Gymnasium's for one controller, PettingZoo's for an agent per edge node.

Both play the very worlds that runs play. They need the extra ``environments``; importing this package makes the name
``simoffload/Controller-v0`` known to ``gymnasium.make``. What is observed, rewarded and masked, with all units, stands
in ``docs/decision-process.md``.
"""

from __future__ import annotations

from importlib.util import find_spec

_NEEDED = ("gymnasium", "pettingzoo", "greenlet")
_missing = [name for name in _NEEDED if find_spec(name) is None]
if _missing:
    raise ModuleNotFoundError(
        f"simoffload.environments needs {', '.join(_missing)}: pip install 'simoffload[environments]'", name=_missing[0]
    )

import gymnasium  # noqa: E402 - after the message for those who lack it

from .controller import Controller  # noqa: E402
from .edge_agents import EdgeAgents  # noqa: E402
from .process import DecisionProcess  # noqa: E402

__all__ = ["Controller", "DecisionProcess", "EdgeAgents"]

gymnasium.register(id="simoffload/Controller-v0", entry_point="simoffload.environments.controller:Controller")
