"""A device with a tag of every type, read over a socket: what comes out, and that nothing is decoded twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from drivers.modbus.driver import ModbusDriver
from drivers.modbus.tag import TypeName
from gateway.collect.plan import devices_of
from gateway.model import Quality
from gateway.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from drivers.modbus.decode import Decoded
    from gateway.driver import Request
    from tests.drivers.modbus.conftest import MakeConnection, Plc

TAGS: dict[str, dict[str, Any]] = {
    "bool": {"address": "holding:0.15"},
    "uint8": {"address": "holding:0.low"},
    "int8": {"address": "holding:0.high", "type": "int8"},
    "uint16": {"address": "holding:0"},
    "int16": {"address": "holding:0", "type": "int16"},
    "uint32": {"address": "holding:1", "type": "uint32", "order": "CDAB"},
    "int32": {"address": "holding:3", "type": "int32"},
    "uint64": {"address": "holding:5", "type": "uint64", "order": "BADCFEHG"},
    "int64": {"address": "holding:9", "type": "int64", "order": "DCBA"},
    "float16": {"address": "holding:13", "type": "float16"},
    "float32": {"address": "holding:14", "type": "float32", "order": "CDAB"},
    "float64": {"address": "holding:16", "type": "float64"},
    "bcd16": {"address": "holding:20", "type": "bcd16"},
    "bcd32": {"address": "holding:21", "type": "bcd32"},
    "bcd64": {"address": "holding:23", "type": "bcd64"},
    "string": {"address": "holding:27", "type": "string", "length": 5},
    "bytes": {"address": "holding:30", "type": "bytes", "length": 6},
    "cp56time2a": {"address": "holding:33", "type": "cp56time2a"},
    "s7_date_and_time": {"address": "holding:37", "type": "s7_date_and_time"},
    "s7_dtl": {"address": "holding:41", "type": "s7_dtl"},
    "ymdhms": {"address": "holding:47", "type": "ymdhms"},
    "unix32": {"address": "holding:53", "type": "unix32"},
    "unix64": {"address": "holding:55", "type": "unix64"},
    "unix64_ms": {"address": "holding:59", "type": "unix64_ms"},
    "missing": {"address": "holding:63", "type": "int16", "not_available": ["sunspec"]},
}
WIRE = (
    "80FE 0304 0102 FFFF FFFE 0201 0403 0605 0807 FEFF FFFF FFFF FFFF 5475 E666 42F6 "
    "4009 21FB 5444 2D18 1234 1234 5678 0000 0001 2345 6789 504D 3536 3630 00A0 F200 "
    "1122 001A 0B18 0A0F 762A 2611 2410 1530 2503 07EA 0B18 030A 0F1E 0EE6 B280 07EA "
    "000B 0018 000A 000F 001E 4FB3 833E 0000 0000 6B05 63A4 0000 01A2 0D0D 38B0 8000 "
)
VALUES: dict[str, Any] = {
    "bool": True,
    "uint8": 254,
    "int8": -128,
    "uint16": 0x80FE,
    "int16": 0x80FE - 0x10000,
    "uint32": 0x01020304,
    "int32": -2,
    "uint64": 0x0102030405060708,
    "int64": -2,
    "float16": 71.3,
    "float32": 123.45,
    "float64": 3.141592653589793,
    "bcd16": 1234,
    "bcd32": 12345678,
    "bcd64": 123456789,
    "string": "PM566",
    "bytes": "00a0f2001122",
    "cp56time2a": "2026-11-24T10:15:30.250",
    "s7_date_and_time": "2026-11-24T10:15:30.250",
    "s7_dtl": "2026-11-24T10:15:30.250",
    "ymdhms": "2026-11-24T10:15:30",
    "unix32": "2012-05-16T10:36:46Z",
    "unix64": "2026-11-24T10:15:00Z",
    "unix64_ms": "2026-11-24T10:15:00.016Z",
    "missing": None,
}


REGISTERS = [int(register, 16) for register in WIRE.split()]


@pytest.fixture
async def driver_and_request(plc: Plc, make_connection: MakeConnection) -> AsyncIterator[tuple[ModbusDriver, Request]]:
    """An open driver, and the one request that reads all these tags."""
    config = make_connection(port=plc.port, devices={"press": {"tags": TAGS, "timeout_s": 20.0}})
    driver = ModbusDriver(config, ManualClock())
    await driver.open()
    (request,) = driver.requests(devices_of(config))
    yield driver, request
    await driver.close()


def test_no_type_is_left_out() -> None:
    """A new one must be added here."""
    assert set(TAGS) - {"missing"} == set(get_args(TypeName))


async def test_one_request_reads_a_tag_of_every_type(
    plc: Plc, driver_and_request: tuple[ModbusDriver, Request]
) -> None:
    """All from one reply, each by its own type and order, and what stood in the registers of the missing one."""
    driver, request = driver_and_request
    plc.answer = lambda asked: [asked.reply(*REGISTERS)]
    reply = await driver.read(request)
    names = [list(TAGS)[position] for position in request.positions]
    assert dict(zip(names, reply.values, strict=True)) == VALUES
    assert reply.quality is not None
    qualities = dict(zip(names, reply.quality, strict=True))
    assert {name for name, quality in qualities.items() if quality is not Quality.GOOD} == {"missing"}
    assert reply.raw == {names.index("missing"): -32768}


async def test_unchanged_bytes_are_not_decoded_again(
    plc: Plc, driver_and_request: tuple[ModbusDriver, Request]
) -> None:
    """Whatever the type: the raw reply is compared first, and a change of any register is seen."""
    driver, request = driver_and_request
    decode, decoded = request.detail.decode, []

    def counting(raw: bytes) -> Decoded:
        decoded.append(raw)
        result: Decoded = decode(raw)
        return result

    request.detail.decode = counting
    registers = list(REGISTERS)
    plc.answer = lambda asked: [asked.reply(*registers)]
    first = await driver.read(request)
    for changed, _ in enumerate(registers, 2):
        again = await driver.read(request)
        assert (again.unchanged, len(decoded)) == (True, changed - 1)
        assert (again.values, again.quality, again.raw) == (first.values, first.quality, first.raw)
        registers[changed - 2] ^= 1
        first = await driver.read(request)
        assert (first.unchanged, len(decoded)) == (False, changed)
