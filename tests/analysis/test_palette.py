"""An agent looks the same in every picture, and no two bundled agents look alike."""

from __future__ import annotations

from importlib.metadata import entry_points
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from simoffload.analysis import palette
from simoffload.analysis.palette import PART_COLOURS, STAGE_COLOURS, agent_style, arrange, new_figure, theme
from simoffload.schema.base import STAGES

BUNDLED = [name for family in palette._FAMILIES for name in family]


def test_no_two_bundled_agents_share_hue_and_dash() -> None:
    assert len(set(BUNDLED)) == len(BUNDLED)
    looks = [(agent_style(name).colour, agent_style(name).dash) for name in BUNDLED]
    assert len(set(looks)) == len(looks)


def test_agents_of_one_family_differ_without_colour() -> None:
    for family in palette._FAMILIES:
        styles = [agent_style(name) for name in family]
        assert len({style.dash for style in styles}) == len(styles)
        assert len({style.marker for style in styles}) == len(styles)


def test_agents_that_come_with_simoffload_have_styles_of_their_own() -> None:
    registered = entry_points(group="simoffload.agents")
    assert {each.name for each in registered if each.module.startswith("simoffload.")} <= set(BUNDLED)


@given(st.text(max_size=30))
def test_any_name_has_a_style_of_its_own_making(name: str) -> None:
    style = agent_style(name)
    assert style == agent_style(name)
    assert len(to_rgb(style.colour)) == 3


def test_agents_of_users_have_hues_that_no_bundled_one_has() -> None:
    bundled = {agent_style(name).colour for name in BUNDLED}
    assert not bundled & {agent_style(f"mine-{k}").colour for k in range(200)}


def test_agents_of_users_mostly_differ() -> None:
    styles = [agent_style(f"mine-{k}") for k in range(60)]
    pairs = list(combinations(styles, 2))
    alike = sum((a.colour, a.dash) == (b.colour, b.dash) for a, b in pairs)
    assert alike < 0.1 * len(pairs)


@pytest.mark.parametrize("colours", [STAGE_COLOURS, PART_COLOURS])
def test_what_stands_side_by_side_differs_in_lightness(colours: dict[str, str]) -> None:
    lightness = [float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722))) for colour in colours.values()]
    assert min(abs(a - b) for a, b in combinations(lightness, 2)) > 0.04


def test_every_stage_has_a_colour() -> None:
    assert tuple(STAGE_COLOURS) == STAGES


def test_the_theme_leaves_nothing_behind() -> None:
    before = dict(mpl.rcParams)
    with theme():
        assert mpl.rcParams["axes.grid"]
    assert dict(mpl.rcParams) == before


def test_an_arranged_figure_no_longer_moves() -> None:
    with theme():
        figure = new_figure(2.0)
        axes = figure.subplots()
        axes.set_ylabel("a label")
        arrange(figure)
        settled = axes.get_position().bounds
        axes.set_ylabel("a label\nthat is\nmuch larger")
        figure.draw_without_rendering()
    assert axes.get_position().bounds == settled
