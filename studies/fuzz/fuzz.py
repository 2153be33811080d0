"""Coverage-guided fuzzing by hand: ``python fuzz.py TARGET [libFuzzer options] [CORPUS]``.

Each target reads one kind of input. What it refuses in the way that is documented is nothing; whatever else it raises,
and whatever takes longer or more memory than libFuzzer's options allow, is a finding. Without a corpus it begins with
the seeds below, which it writes to ``corpus/TARGET``.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["simoffload", "yaml"]):
    from simoffload.agents.policy_file import read_policy
    from simoffload.record.durable import RecordError
    from simoffload.record.manifest import MANIFEST_FILE, read_manifest, versions
    from simoffload.run import checkpoint
    from simoffload.run.agents import load_agent
    from simoffload.schema import ScenarioError, load_scenario, load_scenario_text
    from simoffload.schema.bundled import bundled_scenarios
    from simoffload.tasks import GraphError, import_graph
    from simoffload.traces import TraceError, read_rates, read_requests

HERE = Path(__file__).parent
SCRATCH = Path(tempfile.mkdtemp(prefix="fuzz-"))
EFT = load_agent("eft")
ORIGIN = checkpoint.origin(versions(), "ab" * 32, "eft", EFT)
SAVED = checkpoint.packed(ORIGIN, {"a": [1.5, 2], "b": "c"})[len(checkpoint._MAGIC) + checkpoint._DIGEST :]


def held(name: str, data: bytes) -> Path:
    """A file with the input."""
    path = SCRATCH / name
    path.write_bytes(data)
    return path


def scenario(data: bytes) -> None:
    """A scenario file."""
    try:
        load_scenario(held("s.yaml", data))
    except ScenarioError as error:
        assert str(error)


def setting(data: bytes) -> None:
    """What is given to --set, over the scenario `tiny`."""
    try:
        load_scenario_text("extends: tiny", overrides=[data.decode(errors="replace")])
    except ScenarioError as error:
        assert str(error)


def requests(data: bytes) -> None:
    """A request trace, by its first byte of a format that is given or found out."""
    formats = (None, "csv", "azure-llm", "burstgpt", "mooncake")
    try:
        read_requests(held("trace", data[1:]), formats[data[0] % len(formats)] if data else None)
    except TraceError as error:
        assert str(error)


def rates(data: bytes) -> None:
    """A rate trace, in the same way."""
    formats = (None, "two-column", "mahimahi", "g-nettrack")
    try:
        read_rates(held("trace", data[1:]), formats[data[0] % len(formats)] if data else None)
    except TraceError as error:
        assert str(error)


def graph(data: bytes) -> None:
    """A graph: by its first byte JSON, a workflow or a plan."""
    formats = ("json", "wfformat", "hybridflow")
    try:
        import_graph(held("graph", data[1:]), formats[data[0] % len(formats)] if data else None)
    except GraphError as error:
        assert str(error)


def manifest(data: bytes) -> None:
    """A manifest."""
    try:
        read_manifest(held(MANIFEST_FILE, data).parent)
    except RecordError as error:
        assert str(error)


def saved(data: bytes) -> None:
    """A checkpoint behind its digest."""
    try:
        checkpoint.unpacked(checkpoint._MAGIC + checkpoint._digest(data) + data, ORIGIN, EFT)
    except checkpoint.CheckpointError as error:
        assert str(error)


def pickled(data: bytes) -> None:
    """The pickle within a checkpoint, which may raise anything, but neither end the program nor go on for ever."""
    with suppress(Exception):
        checkpoint._loaded(data, EFT)


def policy(data: bytes) -> None:
    """A policy's weights, beside a card that is right."""
    held("policy.json", (WEIGHTS / "ucb-coma.json").read_bytes())
    try:
        read_policy(held("policy.safetensors", data).with_suffix(""))
    except RecordError as error:
        assert str(error)


def card(data: bytes) -> None:
    """A policy's card, beside weights that are right."""
    held("policy.safetensors", (WEIGHTS / "ucb-coma.safetensors").read_bytes())
    try:
        read_policy(held("policy.json", data).with_suffix(""))
    except RecordError as error:
        assert str(error)


WEIGHTS = Path(sys.modules[read_policy.__module__].__file__ or "").parent / "weights"
TABLE = b"time_s,prompt_tokens,output_tokens\n1,100,7\n2.5,300,9\n"
TARGETS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    "scenario": (scenario, [path.read_bytes() for path in bundled_scenarios().values()]),
    "setting": (setting, [b"seed=3", b"edges.text.speed=2", b"links.radio={channel: 1 Mbit/s, delay: 2 ms}"]),
    "requests": (requests, [b"\0" + TABLE, b"\4" + b'{"timestamp": 0, "input_length": 6, "output_length": 5}\n']),
    "rates": (rates, [b"\0" + b"0 2\n10 0\n20 4\n", b"\2" + b"1\n1\n3\n250\n"]),
    "graph": (graph, [b'\0{"subtasks": [{"id": "a"}, {"id": "b", "after": ["a"]}]}', b'\2<P><Step ID="1"/></P>']),
    "manifest": (manifest, [b'{"schema_version": 1, "versions": {}, "seed": 3, "parts": []}']),
    "checkpoint": (saved, [SAVED]),
    "pickle": (pickled, [checkpoint._dumped({"a": [1.5, 2], "b": (None, "c")})]),
    "policy": (policy, [(WEIGHTS / "ucb-coma.safetensors").read_bytes()]),
    "card": (card, [(WEIGHTS / "ucb-coma.json").read_bytes()]),
}


def main() -> None:
    """Fuzz the target that the command line names."""
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name not in TARGETS:
        sys.exit(f"usage: fuzz.py TARGET [options] [CORPUS], with one of {', '.join(TARGETS)}")
    test, seeds = TARGETS[name]
    if sys.argv[-1].startswith("-") or len(sys.argv) == 1:
        corpus = HERE / "corpus" / name
        corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds):
            (corpus / f"seed-{number}").write_bytes(seed)
        sys.argv.append(os.fspath(corpus))
    atheris.Setup(sys.argv, test)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
