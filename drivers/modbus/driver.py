"""The Modbus driver: plans requests, reads one when told to, and decodes what changed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from drivers.modbus.cost import link_cost
from drivers.modbus.counts import LinkCounts
from drivers.modbus.plan import Last, halves_of, requests_of
from drivers.modbus.pool import Pool
from drivers.modbus.reply import data_of
from drivers.modbus.writing import write
from gateway.driver import Reply

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from drivers.modbus.connection import ModbusConnection
    from drivers.modbus.plan import Block
    from drivers.modbus.question import Question
    from gateway.clock import Clock
    from gateway.driver import Cut, Device, Request
    from gateway.model import Value


class ModbusDriver:
    """One end point: a TCP address or a serial port.

    The caller owns periods and repetitions; each `read` is one request.
    """

    def __init__(self, config: ModbusConnection, _clock: Clock) -> None:
        self._counts = LinkCounts()
        self._pool = Pool(config, self._counts)
        self._cost = link_cost(config)
        self._devices: dict[str, Device] = {}
        self._openings = 0

    def requests(self, devices: Sequence[Device]) -> Sequence[Request]:
        """The requests that read all tags of these devices, device by device."""
        self._devices = {device.name: device for device in devices}
        gaps_ms = {device.config.unit_id: device.config.request_gap_ms for device in devices}
        self._pool.gaps_ms = {unit_id: gap_ms for unit_id, gap_ms in gaps_ms.items() if gap_ms is not None}
        return [request for device in devices for request in requests_of(device, self._cost)]

    def halves(self, request: Request) -> Sequence[Request]:
        """Two requests for about half of it each; none where a device would refuse both for the same reason."""
        return halves_of(self._devices[request.device], request)

    def requests_apart(self, device: Device, cuts: Collection[Cut]) -> Sequence[Request]:
        """The requests that read all tags of one device, none of them across a cut."""
        return requests_of(device, self._cost, cuts)

    async def open(self) -> None:
        """Connect; an older connection is closed first, so that the PLC never sees two of them.

        Raises:
            LinkError: the end point cannot be reached; the text says why and what to look at.
        """
        await self._pool.open()
        self._openings += 1

    async def close(self) -> None:
        """Close the connection; it does nothing where it is closed already."""
        await self._pool.close()

    async def read(self, request: Request) -> Reply:
        """Send one request and return its values; a reply of identical bytes is not decoded again.

        Raises:
            LinkError: the connection is closed, lost, or cannot be trusted any more.
            NoReply: the unit kept silent for the device's `timeout_s`.
            DeviceRefused: the unit answered with an exception.
            WrongReply: the reply does not fit the request.
        """
        block: Block = request.detail
        last, block.last = block.last, None  # after a failure the next reading is news, whatever it says
        raw = data_of(await self._pool.ask(block.question), block)
        if last is not None and last.raw == raw and last.opening == self._openings:
            block.last = last
            return last.again
        decoded = block.decode(raw)
        block.last = Last(raw, Reply(*decoded, unchanged=True), self._openings)
        return Reply(*decoded)

    async def write(self, device: Device, tag: str, value: Value) -> None:
        """Write the raw value of one tag and read it back; the errors are those of `WritingDriver`."""
        await write(self.ask, device, tag, value)

    async def ask(self, question: Question) -> bytes:
        """Send one request and return the PDU of its reply: of the asked function, or an exception.

        Raises:
            LinkError: the connection is closed, lost, or cannot be trusted any more.
            NoReply: the unit kept silent for the question's `timeout_s`.
            WrongReply: another unit or function answered.
        """
        return await self._pool.ask(question)

    @property
    def parallel(self) -> int:
        """As many requests at a time as there may be connections; 1 on a bus."""
        return self._pool.most

    def counters(self) -> Mapping[str, int]:
        """What was counted on this connection, by name."""
        return asdict(self._counts)
