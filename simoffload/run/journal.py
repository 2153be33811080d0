"""The journal of a run: what its directory says of it, kept up to date so that it is true at any moment.

A file that the manifest does not list does not count, so files are written first and listed afterwards. A run that goes
on after it was killed writes files again that are listed already.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from ..record.digests import digest_of, files_of
from ..record.durable import RecordError, make_directory, remove, write_durably, write_json
from ..record.manifest import (
    SCENARIO_FILE,
    SUMMARY_FILE,
    UNTIL_FILE,
    Manifest,
    PartInfo,
    Status,
    begin_manifest,
    write_manifest,
)
from ..record.rows import LAYOUTS
from ..schema import Scenario, dump_scenario
from ..schema.files import named_files
from ..schema.scenario import Records


class Journal:
    """What is on disk of a run: nothing without a directory."""

    def __init__(self, directory: Path | None, manifest: Manifest) -> None:
        self.directory = directory
        self.manifest = manifest
        self._is_closing = False

    def scenario_is(self, scenario: Scenario) -> None:
        """The scenario has become another one."""
        text = dump_scenario(scenario).encode()
        self.manifest = self.manifest.model_copy(update={"scenario_sha256": sha256(text).hexdigest()})
        if self.directory is not None:
            write_durably(self.directory / SCENARIO_FILE, text)
            write_manifest(self.directory, self.manifest)

    def parts_written(self, parts: tuple[PartInfo, ...]) -> None:
        """Part files have been completed: vouch for them, and still for those listed that are not written again yet."""
        written = {part.file for part in parts}
        listed = (*parts, *(part for part in self.manifest.parts if part.file not in written))
        if self._is_closing:
            self.manifest = self.manifest.model_copy(update={"parts": listed})
        else:
            self._set(parts=listed)

    def closes(self, parts: tuple[PartInfo, ...]) -> None:
        """The run is ended before its time, with these parts. What is written from now on, of tasks that are left, is
        listed at the very end: a run that goes on instead would write other rows there."""
        self._set(parts=parts)
        self._is_closing = True

    def cannot_be_saved(self, reason: str) -> None:
        """There will be no checkpoint of the run."""
        self._set(no_checkpoint=reason)

    def go_on(self, parts: tuple[PartInfo, ...]) -> None:
        """The run is under way again, with these parts; whatever else is of it goes."""
        assert self.directory is not None
        self.manifest = self.manifest.resumed(parts)
        write_manifest(self.directory, self.manifest)
        remove(self.directory / SUMMARY_FILE)
        sweep(self.directory, self.manifest)

    def end(self, status: Status, fingerprint: str | None, summary: dict[str, Any] | None, reason: str | None) -> None:
        """The run is over."""
        if self.directory is None:
            return
        if summary is not None:
            path = self.directory / SUMMARY_FILE
            try:
                write_json(path, summary)
            except ValueError:
                raise RecordError(f"cannot write {path}: the scenario's numbers lead to one that is infinite") from None
        self.manifest = self.manifest.ended(status, fingerprint, reason)
        write_manifest(self.directory, self.manifest)

    def _set(self, **changes: Any) -> None:
        changed = self.manifest.model_copy(update=changes)
        if changed != self.manifest:
            self.manifest = changed
            if self.directory is not None:
                write_manifest(self.directory, changed)


def begin_journal(
    scenario: Scenario,
    agent: str,
    directory: Path | None,
    rows_per_part: int,
    stop_if_unstable: bool,
    until: dict[str, Any] | None = None,
) -> Journal:
    """The journal of a run that begins now; RecordError where its directory cannot be made or written.

    The manifest comes first, and the scenario, without which there is nothing to go on with, last.
    """
    text = dump_scenario(scenario).encode()
    kept = kept_one_in(scenario.records)
    files = {} if directory is None else digests(scenario)
    manifest = begin_manifest(
        scenario.name,
        text,
        agent,
        scenario.seed,
        kept,
        rows_per_part,
        stop_if_unstable,
        files,
        scenario.records.resolution,
    )
    if directory is not None:
        make_directory(directory)
        write_manifest(directory, manifest)
        if until is not None:
            write_json(directory / UNTIL_FILE, until)
        write_durably(directory / SCENARIO_FILE, text)
    return Journal(directory, manifest)


def digests(scenario: Scenario) -> dict[str, str]:
    """Of the files that a scenario names, by path; RecordError where one cannot be read."""
    return {named.file: digest_of(files_of(Path(named.file))) for _, named in named_files(scenario)}


def kept_one_in(records: Records) -> int:
    """Rows are kept of one task in this many; 0 for none."""
    if records.level == "off":
        return 0
    return 1 if records.level == "full" else max(1, round(1.0 / records.sample))


def sweep(directory: Path, manifest: Manifest) -> None:
    """Remove what a killed run left behind: half-written files, and parts that the manifest does not list."""
    listed = {directory / part.file for part in manifest.parts}
    for folder in (directory, *(directory / layout.name for layout in LAYOUTS)):
        for path in [*folder.glob("part-*.parquet"), *folder.glob("*.tmp")]:
            if path not in listed:
                remove(path)
