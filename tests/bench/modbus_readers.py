"""Those that the Modbus bench compares: the product, bare pymodbus, libmodbus in C; over the same 100 connections."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.pdu import ModbusPDU

from drivers.modbus.spec import SPEC
from gateway.clock import SystemClock
from gateway.collect.plan import devices_of
from gateway.collect.polling import PollingConnection
from gateway.driver import PollingDriver
from gateway.processing.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.driver import Device
    from gateway.model import Batch, DeviceStatus

CONNECTIONS: Final = 100
REGISTERS: Final = 100
WINDOW: Final = 500
"""Requests from one look at the processor time to the next."""
_SKIPPED: Final = 2
"""Windows at the beginning that do not count: connections open, caches fill."""
_ALWAYS_DUE_S: Final = 0.00001


@contextmanager
def server(kind: str) -> Iterator[int]:
    """A server in a process of its own, `still` or `changing`; its port."""
    command = [sys.executable, "-m", "tests.bench.modbus_server", kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


class Windows:
    """Processor time by windows of requests. The tenth percentile counts: others use this machine as well."""

    def __init__(self, requests: int) -> None:
        self._left = requests
        self._marks: list[float] = []
        self.done = asyncio.Event()

    def count(self) -> None:
        """One request was answered."""
        self._left -= 1
        if self._left % WINDOW == 0:
            self._marks.append(time.process_time())
        if self._left == 0:
            self.done.set()

    @property
    def request_us(self) -> float:
        """Processor time of one request."""
        marks = self._marks[_SKIPPED:]
        taken = sorted(after - before for before, after in pairwise(marks))
        return taken[len(taken) // 10] / WINDOW * 1e6


class RawRegisters(ModbusPDU):
    """A reply that keeps its bytes, which is the least that pymodbus can do."""

    function_code = 3
    rtu_byte_count_pos = 2

    def encode(self) -> bytes:
        """Never sent."""
        return b""

    def decode(self, data: bytes) -> None:
        """Take the bytes as they are."""
        self.data = data


class Outlet:
    """Driver and processing end here: each batch goes through its pipeline, and is told of."""

    def __init__(self, devices: list[Device], seen: Callable[[Batch], None]) -> None:
        self._pipelines = {device.name: Pipeline(device.plan) for device in devices}
        self._seen = seen

    def emit(self, batch: Batch) -> None:
        """A batch as acquired."""
        for processed in self._pipelines[batch.plan.device].process(batch):
            self._seen(processed)

    def report(self, _status: DeviceStatus) -> None:
        """Nobody is told."""

    def failed(self, device: str) -> None:
        """Nothing may fail here."""
        raise AssertionError(device)


def product(
    port: int,
    seen: Callable[[Batch], None],
    period_s: float = _ALWAYS_DUE_S,
    connections: int = CONNECTIONS,
    **keys: Any,
) -> list[Any]:
    """The product's connections, each with one device of 100 registers; their `run` polls."""
    clock = SystemClock()
    tags = {f"tag{number}": {"address": f"holding:{number}", **keys} for number in range(REGISTERS)}
    runners = []
    for number in range(connections):
        device = {"period_s": period_s, "timeout_s": 10.0, "tags": tags}
        file = {"version": 1, "driver": "modbus", "host": "127.0.0.1", "port": port, "devices": {f"m{number}": device}}
        config = SPEC.connection.model_validate(file)
        for tag in config.devices[f"m{number}"].tags.values():
            tag.keep_what_is_said()  # as a configuration that is loaded does
        devices = devices_of(config)
        driver = SPEC.build(config, clock)
        assert isinstance(driver, PollingDriver)
        runners.append(PollingConnection(driver, devices, clock, Outlet(devices, seen)))
    return runners


async def product_us(port: int, requests: int, **keys: Any) -> float:
    """Processor time of driver and processing, a request."""
    windows = Windows(requests)
    tasks = [asyncio.create_task(one.run()) for one in product(port, lambda _: windows.count(), **keys)]
    gc.collect()
    gc.freeze()
    await windows.done.wait()
    gc.unfreeze()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return windows.request_us


async def bare_clients(port: int) -> list[AsyncModbusTcpClient]:
    """Bare pymodbus with a reply that keeps its bytes."""
    clients = [AsyncModbusTcpClient("127.0.0.1", port=port) for _ in range(CONNECTIONS)]
    for client in clients:
        await client.connect()
        client.register(RawRegisters)
    return clients


async def bare_us(port: int, requests: int) -> float:
    """Processor time of bare pymodbus, a request."""
    windows = Windows(requests)

    async def read(client: AsyncModbusTcpClient) -> None:
        for _ in range(requests // CONNECTIONS):
            await client.read_holding_registers(0, count=REGISTERS, device_id=1)
            windows.count()

    clients = await bare_clients(port)
    gc.collect()
    gc.freeze()
    await asyncio.gather(*(read(client) for client in clients))
    gc.unfreeze()
    for client in clients:
        client.close()
    return windows.request_us


def libmodbus_us(port: int, requests: int, folder: Path) -> float:
    """Processor time of a loop in C, a request."""
    program = folder / "libmodbus_loop"
    if not program.exists():
        source = Path(__file__).with_name("libmodbus_loop.c")
        subprocess.run(["gcc", "-O2", "-o", str(program), str(source), "-lmodbus"], check=True)
    command = [str(program), str(port), str(requests // CONNECTIONS)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
