"""Connections that leave by one interface."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from gateway.interface import NoInterface, connected_socket


async def serve() -> tuple[asyncio.Server, int]:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    return server, port


async def test_connection_is_bound_to_its_interface() -> None:
    """By lo there is a way to loopback, and the socket says so."""
    server, port = await serve()
    sock = await connected_socket("127.0.0.1", port, "lo")
    bound = sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
    assert bound.rstrip(b"\0") == b"lo"
    assert sock.getpeername() == ("127.0.0.1", port)
    sock.close()
    server.close()
    await server.wait_closed()


async def test_other_interface_has_no_way_there() -> None:
    """Whatever the routes say, nothing leaves by lo; so the binding is real."""
    others = [name for _, name in socket.if_nameindex() if name != "lo"]
    if not others:
        pytest.skip("this machine has no interface beside lo")
    server, port = await serve()
    with pytest.raises((OSError, TimeoutError)):
        await asyncio.wait_for(connected_socket("127.0.0.1", port, others[0]), 1.0)
    server.close()
    await server.wait_closed()


async def test_unknown_interface_is_named() -> None:
    """With the command that lists those there are; the socket is closed."""
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - numbers, not paths
    with pytest.raises(NoInterface, match="there is no interface eth77; `ip link` lists them"):
        await connected_socket("127.0.0.1", 1, "eth77")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - as above


async def test_nobody_there_is_the_usual_error() -> None:
    """So that the drivers' words for it serve here as well."""
    server, port = await serve()
    server.close()
    await server.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        await connected_socket("127.0.0.1", port, "lo")
