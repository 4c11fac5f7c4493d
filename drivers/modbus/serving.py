"""Puts simulated units behind each transport: a TCP or TLS server on loopback, or a pseudo-terminal as serial port."""

from __future__ import annotations

import asyncio
import os
import ssl
import tty
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from pymodbus.framer import FramerType
from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.server.server import ModbusTcpServer, ModbusTlsServer
from pymodbus.simulator import SimData, SimDevice

from drivers.modbus.connection import ModbusTls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from pymodbus.pdu import ModbusPDU
    from pymodbus.simulator.simcore import SimCore

    from drivers.modbus.connection import ModbusConnection

UNUSED: Final = SimDevice(0, simdata=[SimData(0)])
"""The servers ask for stored registers; what is played takes their place."""

_LONGEST_READ: Final = 1024
_TERMINAL: Final = {"parity": "none", "stop_bits": 1, "rs485": None, "local_echo": "none"}
"""What a pseudo-terminal can: it has no lines, so there is nothing to check or to switch."""


@asynccontextmanager
async def serving(config: ModbusConnection, units: SimCore) -> AsyncIterator[ModbusConnection]:
    """Serve these units by the transport of a connection.

    Yields:
        The same connection, reaching them.
    """
    if config.transport == "rtu":
        async with _on_a_terminal(units) as port:
            yield config.model_copy(update={"port": port, **_TERMINAL})
    elif config.transport == "tls":
        with _certificate() as (tls, context):
            server = ModbusTlsServer(UNUSED, framer=FramerType.SOCKET, address=("127.0.0.1", 0), sslctx=context)
            async with _on_loopback(server, units) as port:
                yield config.model_copy(update={"host": "127.0.0.1", "port": port, "tls": tls})
    else:
        framer = FramerType.SOCKET if config.transport == "tcp" else FramerType.RTU
        async with _on_loopback(ModbusTcpServer(UNUSED, framer=framer, address=("127.0.0.1", 0)), units) as port:
            yield config.model_copy(update={"host": "127.0.0.1", "port": port, "local_echo": "none"})


@asynccontextmanager
async def _on_loopback(server: ModbusTcpServer, units: SimCore) -> AsyncIterator[int]:
    """The TCP port."""
    server.context = units
    await server.serve_forever(background=True)
    try:
        yield server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # an asyncio.Server
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus leaves it so


@asynccontextmanager
async def _on_a_terminal(units: SimCore) -> AsyncIterator[str]:
    """The path of the serial port. The other end stays open, so that the port can be closed and opened again."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    bus = _Bus(ours, units)
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, bus.heard)
    try:
        yield os.ttyname(theirs)
    finally:
        loop.remove_reader(ours)
        await bus.end()
        os.close(ours)
        os.close(theirs)


class _Bus:
    """Answers the requests of a master; where a unit is not there, nobody answers."""

    def __init__(self, descriptor: int, units: SimCore) -> None:
        self._descriptor = descriptor
        self._units = units
        self._framer = FramerRTU(DecodePDU(is_server=True))
        self._heard = b""
        self._answering: set[asyncio.Task[None]] = set()

    def heard(self) -> None:
        """Take what came, and begin to answer a request that is whole."""
        self._heard += os.read(self._descriptor, _LONGEST_READ)
        used, request = self._framer.handleFrame(self._heard, 0, 0)
        self._heard = self._heard[used:]
        if request is not None:
            task = asyncio.create_task(self._answer(request))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def end(self) -> None:
        """Answer nobody any more."""
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    async def _answer(self, request: ModbusPDU) -> None:
        reply = await request.datastore_update(self._units, request.dev_id)  # type: ignore[arg-type]  # as its own server does
        if getattr(reply, "exception_code", 0) in _NOBODY:
            return
        reply.dev_id = request.dev_id
        os.write(self._descriptor, self._framer.buildFrame(reply))


_NOBODY: Final = frozenset({0x0A, 0x0B})
"""What only a converter says, of a unit that does not answer; on the bus itself there is silence."""


@contextmanager
def _certificate() -> Iterator[tuple[ModbusTls, ssl.SSLContext]]:
    """A certificate for 127.0.0.1, signed by itself: what the client trusts, and what the server shows."""
    from drivers.modbus.certificate import self_signed  # noqa: PLC0415 - a library of 10 MB that only this needs

    with TemporaryDirectory() as folder:
        certificate, key = self_signed("127.0.0.1", Path(folder))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        yield ModbusTls(ca=str(certificate)), context
