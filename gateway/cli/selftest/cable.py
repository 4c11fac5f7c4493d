"""The cable that the self-test pulls: a relay between its gateway and the broker."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final, Self

_PIECE_BYTES: Final = 65_536


class Cable:
    """Passes bytes on while it is plugged in; a new connection is refused while it is not."""

    def __init__(self, host: str, port: int) -> None:
        self._broker = host, port
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._plugged = True
        self.port = 0
        """Where it listens, on the loopback address."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self.pull()

    async def pull(self) -> None:
        """Nothing passes any more; what is connected is cut."""
        self._plugged = False
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    def plug(self) -> None:
        """Connections are passed on again."""
        self._plugged = True

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        try:
            if self._plugged:
                await self._pass_on(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._links.discard(task)
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._broker)
        ways = [asyncio.create_task(_relay(reader, far_writer)), asyncio.create_task(_relay(far_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            far_writer.transport.abort()


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_PIECE_BYTES):
            writer.write(data)
            await writer.drain()
