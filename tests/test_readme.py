"""What the README shows works as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario_text

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_scenario_explained_in_the_readme_runs() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    scenario = load_scenario_text(text, "README.md", ["horizon={tasks: 30}", "warm_up=0 s"])
    assert simulate(scenario, "eft")["tasks"]["completed"] == 30


def test_files_that_the_readme_points_to_are_there() -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)]+)\)", README):
        file, _, heading = target.partition("#")
        path = Path(__file__).parent.parent / file
        assert path.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert heading in [each.lower().replace(" ", "-") for each in headings], target
