"""The documents tell the truth: their commands exist, their links lead somewhere, their examples are valid."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from gateway.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("edge-gateway")
DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.md") if ".venv" not in path.parts)
YAML_BLOCK = re.compile(r"^(?P<indent> *)version: 1\n(?:(?P=indent).*\n| *\n)*", re.MULTILINE)
EXAMPLES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("drivers/*/example.yaml"))


MISTAKES = """\
version: 1
driver: modbus
host: 192.168.0.20
devices:
  oven:
    unit_id: 3
    tags:
      temperature: {adress: "holding:100", type: float32, unit: °C, range: [0, 900]}
      temperature: {address: "holding:102"}
      fan: {address: 40012}
      heater: {address: "coil:12"}
      door: {address: "coil:13", description: no}
      speed: {address: "holding:4"}
    period_s: "1"
"""
TWINS = """\
version: 1
driver: modbus
host: 10.0.0.5
devices:
  NAME: {tags: {speed: {address: "holding:4"}}}
"""


def _blocks() -> Iterator[tuple[str, str]]:
    """Every whole configuration file that a document shows, and where."""
    for document in DOCUMENTS:
        for match in YAML_BLOCK.finditer((ROOT / document).read_text(encoding="utf-8")):
            block = dedent(match[0])
            if "..." not in block:
                yield document, block


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_make_command_in_a_document_exists(document: str) -> None:
    """What a document tells people to type is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^ *|&& )make ([a-z]+)", _text(document), re.MULTILINE)) <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_command_of_the_program_in_a_document_exists(document: str) -> None:
    """What a document tells people to run is a command of the program."""
    told = set(re.findall(r"(?:`|^ *|bin/)edge-gateway ([a-z]+)", _text(document), re.MULTILINE))
    assert told <= set(re.findall(r"[a-z]+", _run("--help").stdout))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_link_inside_the_project_leads_somewhere(document: str) -> None:
    """A link to a file of the project names one that is there."""
    links = re.findall(r"\]\((?!https?://|mailto:|#)([^)#]+)", _text(document))
    assert [link for link in links if not (ROOT / document).parent.joinpath(link).exists()] == []


def test_the_shipped_configuration_is_valid() -> None:
    """What a technician copies to /etc passes the check as it is."""
    result = _run("check", "config")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_of_a_driver_is_valid(example: str, tmp_path: Path) -> None:
    """The example that a driver's manual shows passes the check when it is copied into a configuration."""
    (tmp_path / "connections").mkdir()
    shutil.copy(ROOT / "config" / "gateway.yaml", tmp_path)
    shutil.copy(ROOT / example, tmp_path / "connections" / "example.yaml")
    code, told = _check(tmp_path)
    assert code == 0, told


@pytest.mark.parametrize(("document", "block"), list(_blocks()))
def test_each_configuration_in_a_document_is_valid(document: str, block: str, tmp_path: Path) -> None:
    """What a technician copies out of a manual passes the check."""
    if "\ngateway:" in block:
        folder = _folder(tmp_path, block, _text(EXAMPLES[0]))
    elif "\ndriver:" not in block:
        folder = _derived_folder(tmp_path, block)
    elif "\nsource:" in block:
        folder = _profile_folder(tmp_path, block)
    else:
        folder = _folder(tmp_path, _text("config/gateway.yaml"), block)
    code, told = _check(folder)
    assert code == 0, f"{document}:\n{block}\n{told}"


def test_the_messages_in_the_manual_are_those_of_the_program(tmp_path: Path) -> None:
    """What the technician's manual says of a mistake is what `edge-gateway check` says of it."""
    told = re.findall(r"^\| `(?:\S+?)(:\d+:\d+: .*?)(?:\.\.\.)?` \|", _text("config/README.md"), re.MULTILINE)
    folder = _folder(tmp_path, _text("config/gateway.yaml"), MISTAKES)
    for name in "ab":
        (tmp_path / "connections" / f"{name}.yaml").write_text(TWINS.replace("NAME", name), encoding="utf-8")
    _, said = _check(folder)
    assert len(told) > 3
    assert [message for message in told if message not in said] == []


def test_the_changelog_has_room_for_the_next_change() -> None:
    """A change is written down when it is made, not when it is released."""
    assert "\n## [Unreleased]\n" in _text("CHANGELOG.md")


def test_the_program_says_the_version_of_the_project() -> None:
    """The version stands once, in pyproject.toml, and the program repeats it."""
    project = tomllib.loads(_text("pyproject.toml"))["project"]
    assert project["version"] in _run("--version").stdout.split()


def test_security_names_an_address_and_a_period() -> None:
    """Who finds a weakness knows whom to write to, who runs a plant how long it is mended."""
    text = _text("SECURITY.md")
    assert re.search(r"\S+@\S+", text)
    assert re.search(r"\d+ years", text)


def _derived_folder(folder: Path, derived: str) -> str:
    """The shipped configuration with another derived.yaml."""
    shutil.copytree(ROOT / "config", folder, dirs_exist_ok=True)
    (folder / "derived.yaml").write_text(derived, encoding="utf-8")
    return str(folder)


def _profile_folder(tmp_path: Path, profile: str) -> str:
    """A configuration with one device that takes this profile."""
    connection = "version: 1\ndriver: modbus\nhost: 192.0.2.7\ndevices:\n  example: {profile: example}\n"
    folder = _folder(tmp_path, _text("config/gateway.yaml"), connection)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "example.yaml").write_text(profile, encoding="utf-8")
    return folder


def _folder(folder: Path, gateway: str, connection: str) -> str:
    """A configuration folder with the secret that the manual's example names."""
    for name in ("connections", "secrets"):
        (folder / name).mkdir()
    (folder / "gateway.yaml").write_text(gateway, encoding="utf-8")
    (folder / "connections" / "example.yaml").write_text(connection, encoding="utf-8")
    secret = folder / "secrets" / "broker-password"
    secret.write_text("only a test", encoding="utf-8")
    secret.chmod(0o600)
    return str(folder)


def _text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


@cache
def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The program as a process of its own."""
    return subprocess.run([PROGRAM, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def _check(folder: Path | str) -> tuple[int, str]:
    """Exit code and output of the check, in this process: there are many examples."""
    told = StringIO()
    with redirect_stdout(told):
        code = main(["check", str(folder)])
    return code, told.getvalue()
