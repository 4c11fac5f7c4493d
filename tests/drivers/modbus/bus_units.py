"""Units on a serial bus, played on a pseudo-terminal or behind a TCP socket, that answer as they are told."""

from __future__ import annotations

import asyncio
import os
import tty
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from pymodbus.framer.rtu import FramerRTU

from drivers.modbus.connection import ModbusConnection
from drivers.modbus.driver import ModbusDriver
from gateway.collect.plan import devices_of
from gateway.driver import LinkError
from gateway.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from gateway.driver import Reply

PATIENT_S = 20.0
"""A time-out that a loaded machine does not reach."""
IMPATIENT_S = 0.1
"""A time-out for answers that never come."""
REGISTERS = (100, 200, 300)
"""Each holds its own address, plus 1000 times its unit."""


def rtu(unit: int, pdu: bytes) -> bytes:
    """A frame with a right CRC."""
    body = bytes([unit]) + pdu
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")


class Asked:
    """One request as the units got it."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.unit, self.function = raw[0], raw[1]
        self.address, self.count = int.from_bytes(raw[2:4], "big"), int.from_bytes(raw[4:6], "big")

    def reply(self, *registers: int, unit: int | None = None, function: int | None = None) -> bytes:
        """The right frame with these registers (else each holds its address plus 1000 times the unit)."""
        held = registers or tuple(1000 * self.unit + self.address + at for at in range(self.count))
        data = b"".join(register.to_bytes(2, "big") for register in held)
        pdu = bytes([self.function if function is None else function, len(data)]) + data
        return rtu(self.unit if unit is None else unit, pdu)

    def refused(self, code: int) -> bytes:
        """An exception reply."""
        return rtu(self.unit, bytes([self.function | 0x80, code]))


class Units:
    """All units on one bus. What they answer is decided request by request by `answer`."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], Iterable[tuple[float, bytes]]] = lambda asked: [(0.0, asked.reply())]
        """Parts to send, each so many seconds after the request came."""
        self.port: int | str = ""
        self.opened = 0
        self._send: Callable[[bytes], None] = lambda data: None
        self._heard = b""

    def carried_by(self, send: Callable[[bytes], None]) -> None:
        """Answer this way from now on."""
        self._send, self._heard = send, b""
        self.opened += 1

    def hear(self, data: bytes) -> None:
        """Take what came from the master; its reads have eight bytes each."""
        self._heard += data
        while len(self._heard) >= 8:
            request, self._heard = self._heard[:8], self._heard[8:]
            self.asked.append(Asked(request))
            for delay_s, part in self.answer(self.asked[-1]):
                self.say(part, delay_s)

    def say(self, data: bytes, delay_s: float = 0.0) -> None:
        """Send to the master, asked or not."""
        if delay_s:
            asyncio.get_running_loop().call_later(delay_s, self._send, data)
        else:
            self._send(data)


@asynccontextmanager
async def on_a_terminal() -> AsyncIterator[Units]:
    """Units behind a serial port."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    units, loop = Units(), asyncio.get_running_loop()
    units.port = os.ttyname(theirs)
    units.carried_by(lambda data: _write(ours, data))
    loop.add_reader(ours, lambda: units.hear(os.read(ours, 4096)))
    try:
        yield units
    finally:
        loop.remove_reader(ours)
        units.carried_by(lambda data: None)
        os.close(ours)
        os.close(theirs)


def _write(descriptor: int, data: bytes) -> None:
    with suppress(BlockingIOError):  # nobody reads the port
        os.write(descriptor, data)


class _Peer(asyncio.Protocol):
    def __init__(self, units: Units, open_now: set[asyncio.Transport]) -> None:
        self._units, self._open_now = units, open_now

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._open_now.add(transport)
        self._transport = transport
        self._units.carried_by(lambda data: transport.is_closing() or transport.write(data))

    def data_received(self, data: bytes) -> None:
        self._units.hear(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._open_now.discard(self._transport)


@asynccontextmanager
async def behind_a_converter() -> AsyncIterator[Units]:
    """Units behind a TCP port in transparent mode."""
    units, open_now = Units(), set[asyncio.Transport]()
    server = await asyncio.get_running_loop().create_server(lambda: _Peer(units, open_now), "127.0.0.1", 0)
    units.port = server.sockets[0].getsockname()[1]
    try:
        yield units
    finally:
        server.close()
        for transport in list(open_now):
            transport.abort()
        await asyncio.sleep(0)


class BusBench:
    """A driver on a bus with units 1 and 2: `patient_1` waits for answers, `impatient_1` for none."""

    def __init__(self, units: Units, **settings: object) -> None:
        self.units = units
        tags = {f"at_{n}": {"address": f"holding:{n}"} for n in REGISTERS}
        devices = {
            f"{name}_{unit}": {"unit_id": unit, "max_gap": 0, "timeout_s": timeout_s, "tags": tags}
            for unit in (1, 2)
            for name, timeout_s in (("patient", PATIENT_S), ("impatient", IMPATIENT_S))
        }
        reach: dict[str, object] = {"transport": "rtu", "parity": "none", "stop_bits": 1}
        if isinstance(units.port, int):
            reach = {"transport": "rtu_over_tcp", "host": "127.0.0.1"}
        file = {"version": 1, "driver": "modbus", "port": units.port, "baudrate": 115_200, "devices": devices}
        config = ModbusConnection.model_validate({**file, **reach, **settings})
        self.driver = ModbusDriver(config, ManualClock())
        self.requests = {(r.device, r.detail.start.number): r for r in self.driver.requests(devices_of(config))}

    async def read(self, device: str, address: int) -> Reply:
        """Read one register."""
        return await self.driver.read(self.requests[device, address])

    async def value(self, device: str, address: int) -> object:
        """The value of one register."""
        (value,) = (await self.read(device, address)).values
        return value

    async def value_after_silence(self, device: str, address: int, within_s: float = 30.0) -> object:
        """The value, asked for again and again while the unit is left alone or in doubt."""
        deadline_s = asyncio.get_running_loop().time() + within_s
        while True:
            try:
                return await self.value(device, address)
            except LinkError:
                await self.driver.open()
            except Exception:
                if asyncio.get_running_loop().time() > deadline_s:
                    raise
            await asyncio.sleep(0.01)

    @property
    def counts(self) -> dict[str, int]:
        """What the driver counted."""
        return dict(self.driver.counters())
