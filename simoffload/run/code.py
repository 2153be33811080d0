"""The state of the code, as a hash of sources: what was made by one and the same is told by it from what was not."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from ..record.digests import digest_of

_ROOT = Path(__file__).parent.parent
_PACKAGES = ("agents", "decision", "run", "schema", "tasks", "traces", "world")
"""With all that is in them, but for trained weights: these are told apart by their own content."""
_MODULES = ("record/sketch.py", "record/tally.py", "study/cells.py", "study/trainings.py")
"""Statistics that results are read from, and what measures and trains for studies."""


@lru_cache(maxsize=1)
def state_of_code() -> str:
    """Of all sources of simoffload that decide what a run comes to and what a training learns, when first asked.

    Environments, the files of runs, analysis and commands are no part of it, nor are agents of other packages.
    """
    return digest_of(deciding_sources())


def deciding_sources() -> list[Path]:
    """The sources, and the catalogue, whose numbers are in no scenario file."""
    found = [*_ROOT.glob("*.py"), *(_ROOT / name for name in _MODULES)]
    for package in _PACKAGES:
        found += [*(_ROOT / package).rglob("*.py"), *(_ROOT / package).rglob("*.yaml")]
    return sorted(found)
