from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from drivers.modbus.connection import ModbusConnection
from drivers.modbus.spec import claims
from gateway.collect.plan import devices_of

ONE = {"d": {"tags": {"t": {"address": "coil:1"}}}}
TWO_UNITS = {name: {"unit_id": unit, **ONE["d"]} for name, unit in (("a", 1), ("b", 2))}
BUS = {"transport": "rtu", "port": "/dev/ttyAMA0"}
CONVERTER = {"transport": "rtu_over_tcp", "host": "10.0.0.7", "port": 4001}


def connection(**keys: Any) -> ModbusConnection:
    """A checked connection."""
    return ModbusConnection.model_validate({"version": 1, "driver": "modbus", "devices": ONE, **keys})


def errors(**keys: Any) -> list[tuple[str, str]]:
    """Key and text, or kind where pydantic words it, of each error."""
    with pytest.raises(ValidationError) as raised:
        connection(**keys)
    found = [(error["loc"], error.get("ctx", {}).get("error", error["type"])) for error in raised.value.errors()]
    return [(str(loc[0]), str(text)) for loc, text in found]


@pytest.mark.parametrize(
    ("keys", "end_point", "claim"),
    [
        ({"host": "PLC-7"}, "plc-7:502", "tcp plc-7:502"),
        ({"host": "fd00::5", "port": 1502}, "[fd00::5]:1502", "tcp [fd00::5]:1502"),
        ({"transport": "tls", "host": "plc-7"}, "plc-7:802", "tcp plc-7:802"),
        (CONVERTER, "10.0.0.7:4001", "tcp 10.0.0.7:4001"),
        (BUS, "/dev/ttyAMA0", "serial port /dev/ttyAMA0"),
    ],
)
def test_each_transport_has_its_end_point(keys: dict[str, Any], end_point: str, claim: str) -> None:
    """What is connected to, and what no other connection may take."""
    config = connection(**keys)
    assert (config.end_point, claims(config)) == (end_point, {claim})


@pytest.mark.parametrize(
    ("keys", "key", "says"),
    [
        ({}, "host", "missing"),
        ({"transport": "tls"}, "host", "missing"),
        ({"transport": "rtu_over_tcp", "host": "h"}, "port", "missing"),
        ({"transport": "rtu"}, "port", "missing"),
        ({**BUS, "port": 502}, "port", "rtu needs a serial port, such as /dev/serial/by-id/usb-"),
        ({**BUS, "port": "ttyUSB0"}, "port", "'ttyUSB0': write the whole path, beginning with /"),
        ({"host": "h", "port": "/dev/ttyUSB0"}, "port", "a serial port needs transport: rtu"),
        ({"host": "h", "port": 0}, "port", "a TCP port is 1 to 65535, not 0"),
        ({"host": "h", "port": 65_536}, "port", "a TCP port is 1 to 65535, not 65536"),
        ({**BUS, "host": "h"}, "host", "leave it out with transport: rtu"),
        ({**BUS, "connections": 2}, "connections", "connections is for transport: tcp, tls"),
        ({**CONVERTER, "connections": 2}, "connections", "leave it out with transport: rtu_over_tcp"),
        ({**BUS, "connect_delay_s": 1.0}, "connect_delay_s", "is for transport: rtu_over_tcp, tcp, tls"),
        ({**BUS, "tls": {}}, "tls", "tls is for transport: tls"),
        ({"host": "h", "baudrate": 9600}, "baudrate", "baudrate is for transport: rtu, rtu_over_tcp"),
        ({"host": "h", "parity": "none"}, "parity", "parity is for transport: rtu, rtu_over_tcp"),
        ({"host": "h", "stop_bits": 1}, "stop_bits", "stop_bits is for"),
        ({**CONVERTER, "rs485": {}}, "rs485", "rs485 is for transport: rtu;"),
        ({"host": "h", "local_echo": "discard"}, "local_echo", "local_echo is for"),
        ({"host": "h", "late_reply_s": 3.0}, "late_reply_s", "late_reply_s is for"),
        ({**BUS, "devices": {"d": {"unit_id": 0, **ONE["d"]}}}, "devices", "units on a serial line have 1 to 247"),
        ({**BUS, "devices": {"d": {"unit_id": 248, **ONE["d"]}}}, "devices", "have 1 to 247"),
        ({"transport": "tls", "host": "h", "tls": {"ca": "ca.pem"}}, "tls", "write the whole path"),
        ({"transport": "tls", "host": "h", "tls": {"certificate": "/c.pem"}}, "tls", "belong together"),
        ({"transport": "tls", "host": "h", "tls": {"key": "/k.pem"}}, "tls", "belong together"),
        ({"transport": "ascii", "host": "h", "baudrate": 9600}, "transport", "literal_error"),
    ],
)
def test_what_does_not_fit_the_transport_is_one_error_at_its_key(keys: dict[str, Any], key: str, says: str) -> None:
    """Each mistake is told once, at the key that is at fault."""
    ((where, text),) = errors(**keys)
    assert where == key
    assert says in text


@pytest.mark.parametrize(
    ("keys", "period_s", "timeout_s"),
    [
        ({"host": "h"}, 1.0, 1.0),
        ({"host": "h", "devices": TWO_UNITS}, 1.0, 2.0),
        ({"transport": "tls", "host": "h"}, 1.0, 1.0),
        (BUS, 5.0, 1.0),
        (CONVERTER, 5.0, 2.0),
        ({**BUS, "defaults": {"period_s": 2.0, "timeout_s": 0.5}}, 2.0, 0.5),
    ],
)
def test_the_usual_timing_depends_on_the_transport(keys: dict[str, Any], period_s: float, timeout_s: float) -> None:
    """A serial line is slow, and behind a converter the units wait for one another."""
    for device in devices_of(connection(**keys)):
        assert (device.timing.period_s, device.timing.timeout_s, device.timing.retries) == (period_s, timeout_s, 1)


def test_the_line_is_known_where_there_is_one() -> None:
    """Also behind a converter, for the read plan and for the silence between frames."""
    line = connection(**CONVERTER, baudrate=9600, parity="none", stop_bits=1).line
    assert line is not None
    assert line.character_s == pytest.approx(10 / 9600)
    assert connection(host="h").line is None


def test_units_share_one_id_only_where_they_may() -> None:
    """Two devices of one unit are two parts of the same; all settings of the link stand at the connection."""
    devices = {"a": ONE["d"], "b": ONE["d"]}
    assert [device.unit_id for device in connection(**BUS, devices=devices).devices.values()] == [1, 1]
