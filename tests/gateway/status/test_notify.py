"""What systemd hears."""

from __future__ import annotations

import select
import socket
import time
from typing import TYPE_CHECKING

import pytest

from gateway.status.notify import Notifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Systemd:
    """The other end of the notification socket."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1))
        self.socket.settimeout(5)

    def has_more(self) -> bool:
        return bool(select.select([self.socket], [], [], 0)[0])

    def heard(self) -> str:
        return self.socket.recv(4096).decode()


@pytest.fixture(params=["file", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "notify") if request.param == "file" else f"@edge-gateway-{tmp_path.name}-{id(request)}"


@pytest.fixture
def systemd(address: str) -> Iterator[Systemd]:
    systemd = Systemd(address)
    yield systemd
    systemd.socket.close()


@pytest.mark.parametrize(
    ("say", "heard"),
    [
        (Notifier.ready, "READY=1"),
        (Notifier.stopping, "STOPPING=1"),
        (Notifier.alive, "WATCHDOG=1"),
        (lambda notifier: notifier.reloading(5_000_123), "RELOADING=1\nMONOTONIC_USEC=5000"),
        (lambda notifier: notifier.status("3 of 3 devices online"), "STATUS=3 of 3 devices online"),
    ],
)
def test_each_word_reaches_systemd(say: Callable[[Notifier], None], heard: str, address: str, systemd: Systemd) -> None:
    """By a socket in the file system and by an abstract one."""
    say(Notifier({"NOTIFY_SOCKET": address}))
    assert systemd.heard() == heard


def test_an_unchanged_status_is_sent_once(address: str, systemd: Systemd) -> None:
    """The journal of systemd is not flooded."""
    notifier = Notifier({"NOTIFY_SOCKET": address})
    for text in ("one", "one", "two"):
        notifier.status(text)
    assert [systemd.heard(), systemd.heard()] == ["STATUS=one", "STATUS=two"]


def test_without_systemd_nothing_happens() -> None:
    """No socket named, no socket opened; no watchdog asked for, none fed."""
    notifier = Notifier({})
    notifier.ready()
    assert notifier.watchdog_s is None


def test_a_socket_that_went_away_is_no_reason_to_stop(tmp_path: Path) -> None:
    """The gateway goes on without systemd."""
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive()


def test_the_watchdog_is_fed_twice_as_often_as_asked() -> None:
    """Half of WATCHDOG_USEC, as sd_watchdog_enabled(3) advises."""
    assert Notifier({"WATCHDOG_USEC": "30000000"}).watchdog_s == 15.0


def test_a_systemd_that_does_not_listen_holds_nothing_up(address: str, systemd: Systemd) -> None:
    """Its socket fills up after some messages: the rest is not waited for, and the newest status comes later."""
    notifier = Notifier({"NOTIFY_SOCKET": address})
    begun = time.monotonic()
    for number in range(1000):
        notifier.alive()
        notifier.status(f"status {number}")
    assert time.monotonic() - begun < 5
    while systemd.has_more():
        systemd.heard()
    notifier.status("status 999")
    assert systemd.heard() == "STATUS=status 999"
