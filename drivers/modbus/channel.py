"""One pymodbus client with a framer of ours in it: opened once, asked one thing at a time, closed, and then spent.

pymodbus's own reconnecting, repeating and time-outs are switched off: each device has its own time-out, and the core
owns the patience.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from drivers.modbus.question import RawReply, RawRequest

if TYPE_CHECKING:
    import socket

    from pymodbus.client.base import ModbusBaseClient
    from pymodbus.framer.base import FramerBase

    from drivers.modbus.question import Question

_LARGEST_CHUNK: Final = 1 << 20
"""More than asyncio and uvloop hand over at once, 256 KiB: pymodbus drops what is larger."""


class Channel:
    """What carries bytes to the units and back.

    Args:
        client: a new one, not connected.
        framer: cuts what arrives into frames; it takes the place of the client's own.
    """

    def __init__(self, client: ModbusBaseClient, framer: FramerBase) -> None:
        self._client = client
        client.ctx.framer = framer
        client.ctx.max_buffer_size = _LARGEST_CHUNK
        client.ctx.callback_disconnected = self._lost  # type: ignore[method-assign,assignment]  # its own keeps the cause to itself
        self._is_waiting = False
        self._cause: OSError = ConnectionResetError("it was closed")

    async def open(self, sock: socket.socket | None = None, **encrypted: Any) -> Any:
        """Connect and return the transport.

        Args:
            sock: a socket that is connected already; None connects one.
            encrypted: what asyncio's `create_connection` wants to know for TLS; nothing without.

        Raises:
            OSError: as the system says it; pymodbus's own `connect` would keep the cause to itself.
        """
        create: Any = self._client.ctx.call_create
        if sock is not None:
            create = partial(asyncio.get_running_loop().create_connection, self._client.ctx.handle_new_connection)
            encrypted["sock"] = sock
        transport, _ = await create(**encrypted)
        self._client.ctx.transport = transport
        return transport

    async def close(self) -> None:
        """Close at once, whatever still waits to be sent."""
        transport: Any = self._client.ctx.transport
        self._client.close()
        self._lost(None)
        if transport is not None:
            transport.abort()
            await asyncio.sleep(0)  # the loop closes the socket in its next round; only then may another be opened

    @property
    def last_transaction(self) -> int:
        """The id of the last request; those of the next ones go on from it."""
        return self._client.ctx.next_tid

    @last_transaction.setter
    def last_transaction(self, transaction: int) -> None:
        """The ids of the next requests go on from this one."""
        self._client.ctx.next_tid = transaction

    @property
    def holds_unused_bytes(self) -> bool:
        """Whether something came that the framer could not use yet."""
        return bool(self._client.ctx.recv_buffer)

    async def send(self, question: Question) -> RawReply:
        """Send one request and wait for the reply that the framer picks, without a limit of time.

        Raises:
            OSError: the connection is lost or was closed.
        """
        ctx = self._client.ctx
        transport: Any = ctx.transport
        if transport is None:
            raise self._cause
        request = RawRequest(question)
        request.transaction_id = ctx.getNextTID()
        # Not client.execute(): it locks, repeats, logs and limits the time, which is done elsewhere or not wanted.
        ctx.request_dev_id, ctx.request_transaction_id = question.unit_id, request.transaction_id
        ctx.recv_buffer = b""
        ctx.response_future = asyncio.get_running_loop().create_future()
        self._is_waiting = True
        try:
            transport.write(ctx.framer.buildFrame(request))
            reply = await ctx.response_future
        finally:
            self._is_waiting = False
            ctx.request_transaction_id = 0
        assert isinstance(reply, RawReply)
        return reply

    def give_up(self, error: Exception) -> None:
        """End the wait of `send` with this error; does nothing where nobody waits."""
        future = self._client.ctx.response_future
        if self._is_waiting and not future.done():
            future.set_exception(error)

    def _lost(self, cause: Exception | None) -> None:
        """Wake the request under way: pymodbus would let it wait for its time-out."""
        if isinstance(cause, OSError):
            self._cause = cause
        self.give_up(self._cause)
