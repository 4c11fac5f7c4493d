"""The broker cannot prove who it is, or only with a worn-out lock: row N15."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import pytest

from gateway.config.tls_files import TlsFiles
from tests.faults.uplink.proxy import FaultProxy
from tests.faults.uplink.rig import Load, Rig
from tests.gateway.publish.authority import Authority
from tests.gateway.publish.scripted_broker import ScriptedBroker

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    Rigs = Callable[[int, Load], AbstractAsyncContextManager[Rig]]

CASES = {
    "expired": "shows a certificate that has expired",
    "wrong CA": "of an authority that is not trusted here",
    "self-signed": "that is not trusted here",
    "wrong name": "shows a certificate without the address 127.0.0.1",
    "TLS 1.0 only": "speaks no TLS newer than 1.1",
    "no TLS": "speak TLS",
}


class DeafBroker:
    """A server of TLS in a thread, by OpenSSL's own blocking calls, which send every alert: it notes what it hears."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.heard = b""
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(20)

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._listening.accept()
            except OSError:
                return
            link.settimeout(5)
            with suppress(OSError), link:
                self._talk(link)

    def _talk(self, link: socket.socket) -> None:
        if self._context is None:
            link.recv(1000)
            link.sendall(b"\x20\x02\x00\x01 this is a port of plain MQTT")
            return
        with self._context.wrap_socket(link, server_side=True) as secure:
            self.heard += secure.recv(1000)


def server(case: str, folder: Path) -> tuple[ssl.SSLContext | None, Path]:
    """The broker's end of the link, and the authority that the gateway trusts."""
    trusted = Authority(folder, "trusted")
    match case:
        case "expired":
            context = trusted.server(trusted.sign("127.0.0.1", days=-1))
        case "wrong CA" | "self-signed":
            other = Authority(folder, "other")
            context = other.server(other.sign("127.0.0.1"))
        case "wrong name":
            context = trusted.server(trusted.sign("broker.example"))
        case "TLS 1.0 only":
            context = trusted.server(trusted.sign("127.0.0.1"), tls_1_0=True)
        case _:
            return None, trusted.ca
    return context, trusted.ca


@pytest.mark.parametrize("case", CASES)
async def test_n15_a_broker_that_cannot_prove_itself_gets_not_one_byte(tmp_path: Path, rigs: Rigs, case: str) -> None:
    """No CONNECT, no user, no password, no topic goes out, encrypted or plain; the status names the failed check."""
    context, ca = server(case, tmp_path)
    settings = {"tls": TlsFiles(ca), "username": "anna", "password": "geheim", "connect_timeout_s": 1.0}
    with DeafBroker(context) as broker:
        async with (
            FaultProxy(broker.port) as proxy,
            rigs(proxy.port, Load(period_s=0.1, haste=100.0, settings=settings)) as rig,
        ):
            await rig.until(lambda: rig.pauses_s, 20, "the refusal")
            assert CASES[case] in rig.publisher.state.reason
            await rig.until(lambda: proxy.accepted >= 3, 20, "a few more attempts")
        assert broker.heard == b""
        for plain in (b"MQTT", b"anna", b"geheim", b"acme"):
            assert plain not in proxy.sent_up


async def test_n15_the_right_broker_is_served(tmp_path: Path, rigs: Rigs) -> None:
    """The same link with everything in order carries the data: the row is not green because nothing works."""
    trusted = Authority(tmp_path)
    settings = {"tls": TlsFiles(trusted.ca)}
    async with ScriptedBroker(trusted.server(trusted.sign("127.0.0.1"))) as broker, FaultProxy(broker.port) as proxy:
        async with rigs(proxy.port, Load(period_s=0.1, settings=settings)) as rig:
            await rig.connected()
            await asyncio.sleep(0.5)
            await rig.drained()
        assert len(broker.published) > 10
        assert b"MQTT" not in proxy.sent_up
