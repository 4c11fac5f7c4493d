"""The server of the Modbus bench: answers every read of holding registers, on a core of its own.

`python -m tests.bench.modbus_server still` always gives the same registers, `changing` gives all of them another value
each time. It prints its port. Its replies are made beforehand, so that it keeps up with any client.
"""

from __future__ import annotations

import asyncio
import struct
import sys
from itertools import cycle
from typing import TYPE_CHECKING, cast

import uvloop

if TYPE_CHECKING:
    from collections.abc import Iterator

_REQUEST_BYTES = 12
_MOST_REGISTERS = 125
_CHANGES = 50


class Plc(asyncio.Protocol):
    """One connection."""

    def __init__(self, tables: Iterator[bytes]) -> None:
        self._tables = tables
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self._received += data
        while len(self._received) >= _REQUEST_BYTES:
            request, self._received = self._received[:_REQUEST_BYTES], self._received[_REQUEST_BYTES:]
            data_bytes = 2 * int.from_bytes(request[10:12], "big")
            head = request[:4] + (data_bytes + 3).to_bytes(2, "big") + request[6:8] + bytes([data_bytes])
            self._transport.write(head + next(self._tables)[:data_bytes])


async def serve(changing: bool) -> None:  # noqa: FBT001 - the one choice there is
    """Serve until killed."""
    steps = range(_CHANGES if changing else 1)
    tables = cycle([struct.pack(f">{_MOST_REGISTERS}H", *range(step, step + _MOST_REGISTERS)) for step in steps])
    server = await asyncio.get_running_loop().create_server(lambda: Plc(tables), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - the caller reads it
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1] == "changing"))
