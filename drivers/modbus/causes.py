"""Why an end point cannot be reached, and what to look at."""

from __future__ import annotations

import errno
import re
import socket
from typing import Final

_NO_ROUTE: Final = (
    "there is no route to it: check the network cable, this machine's IP address and mask, and the router"
)
_SILENT: Final = "it does not answer: check its power, its network cable, the IP address and a firewall in between"
_REFUSED: Final = (
    "it refuses the connection: check that Modbus TCP is switched on there and on this port, that this machine is "
    "allowed in, and that other programs leave it a free connection"
)
_UNKNOWN_NAME: Final = "the name is unknown: check its spelling and the DNS server, or write the IP address"

_BY_ERRNO: Final = {
    errno.ECONNREFUSED: _REFUSED,
    errno.EHOSTUNREACH: _NO_ROUTE,
    errno.ENETUNREACH: _NO_ROUTE,
    errno.ETIMEDOUT: _SILENT,
}
_ERRNO_IN_TEXT: Final = re.compile(r"\[Errno ([0-9]+)\]")


def why_unreachable(error: OSError) -> str:
    """Cause and remedy of a connection that could not be made."""
    if isinstance(error, socket.gaierror):
        return _UNKNOWN_NAME
    if isinstance(error, TimeoutError):
        return _SILENT
    return _BY_ERRNO.get(_errno_of(error), f"{error}")


def _errno_of(error: OSError) -> int:
    """A name with several addresses gives one error with the texts of all; the first one speaks."""
    if error.errno is not None:
        return error.errno
    first = _ERRNO_IN_TEXT.search(str(error))
    return int(first[1]) if first else 0
