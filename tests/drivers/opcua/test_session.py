"""Opening and closing against servers that are no servers."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from asyncua import ua
from asyncua.ua.object_ids import ObjectIds

from drivers.opcua.causes import ServerError
from drivers.opcua.client import quieten
from drivers.opcua.config import OpcuaConnection
from drivers.opcua.guard import Guard
from drivers.opcua.session import NODES_A_REQUEST, Session, standard_node
from gateway.clock import SystemClock
from gateway.driver import LinkError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from conftest import Ear, Press, Proxy

pytestmark = pytest.mark.asyncio(loop_scope="session")


def open_session(url: str, timeout_s: float) -> Session:
    """Not opened yet, without certificates."""
    device = {"tags": {"t": {"address": "i=2258"}}}
    written = {"version": 1, "driver": "opcua", "url": url, "insecure": True, "devices": {"press": device}}
    return Session(url, timeout_s, Guard(OpcuaConnection.model_validate(written), SystemClock()))


TAGS = {"t": "i=2258"}


@asynccontextmanager
async def peer(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """The url of something that answers in its own way."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"opc.tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def hang_up(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """A PLC whose connections are all taken."""


async def web_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(8)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


async def babbler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(8)
    writer.write(b"ACKF" + (28).to_bytes(4, "little") + bytes(20))
    await reader.read(8)
    writer.write(b"OPNF" + (212).to_bytes(4, "little") + os.urandom(204))


async def opening(ear: Ear) -> str:
    """What the failure to open says."""
    with pytest.raises(LinkError) as caught:
        await ear.driver.open()
    return str(caught.value)


async def test_a_port_where_nobody_listens(free_port: int, ear: Callable[..., Ear]) -> None:
    """Refused at once, and said so."""
    url = f"opc.tcp://127.0.0.1:{free_port}"
    assert (await opening(ear(url, TAGS))).startswith(f"{url}: connection refused.")


async def test_a_host_that_nobody_knows(ear: Callable[..., Ear]) -> None:
    """`.invalid` never exists (RFC 2606)."""
    assert "host name is not known" in await opening(ear("opc.tcp://plc.invalid", TAGS))


async def test_a_port_that_never_answers_ends_within_the_time_limit(
    black_hole: str, ear: Callable[..., Ear], resources: Callable[[], tuple[int, int]]
) -> None:
    """Nothing is left of the attempt."""
    before = resources()
    start = time.monotonic()
    says = await opening(ear(black_hole, TAGS, defaults={"timeout_s": 0.3}))

    assert time.monotonic() - start < 3
    assert says.startswith(f"{black_hole}: the port is open, but no OPC UA server answers within 0.3 s.")
    assert resources() == before


async def test_an_opening_into_a_black_hole_is_cancelled_within_a_second(
    black_hole: str, ear: Callable[..., Ear], resources: Callable[[], tuple[int, int]]
) -> None:
    """However long its own time limit is."""
    before = resources()
    attempt = asyncio.create_task(ear(black_hole, TAGS, defaults={"timeout_s": 60}).driver.open())
    await asyncio.sleep(0.1)
    attempt.cancel()
    done, _ = await asyncio.wait({attempt}, timeout=1)

    assert done == {attempt}
    assert attempt.cancelled()
    assert resources() == before


async def test_a_cancellation_that_the_library_swallows_still_cancels(
    black_hole: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.11 loses one that arrives together with the connected socket."""
    session = open_session(black_hole, 60)

    async def swallow() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

    monkeypatch.setattr(session._client, "connect_socket", swallow)
    attempt = asyncio.create_task(session.open())
    await asyncio.sleep(0.01)
    attempt.cancel()
    await asyncio.wait({attempt}, timeout=1)
    assert attempt.cancelled()


async def test_bytes_that_nobody_takes_do_not_keep_the_socket(
    proxy: Proxy, resources: Callable[[], tuple[int, int]], settled: Callable[..., Any]
) -> None:
    """A plain close would wait for a peer that has gone until the kernel gives up, a quarter of an hour later."""
    session = open_session(proxy.url, 5)
    await session.open()
    _, files = resources()
    proxy.freeze()
    protocol = session._client.uaclient.protocol
    assert protocol is not None
    assert protocol.transport is not None
    protocol.transport.write(bytes(50_000_000))

    await session.close()

    await settled(lambda: resources()[1] == files - 1)


@pytest.mark.parametrize("answer", [hang_up, web_server, babbler])
async def test_a_peer_that_speaks_no_opc_ua_is_no_traceback(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], ear: Callable[..., Ear]
) -> None:
    """The message says that the port is open, and what may be wrong with it."""
    async with peer(answer) as url:
        assert "the port is open, but" in await opening(ear(url, TAGS, defaults={"timeout_s": 0.5}))


async def test_a_server_without_security_none_is_named_as_such(press: Press, ear: Callable[..., Ear]) -> None:
    """It tells its end points, and none of them fits."""
    offered = press.server.iserver.endpoints
    press.server.iserver.endpoints = []
    try:
        says = await opening(ear(press.url, TAGS))
    finally:
        press.server.iserver.endpoints = offered
    assert "the server has no end point with security None" in says


async def test_many_nodes_are_read_in_parts(press: Press) -> None:
    """More than one request's worth, in the order asked for."""
    session = open_session(press.url, 5)
    await session.open()
    state = standard_node(ObjectIds.Server_ServerStatus_State)
    nodes = [state, press.node("Strokes")] * NODES_A_REQUEST

    values = await session.read(nodes)
    await session.close()

    assert [value.Value.Value for value in values if value.Value] == [0, 1004] * NODES_A_REQUEST


async def test_the_namespaces_are_the_servers_own(press: Press) -> None:
    """Index by place."""
    session = open_session(press.url, 5)
    await session.open()
    namespaces = await session.namespaces()
    await session.close()
    assert namespaces[0] == "http://opcfoundation.org/UA/"
    assert namespaces[press.index] == "urn:acme:press"


async def test_a_server_that_hides_its_namespaces_is_named_as_such(
    press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without them no address can be resolved."""
    session = open_session(press.url, 5)
    await session.open()

    async def denied(_nodes: object) -> list[ua.DataValue]:
        return [ua.DataValue(StatusCode=ua.StatusCode(ua.StatusCodes.BadUserAccessDenied))]

    monkeypatch.setattr(session, "read", denied)
    with pytest.raises(ServerError, match="does not tell its namespaces"):
        await session.namespaces()
    await session.close()


async def test_an_answer_that_cannot_be_decoded_is_the_servers_fault(press: Press) -> None:
    """The bytes of one answer, read as another, are as good as a broken server."""
    session = open_session(press.url, 5)
    await session.open()
    with pytest.raises(ServerError, match="cannot be decoded"):
        await session.call(ua.ReadRequest(), ua.CreateSessionResponse)
    await session.close()


async def test_a_closed_session_answers_no_call(press: Press) -> None:
    """It says so at once."""
    session = open_session(press.url, 5)
    await session.open()
    await session.close()
    with pytest.raises(ConnectionError):
        await session.namespaces()


async def test_what_ends_a_work_beside_the_session_ends_the_wait(press: Press) -> None:
    """The failure itself arrives where somebody waits for faults."""
    session = open_session(press.url, 5)
    await session.open()

    async def fail() -> None:
        raise ServerError("renewal failed")

    session.spawn(fail())
    with pytest.raises(ServerError, match="renewal failed"):
        await session.fault_within(10)
    await session.close()


async def test_the_library_is_silent_unless_somebody_wants_to_hear_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A level that was set by hand is left alone."""
    library = logging.getLogger("asyncua")
    monkeypatch.setattr(library, "level", logging.NOTSET)
    quieten()
    assert not library.isEnabledFor(logging.CRITICAL)

    library.setLevel(logging.DEBUG)
    quieten()
    assert library.level == logging.DEBUG
