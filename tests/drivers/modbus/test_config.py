from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from drivers.modbus.config import ModbusConnection, ModbusDevice, ModbusTag

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tests.drivers.modbus.conftest import MakeConnection


def only_error(model: type[BaseModel], given: dict[str, Any]) -> tuple[tuple[int | str, ...], str]:
    """Where and what the one error of a configuration is."""
    with pytest.raises(ValidationError) as raised:
        model.model_validate(given)
    (error,) = raised.value.errors()
    return error["loc"], error["msg"]


@pytest.mark.parametrize(
    ("tag", "data_type", "parameters"),
    [
        ({"address": "holding:100"}, "uint16", {"table": "holding", "order": "ABCD"}),
        ({"address": "30001", "type": "float32", "order": "CDAB"}, "float32", {"table": "input", "order": "CDAB"}),
        ({"address": "coil:12"}, "bool", {"table": "coil"}),
        ({"address": "discrete:12", "type": "bool"}, "bool", {"table": "discrete"}),
        (
            {"address": "holding:65535", "type": "int16", "order": "BADC"},
            "int16",
            {"table": "holding", "order": "BADC"},
        ),
        ({"address": "holding:65534", "type": "uint32"}, "uint32", {"table": "holding", "order": "ABCD"}),
    ],
)
def test_a_tag_says_its_type_and_all_that_makes_its_number(
    tag: dict[str, Any], data_type: str, parameters: dict[str, str]
) -> None:
    """Registers are uint16 and bits are bool where nothing is said; the order counts only where there are words."""
    config = ModbusTag.model_validate(tag)
    assert config.data_type() == data_type
    assert config.number_parameters() == parameters


@pytest.mark.parametrize(
    ("tag", "where", "says"),
    [
        ({"address": "adress"}, "address", "is no Modbus address"),
        ({"address": "holding:70000"}, "address", "from 0 to 65535"),
        ({"address": 40021}, "address", 'write the address in quotes: "40021"'),
        ({"address": None}, "address", "valid string"),
        ({"address": "holding:65535", "type": "float32"}, "type", "takes two registers"),
        ({"address": "465536", "type": "uint32"}, "type", 'documented as "465536"'),
        ({"address": "holding:1", "type": "bool"}, "type", "bool does not fit holding:1"),
        ({"address": "coil:1", "type": "uint16"}, "type", "a coil holds bool"),
        ({"address": "discrete:1", "type": "float32"}, "type", "a discrete holds bool"),
        ({"address": "holding:1", "type": "float"}, "type", "float32"),
        ({"address": "holding:1", "order": "CDAB"}, "order", "uint16 has one"),
        ({"address": "holding:1", "type": "int16", "order": "DCBA"}, "order", "write BADC"),
        ({"address": "holding:1", "type": "uint32", "order": "ACBD"}, "order", "CDAB"),
        ({"address": "coil:1", "order": "ABCD"}, "order", "leave order out"),
        ({"address": "coil:1", "scale": 0.1}, "scale", "leave scale out"),
        ({"address": "coil:1", "offset": 1.0}, "offset", "leave offset out"),
        ({"address": "discrete:1", "range": [0.0, 1.0]}, "range", "leave range out"),
    ],
)
def test_an_impossible_tag_is_refused_at_the_key_at_fault(tag: dict[str, Any], where: str, says: str) -> None:
    """One error, at the right key, with what to write instead."""
    loc, text = only_error(ModbusTag, tag)
    assert loc == (where,)
    assert says in text


def test_errors_of_a_tag_do_not_hide_behind_one_another() -> None:
    """A wrong address does not make its type and order wrong as well, but another wrong key is told."""
    with pytest.raises(ValidationError) as raised:
        ModbusTag.model_validate({"address": "nowhere", "type": "bool", "order": "DCBA", "deadband": -1.0})
    assert [error["loc"] for error in raised.value.errors()] == [("address",), ("deadband",)]


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
    assert config.reached_by() == {"driver": "modbus", "transport": "tcp", "host": "127.0.0.1", "port": 502}


def test_a_misspelt_key_of_a_tag_is_an_error(make_connection: MakeConnection) -> None:
    """The narrowed models stay strict."""
    with pytest.raises(ValidationError, match="adress"):
        make_connection(devices={"d": {"tags": {"t": {"address": "coil:1", "adress": "coil:1"}}}})
