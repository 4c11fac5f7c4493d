"""A PLC of raw bytes that does as it is told, and a driver to hold against it."""

from __future__ import annotations

import asyncio
import struct
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from drivers.modbus.connection import ModbusConnection
from drivers.modbus.driver import ModbusDriver
from gateway.collect.plan import devices_of
from gateway.driver import LinkError
from gateway.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

    from gateway.driver import Device, Reply, Request
    from gateway.model import Cell

    MakeConnection = Callable[..., ModbusConnection]
    MakeDevices = Callable[..., list[Device]]
    MakeRequest = Callable[..., Request]
    Open = Callable[..., Awaitable[tuple[ModbusDriver, Sequence[Request]]]]
    ReadAll = Callable[..., Awaitable[dict[str, Cell]]]

settings.register_profile("modbus", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("modbus")

PATIENT_S = 20.0
"""A time-out that a loaded machine does not reach."""
IMPATIENT_S = 0.05
"""A time-out for answers that never come."""


def connection_of(**settings: Any) -> ModbusConnection:
    """A connection with one device, or with what `settings` say."""
    file = {"version": 1, "driver": "modbus", "host": "127.0.0.1"} | settings
    return ModbusConnection.model_validate(file)


def frame(transaction: int, unit: int, pdu: bytes, *, protocol: int = 0) -> bytes:
    """A Modbus TCP frame with a right length."""
    return struct.pack(">HHHB", transaction, protocol, len(pdu) + 1, unit) + pdu


class Asked:
    """One request as the PLC got it."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.transaction, _, _, self.unit, self.function, self.address, self.count = struct.unpack(">HHHBBHH", raw)

    def reply(self, *registers: int, **changed: Any) -> bytes:
        """The right frame with these registers (else each holds its own address), or one with something changed."""
        registers = registers or tuple(range(self.address, self.address + self.count))
        data = struct.pack(f">{len(registers)}H", *registers)
        pdu = bytes([changed.pop("function", self.function), changed.pop("byte_count", len(data))]) + data
        return frame(
            changed.pop("transaction", self.transaction),
            changed.pop("unit", self.unit),
            changed.pop("pdu", pdu),
            **changed,
        )

    def refused(self, code: int) -> bytes:
        """An exception reply."""
        return self.reply(pdu=bytes([self.function | 0x80, code]))


class Plc:
    """Listens on a free port; what it answers is decided request by request by `answer`."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.was_asked = asyncio.Event()
        self.answer: Callable[[Asked], Iterable[bytes]] = lambda asked: [asked.reply()]
        """The parts to send, one after the other; an empty part closes the connection."""
        self.port = 0
        self.server: asyncio.Server
        self._serving: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._serving[task] = writer
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._serve_one(reader, writer):
                    pass
        finally:
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.asked.append(Asked(await reader.readexactly(12)))
        self.was_asked.set()
        for part in self.answer(self.asked[-1]):
            if not part:
                return False
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.001)
        return True

    async def end(self) -> None:
        """Hang up on everybody."""
        for writer in self._serving.values():
            writer.close()
        if self._serving:
            await asyncio.wait(self._serving)
        await asyncio.sleep(0)


class Bench:
    """A driver on a PLC: `patient` waits for answers, `impatient` for none."""

    def __init__(self, plc: Plc) -> None:
        self.plc = plc
        tags = {f"at_{n}": {"address": f"holding:{n}"} for n in (100, 200, 300)}
        devices = {
            name: {"unit_id": 17, "max_gap": 0, "timeout_s": timeout_s, "tags": tags}
            for name, timeout_s in (("patient", PATIENT_S), ("impatient", IMPATIENT_S))
        }
        config = connection_of(port=plc.port, devices=devices)
        self.driver = ModbusDriver(config, ManualClock())
        self.requests = {(r.device, r.detail.start.number): r for r in self.driver.requests(devices_of(config))}

    async def read(self, device: str, address: int) -> Reply:
        """Read one register; an honest PLC holds its address in it."""
        return await self.driver.read(self.requests[device, address])

    async def recovers(self) -> None:
        """An honest PLC is read right, after a new connection where the old one is given up."""
        self.plc.answer = lambda asked: [asked.reply()]
        for _ in range(2):
            try:
                assert (await self.read("patient", 300)).values == [300]
            except LinkError:
                await self.driver.open()
            else:
                return
        raise AssertionError("the driver did not recover")


@asynccontextmanager
async def running_plc() -> AsyncIterator[Plc]:
    """A PLC on loopback."""
    plc = Plc()
    server = await asyncio.start_server(plc.serve, "127.0.0.1", 0)
    plc.server = server
    plc.port = server.sockets[0].getsockname()[1]
    try:
        yield plc
    finally:
        server.close()
        await plc.end()


@pytest.fixture
async def plc() -> AsyncIterator[Plc]:
    """A PLC that answers each register with its address until it is told otherwise."""
    async with running_plc() as running:
        yield running


@pytest.fixture
async def bench(plc: Plc) -> AsyncIterator[Bench]:
    """An open driver on the PLC."""
    bench = Bench(plc)
    await bench.driver.open()
    yield bench
    await bench.driver.close()


@pytest.fixture
def make_connection() -> MakeConnection:
    """Makes a connection's configuration from keys as a file has them."""
    return connection_of


@pytest.fixture
def make_devices() -> MakeDevices:
    """Makes the devices of a connection with one device, from its tags."""

    def devices(tags: dict[str, Any], **settings: Any) -> list[Device]:
        return devices_of(connection_of(devices={"meter": {"tags": tags, **settings}}))

    return devices


@pytest.fixture
def make_request() -> MakeRequest:
    """Makes the one request that reads a device of these tags."""

    def request(tags: dict[str, Any], **settings: Any) -> Request:
        config = connection_of(devices={"meter": {"tags": tags, **settings}})
        (only,) = ModbusDriver(config, ManualClock()).requests(devices_of(config))
        return only

    return request
