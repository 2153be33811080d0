"""By which states of the code the trainings and runs of a study were made, which are kept between sittings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..analysis.numbers import counted, listed

UNKNOWN = "unknown"
"""The state of the code of what was made before it was noted."""

States = tuple[str, ...]
"""Of the code, one after the other, as a training may have been gone on with by another one than began it."""


def told(made: Mapping[str, Sequence[States]]) -> str:
    """A sentence; `made` has by kind, such as 'run', the states of all that are of it."""
    kinds = {kind: states for kind, states in made.items() if states}
    counts: dict[States, dict[str, int]] = {}
    for kind, states in kinds.items():
        for each in states:
            of_state = counts.setdefault(each, {})
            of_state[kind] = of_state.get(kind, 0) + 1
    if len(counts) == 1:
        (only,) = counts
        if len(only) == 1 and only != (UNKNOWN,):
            return f"All {listed([f'{kind}s' for kind in kinds])} were made by one state of the code (`{only[0]}`)."
    parts = [
        f"{_named(states)} made {listed([counted(many, kind) for kind, many in of_state.items()])}"
        for states, of_state in sorted(counts.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    ]
    return f"Not all was made by one known state of the code: {'; '.join(parts)}."


def _named(states: States) -> str:
    return " and then ".join("an unknown one" if each == UNKNOWN else f"`{each}`" for each in states)
