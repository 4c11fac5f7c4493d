"""One session with a server: a client object of its own, from connecting to the last closed socket.

asyncua serves as transport, secure channel and encoding. Its own reconnecting, watchdogs and publish loop are never
started: they restore half and call the connection healthy. What breaks here ends the session; the core opens a new one.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.ua_binary import struct_from_binary

from drivers.opcua.causes import ServerError, as_link_errors
from drivers.opcua.client import connect, drop_socket, new_client, understood

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from asyncua.common.utils import Buffer

    from drivers.opcua.guard import Guard

NODES_A_REQUEST: Final = 100
"""Small PLCs refuse long requests with BadTooManyOperations."""

CLOSE_S: Final = 0.5
"""How long the server may take to hear of the end; stopping must take less than 1 s in all."""

_Response = TypeVar("_Response")


class Session:
    """A connection with its secure channel and its session. Opened once, closed once."""

    def __init__(self, url: str, timeout_s: float, guard: Guard, interface: str | None = None) -> None:
        self.url = url
        self.timeout_s = timeout_s
        self._guard = guard
        self._client = new_client(url, timeout_s, interface)
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Connect and log in. Each answer may take `timeout_s`, the whole twice that; four times with certificates.

        Raises:
            OSError: the network failed; `TimeoutError` where no answer came.
            ua.UaError: the server refused, or answered what cannot be understood.
        """
        try:
            async with asyncio.timeout((2 if self._guard.insecure else 4) * self.timeout_s):
                await self._log_in()
        except BaseException:
            await self.close()
            raise
        self.spawn(self._renew_channel())
        if not self._guard.insecure:
            self.spawn(self._guard.watch())

    async def close(self) -> None:
        """Log out where the server still listens, then let go of everything. Never raises, may be called twice."""
        for task in self._tasks:
            task.cancel()
        try:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            with suppress(Exception), as_link_errors(self.url, CLOSE_S):  # asyncua stumbles over a half-open channel
                async with asyncio.timeout(CLOSE_S):
                    await self._client.close_session()
                    await self._client.close_secure_channel()
        finally:
            drop_socket(self._client)
        await asyncio.sleep(0)  # the loop closes a dropped socket in its next round

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Run endless work beside the session; its failure is the session's end."""
        self._tasks.add(asyncio.create_task(work))

    async def fault_within(self, seconds: float) -> None:
        """Wait this long, and raise what ended the session if something does.

        Raises:
            Exception: what ended one of the spawned works.
        """
        done, _ = await asyncio.wait(self._tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def call(self, request: object, answer: type[_Response], timeout_s: float | None = None) -> _Response:
        """Send one request and wait for its answer; `timeout_s` 0 waits for ever, None as long as for all.

        Raises:
            OSError: the network failed; `TimeoutError` where no answer came.
            ua.UaError: the server refused, or answered what cannot be understood.
        """
        protocol = self._client.uaclient.protocol
        if protocol is None:
            raise ConnectionError("the connection is closed")
        response = _decoded(answer, await protocol.send_request(request, timeout_s))
        response.ResponseHeader.ServiceResult.check()  # type: ignore[attr-defined]  # every response has one
        return response

    async def read(self, nodes: Sequence[ua.NodeId]) -> list[ua.DataValue]:
        """The present values of these nodes, with both times.

        Raises:
            OSError, ua.UaError: as `call`.
        """
        values: list[ua.DataValue] = []
        for first in range(0, len(nodes), NODES_A_REQUEST):
            values += await self._read_some(nodes[first : first + NODES_A_REQUEST])
        return values

    async def namespaces(self) -> list[str]:
        """The server's table of namespaces; the index of each is its place in it.

        Raises:
            OSError, ua.UaError: as `call`.
        """
        (table,) = await self.read([standard_node(ObjectIds.Server_NamespaceArray)])
        if table.Value is None or not isinstance(table.Value.Value, list):
            raise ServerError("the server does not tell its namespaces (node i=2255). Look at its log.")
        return [str(uri) for uri in table.Value.Value]

    async def _read_some(self, nodes: Sequence[ua.NodeId]) -> list[ua.DataValue]:
        request = ua.ReadRequest()
        request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
        request.Parameters.NodesToRead = [ua.ReadValueId(node, AttributeIds.Value) for node in nodes]
        response = await self.call(request, ua.ReadResponse)
        if len(response.Results) != len(nodes):
            raise ServerError(f"the server answered {len(response.Results)} values for {len(nodes)} nodes.")
        return response.Results

    async def _log_in(self) -> None:
        await self._guard.secure(self._client, self.timeout_s)
        await connect(self._client, self.timeout_s)
        with understood(self.timeout_s):
            self._guard.confirm(await self._client.create_session())
            await self._guard.login.activate(self._client)

    async def _renew_channel(self) -> None:
        while True:
            await asyncio.sleep(0.75 * self._client.secure_channel_timeout / 1000)
            await self._client.open_secure_channel(renew=True)
            self._client.uaclient.revolve_security_token()


def standard_node(number: int) -> ua.NodeId:
    """A node of the standard's own namespace."""
    return ua.NodeId(ua.Int32(number))


def _decoded(answer: type[_Response], body: Buffer) -> _Response:
    try:
        return struct_from_binary(answer, body)
    except Exception as error:
        raise ServerError(f"the server sent what cannot be decoded ({error!r}). Look at its log.") from error
