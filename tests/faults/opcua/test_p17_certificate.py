"""A server that shows another certificate than the one that is trusted."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from asyncua import Server, ua

from drivers.opcua.client import quieten
from drivers.opcua.config import OpcuaConnection
from drivers.opcua.pki import Pki
from drivers.opcua.spec import SPEC
from gateway.cli.main import main
from gateway.clock import SystemClock
from gateway.collect.plan import devices_of
from gateway.driver import LinkError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gateway.model import Batch

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the server's certificates")

DEADLINE_S = 30.0

OPENSSL = shutil.which("openssl")


def _certificate(folder: Path, name: str) -> tuple[str, str]:
    """Made by openssl, as a plant would: certificate and key of the press, for 127.0.0.1."""
    assert OPENSSL is not None
    certificate, key = str(folder / f"{name}.pem"), str(folder / f"{name}-key.pem")
    names = "subjectAltName=URI:urn:acme:press-server,IP:127.0.0.1"
    what = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=Press", "-addext", names]
    subprocess.run([OPENSSL, *what, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


@asynccontextmanager
async def _server(port: int, certificate: str, key: str) -> AsyncIterator[None]:
    quieten()
    server = Server()
    await server.init()
    server.disable_clock()
    await server.set_application_uri("urn:acme:press-server")
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
    await server.load_certificate(certificate)
    await server.load_private_key(key)
    async with server:
        yield


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Gateway:
    """The driver, opened anew as the core would, and what it emitted."""

    def __init__(self, port: int, folder: Path) -> None:
        written: dict[str, Any] = {
            "version": 1,
            "driver": "opcua",
            "url": f"opc.tcp://127.0.0.1:{port}",
            "security": {"pki": str(folder)},
            "devices": {"press": {"tags": {"clock": {"address": "i=2258"}}}},
        }
        self.config = OpcuaConnection.model_validate(written)
        self.driver = SPEC.build(self.config, SystemClock())
        self.batches: list[Batch] = []
        self._heard = asyncio.Event()

    def _emit(self, batch: Batch) -> None:
        self.batches.append(batch)
        self._heard.set()

    async def hears(self) -> None:
        """Connect, and wait for values."""
        self.batches.clear()
        self._heard.clear()
        await self.driver.open()
        listening = asyncio.create_task(self.driver.listen(devices_of(self.config), self._emit))
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._heard.wait()
        finally:
            listening.cancel()
            await asyncio.wait({listening})
            await self.driver.close()

    async def is_refused(self) -> LinkError:
        """Connect, and give back why that was not possible."""
        self.batches.clear()
        with pytest.raises(LinkError) as caught:
            await self.driver.open()
        await self.driver.close()
        return caught.value


async def test_p17_a_changed_server_certificate_is_refused_and_kept_until_it_is_trusted(
    tmp_path: Path, *, campaign: bool
) -> None:
    """No value is taken from it, it lies among the rejected, and the command of the message lets it in."""
    pki, port = Pki(tmp_path / "pki"), _free_port()
    gateway = Gateway(port, pki.folder)
    for turn in range(5 if campaign else 2):
        async with _server(port, *_certificate(tmp_path, f"press-{turn}")):
            error = await gateway.is_refused()

            assert gateway.batches == []
            assert error.code == "E-UA-001"
            assert ("is another one than the trusted one" if turn else "is not trusted") in str(error)
            (rejected,) = pki.certificates(pki.rejected)
            command = str(error).partition("run: edge-gateway ")[2].split()
            assert command == ["opcua", "trust", rejected.path.stem, "--pki", str(pki.folder)]
            assert main(command) == 0
            await gateway.hears()
            assert gateway.batches[0].plan.tags[0].name == "clock"


async def test_p17_a_change_while_values_flow_ends_them(tmp_path: Path) -> None:
    """The server restarts with another certificate; nothing more is emitted."""
    pki, port = Pki(tmp_path / "pki"), _free_port()
    gateway = Gateway(port, pki.folder)
    async with _server(port, *_certificate(tmp_path, "first")):
        error = await gateway.is_refused()
        assert main(str(error).partition("run: edge-gateway ")[2].split()) == 0
        await gateway.driver.open()
        listening = asyncio.create_task(gateway.driver.listen(devices_of(gateway.config), gateway._emit))
        async with asyncio.timeout(DEADLINE_S):
            await gateway._heard.wait()
    async with _server(port, *_certificate(tmp_path, "second")):
        async with asyncio.timeout(DEADLINE_S):
            with pytest.raises(LinkError):
                await listening
        error = await gateway.is_refused()
        assert error.code == "E-UA-001"
        assert gateway.batches == []
