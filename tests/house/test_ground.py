"""What a fresh machine meets first: make, the scripts behind it, and the lock."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path.name for path in (ROOT / ".ci").iterdir())
ENTRY = re.compile(
    r"^(?P<name>[a-z0-9.-]+)==(?P<version>\S+)(?: ; [^\\]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+$", re.MULTILINE
)
PIN = re.compile(r"^(?P<name>[A-Za-z0-9.-]+)==(?P<version>[^\s;]+)")

OLD_PYTHON = '#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\n[ "$1" = --version ]\n'
NARROW_PYTHON = '#!/bin/sh\ncase "$2" in *maxsize*) exit 1 ;; esac\n'
BARE_PYTHON = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\n'
FIT_PYTHON = "#!/bin/sh\nexit 0\n"
NOBODY = "#!/bin/sh\necho 1000\n"
REFUSES = "#!/bin/sh\nexit 1\n"


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A folder of commands that stand before the machine's own: a fit Python, a user without rights."""
    for name, script in {"python3": FIT_PYTHON, "id": NOBODY, "sudo": REFUSES, "apt-get": REFUSES}.items():
        _command(tmp_path, name, script)
    return tmp_path


def test_make_alone_lists_the_commands_within_80_columns() -> None:
    """Somebody who types `make` sees what there is, on any terminal, and nothing happens."""
    lines = _make().stdout.splitlines()
    assert {line.split()[1] for line in lines if line.startswith("make ")} >= {"demo", "test", "check", "fmt", "lock"}
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("target", ["demo", "test", "check", "fmt", "lock", "clean"])
def test_each_command_can_be_shown_without_being_run(target: str) -> None:
    """`make -n` shows every step of each target."""
    result = _make("-n", target)
    assert result.returncode == 0, result.stderr
    assert result.stdout


def test_demo_hands_its_arguments_on() -> None:
    """Scripts choose how long the demo runs and what it prints."""
    assert (
        ".venv/bin/edge-gateway demo config --seconds 20 --json"
        in _make("-n", "demo", "DEMO_ARGS=--seconds 20 --json").stdout
    )


def test_test_needs_more_of_debian_than_demo() -> None:
    """Only the tests ask for a broker and a compiler; the demo brings its own broker."""
    assert "mosquitto" in _make("-n", "test").stdout
    assert "mosquitto" in _make("-n", "demo", "test").stdout
    assert "mosquitto" not in _make("-n", "demo").stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_each_script_stops_at_its_first_failure(script: str) -> None:
    """A step that failed is never taken for done, and every script can be run."""
    path = ROOT / ".ci" / script
    assert "\nset -euo pipefail\n" in path.read_text(encoding="utf-8")
    assert os.access(path, os.X_OK)


def test_nothing_is_asked_for_where_all_is_there(commands: Path) -> None:
    """On a machine that has everything nothing is said and nothing installed."""
    _command(commands, "mosquitto", FIT_PYTHON)
    result = _need(commands, "python3-venv", "mosquitto")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_what_is_missing_is_named_as_a_command_to_type(commands: Path) -> None:
    """Without root or sudo the packages that are missing, and only those, stand in one command that can be copied."""
    _command(commands, "python3", BARE_PYTHON)
    _command(commands, "present", FIT_PYTHON)
    result = _need(commands, "python3-venv", "present", "no-such-package")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].strip() == "sudo apt-get install python3-venv no-such-package"


@pytest.mark.parametrize(
    ("python", "text"),
    [
        (OLD_PYTHON, "needs Python 3.11, 3.12 or 3.13; python3 here is Python 3.9.2"),
        (NARROW_PYTHON, "This is a 32-bit system"),
    ],
)
def test_an_unfit_python_is_refused_with_a_way_out(commands: Path, python: str, text: str) -> None:
    """Too old or 32-bit: said at once and plainly, not by a build that fails minutes later."""
    _command(commands, "python3", python)
    result = _need(commands, "python3-venv")
    assert result.returncode == 1
    assert text in result.stderr


def test_a_python_that_is_not_there_is_named(commands: Path) -> None:
    """`make PYTHON=...` with a typing error names what it looked for."""
    result = _need(commands, python="python3.99")
    assert result.returncode == 1
    assert "There is no python3.99 here" in result.stderr


def test_every_dependency_is_locked_at_its_version() -> None:
    """The lock is in step with pyproject.toml; `make lock` was run after the last change of a version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["demo"],
        *project["dependency-groups"]["dev"],
    ]
    pins = [PIN.match(requirement) for requirement in wanted]
    assert all(pins), "every dependency is pinned to one version"
    locked = {entry["name"]: entry["version"] for entry in ENTRY.finditer(_lock())}
    assert {pin["name"].lower(): pin["version"] for pin in pins if pin}.items() <= locked.items()


def test_every_locked_package_has_hashes() -> None:
    """No package is installed that is not, bit for bit, the one that was locked."""
    named = re.findall(r"^[a-z0-9.-]+==", _lock(), re.MULTILINE)
    assert len(named) == len(list(ENTRY.finditer(_lock()))) > 0


def _command(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(script, encoding="ascii")
    path.chmod(0o755)


def _need(commands: Path, *packages: str, python: str = "python3") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{commands}:/usr/bin:/bin", "PYTHON": python}
    return subprocess.run(
        [ROOT / ".ci" / "need", *packages], env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "-C", ROOT, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def _lock() -> str:
    return (ROOT / "requirements.lock").read_text(encoding="utf-8")
