"""The Modbus driver: plans requests, reads one when told to, and decodes what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from drivers.modbus.link import Link
from drivers.modbus.plan import requests_of
from drivers.modbus.reply import data_of
from gateway.driver import DriverError, LinkError, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.modbus.config import ModbusConnection
    from drivers.modbus.decode import Decoded
    from drivers.modbus.plan import Block
    from gateway.clock import Clock
    from gateway.driver import Device, Request


class _Last(NamedTuple):
    """The last reply to one request."""

    raw: bytes
    decoded: Decoded


class ModbusDriver:
    """One Modbus TCP end point. The caller owns periods and repetitions; each `read` is one request."""

    def __init__(self, config: ModbusConnection, _clock: Clock) -> None:
        self._config = config
        self._link: Link | None = None
        self._last: dict[Block, _Last] = {}
        self._last_transaction = 0

    def requests(self, devices: Sequence[Device]) -> Sequence[Request]:
        """The requests that read all tags of these devices, device by device."""
        self._last.clear()
        return [request for device in devices for request in requests_of(device)]

    async def open(self) -> None:
        """Connect; an older connection is closed first, so that the PLC never sees two.

        Raises:
            LinkError: the end point cannot be reached; the text says why and what to look at.
        """
        await self.close()
        link = Link(self._config, self._last_transaction)
        await link.open()
        self._link = link

    async def close(self) -> None:
        """Close the connection. What was read before it says nothing about what comes after."""
        self._last.clear()
        link, self._link = self._link, None
        if link is not None:
            self._last_transaction = link.last_transaction
            await link.close()

    async def read(self, request: Request) -> Reply:
        """Send one request and return its values; a reply of identical bytes is not decoded again.

        Raises:
            LinkError: the connection is closed, lost, or cannot be trusted any more.
            NoReply: the unit kept silent for the device's `timeout_s`.
            DeviceRefused: the unit answered with an exception.
            WrongReply: the reply does not fit the request.
        """
        block: Block = request.detail
        try:
            raw = await self._ask(block)
        except DriverError:
            self._last.pop(block, None)  # after a failure the next reading is news, whatever it says
            raise
        last = self._last.get(block)
        if last is not None and last.raw == raw:
            return Reply(*last.decoded, unchanged=True)
        decoded = block.decode(raw)
        self._last[block] = _Last(raw, decoded)
        return Reply(*decoded)

    async def _ask(self, block: Block) -> bytes:
        if self._link is None:
            raise LinkError(f"{self._config.end_point} is not connected")
        return data_of(await self._link.exchange(block), block)
