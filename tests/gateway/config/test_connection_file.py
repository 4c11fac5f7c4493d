"""A driver that fails harms only the files that name it, and never with a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from pydantic import Field, field_validator

from gateway.config.load import load
from gateway.connection import ConnectionConfig, DeviceConfig, Name, TagConfig
from gateway.driver import DriverSpec
from gateway.registry import driver_spec
from tests.gateway.config.conftest import CONNECTION

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.gateway.config.conftest import ConfigurationFolder


class OddTag(TagConfig):
    @field_validator("address")
    @classmethod
    def _raises_what_it_must_not(cls, address: str) -> str:
        if address == "boom":
            raise KeyError("no\nsuch thing")
        return address

    def data_type(self) -> str:
        if self.address == "late":
            raise RuntimeError("forgot the type")
        return "float"


class OddDevice(DeviceConfig):
    tags: dict[Name, OddTag] = Field(min_length=1)  # type: ignore[assignment]  # narrowed by each driver


class OddConnection(ConnectionConfig):
    driver: Literal["odd"]
    devices: dict[Name, OddDevice] = Field(min_length=1)  # type: ignore[assignment]  # narrowed by each driver


def claims(config: OddConnection) -> frozenset[str]:
    if "claims" in config.devices:
        raise ZeroDivisionError("division by zero")
    return frozenset()


ODD = DriverSpec("odd", OddConnection, OddDevice, OddTag, "nowhere:Nothing", claims)

ODD_FILE = "version: 1\ndriver: odd\ndevices:\n  {device}: {{tags: {{level: {{address: {address}}}}}}}\n"


def registry(name: str) -> DriverSpec:
    return ODD if name == "odd" else driver_spec(name)


def told(folder: ConfigurationFolder, spec: Callable[[str], DriverSpec] = registry) -> list[str]:
    result = load(folder.path, spec, lambda: ["odd", "sim"])
    assert result.configuration is not None
    assert "press-hall" in [connection.name for connection in result.configuration.connections]
    return [problem.sentence for problem in result.problems]


def test_driver_from_elsewhere_is_as_good_as_a_shipped_one(folder: ConfigurationFolder) -> None:
    """Names and specifications come from whoever is asked for them."""
    folder.connection("odd", ODD_FILE.format(device="d", address="fine"))
    assert told(folder) == []


@pytest.mark.parametrize(
    ("device", "address", "fault"),
    [
        ("d", "boom", "KeyError: 'no\\nsuch thing'"),
        ("d", "late", "RuntimeError: forgot the type"),
        ("claims", "fine", "ZeroDivisionError: division by zero"),
    ],
)
def test_driver_that_raises_is_named(folder: ConfigurationFolder, device: str, address: str, fault: str) -> None:
    """The technician learns that the mistake is not theirs; other connections run."""
    folder.connection("odd", ODD_FILE.format(device=device, address=address))
    assert told(folder) == [
        (
            "connections/odd.yaml:1:1: driver odd failed while it checked this file, "
            f"which is an error of the driver: {fault}"
        )
    ]


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (ModuleNotFoundError("No module named 'odd_lib'"), "ModuleNotFoundError: No module named 'odd_lib'"),
        (
            AttributeError("module 'odd' has no attribute 'SPEC'"),
            "AttributeError: module 'odd' has no attribute 'SPEC'",
        ),
        (SyntaxError("invalid syntax"), "SyntaxError: invalid syntax"),
        (OSError("liblgpio.so:\n cannot open"), "OSError: liblgpio.so: cannot open"),
    ],
)
def test_driver_that_cannot_be_loaded_is_named(folder: ConfigurationFolder, error: Exception, fault: str) -> None:
    """What keeps a driver from being imported stands in one line at the place where it is named."""

    def failing(name: str) -> DriverSpec:
        if name == "odd":
            raise error
        return driver_spec(name)

    folder.connection("odd", ODD_FILE.format(device="d", address="fine"))
    assert told(folder, failing) == [f"connections/odd.yaml:2:9: driver odd cannot be loaded: {fault}"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("driver: simm", "2:9: no driver is called 'simm' (did you mean 'sim'?; installed: gpio, modbus, opcua, sim)"),
        ("driver: Sim", "2:9: no driver is called 'Sim' (did you mean 'sim'?; installed: gpio, modbus, opcua, sim)"),
        ("driver: ''", "2:9: no driver is called '' (installed: gpio, modbus, opcua, sim)"),
        (
            "driver: [sim]",
            "2:9: driver must be the name of a driver, not a list (installed: gpio, modbus, opcua, sim)",
        ),
        (
            "driver: 5",
            "2:9: driver must be the name of a driver, not the number 5 (installed: gpio, modbus, opcua, sim)",
        ),
        ("driver:", "2:1: 'driver' has no value"),
        (
            "driver: no",
            "2:9: 'no' is true or false or text, depending on who reads it: write true or false, or quote it",
        ),
        ("# none", "1:1: the key 'driver' is missing (installed: gpio, modbus, opcua, sim)"),
        ("Driver: sim", "2:1: unknown key 'Driver' (did you mean 'driver'?)"),
    ],
)
def test_driver_that_is_not_named_well_is_one_problem(folder: ConfigurationFolder, line: str, message: str) -> None:
    """Without its driver a file cannot be checked further."""
    folder.connection(text=CONNECTION.replace("driver: sim", line))
    assert folder.told() == [f"connections/press-hall.yaml:{message}"]
