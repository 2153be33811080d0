"""The tuned index: the estimates that rules use, each at a price that was fitted on a scenario; nothing is learned.

The subtask's own finish time is the unit. Eight prices say what else counts, such as how many seconds of finish a
second of waiting at an edge node is worth because others wait behind it. At certain prices the rule is earliest finish,
weighted greedy or critical path (`SPECIAL_CASES`), so that fitted ones, which `learning.cross_entropy` finds, are a
yardstick for whatever does learn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simoffload.record.durable import RecordError, read_json, write_json
from simoffload.schema.problems import nearest

from .choosing import Floats, IndexRule
from .critical_path import CriticalPath
from .policy_file import LARGEST_CARD

if TYPE_CHECKING:
    from simoffload.decision import Observation

KIND, FORMAT = "tuned-index", 1
CARD = Path(__file__).parent / "weights" / "tuned-index.json"
"""The prices that come with the package."""
ORDERS = ("fifo", "wspt")
"""The orders of the queues that are tried."""


def _edge_wait_s(seen: Observation) -> Floats:
    return np.where(seen.is_cloud, 0.0, seen.wait_s)


def _cloud_wait_s(seen: Observation) -> Floats:
    return np.where(seen.is_cloud, seen.wait_s, 0.0)


def _edge_service_s(seen: Observation) -> Floats:
    return np.where(seen.is_cloud, 0.0, seen.service_s + seen.swap_s)


def _stale_wait_s(seen: Observation) -> Floats:
    return np.where(seen.is_home, 0.0, seen.wait_s * (seen.age_s / seen.setting.latency_reference_s))


def _unseen_s(seen: Observation) -> Floats:
    return np.where(seen.is_home, 0.0, seen.age_s)


TIMES: Mapping[str, Callable[[Observation], Floats]] = {
    "completion": attrgetter("completion_change_s"),
    "edge_wait": _edge_wait_s,
    "cloud_wait": _cloud_wait_s,
    "edge_service": _edge_service_s,
    "transfer": attrgetter("transfer_s"),
    "stale_wait": _stale_wait_s,
    "unseen": _unseen_s,
}
"""Times [k], in s, that have a price per second of finish.

completion: change of the task's expected completion. edge_wait, cloud_wait: waiting on either side. edge_service:
how long an edge node is taken, its loading the model included. transfer: until the inputs are there. stale_wait:
waiting at another node than home, times the age of what is known of it over L_ref. unseen: that age itself, during
which others may have sent there.
"""
TERMS = ("cost", *TIMES)
"""What has a price, in the order in which prices are fitted; that of cost is 1 where it counts as in the objective."""

_PATH = 1.0 / CriticalPath.dawdle
SPECIAL_CASES: Mapping[str, Mapping[str, float]] = {
    "eft": {},
    "weighted-greedy": {"cost": 1.0},
    "critical-path": {"cost": _PATH, "completion": _PATH},
}
"""Prices, 0 for terms that are not named, at which the index orders candidates as these rules do.

That holds wherever the objective counts latency at all.
"""


class PricedIndex(IndexRule):
    """Least pace (finish + sum of price x time) + price of cost (1 - w) cost / C_ref, with pace = w weight / L_ref."""

    def __init__(self, prices: Mapping[str, float], order: str) -> None:
        self.order = order
        self.prices = dict(prices)
        self._cost = prices.get("cost", 0.0)
        self._times = tuple((prices[name], time_s) for name, time_s in TIMES.items() if prices.get(name))

    def index(self, observation: Observation) -> Floats:
        """The sum above; terms without a price are not worked out."""
        setting = self.setting
        delay_s = observation.finish_s
        for price, time_s in self._times:
            delay_s = delay_s + price * time_s(observation)
        index: Floats = setting.latency_weight * observation.task_weight / setting.latency_reference_s * delay_s
        if self._cost:
            price = (1.0 - setting.latency_weight) / setting.cost_reference_usd
            index = index + self._cost * price * observation.cost_usd
        return index


class TunedIndex(PricedIndex):
    """The index at prices from a card, else at those that come with the package; queues as the card says."""

    def __init__(self, path: Path = CARD) -> None:
        super().__init__(*read_card(path))


def write_card(path: Path, prices: Mapping[str, float], order: str, about: Mapping[str, Any]) -> None:
    """Write the prices of all terms; `about` says where they come from."""
    write_json(path, {"kind": KIND, "format": FORMAT, "order": order, "prices": {**prices}, **about})


def read_card(path: Path) -> tuple[dict[str, float], str]:
    """Prices and order; RecordError when there is no card or it is none of this version."""
    card = read_json(path, LARGEST_CARD, "the tuned index")
    if not isinstance(card, dict) or card.get("kind") != KIND or card.get("format") != FORMAT:
        raise RecordError(f"{path} is no card of a {KIND} of format {FORMAT}")
    order, prices = card.get("order"), card.get("prices")
    if order not in ORDERS:
        raise RecordError(f"{path} has the order {order!r}; allowed: {', '.join(ORDERS)}")
    if not isinstance(prices, dict):
        raise RecordError(f"{path} has no prices")
    for name in [*prices, *TERMS]:
        if name not in TERMS:
            close = nearest(name, TERMS)
            meant = f"did you mean '{close}'?" if close else f"allowed: {', '.join(TERMS)}"
            raise RecordError(f"{path} prices '{name}', which is no term; {meant}")
        if name not in prices:
            raise RecordError(f"{path} has no price of '{name}'")
    for name, price in prices.items():
        if isinstance(price, bool) or not isinstance(price, (int, float)) or not _is_finite(price):
            raise RecordError(f"{path}: the price of '{name}' is {price!r}, not a finite number")
    return {name: float(prices[name]) for name in TERMS}, order


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False
