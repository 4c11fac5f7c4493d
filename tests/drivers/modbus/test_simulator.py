from __future__ import annotations

import asyncio
import shutil
import struct
from typing import TYPE_CHECKING, Any

import pytest

from drivers.modbus.driver import ModbusDriver
from drivers.modbus.simulator import simulate
from gateway.collect.plan import devices_of
from gateway.driver import DeviceRefused, NoReply
from gateway.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.modbus.connection import ModbusConnection
    from gateway.driver import DriverError
    from tests.drivers.modbus.conftest import MakeConnection

ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
PLANT = {
    "meter": {
        "unit_id": 7,
        "timeout_s": 20.0,
        "tags": {
            **{
                f"u_{o}": {"address": f"input:{2 * n}", "type": "float32", "order": o, "unit": "V"}
                for n, o in enumerate(ORDERS)
            },
            "power": {"address": "holding:10", "type": "int32", "scale": 0.001, "offset": -500.0, "unit": "kW"},
            "speed": {"address": "holding:20", "scale": 0.5, "unit": "r/min", "range": [0.0, 3000.0]},
            "too_high": {"address": "holding:21", "range": [100_000.0, 200_000.0]},
            "too_low": {"address": "holding:22", "type": "int16", "range": [-200_000.0, -100_000.0]},
            "running": {"address": "coil:3"},
            "door": {"address": "discrete:9"},
            "window": {"address": "discrete:20"},
        },
    },
    "drive": {"unit_id": 0, "timeout_s": 20.0, "tags": {"current": {"address": "40001", "unit": "A", "scale": 0.01}}},
}


async def everything_read(config: ModbusConnection) -> dict[tuple[str, str], Any]:
    """Engineering values by device and tag, read through the driver."""
    driver = ModbusDriver(config, ManualClock())
    devices = {device.name: device for device in devices_of(config)}
    values: dict[tuple[str, str], Any] = {}
    await driver.open()
    for request in driver.requests(list(devices.values())):
        raws: Sequence[Any] = (await driver.read(request)).values
        for at, raw in zip(request.positions, raws, strict=True):
            tag = devices[request.device].plan.tags[at]
            values[request.device, tag.name] = raw * tag.scale + tag.offset if tag.scaled else raw
    await driver.close()
    return values


async def test_every_tag_of_every_unit_shows_a_plausible_value(make_connection: MakeConnection) -> None:
    """Units, tables, types, orders, scales and offsets: what is read is what the signal means."""
    async with simulate(make_connection(devices=PLANT)) as config:
        assert config.host == "127.0.0.1"
        values = await everything_read(config)
    assert all(225 <= values["meter", f"u_{order}"] <= 235 for order in ORDERS)
    assert 20 <= values["meter", "power"] <= 80
    assert 1440 <= values["meter", "speed"] <= 1495
    assert 8 <= values["drive", "current"] <= 24
    assert {type(values["meter", name]) for name in ("running", "door", "window")} == {bool}


async def test_a_value_beyond_its_type_stops_at_the_limit(make_connection: MakeConnection) -> None:
    """A signal that does not fit its registers wraps to nothing."""
    async with simulate(make_connection(devices=PLANT)) as config:
        values = await everything_read(config)
    assert (values["meter", "too_high"], values["meter", "too_low"]) == (65535, -32768)


async def test_tags_of_some_bits_share_a_register(make_connection: MakeConnection) -> None:
    """Each keeps its own, whatever the others do."""
    level = {"address": "holding:5.high", "range": [200.0, 250.0]}
    tags: dict[str, Any] = {"level": level} | {f"bit_{at}": {"address": f"holding:5.{at}"} for at in range(8)}
    plant = {"drive": {"timeout_s": 20.0, "tags": tags}}
    async with simulate(make_connection(devices=plant)) as config:
        values = await everything_read(config)
    assert {type(values["drive", f"bit_{at}"]) for at in range(8)} == {bool}
    assert 200 <= values["drive", "level"] <= 250


async def test_values_move(make_connection: MakeConnection) -> None:
    """Each reading is made when it is asked for."""
    async with simulate(make_connection(devices=PLANT)) as config:
        first = await everything_read(config)
        deadline = asyncio.get_running_loop().time() + 30
        while (await everything_read(config))["meter", "u_ABCD"] == first["meter", "u_ABCD"]:
            assert asyncio.get_running_loop().time() < deadline


@pytest.mark.parametrize(
    ("unit_id", "address", "error", "says"),
    [
        (7, "holding:9", DeviceRefused, "exception 02"),
        (7, "holding:23", DeviceRefused, "exception 02"),
        (7, "input:8", DeviceRefused, "exception 02"),
        (0, "coil:3", DeviceRefused, "exception 02"),
        (9, "holding:10", NoReply, "exception 0B"),
    ],
)
async def test_what_is_not_configured_is_refused(
    make_connection: MakeConnection, unit_id: int, address: str, error: type[DriverError], says: str
) -> None:
    """Outside the addresses in use, on another table, of another unit."""
    async with simulate(make_connection(devices=PLANT)) as config:
        stranger = {"unit_id": unit_id, "timeout_s": 20.0, "tags": {"t": {"address": address}}}
        wrong = make_connection(host=config.host, port=config.port, devices={"stranger": stranger})
        driver = ModbusDriver(wrong, ManualClock())
        (request,) = driver.requests(devices_of(wrong))
        await driver.open()
        with pytest.raises(error, match=says):
            await driver.read(request)
        await driver.close()


async def test_holes_between_tags_read_as_zero(make_connection: MakeConnection) -> None:
    """As in many devices; so a plan may read gaps along. A number may be cut by whoever reads."""
    async with simulate(make_connection(devices=PLANT)) as config:
        tags = {f"at_{n}": {"address": f"holding:{n}"} for n in (11, 12, 19)} | {"bit": {"address": "discrete:15"}}
        other = make_connection(
            host=config.host, port=config.port, devices={"d": {"unit_id": 7, "timeout_s": 20.0, "tags": tags}}
        )
        values = await everything_read(other)
    assert (values["d", "at_12"], values["d", "at_19"], values["d", "bit"]) == (0, 0, False)
    assert 0 <= values["d", "at_11"] <= 65_535


@pytest.mark.parametrize(
    ("written", "refused"), [("06 000A 0001", "86 01"), ("05 0003 FF00", "85 01"), ("16 000A 00F2 0025", "96 01")]
)
async def test_nothing_can_be_written(make_connection: MakeConnection, written: str, refused: str) -> None:
    """A write to a register, to a coil and to single bits of a register is answered with exception 01."""
    pdu = bytes.fromhex(written)
    async with simulate(make_connection(devices=PLANT)) as config:
        reader, writer = await asyncio.open_connection(config.host, config.port)
        writer.write(struct.pack(">HHHB", 1, 0, 1 + len(pdu), 7) + pdu)
        assert await reader.readexactly(9) == bytes.fromhex(f"0001 0000 0003 07 {refused}")
        writer.close()
        await writer.wait_closed()


@pytest.mark.skipif(shutil.which("mbpoll") is None, reason="mbpoll is not installed (apt-get install mbpoll)")
async def test_another_program_reads_it(make_connection: MakeConnection) -> None:
    """Debian's mbpoll, a Modbus master on libmodbus, sees a voltage where the configuration says there is one."""
    async with simulate(make_connection(devices=PLANT)) as config:
        command = [
            "mbpoll",
            "-m",
            "tcp",
            "-p",
            str(config.port),
            "-a",
            "7",
            "-0",
            "-r",
            "0",
            "-t",
            "3:hex",
            "-c",
            "2",
            "-1",
            "-q",
        ]
        process = await asyncio.create_subprocess_exec(*command, config.host, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
    registers = [int(line.split(b"0x")[1], 16) for line in out.splitlines() if b"0x" in line]
    (voltage,) = struct.unpack(">f", struct.pack(">2H", *registers))
    assert 225 <= voltage <= 235


async def test_nothing_listens_afterwards(make_connection: MakeConnection) -> None:
    """The port is free again, and nobody keeps a connection."""
    async with simulate(make_connection(devices=PLANT)) as config:
        await everything_read(config)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(config.host, config.port)
