"""Writes against servers that others wrote. What they hold is read as bare registers and compared with typed bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import pytest

from drivers.modbus.driver import ModbusDriver
from drivers.modbus.question import Question
from gateway.collect.plan import devices_of
from gateway.driver import DeviceRefused
from gateway.testing import ManualClock
from tests.drivers.modbus.writable_servers import libmodbus_on_a_bus, pymodbus_server, umodbus_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.drivers.modbus.conftest import MakeConnection

WRITTEN: dict[str, tuple[dict[str, Any], Any, str]] = {
    "uint16": ({"address": "holding:20"}, 555, "022b"),
    "int16": ({"address": "holding:21", "type": "int16", "order": "BADC"}, -2, "feff"),
    "uint32": ({"address": "holding:22", "type": "uint32"}, 0x01020304, "01020304"),
    "float32": ({"address": "holding:24", "type": "float32", "order": "CDAB"}, 123.45, "e66642f6"),
    "float64": ({"address": "holding:26", "type": "float64", "order": "CDAB"}, 3.141592653589793, "2d18544421fb4009"),
    "int64": ({"address": "holding:30", "type": "int64", "order": "DCBA"}, -2, "feffffffffffffff"),
    "bcd32": ({"address": "40035", "type": "bcd32"}, 12345678, "12345678"),
    "float16": ({"address": "holding:36", "type": "float16"}, 71.3, "5475"),
    "string": ({"address": "holding:38", "type": "string", "length": 8}, "PM5660", "504d353636300000"),
    "bytes": ({"address": "holding:42", "type": "bytes", "length": 4}, "c0a80105", "c0a80105"),
    "cp56time2a": ({"address": "holding:44", "type": "cp56time2a"}, "2026-11-24T10:15:30.250", "001a0b180a0f762a"),
    "unix32": ({"address": "holding:48", "type": "unix32"}, "2012-05-16T10:36:46Z", "4fb3833e"),
}
"""Keys of a tag, the value, and the registers that it gives, typed by hand."""


class Bench:
    """A driver on one unit of a server."""

    def __init__(self, make: MakeConnection, reach: dict[str, Any], tags: dict[str, Any], **device: Any) -> None:
        config = make(**reach, devices={"press": {"unit_id": 1, "timeout_s": 20.0, "tags": tags, **device}})
        (self.device,) = devices_of(config)
        self.driver = ModbusDriver(config, ManualClock())

    async def __aenter__(self) -> Self:
        await self.driver.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.driver.close()

    async def write(self, tag: str, value: Any) -> None:
        await self.driver.write(self.device, tag, value)

    async def registers(self, address: int, count: int) -> str:
        pdu = bytes([3]) + address.to_bytes(2, "big") + count.to_bytes(2, "big")
        return (await self.driver.ask(Question(1, pdu, 20.0, "the test")))[2:].hex()

    async def coils(self, address: int, count: int) -> int:
        pdu = bytes([1]) + address.to_bytes(2, "big") + count.to_bytes(2, "big")
        return int.from_bytes((await self.driver.ask(Question(1, pdu, 20.0, "the test")))[2:], "little")


class Server(NamedTuple):
    """Who made it, and how it is reached."""

    maker: str
    reach: dict[str, Any]

    @property
    def lacks_masks(self) -> bool:
        """It knows functions 1 to 6, 15 and 16 only, as many devices do."""
        return self.maker == "umodbus"


@pytest.fixture(params=["libmodbus", "libmodbus on a bus", "pymodbus", "umodbus"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """One after the other."""
    if request.param == "libmodbus":
        yield Server("libmodbus", {"port": request.getfixturevalue("libmodbus_port")})
    elif request.param == "pymodbus":
        async with pymodbus_server() as port:
            yield Server("pymodbus", {"port": port})
    elif request.param == "umodbus":
        with umodbus_server() as port:
            yield Server("umodbus", {"port": port})
    else:
        with libmodbus_on_a_bus(request.getfixturevalue("libmodbus_server")) as port:
            yield Server("libmodbus", {"transport": "rtu", "host": None, "port": port, "parity": "none"})


async def test_every_type_is_written_as_it_must_be(server: Server, make_connection: MakeConnection) -> None:
    """By functions 6 and 16, read back as it was written; servers of three makers hold the same bytes."""
    tags = {name: keys for name, (keys, _, _) in WRITTEN.items()}
    async with Bench(make_connection, server.reach, tags) as bench:
        for name, (_, value, wire) in WRITTEN.items():
            await bench.write(name, value)
            place = bench.device.config.tags[name].place
            assert await bench.registers(place.number, len(wire) // 4) == wire, name


async def test_coils_are_written_one_by_one(server: Server, make_connection: MakeConnection) -> None:
    """By function 5 and by function 15; the coils beside them stay."""
    tags = {"a": {"address": "coil:31"}, "b": {"address": "00033"}}
    for writes in ("auto", "multiple"):
        async with Bench(make_connection, server.reach, tags, writes=writes) as bench:
            before = await bench.coils(30, 4) & 0b0101
            await bench.write("a", True)
            await bench.write("b", False)
            assert await bench.coils(30, 4) & 0b0111 == before & 0b0001 | 0b0010


async def test_bits_are_written_by_a_mask(server: Server, make_connection: MakeConnection) -> None:
    """By function 22, where the server has it; where not, the error says what to set, and that works."""
    tags = {
        "whole": {"address": "holding:60"},
        "low": {"address": "holding:60.0-3"},
        "high": {"address": "holding:60.15"},
    }
    async with Bench(make_connection, server.reach, tags) as bench:
        await bench.write("whole", 0x7FF0)
        if server.lacks_masks:
            with pytest.raises(DeviceRefused, match="does not know function 22: set bit_writes: read_modify_write"):
                await bench.write("low", 5)
        else:
            await bench.write("low", 5)
            await bench.write("high", True)
            assert await bench.registers(60, 1) == "fff5"
    async with Bench(make_connection, server.reach, tags, bit_writes="read_modify_write") as bench:
        await bench.write("whole", 0x0FF0)
        await bench.write("low", 10)
        await bench.write("high", True)
        assert await bench.registers(60, 1) == "8ffa"


async def test_registers_are_written_and_read_at_once(server: Server, make_connection: MakeConnection) -> None:
    """By function 23, where the server has it."""
    tags = {"t": {"address": "holding:70", "type": "uint32"}}
    async with Bench(make_connection, server.reach, tags, writes="read_write") as bench:
        if server.lacks_masks:
            with pytest.raises(DeviceRefused, match="does not know function 23: set writes at the device"):
                await bench.write("t", 0x01020304)
        else:
            await bench.write("t", 0x01020304)
            assert await bench.registers(70, 2) == "01020304"


async def test_an_address_that_the_server_lacks_is_refused(server: Server, make_connection: MakeConnection) -> None:
    """Exception 02 of somebody else's making."""
    async with Bench(make_connection, server.reach, {"t": {"address": "holding:4000"}}) as bench:
        with pytest.raises(DeviceRefused, match=r"press \(unit 1\), t at holding:4000 .*exception 02"):
            await bench.write("t", 1)
