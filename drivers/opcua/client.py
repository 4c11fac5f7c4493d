"""A fresh client of asyncua, and the way to an open secure channel."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from asyncua.client.client import Client
from asyncua.client.ua_client import UaClientState
from asyncua.ua.uaerrors import UaError

from drivers.opcua.causes import NOT_BELIEVED, WANTS_CERTIFICATES, ServerError, stop_requests
from drivers.opcua.errors import NO_POLICY, NOT_TRUSTED_THERE
from gateway.interface import connected_socket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncua import ua

SESSION_TIMEOUT_S: Final = 60
"""A server forgets the session of a gateway that lost its power after this; small PLCs have few sessions."""

CHANNEL_LIFETIME_S: Final = 3600
"""Asked of the server for one security token; it is renewed at three quarters of it (Part 4, 5.6.2.1)."""

_SILENT: Final = logging.CRITICAL + 1


class _BoundClient(Client):
    """A client whose connections leave by one network interface."""

    interface = ""

    async def connect_socket(self) -> None:
        """As asyncua does it, over a socket that is bound before it connects."""
        transport, host, port = self.uaclient, self.server_url.hostname, self.server_url.port
        assert host is not None
        assert port is not None, "the url that is handed over always has its port"
        transport._set_state(UaClientState.CONNECTING)  # noqa: SLF001 - asyncua takes no socket from outside
        try:
            async with asyncio.timeout(transport._timeout):  # noqa: SLF001 - as above
                sock = await connected_socket(host, port, self.interface)
                await asyncio.get_running_loop().create_connection(transport._make_protocol, sock=sock)  # noqa: SLF001 - as above
        except BaseException:
            transport._set_state(UaClientState.DISCONNECTED)  # noqa: SLF001 - as above
            raise
        transport._set_state(UaClientState.SOCKET_OPEN)  # noqa: SLF001 - as above


def new_client(url: str, timeout_s: float, interface: str | None = None) -> Client:
    """A fresh client: one that has failed once cannot be used again. `interface` is the one to leave by, if any."""
    quieten()
    client = (Client if interface is None else _BoundClient)(url, timeout=timeout_s, auto_reconnect=False)
    if isinstance(client, _BoundClient):
        client.interface = str(interface)
    client.name = client.description = "edge-gateway"
    client.application_uri = f"urn:{socket.gethostname()}:edge-gateway"
    client.product_uri = "urn:edge-gateway"
    client.session_timeout = SESSION_TIMEOUT_S * 1000
    client.secure_channel_timeout = round(CHANNEL_LIFETIME_S * 1000)
    return client


async def connect(client: Client, timeout_s: float) -> None:
    """Connect and open the channel, with the security that was set on the client.

    Raises:
        OSError: the network failed; `TimeoutError` where no answer came.
        ua.UaError: the server refused, or answered what cannot be understood.
    """
    asked = stop_requests()
    await client.connect_socket()
    _stop_where_asked(asked)
    with understood(timeout_s):
        await client.send_hello()
        try:
            await client.open_secure_channel()
        except (AssertionError, AttributeError):  # all that asyncua leaves of a refusal
            raise _no_channel(client) from None


async def end_points(url: str, timeout_s: float, interface: str | None = None) -> list[ua.EndpointDescription]:
    """Ask the server, over a connection of its own and without security, for its end points and their certificates.

    Nothing of the answer is proved yet.

    Raises:
        OSError, ua.UaError: as `connect`.
    """
    client = new_client(url, timeout_s, interface)
    try:
        await connect(client, timeout_s)
        with understood(timeout_s):
            offered: list[ua.EndpointDescription] = await client.get_endpoints()
            return offered
    finally:
        drop_socket(client)


@contextmanager
def understood(timeout_s: float) -> Iterator[None]:
    """Say in words for a technician what goes wrong between an open port and an open session.

    Raises:
        ServerError: no answer, none that can be understood, or a closed connection.
    """
    try:
        yield
    except TimeoutError:
        raise ServerError(
            f"the port is open, but no OPC UA server answers within {timeout_s:g} s. "
            "Look at the port number, and at the server's state."
        ) from None
    except ConnectionError:
        raise ServerError(
            "the port is open, but the connection was closed at once. Look at the port number, and whether "
            "the server's connections are all taken."
        ) from None
    except (OSError, UaError):
        raise
    except Exception as error:
        raise ServerError(f"the server answered what cannot be understood ({error!r}). Look at its log.") from error


def drop_socket(client: Client) -> None:
    """Let go of the socket at once; a plain close would wait for a peer that has gone."""
    protocol = client.uaclient.protocol
    if protocol is not None and protocol.transport is not None:
        protocol.transport.abort()
    client.disconnect_socket()


def quieten() -> None:
    """Silence asyncua unless somebody has set its level: it logs tracebacks at each loss, and all reaches us anyway."""
    library = logging.getLogger("asyncua")
    if library.level == logging.NOTSET:
        library.setLevel(_SILENT)


def _no_channel(client: Client) -> ServerError:
    if client.security_policy.host_certificate:
        return ServerError(f"the server refuses a secure channel: {NOT_BELIEVED}.", NOT_TRUSTED_THERE)
    return ServerError(f"the server refuses a channel with security None: {WANTS_CERTIFICATES}.", NO_POLICY)


def _stop_where_asked(before: int) -> None:
    """asyncio.wait_for of Python 3.11, inside asyncua, swallows a cancellation that meets its result."""
    if stop_requests() > before:
        raise asyncio.CancelledError
