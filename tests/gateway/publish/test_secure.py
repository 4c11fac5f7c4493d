from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gateway.config.tls_files import TlsFiles
from gateway.model import iso_time
from gateway.publish.dial import Dialler
from gateway.publish.endings import SessionEnd, SessionLost, SessionRefused
from gateway.publish.message import Message
from gateway.publish.session import Session
from gateway.publish.settings import BrokerSettings
from tests.gateway.publish.authority import Authority
from tests.gateway.publish.scripted_broker import NO_ANSWER, ScriptedBroker

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from gateway.testing import ManualClock
    from tests.gateway.publish.conftest import Desk, Mosquitto

    Publishing = Callable[..., AbstractAsyncContextManager[Desk]]
    Mosquittos = Callable[..., Mosquitto]

WILL = Message("acme/_gateway/gw-1/status", b"{}", retain=True)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Signs the certificates of a test."""
    return Authority(tmp_path)


def encrypted(broker: ScriptedBroker, files: TlsFiles) -> BrokerSettings:
    return BrokerSettings("127.0.0.1", broker.port, "gw-1", tls=files, tick_s=0.02, connect_timeout_s=5)


async def end_of(settings: BrokerSettings, clock: ManualClock) -> SessionEnd:
    """How an attempt to open a session ends, or the session soon after."""
    session = Session(settings, clock, WILL)
    try:
        await session.open(Dialler())
    except SessionEnd as end:
        return end
    return await asyncio.wait_for(session.ended, 20)


async def test_every_batch_arrives_over_an_encrypted_link(authority: Authority, publishing: Publishing) -> None:
    """The broker is known by its authority, and we by our certificate."""
    own = authority.sign("gw-1")
    context = authority.server(authority.sign("127.0.0.1"), asks=True)
    files = TlsFiles(authority.ca, own.certificate, own.key)
    async with ScriptedBroker(context) as broker, publishing(broker.port, tls=files) as desk:
        desk.put("press-12", 100)
        await desk.until(lambda: desk.outbox.is_done)
        assert len(desk.outbox.acknowledged) == 100
        assert desk.publisher.state.reconnects == 0


async def test_answers_in_one_record_are_all_read_at_once(authority: Authority, clock: ManualClock) -> None:
    """What the TLS layer holds decrypted does not wake the loop again: it is read on."""
    async with ScriptedBroker(authority.server(authority.sign("127.0.0.1"))) as broker:
        broker.answer = lambda _publish: NO_ANSWER
        session = Session(encrypted(broker, TlsFiles(authority.ca)), clock, WILL)
        answers: list[int] = []
        session.on_answer = lambda mid, _code, _said: answers.append(mid)
        await session.open(Dialler())
        sent = session.publish(Message("acme/press-12/data", b"{}"))
        await broker.until(lambda: broker.published)
        not_asked_for = b"\x30\x0f\x00\x05acme/\x00payload"
        broker.send(50 * not_asked_for + b"\x40\x02" + sent.to_bytes(2))
        await broker.until(lambda: answers == [sent], 5)
        session.abort()


@pytest.mark.mosquitto
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_real_broker_takes_our_certificate(
    authority: Authority, mosquittos: Mosquittos, publishing: Publishing, protocol: str
) -> None:
    """Mosquitto with a private authority that asks for certificates: both versions of MQTT."""
    server, own = authority.sign("127.0.0.1"), authority.sign("gw-1")
    broker = mosquittos(
        "allow_anonymous true",
        f"cafile {authority.ca}",
        f"certfile {server.certificate}",
        f"keyfile {server.key}",
        "require_certificate true",
    )
    files = TlsFiles(authority.ca, own.certificate, own.key)
    async with publishing(broker.port, protocol=protocol, tls=files) as desk:
        desk.put("press-12", 300)
        await desk.until(lambda: desk.outbox.is_done)
        assert len(desk.outbox.acknowledged) == 300


@pytest.mark.mosquitto
@pytest.mark.parametrize("certificate", ["none", "of another authority"])
async def test_a_broker_that_wants_another_certificate_is_told(
    authority: Authority, mosquittos: Mosquittos, clock: ManualClock, tmp_path: Path, certificate: str
) -> None:
    """TLS 1.3 tells it after the handshake only; the text still names it, and the keys to look at."""
    server = authority.sign("127.0.0.1")
    files = TlsFiles(authority.ca)
    if certificate != "none":
        other = Authority(tmp_path, "other").sign("gw-1")
        files = TlsFiles(authority.ca, other.certificate, other.key)
    broker = mosquittos(
        "allow_anonymous true",
        f"cafile {authority.ca}",
        f"certfile {server.certificate}",
        f"keyfile {server.key}",
        "require_certificate true",
    )
    end = await end_of(BrokerSettings("127.0.0.1", broker.port, "gw-1", tls=files, tick_s=0.02), clock)
    assert "our certificate" in str(end) or "a certificate of ours" in str(end)


async def test_a_certificate_of_tomorrow_is_tried_again_soon(authority: Authority, clock: ManualClock) -> None:
    """The clock of a Pi is often behind after a start; the text says what it shows, and the next try is near."""
    signed = authority.sign("127.0.0.1", since=datetime(2090, 1, 1, tzinfo=UTC))
    async with ScriptedBroker(authority.server(signed)) as broker:
        end = await end_of(encrypted(broker, TlsFiles(authority.ca)), clock)
    assert isinstance(end, SessionLost)
    assert f"not valid yet; this machine's clock says {iso_time(clock.time_ns)}" in str(end)


async def test_a_port_without_tls_is_told(broker: ScriptedBroker, clock: ManualClock, authority: Authority) -> None:
    """`mqtts://` at the port of plain MQTT: the broker hears nonsense and hangs up, or answers plainly."""
    end = await end_of(encrypted(broker, TlsFiles(authority.ca)), clock)
    assert "speak TLS" in str(end) or "no answer" in str(end)
    assert broker.connects == []


async def test_files_that_are_gone_are_told(broker: ScriptedBroker, clock: ManualClock, tmp_path: Path) -> None:
    """Certificates are read anew for each session; one that was deleted is named."""
    end = await end_of(encrypted(broker, TlsFiles(tmp_path / "gone.pem")), clock)
    assert isinstance(end, SessionRefused)
    assert "the files under `broker: tls:` fail" in str(end)


async def test_the_end_of_both_certificates_is_learned(authority: Authority, clock: ManualClock) -> None:
    """The broker's from the handshake, our own from its file."""
    server, own = authority.sign("127.0.0.1", days=10), authority.sign("gw-1", days=20)
    async with ScriptedBroker(authority.server(server)) as broker:
        session = Session(encrypted(broker, TlsFiles(authority.ca, own.certificate, own.key)), clock, WILL)
        await session.open(Dialler())
        days = {
            expiry.whose: round((expiry.until_s - datetime.now(UTC).timestamp()) / 86_400)
            for expiry in session.expiries
        }
        assert days == {"broker": 10, "own": 20}
        session.abort()
