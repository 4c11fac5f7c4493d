from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
import yaml

import drivers.modbus
from drivers.modbus.spec import SPEC
from drivers.modbus.tag import TypeName
from gateway.connection import ConnectionConfig, DeviceConfig, TagConfig
from gateway.driver import PollingDriver
from gateway.registry import driver_spec
from gateway.testing import ManualClock

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tests.drivers.modbus.conftest import MakeConnection

EXAMPLE = Path(drivers.modbus.__file__).with_name("example.yaml")
README = EXAMPLE.with_name("README.md")


def test_the_specification_does_not_load_pymodbus() -> None:
    """A configuration is checked, and help shown, without the field library."""
    loaded = "[name for name in sys.modules if name.startswith(('pymodbus', 'serial'))]"
    program = f"import sys, drivers.modbus.spec; print({loaded})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_driver_is_found_by_its_name() -> None:
    """The entry point leads to the specification."""
    assert driver_spec("modbus") is SPEC
    assert SPEC.name == "modbus"


def test_the_example_is_valid() -> None:
    """What a technician copies is accepted as it stands."""
    config = SPEC.connection.model_validate(yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")))
    assert isinstance(SPEC.build(config, ManualClock()), PollingDriver)


@pytest.mark.parametrize(
    ("model", "common"),
    [(SPEC.connection, ConnectionConfig), (SPEC.device, DeviceConfig), (SPEC.tag, TagConfig)],
)
def test_the_manual_names_every_key_of_the_driver(model: type[BaseModel], common: type[BaseModel]) -> None:
    """No key is left out of the README but those that all drivers have, and each is described in the schema."""
    manual = README.read_text(encoding="utf-8")
    for name, field in model.model_fields.items():
        assert field.description
        assert f"`{name}`" in manual or name in common.model_fields
    assert "config/README.md" in manual


def test_the_manual_names_every_type() -> None:
    """With what it holds."""
    manual = README.read_text(encoding="utf-8")
    assert [name for name in get_args(TypeName) if f"`{name}`" not in manual] == []


def test_a_connection_claims_its_end_point(make_connection: MakeConnection) -> None:
    """Two connections to one PLC are found, however its name is written."""
    devices = {"d": {"tags": {"t": {"address": "coil:1"}}}}
    assert SPEC.claims(make_connection(host="192.168.1.5", devices=devices)) == {"tcp 192.168.1.5:502"}
    assert SPEC.claims(make_connection(host="PLC-7", port=503, devices=devices)) == {"tcp plc-7:503"}
    assert SPEC.claims(make_connection(host="fd00::5", devices=devices)) == {"tcp [fd00::5]:502"}
    by_eth1 = make_connection(host="192.168.1.5", interface="eth1", devices=devices)
    assert SPEC.claims(by_eth1) == {"tcp 192.168.1.5:502 by eth1"}
