"""TCP connections that leave by one network interface, whatever the routes say.

Two machines with the same addresses, each behind an interface of its own, are told apart in no other way.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Annotated

from pydantic import StringConstraints

InterfaceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$")]
"""Name of a network interface, such as `eth1`; the kernel allows 15 characters (netdevice(7))."""


class NoInterface(OSError):  # noqa: N818 - the system's errors have such names
    """There is no such network interface, or it is not to be used."""

    def __str__(self) -> str:
        """The text alone, for a technician."""
        return str(self.strerror)


async def connected_socket(host: str, port: int, interface: str) -> socket.socket:
    """A connected, non-blocking TCP socket bound to an interface.

    SO_BINDTODEVICE, socket(7); no privilege is needed for it from Linux 5.7 on.

    Raises:
        NoInterface: there is none of this name, or this user may not bind to it; the text says which.
        OSError: the name cannot be resolved, or nobody answers there.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure: OSError | None = None
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            _bind(sock, interface)
            await loop.sock_connect(sock, address)
        except BaseException as error:
            sock.close()
            if isinstance(error, NoInterface) or not isinstance(error, OSError):
                raise
            failure = error
        else:
            return sock
    raise failure or OSError(errno.EADDRNOTAVAIL, f"no address of {host}")


def _bind(sock: socket.socket, interface: str) -> None:
    sock.setblocking(False)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    except OSError as error:
        if error.errno == errno.ENODEV:
            raise NoInterface(error.errno, f"there is no interface {interface}; `ip link` lists them") from None
        raise NoInterface(error.errno, f"interface {interface} cannot be used: {error.strerror}") from None
