"""What the core sees of the driver before it is built."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

import drivers.opcua
from drivers.opcua.spec import SPEC
from gateway.collect.plan import devices_of
from gateway.registry import driver_spec

EXAMPLE = Path(drivers.opcua.__file__).with_name("example.yaml")


def test_the_specification_is_imported_without_the_field_library() -> None:
    """A gateway without OPC UA does not carry its 24 MB, and `check` works without it."""
    look = "import sys, drivers.opcua.spec; print('asyncua' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_registry_finds_it() -> None:
    """By the name that stands in the files."""
    assert driver_spec("opcua") is SPEC


def test_two_connections_to_one_server_claim_the_same() -> None:
    """However its url is written."""
    example = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    one = SPEC.connection.model_validate(example | {"url": "opc.tcp://PLC"})
    other = SPEC.connection.model_validate(example | {"url": "opc.tcp://plc:4840/"})
    assert SPEC.claims(one) == SPEC.claims(other) == {"opc.tcp://plc:4840"}


def test_the_example_is_a_valid_connection() -> None:
    """What a technician copies works, and shows every type."""
    config = SPEC.connection.model_validate(yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")))
    types = {tag.type for device in devices_of(config) for tag in device.plan.tags}
    assert types >= {"auto", "bool", "int", "text"}
