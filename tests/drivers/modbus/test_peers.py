from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drivers.modbus.driver import ModbusDriver
from gateway.collect.plan import devices_of
from gateway.driver import DeviceRefused
from gateway.testing import ManualClock

if TYPE_CHECKING:
    from gateway.model import Cell
    from tests.drivers.modbus.conftest import MakeConnection, ReadAll


@pytest.fixture
async def read_all(libmodbus_port: int, make_connection: MakeConnection) -> ReadAll:
    """Reads tags from the server: values by name, as one device with one connection."""

    async def read(tags: dict[str, Any], **settings: Any) -> dict[str, Cell]:
        config = make_connection(port=libmodbus_port, devices={"meter": {"tags": tags, "timeout_s": 20.0, **settings}})
        driver = ModbusDriver(config, ManualClock())
        names = list(tags)
        values: dict[str, Cell] = {}
        await driver.open()
        try:
            for request in driver.requests(devices_of(config)):
                reply = await driver.read(request)
                values |= {names[at]: value for at, value in zip(request.positions, reply.values, strict=True)}
        finally:
            await driver.close()
        return values

    return read


async def test_it_reads_what_libmodbus_serves(read_all: ReadAll) -> None:
    """All four tables, all types, all orders as libmodbus writes them, in blocks with gaps."""
    orders = {10: "ABCD", 12: "CDAB", 14: "BADC", 16: "DCBA"}
    tags = {
        **{order: {"address": f"holding:{at}", "type": "float32", "order": order} for at, order in orders.items()},
        "negative": {"address": "holding:18", "type": "int32"},
        "first": {"address": "40001"},
        "swapped": {"address": "40002", "order": "BADC"},
        "input": {"address": "input:129"},
        "signed": {"address": "300130", "type": "int16"},
        "coils": {"address": "coil:1998"},
        "no_coil": {"address": "coil:1999"},
        "first_coil": {"address": "coil:0"},
        "discrete": {"address": "10021"},
        "no_discrete": {"address": "10022"},
    }
    assert await read_all(tags, unit_id=255) == {
        **dict.fromkeys(orders.values(), 71.3),
        "negative": -70000,
        "first": 1000,
        "swapped": int.from_bytes((1001).to_bytes(2, "little"), "big"),
        "input": 60129,
        "signed": 60129 - 65536,
        "coils": True,
        "no_coil": False,
        "first_coil": True,
        "discrete": True,
        "no_discrete": False,
    }


async def test_the_largest_requests_are_answered(read_all: ReadAll) -> None:
    """125 registers and 2000 coils at once, the limits of the standard."""
    tags = {f"r{n}": {"address": f"input:{n}"} for n in range(125)} | {
        f"c{n}": {"address": f"coil:{n}"} for n in range(2000)
    }
    values = await read_all(tags)
    assert [values[f"r{n}"] for n in range(125)] == list(range(60000, 60125))
    assert [values[f"c{n}"] for n in range(2000)] == [n % 3 == 0 for n in range(2000)]


async def test_an_address_that_libmodbus_lacks_is_refused(read_all: ReadAll) -> None:
    """Exception 02 of somebody else's making."""
    with pytest.raises(DeviceRefused, match=r"holding:130 \(documented as \"40131\"\): exception 02"):
        await read_all({"t": {"address": "holding:130"}})


async def test_it_reads_by_a_named_interface(libmodbus_port: int, make_connection: MakeConnection) -> None:
    """The socket is bound to it before it connects; the values are the same."""
    device = {"tags": {"first": {"address": "40001"}}, "timeout_s": 20.0}
    config = make_connection(port=libmodbus_port, interface="lo", devices={"meter": device})
    driver = ModbusDriver(config, ManualClock())
    await driver.open()
    (request,) = driver.requests(devices_of(config))
    assert list((await driver.read(request)).values) == [1000]
    await driver.close()
