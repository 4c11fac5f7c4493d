"""A TCP proxy that spoils the link between a gateway and its broker: for what happens to cables, switches and radios.

async with FaultProxy(broker_port) as proxy:
    ...  # the gateway dials proxy.port
    proxy.reset()
"""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import suppress
from dataclasses import dataclass
from struct import pack
from typing import Self

_CHUNK = 65_536
_RESET_ON_CLOSE = pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends RST (socket(7))."""


@dataclass
class Weather:
    """How the link is doing; may be changed at any time."""

    delay_s: float = 0.0
    """Each way."""
    loss: float = 0.0
    """Share of chunks that are lost once; TCP sends them again after `again_s`, and all behind them waits."""
    again_s: float = 0.0
    bytes_per_s: float | None = None
    """What the way up carries."""
    is_dark: bool = False
    """Nothing passes and nothing is refused, as behind a firewall that drops."""


class FaultProxy:
    """Forwards to a port of loopback, as well as the weather allows."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.weather = Weather()
        self.accepted = 0
        self.sent_up = bytearray()
        """The first bytes that clients sent, of all connections."""
        self._target = target
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=_CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for link in tuple(self._links):
            await link.end()
        await self._server.wait_closed()

    def reset(self) -> int:
        """RST on every connection, in both directions. Returns how many there were."""
        links = tuple(self._links)
        for link in links:
            link.reset()
        return len(links)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        link = _Link(self, reader, writer)
        self._links.add(link)
        try:
            await link.run(self._target)
        finally:
            self._links.discard(link)


class _Link:
    """One connection through the proxy."""

    def __init__(self, proxy: FaultProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._client = (reader, writer)
        self._writers = [writer]
        self._task: asyncio.Task[None] | None = None
        writer.transport.set_write_buffer_limits(high=4096)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    async def run(self, port: int) -> None:
        """Forward until one of the two hangs up."""
        self._task = asyncio.current_task()
        reader, writer = self._client
        try:
            while self._proxy.weather.is_dark:  # noqa: ASYNC110 - weather is no event
                await asyncio.sleep(0.02)
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
            self._writers.append(up_writer)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forward(reader, up_writer, up=True))
                group.create_task(self._forward(up_reader, writer, up=False))
        except* (OSError, _HungUpError):
            pass
        finally:
            for one in self._writers:
                one.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(2000)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._take(reader, queue, up=up))
            group.create_task(self._hand_on(queue, writer, up=up))

    async def _take(self, reader: asyncio.StreamReader, queue: asyncio.Queue[tuple[float, bytes]], *, up: bool) -> None:
        loop = asyncio.get_running_loop()
        while True:
            weather = self._proxy.weather
            slow = up and weather.bytes_per_s is not None
            data = await reader.read(256 if slow else _CHUNK)
            if not data:
                raise _HungUpError
            if up and len(self._proxy.sent_up) < _CHUNK:
                self._proxy.sent_up += data
            await queue.put((loop.time() + weather.delay_s, data))
            while slow and queue.qsize() > 1:  # noqa: ASYNC110 - only then may more come in
                await asyncio.sleep(0.01)

    async def _hand_on(
        self, queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter, *, up: bool
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_s, data = await queue.get()
            weather = self._proxy.weather
            await asyncio.sleep(due_s - loop.time())
            if random.random() < weather.loss:  # noqa: S311 - weather, not a secret
                await asyncio.sleep(weather.again_s)
            if up and weather.bytes_per_s is not None:
                await asyncio.sleep(len(data) / weather.bytes_per_s)
            while self._proxy.weather.is_dark:  # noqa: ASYNC110 - weather is no event
                await asyncio.sleep(0.02)
            writer.write(data)
            await writer.drain()

    def reset(self) -> None:
        """RST both ways."""
        for writer in self._writers:
            sock = writer.get_extra_info("socket")
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            writer.transport.abort()

    async def end(self) -> None:
        """Hang up and wait until it is over."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})


class _HungUpError(Exception):
    """One side closed its connection."""
