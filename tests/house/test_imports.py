"""Who may import whom: the rules stand in pyproject.toml, and breaking one is seen."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
DRIVER_AUTHORS_READ = {"clock", "connection", "driver", "interface", "model", "numbers", "signals", "vocabulary"}


@pytest.fixture
def house(root: Path, tmp_path: Path) -> Path:
    """A copy of the code and its rules, to be broken."""
    for package in ("gateway", "drivers"):
        shutil.copytree(root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_house_keeps_its_rules(house: Path) -> None:
    """The code as it lies breaks no rule."""
    result = lint_imports(house)
    assert result.returncode == 0, result.stdout
    assert " 0 broken" in result.stdout


@pytest.mark.parametrize(
    ("file", "offence", "rule"),
    [
        ("gateway/model.py", "import gateway.clock", "Each room imports only rooms below it"),
        ("gateway/publish/__init__.py", "import gateway.collect", "Each room imports only rooms below it"),
        ("gateway/attic.py", '"""A room that no rule knows."""', "Each room imports only rooms below it"),
        ("gateway/registry.py", "import drivers.modbus", "The core knows no driver"),
        ("drivers/sim/__init__.py", "import drivers.modbus", "A driver knows no other driver"),
        (
            "drivers/gpio/__init__.py",
            "import gateway.outbox",
            "A driver knows of the core only what a driver author reads",
        ),
        ("gateway/model.py", "import msgspec", "The words need the standard library only"),
        ("drivers/sim/__init__.py", "import pymodbus.client", "Only drivers.modbus uses pymodbus and serial ports"),
        ("gateway/app.py", "import asyncua", "Only drivers.opcua uses asyncua"),
        ("drivers/sim/__init__.py", "import lgpio", "Only drivers.gpio uses gpiozero and lgpio"),
        ("gateway/publish/__init__.py", "import paho.mqtt.client", "Only gateway.publish.session uses paho"),
        ("gateway/outbox/__init__.py", "import sqlite3", "Only gateway.state uses SQLite"),
        ("drivers/sim/__init__.py", "import yaml", "Only gateway.config uses YAML"),
        ("gateway/clock.py", "import zstandard", "Only gateway.outbox uses zstandard"),
        ("gateway/app.py", "import rich.table", "Only gateway.cli uses the embedded broker and the terminal table"),
    ],
)
def test_breaking_a_rule_is_seen(house: Path, file: str, offence: str, rule: str) -> None:
    """One import in the wrong place fails the check, which names the rule that it broke."""
    with (house / file).open("a", encoding="utf-8") as code:
        code.write(f"\n{offence}\n")
    result = lint_imports(house)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{rule} BROKEN" in " ".join(result.stdout.split())


def test_the_words_import_the_standard_library_only(sources: list[Any]) -> None:
    """`gateway.model` can be read, and used by anybody's tools, without anything installed."""
    [model] = [source for source in sources if source.path == "gateway/model.py"]
    assert {name for name in imported(model.tree) if name not in sys.stdlib_module_names} == set()


def test_a_driver_author_reads_few_modules(sources: list[Any]) -> None:
    """Whatever a driver imports of the core is among the modules that are promised to drivers."""
    drivers = [source for source in sources if source.path.startswith("drivers/")]
    rooms = {
        name.split(".")[1] for s in drivers for name in imported(s.tree, whole=True) if name.startswith("gateway.")
    }
    assert rooms
    assert rooms <= DRIVER_AUTHORS_READ


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter says of the code in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    return subprocess.run(
        [LINT_IMPORTS, "--no-logo", "--no-cache"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def imported(tree: ast.Module, *, whole: bool = False) -> set[str]:
    """Names of the modules that a module imports: in full, or their first part."""
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return names if whole else {name.split(".")[0] for name in names}
