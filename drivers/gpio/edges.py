"""Edges on their way from the library's thread to the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from gateway.model import Stamp

KEPT: Final = 10_000
"""Most edges that wait: a few seconds of a bouncing pin. The oldest go first; the next reading heals what they told."""


class Edge(NamedTuple):
    """A pin changed its level. A hint: edges may be lost on the way."""

    device: str
    position: int
    """Of the tag in the device's plan."""
    level: bool
    """The new electrical level, high or not."""
    stamp: Stamp


class Edges:
    """An inbox that any thread fills and one task empties. A storm of edges wakes the loop once, not once an edge."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Edge] = deque(maxlen=KEPT)
        self._arrived = asyncio.Event()
        self._told = False

    def put(self, edge: Edge) -> None:
        """Called in the library's thread. Never raises: an error here would end that thread, and with it all edges."""
        self._waiting.append(edge)
        if not self._told:
            self._told = True
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._arrived.set)

    async def wait(self, limit_s: float) -> None:
        """Return when there are edges, or after `limit_s`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._arrived.wait()

    def take(self) -> list[Edge]:
        """All edges that have arrived, in their order."""
        self._arrived.clear()
        self._told = False
        return [self._waiting.popleft() for _ in range(len(self._waiting))]
