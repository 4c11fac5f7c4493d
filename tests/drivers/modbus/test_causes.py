from __future__ import annotations

import errno
import socket

import pytest

from drivers.modbus.causes import why_unreachable


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "refuses the connection"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "no route"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "no route"),
        (OSError(errno.ETIMEDOUT, "Connection timed out"), "does not answer"),
        (TimeoutError(), "does not answer"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "name is unknown"),
        (
            OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 101] Network"),
            "refuses the connection",
        ),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (OSError("something else"), "something else"),
    ],
)
def test_each_cause_says_what_to_look_at(error: OSError, says: str) -> None:
    """What the system calls it becomes what a technician does about it; the unknown is told as it is."""
    assert says in why_unreachable(error)
