"""Where the parts of a driver lie: one folder in drivers/, and one line in pyproject.toml that names it."""

from __future__ import annotations

import tomllib

import pytest

from gateway.registry import GROUP, driver_spec
from tests.contract.conftest import DRIVERS, TAUGHT

FOLDERS = sorted(path.name for path in DRIVERS.iterdir() if path.is_dir() and path.name != "__pycache__")


@pytest.mark.parametrize("name", FOLDERS)
def test_each_folder_is_a_driver_of_its_name(name: str) -> None:
    """A folder that nobody registered, or registered under another name, would lie there unused."""
    project = tomllib.loads((DRIVERS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"][GROUP].get(name) == f"drivers.{name}.spec:SPEC"
    assert driver_spec(name).name == name


@pytest.mark.parametrize("name", FOLDERS)
def test_each_model_stands_in_the_config_of_its_folder(name: str) -> None:
    """Whoever looks for a key of the file finds it where drivers/README.md says."""
    spec = driver_spec(name)
    assert {model.__module__ for model in (spec.connection, spec.device, spec.tag)} == {f"drivers.{name}.config"}


def test_no_driver_has_the_name_of_the_one_that_is_taught() -> None:
    """The driver in drivers/README.md must not stand in the way of a real one."""
    assert TAUGHT not in FOLDERS
