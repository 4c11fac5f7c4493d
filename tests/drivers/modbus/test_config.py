from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from drivers.modbus.config import ModbusDevice
from drivers.modbus.connection import ModbusConnection

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tests.drivers.modbus.conftest import MakeConnection


def only_error(model: type[BaseModel], given: dict[str, Any]) -> tuple[tuple[int | str, ...], str]:
    """Where and what the one error of a configuration is."""
    with pytest.raises(ValidationError) as raised:
        model.model_validate(given)
    (error,) = raised.value.errors()
    return error["loc"], error["msg"]


@pytest.mark.parametrize("host", ["192.168.1.5", "plc-7", "plc_7.hall2.acme.example", "fd00::5", "PLC7", "7.plc"])
def test_hosts_are_names_and_addresses(host: str) -> None:
    """What a technician calls a host."""
    file = {"version": 1, "driver": "modbus", "host": host, "devices": {"d": {"tags": {"t": {"address": "coil:1"}}}}}
    assert ModbusConnection.model_validate(file).host == host


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("tcp://192.168.1.5", "without tcp://"),
        ("192.168.1.5:502", "the port number goes into `port`"),
        ("192.168.1.300", "neither a host name nor an IP address"),
        ("192.168.1", "neither a host name nor an IP address"),
        ("", "neither a host name nor an IP address"),
        ("plc 7", "neither a host name nor an IP address"),
        ("plc/7", "neither a host name nor an IP address"),
    ],
)
def test_what_is_no_host_is_refused(host: str, says: str) -> None:
    """No scheme, no port, no numbers that are no address."""
    file = {"version": 1, "driver": "modbus", "host": host, "devices": {"d": {"tags": {"t": {"address": "coil:1"}}}}}
    loc, text = only_error(ModbusConnection, file)
    assert loc == ("host",)
    assert says in text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("unit_id", -1),
        ("unit_id", 256),
        ("unit_id", "1"),
        ("max_registers", 1),
        ("max_registers", 126),
        ("max_gap", -1),
    ],
)
def test_numbers_of_a_device_stay_in_their_range(key: str, value: object) -> None:
    """Unit ids are one byte; fewer than two registers an answer would cut values."""
    loc, _ = only_error(ModbusDevice, {key: value, "tags": {"t": {"address": "holding:1"}}})
    assert loc == (key,)


def test_port_and_transport_have_their_usual_values(make_connection: MakeConnection) -> None:
    """A file without them means TCP on port 502."""
    config = make_connection(devices={"d": {"tags": {"t": {"address": "coil:1"}}}})
    assert (config.transport, config.port, config.devices["d"].unit_id) == ("tcp", 502, 1)
    assert {"transport": "tcp", "host": "127.0.0.1", "port": 502}.items() <= config.reached_by().items()


def test_a_misspelt_key_of_a_tag_is_an_error(make_connection: MakeConnection) -> None:
    """The narrowed models stay strict."""
    with pytest.raises(ValidationError, match="adress"):
        make_connection(devices={"d": {"tags": {"t": {"address": "coil:1", "adress": "coil:1"}}}})
