"""Servers that others wrote, on loopback, whose registers and coils can be written."""

from __future__ import annotations

import logging
import os
import select
import subprocess
import threading
import tty
from contextlib import asynccontextmanager, contextmanager
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any

from pymodbus.server.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from umodbus import conf
from umodbus.server.tcp import RequestHandler, get_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

_POINTS = 130


@asynccontextmanager
async def pymodbus_server() -> AsyncIterator[int]:
    """Its port: 130 points of each table, all 0."""
    bits = [SimData(0, count=_POINTS, values=False, datatype=DataType.BITS)]
    registers = [SimData(0, count=_POINTS, values=0, datatype=DataType.REGISTERS)]
    server = ModbusTcpServer(SimDevice(1, simdata=(bits, bits, registers, registers)), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    try:
        yield server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # an asyncio.Server
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus leaves it so


class _Threaded(ThreadingMixIn, TCPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def umodbus_server() -> Iterator[int]:
    """Its port: coils and holding registers 0 to 129, all 0. It knows functions 1 to 6, 15 and 16."""
    logging.getLogger("uModbus").setLevel(logging.CRITICAL)
    conf.SIGNED_VALUES = False
    tables: dict[int, dict[int, Any]] = {1: dict.fromkeys(range(_POINTS), 0), 3: dict.fromkeys(range(_POINTS), 0)}
    server = get_server(_Threaded, ("127.0.0.1", 0), RequestHandler)
    for reads, writes in ((1, (5, 15)), (3, (6, 16))):

        @server.route(slave_ids=[1], function_codes=[reads], addresses=range(_POINTS))
        def read(slave_id: int, function_code: int, address: int) -> Any:
            return tables[function_code][address]

        @server.route(slave_ids=[1], function_codes=writes, addresses=range(_POINTS))
        def write(slave_id: int, function_code: int, address: int, value: Any) -> None:
            tables[1 if function_code in {5, 15} else 3][address] = value

    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def libmodbus_on_a_bus(program: Path) -> Iterator[str]:
    """The serial port on which a libmodbus server is unit 1: two pseudo-terminals with a wire between them."""
    (near, our_end), (far, its_end) = os.openpty(), os.openpty()
    for end in (near, our_end, far, its_end):
        tty.setraw(end)
    ended = threading.Event()
    wire = threading.Thread(target=_carry, args=(near, far, ended))
    wire.start()
    with subprocess.Popen([program, os.ttyname(its_end)], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            yield os.ttyname(our_end)
        finally:
            server.kill()
            ended.set()
            wire.join()
            for end in (near, our_end, far, its_end):
                os.close(end)


def _carry(near: int, far: int, ended: threading.Event) -> None:
    """Pass bytes on in both directions."""
    other = {near: far, far: near}
    while not ended.is_set():
        for end in select.select([near, far], [], [], 0.05)[0]:
            os.write(other[end], os.read(end, 4096))
