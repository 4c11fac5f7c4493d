"""Servers and a master of others: libmodbus on a serial line, jsmodbus on a socket, mbpoll beside the driver."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drivers.modbus.connection import ModbusConnection
from drivers.modbus.driver import ModbusDriver
from gateway.collect.plan import devices_of
from gateway.driver import DeviceRefused, NoReply, WrongReply
from gateway.testing import ManualClock
from tests.conftest import npm_package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.model import Cell

HERE = Path(__file__).parent
LIBMODBUS_HEADER = Path("/usr/include/modbus/modbus.h")
JSMODBUS = "jsmodbus@5.0.0"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Path]:
    """A serial line between two pseudo-terminals: our end, with the unit of libmodbus at the other."""
    if shutil.which("gcc") is None or not LIBMODBUS_HEADER.exists():
        pytest.skip("gcc or libmodbus is not installed (apt-get install gcc libmodbus-dev)")
    if shutil.which("socat") is None:
        pytest.skip("socat is not installed (apt-get install socat)")
    program, ours, theirs = tmp_path / "server", tmp_path / "ours", tmp_path / "theirs"
    source = HERE / "libmodbus_rtu_server.c"
    subprocess.run(["gcc", "-Wall", "-Werror", "-o", program, source, "-lmodbus"], check=True, timeout=60)
    ends = [f"pty,raw,echo=0,link={end}" for end in (ours, theirs)]
    with subprocess.Popen(["socat", "-d", "-d", *ends], stderr=subprocess.PIPE, text=True) as socat:
        assert socat.stderr is not None
        while "starting data transfer loop" not in socat.stderr.readline():
            assert socat.poll() is None
        with subprocess.Popen([program, theirs], stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            yield ours
            server.kill()
        socat.kill()


def unit(reach: dict[str, Any], tags: dict[str, Any], unit_id: int = 3, timeout_s: float = 20.0) -> ModbusConnection:
    """A connection with one device."""
    devices = {"meter": {"unit_id": unit_id, "timeout_s": timeout_s, "tags": tags}}
    return ModbusConnection.model_validate({"version": 1, "driver": "modbus", "devices": devices, **reach})


def on_line(port: Path) -> dict[str, Any]:
    """How libmodbus has set up its end."""
    return {"transport": "rtu", "port": str(port), "baudrate": 19_200, "parity": "none", "stop_bits": 1}


async def read(config: ModbusConnection) -> list[Cell]:
    """All values of the only device, in the order of its requests."""
    driver = ModbusDriver(config, ManualClock())
    requests = driver.requests(devices_of(config))
    await driver.open()
    try:
        return [value for request in requests for value in (await driver.read(request)).values]
    finally:
        await driver.close()


async def test_it_reads_libmodbus_on_a_serial_line(line: Path) -> None:
    """The largest request, both register tables."""
    tags = {f"t{n}": {"address": f"holding:{n}"} for n in range(125)} | {"input": {"address": "input:129"}}
    assert await read(unit(on_line(line), tags)) == [*range(1000, 1125), 60_129]


async def test_libmodbus_refuses_and_keeps_silent_as_a_unit_does(line: Path) -> None:
    """Exception 02 for an address that it lacks, and nothing for another unit's number."""
    with pytest.raises(DeviceRefused, match="exception 02"):
        await read(unit(on_line(line), {"t": {"address": "holding:130"}}))
    with pytest.raises(NoReply, match="no answer on"):
        await read(unit(on_line(line), {"t": {"address": "holding:1"}}, unit_id=4, timeout_s=0.2))


async def test_mbpoll_reads_the_same_values_from_the_same_line(line: Path) -> None:
    """Debian's mbpoll asks the same unit after the driver has closed the port."""
    if shutil.which("mbpoll") is None:
        pytest.skip("mbpoll is not installed (apt-get install mbpoll)")
    ours = await read(unit(on_line(line), {f"t{n}": {"address": f"holding:{n}"} for n in range(10, 20)}))
    command = ["mbpoll", "-m", "rtu", "-b", "19200", "-P", "none", "-a", "3", "-0", "-r", "10", "-c", "10", "-t", "4"]
    process = await asyncio.create_subprocess_exec(*command, "-1", "-q", line, stdout=asyncio.subprocess.PIPE)
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    assert [int(value) for value in re.findall(r"\[\d+\]:\s+(\d+)", output.decode())] == ours


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The package jsmodbus from npm, in a cache outside the repository."""
    return npm_package(JSMODBUS)


@pytest.fixture
def jsmodbus_port(node_modules: Path) -> Iterator[int]:
    """The TCP port on which it serves."""
    environment = os.environ | {"NODE_PATH": str(node_modules)}
    command = ["node", HERE / "jsmodbus_server.js"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.kill()


async def test_it_reads_jsmodbus(jsmodbus_port: int) -> None:
    """A hundred registers at once."""
    tags = {f"t{n}": {"address": f"holding:{n}"} for n in range(100)}
    assert await read(unit({"host": "127.0.0.1", "port": jsmodbus_port}, tags)) == list(range(1000, 1100))


@pytest.mark.parametrize(("first", "last"), [(99, 100), (500, 501)])
async def test_the_short_replies_of_jsmodbus_are_errors(jsmodbus_port: int, first: int, last: int) -> None:
    """It reports success and sends fewer registers than were asked for, or none."""
    tags = {name: {"address": f"holding:{at}"} for name, at in (("first", first), ("last", last))}
    with pytest.raises((WrongReply, DeviceRefused)):
        await read(unit({"host": "127.0.0.1", "port": jsmodbus_port}, tags))
