"""The manifest of a run directory: what ran, how far it came, and which part files belong to it.

Readers trust nothing but the manifest: a file that it does not list is the remnant of a run that was killed. It says
`incomplete` from the first moment on, so that a run that is killed is known for one.
"""

from __future__ import annotations

import json
import platform
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from .. import __version__
from ..schema.limits import COARSEST_S
from .durable import RecordError, contents, write_durably

MANIFEST_FILE = "manifest.json"
SCENARIO_FILE = "scenario.yaml"
SUMMARY_FILE = "summary.json"
CHECKPOINT_FILE = "checkpoint"
COMPARISON_FILE = "comparison.json"
UNTIL_FILE = "until.json"
"""What is to be known before a run or replications end, what was found at each check, and why it ended."""
"""Of a comparison directory, which holds run directories."""
SCHEMA_VERSION: Final = 1
ROWS_PER_PART: Final = 1 << 18
LARGEST_MANIFEST: Final = 256 * 2**20
"""Bytes; a part file takes 200 of them."""


def run_directory(comparison: Path, agent: str, seed: int) -> Path:
    """Where a comparison keeps the run of an agent on a seed, whatever characters the agent's name has."""
    return comparison / "runs" / quote(agent, safe=" ") / str(seed)


Status = Literal["incomplete", "complete", "unstable", "failed"]
"""Unstable: ended before its horizon, as asked, because its backlog grew without bound."""


class PartInfo(BaseModel):
    """A part file: its path within the run directory, number of rows, span of their times, BLAKE2b of its bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Annotated[str, Field(pattern=r"^[a-z]+/part-[0-9]{5,}\.parquet$")]
    rows: Annotated[int, Field(ge=1)]
    first_s: float | None
    last_s: float | None
    blake2b: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Manifest(BaseModel):
    """What a run directory holds; `model_copy(update=...)` makes the next one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = SCHEMA_VERSION
    versions: dict[str, str]
    scenario: str
    scenario_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Of the bytes of scenario.yaml."""
    agent: str
    seed: Annotated[int, Field(ge=0)]
    kept_one_in: Annotated[int, Field(ge=0, le=10**6)] = 1
    """Rows are kept of one task in this many; 0: no rows at all."""
    resolution_s: Annotated[float, Field(ge=0, le=COARSEST_S, allow_inf_nan=False)] = 0.0
    """What times in rows are rounded down to; 0: they are exact."""
    rows_per_part: Annotated[int, Field(ge=1, le=2**24)] = ROWS_PER_PART
    """All layouts go on to new part files when so many rows have come since they last did."""
    stop_if_unstable: bool = False
    files: dict[str, str] = {}
    """Digests of the files that the scenario names, by path."""
    status: Status = "incomplete"
    reason: str | None = None
    """Why the run ended before its horizon, where it did so of itself."""
    no_checkpoint: str | None = None
    """Why the run cannot be saved under way, so that to go on with it is to play it again; None where it can."""
    started: AwareDatetime
    finished: AwareDatetime | None = None
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    parts: tuple[PartInfo, ...] = ()

    @field_validator("parts")
    @classmethod
    def _each_once(cls, parts: tuple[PartInfo, ...]) -> tuple[PartInfo, ...]:
        twice = next((file for file, times in Counter(part.file for part in parts).items() if times > 1), None)
        if twice is not None:
            raise ValueError(f"{twice} is listed more than once")
        return parts

    @property
    def is_over(self) -> bool:
        """Whether the run has come to an end, its horizon or another, after which there is nothing to go on with."""
        return self.status in ("complete", "unstable")

    def ended(self, status: Status, fingerprint: str | None, reason: str | None = None) -> Manifest:
        """The manifest of the same run once it is over, as of now."""
        now = datetime.now(UTC)
        return self.model_copy(update={"status": status, "fingerprint": fingerprint, "reason": reason, "finished": now})

    def resumed(self, parts: tuple[PartInfo, ...]) -> Manifest:
        """The manifest of the same run when it goes on, with these parts."""
        changes = {"status": "incomplete", "fingerprint": None, "reason": None, "finished": None, "parts": parts}
        return self.model_copy(update=changes)


def begin_manifest(
    scenario: str,
    scenario_yaml: bytes,
    agent: str,
    seed: int,
    kept_one_in: int = 1,
    rows_per_part: int = ROWS_PER_PART,
    stop_if_unstable: bool = False,
    files: dict[str, str] | None = None,
    resolution_s: float = 0.0,
) -> Manifest:
    """The manifest of a run that begins now; `scenario_yaml` is what goes into scenario.yaml."""
    return Manifest(
        versions=versions(),
        scenario=scenario,
        scenario_sha256=sha256(scenario_yaml).hexdigest(),
        agent=agent,
        seed=seed,
        kept_one_in=kept_one_in,
        resolution_s=resolution_s,
        rows_per_part=rows_per_part,
        stop_if_unstable=stop_if_unstable,
        files=files or {},
        started=datetime.now(UTC),
    )


def versions() -> dict[str, str]:
    """Versions of simoffload, Python and the packages that a record depends on; none of them is imported for it."""
    found = {"simoffload": __version__, "python": platform.python_version()}
    for package in ("numpy", "simpy", "pyarrow"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def write_manifest(run_directory: Path, manifest: Manifest) -> None:
    """Write or replace the manifest, whole; RecordError when it cannot be written."""
    write_durably(run_directory / MANIFEST_FILE, (manifest.model_dump_json(indent=2) + "\n").encode())


def read_manifest(run_directory: Path) -> Manifest:
    """The manifest of a run directory; RecordError when there is none or it is not one."""
    path = run_directory / MANIFEST_FILE
    try:
        data: Any = json.loads(contents(path, LARGEST_MANIFEST))
    except OSError as error:
        raise RecordError(f"{run_directory} is no run directory: cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path} is not JSON: {error}") from None
    found = data.get("schema_version") if isinstance(data, dict) else None
    if found != SCHEMA_VERSION:
        raise RecordError(f"{path} has schema_version {found!r}; this simoffload reads {SCHEMA_VERSION}")
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise RecordError(f"{path}: {where}: {first['msg']}") from None
