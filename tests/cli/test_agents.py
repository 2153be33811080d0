"""`simoffload agents` tells who there is."""

from __future__ import annotations

import json

from simoffload.run.agents import agent_names, describe_agents
from tests.run.test_agents import NAMES_WITH_ARGUMENT

from .program import invoke


def test_every_agent_has_a_line_with_what_it_does() -> None:
    lines = invoke("agents").stdout.splitlines()[2:]
    assert [line.split()[0] for line in lines] == [*agent_names(), *NAMES_WITH_ARGUMENT]
    for line, (_, description, package) in zip(lines, describe_agents(), strict=True):
        assert description in line
        assert line.endswith(package)


def test_json_says_the_same() -> None:
    found = json.loads(invoke("agents", "--json").stdout)
    assert [(each["name"], each["description"], each["package"]) for each in found] == describe_agents()
