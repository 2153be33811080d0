"""Trained policies on disk: `NAME.safetensors` with the weights and `NAME.json` with what they are for.

Neither can run anything when it is read. A file that is damaged, of another version or for other features is refused
with a message that says so.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from simoffload.record.durable import RecordError, contents, read_json, write_durably, write_json

from .network import Network, network_of
from .scoring import COLUMNS, Heads

FORMAT = 2
POLICY_NAME = "policy"
"""What a training leaves its policy as."""
SUFFIXES = (".json", ".safetensors")
LARGEST_CARD = 64 * 2**20
"""Bytes."""


def policy_at(named: Path) -> Path:
    """The path without suffix of a policy that is named by either of its files, or by the directory of its training."""
    if named.suffix in SUFFIXES:
        return named.with_suffix("")
    is_directory = named.is_dir() and not file_of(named, ".json").exists()
    return named / POLICY_NAME if is_directory else named


def file_of(path: Path, suffix: str) -> Path:
    """One of the files of a policy, whose `path` is without suffix."""
    return path.with_name(path.name + suffix)


def write_policy(path: Path, heads: Heads, card: dict[str, Any]) -> None:
    """Write both files; `path` is without suffix. `card` says where the policy comes from."""
    from safetensors.numpy import save

    networks = {"position": heads.position, "order": heads.order}
    tensors = {
        f"{name}.{key}": array
        for name, network in networks.items()
        if network is not None
        for key, array in network.tensors().items()
    }
    about = {
        "format": FORMAT,
        "kappa": heads.kappa,
        "kappa_order": heads.kappa_order,
        "optimism": heads.optimism,
        "orders_from": heads.orders_from,
        "columns": {name: list(COLUMNS[name]) for name, network in networks.items() if network is not None},
        **card,
    }
    weights = save(tensors)
    write_durably(file_of(path, ".safetensors"), weights)
    write_json(file_of(path, ".json"), about | {"weights_sha256": sha256(weights).hexdigest()})


def read_policy(path: Path) -> tuple[Heads, dict[str, Any]]:
    """The networks and the card of a policy; RecordError when there is none or it is not one for these features."""
    about = _read_card(file_of(path, ".json"))
    weights = file_of(path, ".safetensors")
    tensors, own_sha256 = _read_tensors(weights)
    strangers = sorted(key for key in tensors if key.partition(".")[0] not in about["columns"])
    if strangers:
        raise RecordError(f"{weights}: its card says nothing of {strangers[0]}")
    networks: dict[str, Network] = {}
    for name in about["columns"]:
        own = {key.removeprefix(f"{name}."): array for key, array in tensors.items() if key.startswith(f"{name}.")}
        try:
            networks[name] = network_of(own)
        except ValueError as error:
            raise RecordError(f"{weights}: {name}: {error}") from None
        if networks[name].inputs != len(COLUMNS[name]):
            raise RecordError(f"{weights}: {name} reads {networks[name].inputs} numbers, not {len(COLUMNS[name])}")
    if about.get("weights_sha256") != own_sha256:
        raise RecordError(f"{weights} holds other weights than those its card was written for")
    optimism = about.get("optimism")
    heads = Heads(
        networks.get("position"),
        networks.get("order"),
        float(about["kappa"]),
        float(about["kappa_order"]),
        None if optimism is None else float(optimism),
        about.get("orders_from", 2),
    )
    return heads, about


def _read_card(path: Path) -> dict[str, Any]:
    about: Any = read_json(path, LARGEST_CARD, "the policy")
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise RecordError(f"{path} is no policy of format {FORMAT}")
    columns = about.get("columns")
    if not isinstance(columns, dict) or not columns or not set(columns) <= set(COLUMNS):
        raise RecordError(f"{path} does not say what its networks read")
    for name, names in columns.items():
        if names != list(COLUMNS[name]):
            raise RecordError(f"{path}: its {name} network was trained on other features than this version has")
    for key in ("kappa", "kappa_order", "optimism"):
        value = about.get(key)
        if key == "optimism" and value is None:
            continue
        if not (isinstance(value, (int, float)) and 0 <= value <= sys.float_info.max):
            raise RecordError(f"{path} has no {key} that is a finite number of 0 or more")
    fewest = about.get("orders_from", 2)
    if not (type(fewest) is int and fewest >= 2):
        raise RecordError(f"{path} has no orders_from that is a whole number of 2 or more")
    return about


def _read_tensors(path: Path) -> tuple[dict[str, Any], str]:
    """The arrays by name, and SHA-256 of the file."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        content = contents(path)
        return dict(load(content)), sha256(content).hexdigest()
    except OSError as error:
        raise RecordError(f"cannot read the policy {path}: {error.strerror}") from error
    except (SafetensorError, ValueError, KeyError) as error:
        raise RecordError(f"{path} is damaged or no safetensors file: {error}") from None
