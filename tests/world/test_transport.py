"""Items travel the routes of the plant, once to a node, and whoever waits for the same one is told together."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from simoffload.plant import DOWNLINK, LAN, UPLINK, Plant, PlantLink
from simoffload.schema.network import Link
from simoffload.world.channel_path import ConstantChannel
from simoffload.world.item import Item
from simoffload.world.kernel import COMPLETION, Kernel
from simoffload.world.line import PriorityLine
from simoffload.world.link import LinkStation, Transfer
from simoffload.world.transport import Transport

from .stations import job_of, node_of

HERE, NEXT_DOOR, ABROAD, CLOUD, FAR_CLOUD = range(5)
DELAYS = {UPLINK: 0.25, DOWNLINK: 0.5, LAN: 0.125}


def plant_of(*absent: int) -> Plant:
    """Two edge nodes of one site, one of another, two clouds; every link carries 1 byte a second."""
    edges = [node_of({"kind": "slots"}, number=number, site=site) for number, site in enumerate([0, 0, 1])]
    clouds = [
        node_of({"kind": "slots"}, number=number, is_cloud=True, site=-1, delay_s=delay_s)
        for number, delay_s in [(CLOUD, 1.0), (FAR_CLOUD, 3.0)]
    ]
    links = {
        3 * edge + kind: PlantLink(
            3 * edge + kind, f"{edge}/{kind}", Link.model_validate({"channel": "8 bit/s", "delay": f"{delay_s} s"})
        )
        for edge in range(3)
        for kind, delay_s in DELAYS.items()
        if 3 * edge + kind not in absent
    }
    return Plant((*edges, *clouds), links, 3)


class Post:
    """A transport over a plant; notes what is delivered, and what waits for it."""

    def __init__(self, *absent: int) -> None:
        self.kernel = Kernel()
        self.legs: list[tuple[int, float]] = []
        """Links taken, and when each was behind."""
        self.heard: list[tuple[str, float]] = []
        plant = plant_of(*absent)
        self.transport = Transport(self.kernel, plant, self.delivered)
        self.transport.connect(
            [
                LinkStation(
                    self.kernel,
                    link,
                    ConstantChannel(8.0),
                    PriorityLine(),
                    self.transport.link_rank(number),
                    self.transport.carried,
                )
                for number, link in plant.links.items()
            ]
        )

    def delivered(self, transfer: Transfer, now_s: float) -> None:
        self.legs.append((transfer.link, now_s))

    def hear(self, name: str) -> None:
        self.heard.append((name, self.kernel.now))

    def want(self, item: Item, node: int, name: str = "job", priority: float = 0.0) -> None:
        self.transport.want(item, node, job_of(priority=priority), self.hear, name)

    def run(self, until_s: float = 1e9) -> Post:
        self.kernel.advance(until_s)
        return self


WAYS: dict[str, tuple[int, int, list[tuple[int, float]], float]] = {
    "to a cloud": (HERE, CLOUD, [(UPLINK, 2 + 0.25 + 1.0)], 3.25),
    "from a cloud": (FAR_CLOUD, NEXT_DOOR, [(3 + DOWNLINK, 3.0 + 2 + 0.5)], 5.5),
    "between clouds": (CLOUD, FAR_CLOUD, [], 4.0),
    "across the site": (NEXT_DOOR, HERE, [(3 + LAN, 2 + 0.125)], 2.125),
    "to another site": (HERE, ABROAD, [(UPLINK, 2.25), (6 + DOWNLINK, 2.25 + 2.5)], 4.75),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_item_takes_the_links_and_delays_of_its_route(way: str) -> None:
    source, target, legs, there_s = WAYS[way]
    item, post = Item(source, 2.0), Post()
    post.want(item, target)
    assert item.holders == {source}
    post.run()
    assert (post.legs, post.heard) == (legs, [("job", there_s)])
    assert item.holders == {source, target}
    assert item.coming == {}


def test_where_there_are_no_links_an_item_is_there_at_once() -> None:
    item, post = Item(HERE, 2e9), Post(LAN)
    post.want(item, NEXT_DOOR)
    assert post.heard == [("job", 0.0)]
    assert NEXT_DOOR in item.holders


def test_without_an_up_link_the_way_to_a_cloud_takes_the_clouds_delay() -> None:
    item, post = Item(HERE, 2e9), Post(UPLINK)
    post.want(item, CLOUD)
    post.run()
    assert (post.legs, post.heard) == ([], [("job", 1.0)])


def test_two_who_wait_for_an_item_share_its_journey() -> None:
    item, post = Item(HERE, 2.0), Post()
    post.want(item, CLOUD, "first")
    post.run(1.0)
    post.want(item, CLOUD, "second")
    post.run()
    assert post.heard == [("first", 3.25), ("second", 3.25)]
    assert len(post.legs) == 1


def test_an_item_is_sent_to_each_node_that_wants_it_from_where_it_was_made() -> None:
    item, post = Item(HERE, 2.0), Post()
    post.want(item, CLOUD, "cloud")
    post.run()
    post.want(item, NEXT_DOOR, "next door")
    post.want(item, FAR_CLOUD, "far cloud")
    post.run()
    assert [link for link, _ in post.legs] == [UPLINK, LAN, UPLINK]
    assert item.holders == {HERE, CLOUD, NEXT_DOOR, FAR_CLOUD}


def test_a_transfer_has_the_priority_of_the_job_that_needs_it() -> None:
    post = Post()
    for name, priority in [("first", 0.0), ("patient", 2.0), ("urgent", 1.0)]:
        post.want(Item(HERE, 1.0), NEXT_DOOR, name, priority)
    post.run()
    assert [name for name, _ in post.heard] == ["first", "urgent", "patient"]


def test_a_link_is_free_for_the_next_transfer_while_the_last_one_is_still_on_its_way() -> None:
    post = Post()
    for name in ("first", "second"):
        post.want(Item(HERE, 2.0), CLOUD, name)
    post.run()
    assert post.heard == [("first", 3.25), ("second", 5.25)]


def test_links_rank_behind_nodes_and_delays_in_the_order_of_their_numbers() -> None:
    transport = Post().transport
    assert [transport.link_rank(number) for number in (0, 1)] == [COMPLETION + 6, COMPLETION + 7]


def test_what_is_on_its_way_survives_a_pickle() -> None:
    item, post = Item(HERE, 2.0), Post()
    post.want(item, ABROAD)
    post.run(2.1)
    copy: Any = pickle.loads(pickle.dumps(post))
    for each in (post, copy):
        each.run()
    assert copy.heard == post.heard == [("job", 4.75)]
    assert copy.legs == post.legs
