"""Going on with a run that was interrupted, to the very records, summary and fingerprint that it would have had.

From its last checkpoint, if there is one; otherwise by playing it again from its beginning, which comes to the same,
because runs repeat themselves, and takes the time that was spent already.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..decision import Agent
from ..record.durable import RecordError, contents, held, remove
from ..record.manifest import (
    CHECKPOINT_FILE,
    SCENARIO_FILE,
    SUMMARY_FILE,
    UNTIL_FILE,
    Manifest,
    read_manifest,
    versions,
)
from ..schema import Scenario, ScenarioError, dump_scenario, load_scenario
from .agents import load_agent
from .checkpoint import CheckpointError, Origin, origin, read_checkpoint
from .journal import Journal, begin_journal, digests, sweep
from .prolonging import Prolonging, pilot, prolonged
from .saving import USUAL, Rhythm, Saver, State
from .simulation import Underway, Watch, set_up
from .stability import Backlog
from .until import Rule
from .until import Watch as UntilWatch
from .world import World

Say = Callable[[str], None]


def resume(
    directory: Path,
    watch: Watch | None = None,
    *,
    say: Say = lambda text: None,
    from_start: bool = False,
    rhythm: Rhythm = USUAL,
) -> dict[str, Any]:
    """Finish a run that is not over; the content of ``summary.json``, as of a run that was never interrupted.

    `say` is told where the run goes on from. With `from_start` it is made anew, whatever there is of it. `watch` as for
    `simulate`. Raises CheckpointError when the run can only be made anew, because it was begun by another version;
    RecordError when the directory is none of a run, its run is over, or it cannot be read or written; AgentError when
    its agent is not to be had.
    """
    read_manifest(directory)
    with held(directory):
        underway = _underway(directory, None, say, from_start, rhythm)
        if underway.world.lasting is not None:
            raise RecordError(f"{directory} has no {UNTIL_FILE}, which says how long its run is to go on")
        return underway.finish(watch)


def resume_until(
    directory: Path,
    rule: Rule,
    watch: UntilWatch | None = None,
    *,
    say: Say = lambda text: None,
    from_start: bool = False,
    rhythm: Rhythm = USUAL,
) -> dict[str, Any]:
    """Finish a run that a rule ends, given a rule that has seen nothing; otherwise as `resume`, and `watch` as there.

    The scenario of the directory may have got its last horizon already.
    """
    read_manifest(directory)
    with held(directory):
        underway = _underway(directory, rule, say, from_start, rhythm)
        growth = underway.world.lasting
        if isinstance(growth, Prolonging):
            growth.use(rule)
        else:
            growth = Prolonging(underway.world, rule)
        return prolonged(underway, growth, watch)


def _underway(directory: Path, rule: Rule | None, say: Say, from_start: bool, rhythm: Rhythm) -> Underway:
    """The run where it goes on."""
    began = time.perf_counter()
    manifest = read_manifest(directory)
    if manifest.is_over:
        raise RecordError(f"the run in {directory} is over: its status is {manifest.status}")
    scenario, scenario_sha256 = _scenario(directory, manifest, rule)
    agent = load_agent(manifest.agent)
    if not from_start:
        _check_files(manifest, digests(scenario))
    if from_start:
        say("the run is made anew")
        journal = _made_anew(directory, manifest, scenario)
        saver = Saver(journal, agent, scenario_sha256, rhythm)
        state = _beginning(scenario, agent, journal)
    elif (directory / CHECKPOINT_FILE).exists():
        state = _saved(directory, origin(versions(), scenario_sha256, manifest.agent, agent), agent)
        world, _, wall_s = state
        say(f"going on at {world.kernel.now:.6g} s, with {world.dispatcher.arrived} tasks arrived")
        journal = _gone_on(directory, manifest, state)
        saver = Saver(journal, agent, scenario_sha256, rhythm)
    else:
        why = manifest.no_checkpoint or "it was interrupted before its first one"
        say(f"there is no checkpoint, so the run is played again from its beginning: {why}")
        journal = _played_again(directory, manifest)
        saver = Saver(journal, agent, scenario_sha256, rhythm)
        state = _beginning(scenario, agent, journal)
    world, backlog, wall_s = state
    return Underway(world, backlog, journal, saver, began - wall_s)


def _scenario(directory: Path, manifest: Manifest, rule: Rule | None) -> tuple[Scenario, str]:
    """What the world of a run is made from, and its hash; where a rule ends the run, up to its first question.

    The scenario in the directory of such a run may have got its last horizon already, and the manifest not yet.
    """
    path = directory / SCENARIO_FILE
    try:
        content = contents(path)
    except FileNotFoundError:
        raise RecordError(
            f"{directory} has no {SCENARIO_FILE}: was the run interrupted as it began? There is nothing to go on with; "
            "remove the directory and run it again"
        ) from None
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}") from None
    strange = RecordError(f"{path} is not the scenario that the run was begun with")
    found = sha256(content).hexdigest()
    if rule is None and found != manifest.scenario_sha256:
        raise strange
    try:
        scenario = load_scenario(path)
    except ScenarioError as error:
        raise RecordError(str(error)) from None
    if rule is not None:
        scenario = pilot(scenario, rule)
        first = sha256(dump_scenario(scenario).encode()).hexdigest()
        if manifest.scenario_sha256 not in (first, found):
            raise strange
        found = first
    return scenario, found


def _check_files(manifest: Manifest, found: dict[str, str]) -> None:
    for file, digest in manifest.files.items():
        if found.get(file) != digest:
            raise RecordError(
                f"{file} is not what it was when the run began; put it back, or make the run anew with --from-start"
            )


def _saved(directory: Path, wanted: Origin, agent: Agent) -> State:
    match read_checkpoint(directory, wanted, agent):
        case (World() as world, Backlog() | None as backlog, float() as wall_s):
            return world, backlog, wall_s
    raise CheckpointError(f"{directory / CHECKPOINT_FILE} holds no run")


def _gone_on(directory: Path, manifest: Manifest, state: State) -> Journal:
    """The journal of a run that goes on from its checkpoint.

    Parts that a killed run has listed since remain so: they will come out the same. Those of a run that was ended in
    order are other ones, with the tasks that were left.
    """
    world, _, _ = state
    journal = Journal(directory, manifest)
    world.recorder.continue_in(directory, manifest.parts, journal.parts_written)
    journal.go_on(manifest.parts if manifest.fingerprint is None else world.recorder.parts)
    world.recorder.repeat(journal.manifest.parts)
    return journal


def _played_again(directory: Path, manifest: Manifest) -> Journal:
    """The journal of a run that begins again; what a killed run has listed remains so."""
    if manifest.parts and manifest.versions != versions():
        raise CheckpointError(f"{directory} was written by other versions: {_named(manifest.versions)}")
    journal = Journal(directory, manifest.model_copy(update={"versions": versions()}))
    journal.go_on(manifest.parts if manifest.fingerprint is None else ())
    return journal


def _made_anew(directory: Path, manifest: Manifest, scenario: Scenario) -> Journal:
    """The journal of a new run of the same settings, in a directory where nothing is left of the former one."""
    settings = manifest.rows_per_part, manifest.stop_if_unstable
    remove(directory / CHECKPOINT_FILE)  # which the new manifest would not fit
    journal = begin_journal(scenario, manifest.agent, directory, *settings)
    remove(directory / SUMMARY_FILE)
    sweep(directory, journal.manifest)
    return journal


def _beginning(scenario: Scenario, agent: Agent, journal: Journal) -> State:
    world = set_up(scenario, agent, journal)
    world.recorder.repeat(journal.manifest.parts)
    world.begin()
    return world, Backlog() if journal.manifest.stop_if_unstable else None, 0.0


def _named(found: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found.items())
