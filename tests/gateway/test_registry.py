"""Drivers by name, loaded when first used."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gateway.registry import driver_names, driver_spec


def test_the_shipped_drivers_are_found_by_their_entry_points() -> None:
    """Third parties add theirs the same way."""
    assert {"gpio", "modbus", "opcua", "sim"} <= set(driver_names())


@pytest.mark.parametrize("name", ["gpio", "modbus", "opcua", "sim"])
def test_a_specification_bears_its_own_name(name: str) -> None:
    """The name in the files, in the entry point and in the specification are one."""
    assert driver_spec(name).name == name


def test_an_unknown_name_is_a_lookup_error() -> None:
    """The configuration turns it into a line with its place."""
    with pytest.raises(LookupError, match="modbuss"):
        driver_spec("modbuss")


def test_naming_the_drivers_imports_none() -> None:
    """Asyncua alone costs tens of megabytes."""
    code = "import sys; from gateway.registry import driver_names; driver_names(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in loaded if name.partition(".")[0] in ("drivers", "asyncua", "pymodbus", "gpiozero")]
