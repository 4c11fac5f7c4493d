"""One open TCP connection to one end point, asked one thing at a time. pymodbus carries it.

A late or strange reply is never booked on a request:

- A reply counts only with the transaction id of the request that is waited for; 0 is no exception.
- After a time-out the connection stays open, since other units behind it may be well and PLCs have few sockets. Ids are
  not used again before 65 000 requests, so a late reply is known by its id, and dropped.
- Where frames begin is known only as long as everything that came was a frame. When it was not, or half a frame is left
  when the next request would go out, the connection is given up.
- After four requests in a row in which nothing at all came, it is given up as well: it may be dead at the other end.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final

from pymodbus.client.tcp import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from drivers.modbus.causes import why_unreachable
from drivers.modbus.frames import RawReply, ReplyFramer
from gateway.driver import LinkError, NoReply, WrongReply

if TYPE_CHECKING:
    from pymodbus.pdu import ModbusPDU

    from drivers.modbus.config import ModbusConnection
    from drivers.modbus.plan import Block
    from gateway.driver import DriverError

CONNECT_TIMEOUT_S: Final = 5.0
"""Room for the second and third try of TCP, after 1 s and 3 s (RFC 6298, section 2)."""

SILENCES_TO_GIVE_UP: Final = 4
"""Requests in a row."""

_LARGEST_CHUNK: Final = 1 << 20
"""More than asyncio and uvloop hand over at once, 256 KiB: pymodbus drops what is larger."""

_SOCKET_OPTIONS: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 10_000),
)
"""A device without power is noticed after 25 s where nothing is sent to it, and after 10 s (the last one, in ms) where
something is, not after 15 minutes (tcp(7))."""

_REQUESTS: Final[dict[int, type[ModbusPDU]]] = {
    kind.function_code: kind
    for kind in (ReadCoilsRequest, ReadDiscreteInputsRequest, ReadHoldingRegistersRequest, ReadInputRegistersRequest)
}


class Link:
    """One connection, from `open` to `close`; then it is spent. The next one brings its own pymodbus client.

    Args:
        config: the end point.
        last_transaction: that of the connection before. Ids go on from it, so that what a converter still answers to
            the old connection answers nothing on the new one.
    """

    def __init__(self, config: ModbusConnection, last_transaction: int = 0) -> None:
        self._transaction_before = last_transaction
        self._end_point = config.end_point
        self._framer = ReplyFramer()
        self._client = AsyncModbusTcpClient(
            config.host,
            port=config.port,
            reconnect_delay=0,
            retries=0,
            timeout=None,  # type: ignore[arg-type]  # waits for ever: the time-outs are ours, one for each device
            trace_connect=self._connected_or_lost,
        )
        self._client.ctx.framer = self._framer
        self._client.ctx.max_buffer_size = _LARGEST_CHUNK
        self._is_waiting = False
        self._silences = 0

    async def open(self) -> None:
        """Connect.

        Raises:
            LinkError: refused, unreachable, unknown or silent; the text says which, and what to look at.
        """
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                # Not client.connect(): it keeps the cause of a failure to itself.
                transport, _ = await self._client.ctx.call_create()
        except OSError as error:
            raise LinkError(f"cannot connect to {self._end_point}: {why_unreachable(error)}") from error
        self._client.ctx.next_tid = self._transaction_before
        for level, option, value in _SOCKET_OPTIONS:
            transport.get_extra_info("socket").setsockopt(level, option, value)

    @property
    def last_transaction(self) -> int:
        """The id of the last request."""
        return self._client.ctx.next_tid

    async def close(self) -> None:
        """Close the socket at once, whatever still waits to be sent."""
        transport = self._client.ctx.transport
        self._client.close()
        self._connected_or_lost(connected=False)
        if transport is not None:
            transport.abort()  # type: ignore[attr-defined]  # a TCP transport is more than a BaseTransport
            await asyncio.sleep(0)  # the loop closes the socket in its next round; only then may another be opened

    async def exchange(self, block: Block) -> bytes:
        """Send one request and return the frame of its reply. Its transaction id fits; nothing else is checked.

        Raises:
            LinkError: the connection is lost, seems dead, or cannot be trusted any more.
            NoReply: nothing came in the block's `timeout_s`, or only what belongs to earlier requests.
            WrongReply: in that time came only replies to requests that were never sent.
        """
        if self._framer.is_out_of_step or self._client.ctx.recv_buffer:
            raise self._out_of_step()
        self._framer.has_heard, self._framer.stray = False, None
        try:
            async with asyncio.timeout(block.timeout_s):
                frame = await self._ask(block)
        except TimeoutError:
            raise self._silence(block) from None
        except (ConnectionError, ModbusException):
            raise LinkError(f"{self._end_point} closed the connection while it was asked for {block}") from None
        self._silences = 0
        if not frame:
            raise self._out_of_step()
        return frame

    async def _ask(self, block: Block) -> bytes:
        request = _REQUESTS[block.start.table.read_function](
            dev_id=block.unit_id, address=block.start.number, count=block.count
        )
        self._is_waiting = True
        try:
            reply = await self._client.execute(False, request)
        finally:
            self._is_waiting = False
            self._client.ctx.request_transaction_id = 0
        assert isinstance(reply, RawReply)
        return reply.frame

    def _connected_or_lost(self, connected: bool) -> None:  # noqa: FBT001 - pymodbus calls it so
        """Wake the request under way: pymodbus would let it wait for its time-out."""
        future = self._client.ctx.response_future
        if self._is_waiting and not connected and not future.done():
            future.set_exception(ConnectionResetError())

    def _out_of_step(self) -> LinkError:
        return LinkError(
            f"{self._end_point} sent bytes that are no Modbus TCP frame; the connection is opened anew. If it happens "
            "every time: check that the port speaks Modbus TCP, and not Modbus RTU or another protocol"
        )

    def _silence(self, block: Block) -> DriverError:
        """The error for a request that ran into its time-out, by what else came in that time."""
        self._silences = 0 if self._framer.has_heard else self._silences + 1
        if self._silences >= SILENCES_TO_GIVE_UP:
            return LinkError(
                f"{self._end_point} left {self._silences} requests unanswered, last {block}; it is connected anew"
            )
        stray = self._framer.stray
        if stray is None:
            return NoReply(
                f"{block}: no answer from {self._end_point} within {block.timeout_s:g} s. Check the unit's power and "
                "unit_id, behind a converter its wiring and baud rate; a slow device needs a higher timeout_s"
            )
        if 0 < stray < self._client.ctx.next_tid:
            return NoReply(f"{block}: {self._end_point} answers later than {block.timeout_s:g} s: raise timeout_s")
        return WrongReply(
            f"{block}: {self._end_point} answered transaction {stray}, which was never asked; this is a fault of the "
            "device or converter: look for newer firmware"
        )
