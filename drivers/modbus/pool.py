"""The links to one end point: one on a bus, up to `connections` over TCP, never more sockets than that."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from drivers.modbus.bus import BusLink, Doubts
from drivers.modbus.link import TcpLink
from gateway.driver import LinkError

if TYPE_CHECKING:
    from drivers.modbus.connection import ModbusConnection
    from drivers.modbus.counts import LinkCounts
    from drivers.modbus.question import Question


class Link(Protocol):
    """What carries one request at a time."""

    async def open(self) -> None:
        """Connect."""
        ...

    async def close(self) -> None:
        """Close at once."""
        ...

    async def ask(self, question: Question) -> bytes:
        """Send one request and return the PDU of its reply."""
        ...


class Pool:
    """Opened and closed as a whole. The first link is opened at once, the others when so many requests wait at a time.

    Args:
        config: the end point.
        counts: where requests and strange replies are counted.
    """

    def __init__(self, config: ModbusConnection, counts: LinkCounts) -> None:
        self._config = config
        self._counts = counts
        self._doubts = Doubts()
        self._last_transaction = 0
        self._most = config.connections
        self._links: list[Link] = []
        self._free: list[Link] = []
        self._waiting: deque[asyncio.Future[Link]] = deque()
        self._rested_s: dict[Link, float] = {}
        self.gaps_ms: dict[int, float | None] = {}
        """The pause after an answer that a unit needs, where it is not the connection's."""

    @property
    def most(self) -> int:
        """How many links there may be."""
        return self._config.connections

    async def open(self) -> None:
        """Connect; older connections are closed first, so that the PLC never sees more than it should.

        Raises:
            LinkError: the end point cannot be reached; the text says why and what to look at.
        """
        await self.close()
        self._most = self._config.connections
        self._free.append(await self._connected())

    async def close(self) -> None:
        """Close all links; whoever waits for one is told so."""
        links, self._links, self._free = self._links, [], []
        self._rested_s.clear()
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(self._not_connected())
        for link in links:
            if isinstance(link, TcpLink):
                self._last_transaction = max(self._last_transaction, link.last_transaction)
            await link.close()

    async def ask(self, question: Question) -> bytes:
        """Ask on a link that is free; where all are in use, wait for one.

        Raises:
            LinkError: no link is open, or this one broke.
            NoReply: the unit kept silent for the question's `timeout_s`.
            WrongReply: the answer does not fit the question.
        """
        link = self._free.pop() if self._free else await self._free_link()
        try:
            if link in self._rested_s:
                await self._rest(link)
            return await link.ask(question)
        finally:
            if (self.gaps_ms or self._config.request_gap_ms) and (gap_s := self._gap_s(question)):
                self._rested_s[link] = self._now() + gap_s
            self._give_back(link)

    async def _rest(self, link: Link) -> None:
        """Leave the pause that the unit asked before needs."""
        wait_s = self._rested_s.pop(link, 0.0) - self._now()
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    def _gap_s(self, question: Question) -> float:
        own_ms = self.gaps_ms.get(question.unit_id)
        return (self._config.request_gap_ms if own_ms is None else own_ms) / 1000

    async def _free_link(self) -> Link:
        if not self._links:
            raise self._not_connected()
        if len(self._links) < self._most:
            with suppress(LinkError):
                return await self._connected()
            self._most = max(1, len(self._links))  # the PLC admits no more
        waiting: asyncio.Future[Link] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        return await waiting

    def _give_back(self, link: Link) -> None:
        if link not in self._links:
            self._rested_s.pop(link, None)
            return
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(link)
                return
        self._free.append(link)

    async def _connected(self) -> Link:
        link = self._new_link()
        self._links.append(link)
        try:
            await link.open()
        except BaseException:
            if link in self._links:
                self._links.remove(link)
            await link.close()
            raise
        self._counts.connects += 1
        return link

    def _new_link(self) -> Link:
        if self._config.line is not None:
            return BusLink(self._config, self._counts, self._doubts)
        return TcpLink(self._config, self._counts, self._last_transaction)

    def _not_connected(self) -> LinkError:
        return LinkError(f"{self._config.end_point} is not connected")

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
