"""Checkpoints: a run under way as one file, from which it goes on as if nothing had happened.

A checkpoint is a pickle, and a pickle can call whatever its reader lets it call. So it is read only from a run's own
directory, only if it is whole and of the same code, scenario and agent, and by a reader that knows nothing but the
classes of a world and the functions of stations, decisions and tasks, which compute and do nothing else: no function of
the system, no file, nothing that is imported in passing. An agent of another package adds the classes of that package,
which are code that the run has loaded anyway.

The file is a line of magic, a line with the BLAKE2b of all that follows, a line of JSON, and the pickle, compressed.
"""

from __future__ import annotations

import copyreg
import gc
import inspect
import io
import json
import operator
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

from ..decision import Agent, Observation
from ..record.digests import digest_of
from ..record.durable import RecordError, contents
from ..record.manifest import CHECKPOINT_FILE
from .reduction import REBUILDERS, REDUCERS

_MAGIC = b"simoffload checkpoint 1\n"
_CODEC = "zstd"
MOST_RAW_BYTES = 4 * 2**30
"""Of a world, not compressed; a task in it takes 0.4 kB (M/M/1) to 1.2 kB (smart factory)."""
MOST_RATIO = 1000
"""By which a world is smaller when it is compressed: 5 (M/M/1) and 2.5 (smart factory) with thousands of tasks."""
_DIGEST = 33
"""Bytes of the line with the digest."""


_PARTS = {"scenario_sha256": "scenario", "agent": "agent", "code": "code of simoffload or of the agent"}


class CheckpointError(RecordError):
    """A checkpoint that there is none of, or that cannot be used; the message names the file and says why."""


class NotSaved(Exception):
    """A world of which there can be no checkpoint; the message says why."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a checkpoint depends on: it is of no use to a run of which any of it differs."""

    versions: dict[str, str]
    code: str
    """BLAKE2b of the sources of worlds and of the agent."""
    scenario_sha256: str
    agent: str


def origin(versions: dict[str, str], scenario_sha256: str, name: str, agent: Agent) -> Origin:
    """Of a run by the code there is; `agent` is the one that goes by `name`."""
    return Origin(versions, _code(inspect.getsourcefile(type(agent))), scenario_sha256, name)


# ---------------------------------------------------------------------------------------------------------- the file


def packed(of: Origin, state: object) -> bytes:
    """The bytes of a checkpoint; NotSaved when the state does not pickle."""
    import pyarrow as pa  # type: ignore[import-untyped]

    raw = _dumped(state)
    head = json.dumps(asdict(of) | {"raw_bytes": len(raw)}).encode()
    body: bytes = pa.compress(raw, codec=_CODEC, asbytes=True)
    if len(raw) > min(MOST_RATIO * len(body), MOST_RAW_BYTES):
        raise NotSaved(f"it takes {len(raw)} bytes, {len(body)} compressed, which nobody would read back")
    rest = head + b"\n" + body
    return _MAGIC + _digest(rest) + rest


def read_checkpoint(directory: Path, of: Origin, agent: Agent) -> Any:
    """The state in the checkpoint of a run; CheckpointError when there is none, it is damaged, or of another origin."""
    path = directory / CHECKPOINT_FILE
    try:
        content = contents(path)
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}") from None
    try:
        return unpacked(content, of, agent)
    except CheckpointError as error:
        raise CheckpointError(f"{path} {error}") from None


def unpacked(content: bytes, of: Origin, agent: Agent) -> Any:
    """The state in the bytes of a checkpoint; CheckpointError says what it is otherwise, as in 'is damaged'."""
    import pyarrow as pa

    at = len(_MAGIC)
    magic, digest, rest = content[:at], content[at : at + _DIGEST], content[at + _DIGEST :]
    if magic != _MAGIC:
        raise CheckpointError("is no checkpoint that this simoffload reads")
    if _digest(rest) != digest:
        raise CheckpointError("is damaged: it is not what was written")
    line, _, body = rest.partition(b"\n")
    try:
        head: dict[str, Any] = json.loads(line)
        raw_bytes = head.pop("raw_bytes")
        _check_origin(head, asdict(of))
        most = min(MOST_RATIO * len(body), MOST_RAW_BYTES)
        if not 0 < raw_bytes <= most:
            raise CheckpointError(f"cannot be read: it says it takes {raw_bytes} bytes, not 1 to {most}")
        return _loaded(pa.decompress(body, decompressed_size=raw_bytes, codec=_CODEC, asbytes=True), agent)
    except CheckpointError:
        raise
    except Exception as error:  # noqa: BLE001 - a pickle that was made to do harm may raise anything
        raise CheckpointError(f"cannot be read: {type(error).__name__}: {error}") from None


def _digest(rest: bytes) -> bytes:
    return blake2b(rest, digest_size=16).hexdigest().encode() + b"\n"


def _check_origin(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    if found["versions"] != wanted["versions"]:
        differing = [name for name in wanted["versions"] if found["versions"].get(name) != wanted["versions"][name]]
        was, here = (", ".join(f"{name} {its['versions'].get(name)}" for name in differing) for its in (found, wanted))
        raise CheckpointError(f"was written by {was}; this is {here}")
    for name, what in _PARTS.items():
        if found[name] != wanted[name]:
            raise CheckpointError(f"was written with another {what}")


@lru_cache(maxsize=2)
def _code(agent_source: str | None) -> str:
    root = Path(__file__).parent.parent
    folders = [root, *(root / package.rpartition(".")[2] for package in _PACKAGES), root / "analysis" / "steady"]
    own = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    own.append(root / "analysis" / "stopping.py")
    return digest_of(own + ([Path(agent_source)] if agent_source else []))


# ------------------------------------------------------------------------------------------------------------ saving


def _dumped(state: object) -> bytes:
    sink = io.BytesIO()
    pickler = pickle.Pickler(sink, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = {**copyreg.dispatch_table, **REDUCERS}
    try:
        with _nothing_collected():
            pickler.dump(state)
            pickler.clear_memo()
    except RecursionError:
        raise NotSaved("it is nested too deeply") from None
    except Exception as error:  # noqa: BLE001 - whatever the objects of a foreign agent raise
        raise NotSaved(str(error)) from None
    return sink.getvalue()


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Without garbage collection, which would go through the whole world again and again while it is taken apart."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


# ----------------------------------------------------------------------------------------------------------- loading

_PACKAGES = tuple(f"simoffload.{name}" for name in ("agents", "decision", "record", "run", "schema", "tasks", "world"))
_MODULES = tuple(f"simoffload.{name}" for name in ("laws", "lazy", "plant", "quality", "random_streams"))
_RULES = "simoffload.analysis.stopping", "simoffload.analysis.steady.result"
"""Modules of the classes of a rule that ends a run, and what it has seen."""
_PURE = tuple(f"simoffload.{name}" for name in ("decision", "tasks", "world"))
"""Packages of functions that compute and do nothing else."""
_FUNCTIONS = frozenset(
    {
        *(("simoffload.run.reduction", name) for name in REBUILDERS),
        *(
            ("simoffload.agents.tuned_index", f"_{name}_s")
            for name in ("cloud_wait", "edge_service", "edge_wait", "stale_wait", "unseen")
        ),
    }
)
_FOREIGN = frozenset(
    {
        *(("builtins", name) for name in ("bool", "bytearray", "complex", "dict", "float", "frozenset", "int")),
        *(("builtins", name) for name in ("list", "object", "range", "set", "slice", "str", "tuple")),
        ("array", "array"),
        ("array", "_array_reconstructor"),
        *(("collections", name) for name in ("Counter", "OrderedDict", "defaultdict", "deque")),
        ("functools", "partial"),
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
        *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
        ("numpy.random._pcg64", "PCG64"),
        ("numpy.random._pickle", "__bit_generator_ctor"),
        ("numpy.random._pickle", "__generator_ctor"),
        ("numpy.random.bit_generator", "SeedSequence"),
        ("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence"),
    }
)


def _loaded(raw: bytes, agent: Agent) -> Any:
    reader = _Reader(raw, type(agent).__module__.partition(".")[0])
    try:
        return reader.load()
    except RecursionError:
        raise CheckpointError("cannot be read: it is nested too deeply") from None


class _Reader(pickle.Unpickler):
    """Knows the classes of worlds, a few functions, and the classes of the package that the agent is from."""

    def __init__(self, raw: bytes, agent_package: str) -> None:
        super().__init__(io.BytesIO(raw))
        self._agent_package = agent_package

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("builtins", "getattr"):
            return self._method
        if (module, name) == ("operator", "attrgetter"):
            return _observed
        if (module, name) in _FOREIGN or (module, name) in _FUNCTIONS:
            return getattr(import_module(module), name)
        kinds = (type, FunctionType) if module.rpartition(".")[0] in _PURE else (type,)
        found = getattr(import_module(module), name, None) if self._is_own(module) else None
        if not (isinstance(found, kinds) and found.__module__ == module):
            raise CheckpointError(f"names {module}.{name}, which has no place in a checkpoint")
        return found

    def _is_own(self, module: str) -> bool:
        """Whether the classes of a module may be in a world."""
        package, _, _ = module.rpartition(".")
        if module.partition(".")[0] == "simoffload":
            return module in _MODULES or module in _RULES or package in _PACKAGES
        return module.partition(".")[0] == self._agent_package

    def _method(self, owner: Any, name: str) -> MethodType:
        """What `getattr` does for a method of a world's own objects, and for nothing else."""
        method = inspect.getattr_static(type(owner), name, None)
        if not (self._is_own(type(owner).__module__) and isinstance(method, FunctionType)):
            raise CheckpointError(f"asks for {name} of {type(owner).__name__}, which has no place in a checkpoint")
        return MethodType(method, owner)


def _observed(*names: str) -> Any:
    """What `attrgetter` does for what agents see, and for nothing else."""
    if not all(hasattr(Observation, name) and not name.startswith("_") for name in names):
        raise CheckpointError(f"asks for {', '.join(map(str, names))}, which has no place in a checkpoint")
    return operator.attrgetter(*names)
