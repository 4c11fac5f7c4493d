"""What systemd is told: ready, reloading, stopping, a status line, signs of life (sd_notify(3)).

A systemd that does not listen holds nothing up: what its socket has no room for is not sent, and the status is sent
again when it has.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Notifier:
    """Sends to the socket that systemd names; does nothing where none is named."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._watchdog_usec = int(environment.get("WATCHDOG_USEC", "0"))
        self._status = ""

    @property
    def watchdog_s(self) -> float | None:
        """How often a sign of life is due, s: half of what systemd allows; None where it asks for none."""
        return self._watchdog_usec / 2e6 if self._watchdog_usec else None

    def ready(self) -> None:
        """Started, or reloaded."""
        self._send("READY=1")

    def reloading(self, monotonic_ns: int) -> None:
        """A reload begins; `ready` ends it. systemd asks for the monotonic time of its beginning."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={monotonic_ns // 1000}")

    def stopping(self) -> None:
        """The end begins."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """The line that `systemctl status` shows; sent where it changed."""
        if text != self._status and self._send(f"STATUS={text}"):
            self._status = text

    def _send(self, message: str) -> bool:
        """Returns whether it was sent."""
        if not self._address:
            return False
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            channel.connect(address)
            channel.sendall(message.encode())
            return True
        return False
