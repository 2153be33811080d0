"""The program lists its commands without importing them, and says what was probably meant."""

from __future__ import annotations

import pytest

from simoffload import __version__
from simoffload.cli.main import COMMANDS, main

from .program import HEAVY, cpu_seconds, imported_by, invoke


def test_help_names_every_command() -> None:
    shown = invoke("--help")
    assert shown.exit_code == 0
    for name, line in COMMANDS.items():
        assert f"  {name}" in shown.output
        assert line in shown.output


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_of_itself_what_the_program_says_of_it(name: str) -> None:
    shown = invoke(name, "--help")
    assert shown.exit_code == 0
    assert COMMANDS[name] in " ".join(shown.output.split())


def test_help_imports_nothing_large() -> None:
    unwanted = HEAVY | {"numpy", "pyarrow", "pydantic", "scipy", "simpy", "networkx", "yaml", "rich"}
    assert not imported_by("--help") & unwanted
    assert not imported_by("run", "--help") & unwanted
    assert not imported_by("compare", "--help") & unwanted


def test_help_takes_less_than_three_tenths_of_a_second_of_cpu() -> None:
    assert min(cpu_seconds(["--help"]) for _ in range(3)) < 0.3


def test_the_version_is_that_of_the_package() -> None:
    assert invoke("--version").output == f"simoffload, version {__version__}\n"


def test_an_unknown_command_is_refused_with_the_nearest_spelling() -> None:
    refused = invoke("vaildate", "tiny")
    assert refused.exit_code == 2
    assert "unknown command 'vaildate'; allowed: run, resume, compare," in refused.stderr
    assert "did you mean 'validate'?" in refused.stderr


def test_an_unknown_option_is_refused_with_the_nearest_spelling() -> None:
    refused = invoke("run", "tiny", "--agnet", "random")
    assert refused.exit_code == 2
    assert "--agent" in refused.stderr
    assert "--verison" not in invoke("--verison").stdout
    assert "--version" in invoke("--verison").stderr


def test_ctrl_c_ends_any_command_with_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("simoffload.schema.json_schema", interrupt)
    ended = invoke("schema")
    assert (ended.exit_code, ended.stdout, ended.stderr) == (130, "", "interrupted\n")


def test_the_program_is_what_the_package_installs() -> None:
    from importlib.metadata import entry_points

    (installed,) = entry_points(group="console_scripts", name="simoffload")
    assert installed.load() is main
