"""The folder of a driver: what lies in it, and that the core finds it."""

from __future__ import annotations

import shutil
import tomllib
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
import yaml

from gateway.registry import GROUP, driver_names, driver_spec
from tests.contract.conftest import DRIVERS, TAUGHT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REPOSITORY = DRIVERS.parent
FOLDERS = sorted(path.name for path in DRIVERS.iterdir() if path.is_dir() and not path.name.startswith(("_", ".")))
FILES = ("README.md", "__init__.py", "config.py", "driver.py", "example.yaml", "spec.py")


def entry_points() -> dict[str, str]:
    """Name to target, as pyproject.toml declares them."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared: dict[str, str] = project["entry-points"][GROUP]
    return declared


def faults(folder: Path, declared: Mapping[str, str]) -> list[str]:
    """What is missing or wrong in a driver's folder."""
    found = [f"{name} is missing" for name in FILES if not (folder / name).is_file()]
    target = declared.get(folder.name)
    if target != f"drivers.{folder.name}.spec:SPEC":
        found.append(f"pyproject.toml has no entry point for drivers.{folder.name}.spec:SPEC")
    return found


@pytest.mark.parametrize("name", FOLDERS)
def test_every_folder_is_whole_and_registered(name: str) -> None:
    """Manual, example, models, specification, driver, and the one line in pyproject.toml."""
    assert faults(DRIVERS / name, entry_points()) == []


@pytest.mark.parametrize("missing", FILES)
def test_a_folder_without_one_of_its_files_is_refused(missing: str, tmp_path: Path) -> None:
    """The test above is not blind: take any file away and it tells which."""
    folder = tmp_path / "sim"
    shutil.copytree(DRIVERS / "sim", folder)
    (folder / missing).unlink()
    assert faults(folder, entry_points()) == [f"{missing} is missing"]


def test_a_folder_without_an_entry_point_is_refused() -> None:
    """Nor is a driver whole that the core cannot find."""
    others = {name: target for name, target in entry_points().items() if name != "sim"}
    assert faults(DRIVERS / "sim", others) == ["pyproject.toml has no entry point for drivers.sim.spec:SPEC"]


def test_no_entry_point_leads_nowhere() -> None:
    """Each one declared has its folder, and the installed ones are those declared: else install anew."""
    assert sorted(entry_points()) == FOLDERS
    assert set(FOLDERS) <= set(driver_names())


@pytest.mark.parametrize("name", FOLDERS)
def test_the_specification_wears_the_name_of_its_folder(name: str) -> None:
    """Folder, entry point, `SPEC.name` and the `driver:` of the example are one word."""
    spec = driver_spec(name)
    assert spec is import_module(f"drivers.{name}.spec").SPEC
    assert spec.name == name
    assert yaml.safe_load((DRIVERS / name / "example.yaml").read_text(encoding="utf-8"))["driver"] == name


@pytest.mark.parametrize("name", FOLDERS)
def test_each_model_stands_in_its_folder(name: str) -> None:
    """Whoever looks for a key of the file finds it where drivers/README.md says: config.py, or a file for each."""
    spec = driver_spec(name)
    for model, file in ((spec.connection, "connection"), (spec.device, "device"), (spec.tag, "tag")):
        assert model.__module__ in {f"drivers.{name}.config", f"drivers.{name}.{file}"}


def test_no_driver_has_the_name_of_the_one_that_is_taught() -> None:
    """The driver in drivers/README.md must not stand in the way of a real one."""
    assert TAUGHT not in FOLDERS


@pytest.mark.parametrize("name", FOLDERS)
def test_the_manual_shows_every_key_of_the_driver(name: str) -> None:
    """README.md begins with a title, leads to the example, and names each key that the driver adds to the core's."""
    manual = (DRIVERS / name / "README.md").read_text(encoding="utf-8")
    assert manual.startswith("# ")
    assert "example.yaml" in manual
    spec = driver_spec(name)
    for model in (spec.connection, spec.device, spec.tag):
        core = {key for base in model.__mro__[1:] for key in getattr(base, "model_fields", {})}
        for key in set(model.model_fields) - core:
            assert f"`{key}" in manual or f"{key}:" in manual, key


@pytest.mark.parametrize("name", FOLDERS)
def test_its_own_tests_stand_in_a_folder_of_its_name(name: str) -> None:
    """The tests mirror the code."""
    assert list((REPOSITORY / "tests" / "drivers" / name).glob("test_*.py"))
