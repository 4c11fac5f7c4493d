from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gateway.publish.dial import Dialler
from gateway.publish.endings import SessionEnd, SessionLost, SessionRefused
from gateway.publish.message import Message
from gateway.publish.session import Session
from gateway.publish.settings import BrokerSettings
from tests.gateway.publish.scripted_broker import (
    MAXIMUM_PACKET_SIZE,
    REASON_STRING,
    RECEIVE_MAXIMUM,
    SERVER_KEEP_ALIVE,
    ScriptedBroker,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.testing import ManualClock


WILL = Message("acme/_gateway/gw-1/status", b'{"state":"offline"}', retain=True)
DATA = Message("acme/press-12/data", b'{"v":1}')
PINGRESP = b"\xd0\x00"
DATA_SEGMENTS_OUT = 156
"""Offset of `tcpi_data_segs_out` in the kernel's `struct tcp_info` (include/uapi/linux/tcp.h)."""


@pytest.fixture
def settings(broker: ScriptedBroker) -> BrokerSettings:
    return BrokerSettings("127.0.0.1", broker.port, "gw-1", keepalive_s=5, tick_s=0.02, connect_timeout_s=10)


@pytest.fixture
async def session(settings: BrokerSettings, clock: ManualClock) -> AsyncIterator[Session]:
    """An open session."""
    session = Session(settings, clock, WILL)
    await session.open(Dialler())
    yield session
    session.abort()


async def end_of(settings: BrokerSettings, clock: ManualClock) -> SessionEnd:
    """How an attempt to open a session ends."""
    session = Session(settings, clock, WILL)
    with pytest.raises(SessionEnd) as caught:
        await session.open(Dialler())
    assert session.ended.done()
    return caught.value


async def outcome(session: Session) -> SessionEnd:
    """How an open session ends."""
    return await asyncio.wait_for(asyncio.shield(session.ended), 20)


async def test_connect_says_who_we_are(broker: ScriptedBroker, settings: BrokerSettings, clock: ManualClock) -> None:
    """Client id, clean start, keep-alive, user and the retained last will at QoS 1."""
    with_user = replace(settings, username="anna", password="geheim")  # noqa: S106 - not a secret but a needle
    session = Session(with_user, clock, WILL)
    await session.open(Dialler())
    (connect,) = broker.connects
    assert (connect.protocol, connect.client_id, connect.clean_start, connect.keepalive_s) == (5, "gw-1", True, 5)
    assert (connect.username, connect.password) == ("anna", "geheim")
    assert connect.will is not None
    assert (connect.will.topic, connect.will.payload) == (WILL.topic, WILL.payload)
    assert (connect.will.qos, connect.will.retain) == (1, True)
    session.abort()


async def test_the_older_protocol_is_spoken_when_asked(
    broker: ScriptedBroker, settings: BrokerSettings, clock: ManualClock
) -> None:
    """MQTT 3.1.1 is protocol level 4; its answers have no reasons."""
    session = Session(replace(settings, protocol="3.1.1"), clock, WILL)
    answers: list[tuple[int, int, str]] = []
    session.on_answer = lambda *answer: answers.append(answer)
    await session.open(Dialler())
    session.publish(DATA)
    await broker.until(lambda: answers)
    assert broker.connects[0].protocol == 4
    assert broker.connects[0].clean_start
    assert answers == [(1, 0x00, "")]
    session.abort()


async def test_the_brokers_limits_are_read(
    broker: ScriptedBroker, settings: BrokerSettings, clock: ManualClock
) -> None:
    """Paho does not heed Receive Maximum and Maximum Packet Size; who publishes has to."""
    broker.connack.properties = {RECEIVE_MAXIMUM: 3, MAXIMUM_PACKET_SIZE: 1024, SERVER_KEEP_ALIVE: 7}
    session = Session(settings, clock, WILL)
    await session.open(Dialler())
    assert session.receive_maximum == 3
    assert session.max_bytes == 1024 - 14
    assert session._client.keepalive == 7
    session.abort()


async def test_a_broker_without_limits_sets_none(session: Session) -> None:
    """The defaults are those of the standard."""
    assert session.receive_maximum == 65_535
    assert session.max_bytes is None


@pytest.mark.parametrize("code", [0x84, 0x86, 0x87, 0x88, 0x97])
async def test_a_refused_connect_ends_with_its_reason(
    broker: ScriptedBroker, settings: BrokerSettings, clock: ManualClock, code: int
) -> None:
    """The broker's code becomes words, and a pause of ten seconds at least."""
    broker.connack.code = code
    end = await end_of(settings, clock)
    assert isinstance(end, SessionRefused)
    assert str(end).startswith(f"broker {settings.where} ")


@pytest.mark.parametrize(("code", "words"), [(2, "client id"), (3, "unavailable"), (4, "password"), (5, "to connect")])
async def test_a_refusal_in_the_older_protocol_has_the_same_words(
    broker: ScriptedBroker, settings: BrokerSettings, clock: ManualClock, code: int, words: str
) -> None:
    """The few codes of MQTT 3.1.1 mean the same."""
    broker.connack.code = code
    end = await end_of(replace(settings, protocol="3.1.1"), clock)
    assert isinstance(end, SessionRefused)
    assert words in str(end)


async def test_the_brokers_own_words_are_passed_on(
    broker: ScriptedBroker, settings: BrokerSettings, clock: ManualClock
) -> None:
    """A reason string says more than a code."""
    broker.connack.code = 0x87
    broker.connack.properties = {REASON_STRING: "tenant is over quota"}
    assert "(it says: tenant is over quota)" in str(await end_of(settings, clock))


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n" + b" " * 100,
        b"\x15\x03\x03\x00\x02\x02\x0a",
        b"\x20\x02\x00\x07",
        b"\x00" * 64,
    ],
    ids=["a web server", "a TLS alert", "an unknown code", "zeros"],
)
async def test_what_is_no_mqtt_broker_is_told(
    broker: ScriptedBroker, settings: BrokerSettings, clock: ManualClock, raw: bytes
) -> None:
    """A wrong port is the commonest mistake of a first start."""
    broker.connack.raw = raw
    end = await end_of(replace(settings, connect_timeout_s=1), clock)
    assert isinstance(end, SessionLost)
    assert "is this an MQTT broker" in str(end)
    assert 'set `protocol: "3.1.1"`' in str(end)


async def test_a_broker_that_never_answers_is_left(
    broker: ScriptedBroker, settings: BrokerSettings, clock: ManualClock
) -> None:
    """TCP may come up with a broker that hangs."""
    broker.connack.is_silent = True
    end = await end_of(replace(settings, connect_timeout_s=0.1), clock)
    assert "stayed silent for 0.1 s" in str(end)


async def test_a_closed_port_is_told(settings: BrokerSettings, clock: ManualClock) -> None:
    """Nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        end = await end_of(replace(settings, port=taken.getsockname()[1]), clock)
    assert "is the broker running" in str(end)


async def test_a_host_that_drops_every_packet_is_left_after_the_time_out(
    settings: BrokerSettings, clock: ManualClock
) -> None:
    """A full backlog answers like a firewall: not at all."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        end = await end_of(replace(settings, port=full.getsockname()[1], connect_timeout_s=0.2), clock)
    assert "no answer within 0.2 s" in str(end)


async def test_a_name_that_does_not_exist_is_told(settings: BrokerSettings, clock: ManualClock) -> None:
    """`.invalid` never resolves (RFC 2606)."""
    end = await end_of(replace(settings, host="broker.invalid"), clock)
    assert "the name cannot be resolved" in str(end)


async def test_a_look_up_that_hangs_is_not_begun_twice(
    settings: BrokerSettings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead DNS server costs one thread, not one a try."""
    release = asyncio.Event()
    loop = asyncio.get_running_loop()
    dialler = Dialler()

    def hang(*_: object, **__: object) -> None:
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(20)
        raise ConnectionRefusedError

    monkeypatch.setattr("socket.create_connection", hang)
    for words in ("no answer within", "is still being looked up"):
        session = Session(replace(settings, connect_timeout_s=0.05), clock, WILL)
        with pytest.raises(SessionLost, match=words):
            await session.open(dialler)
    release.set()
    while dialler._is_dialling:  # noqa: ASYNC110 - until the thread has come back to the loop
        await asyncio.sleep(0.005)


async def test_a_connection_that_comes_too_late_is_closed(
    broker: ScriptedBroker, settings: BrokerSettings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that was given up leaves no socket behind, however late TCP comes up."""
    connect, loop, release = socket.create_connection, asyncio.get_running_loop(), asyncio.Event()

    def late(*args: object, **options: object) -> socket.socket:
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(20)
        return connect(*args, **options)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr("socket.create_connection", late)
    session = Session(replace(settings, connect_timeout_s=0.05), clock, WILL)
    with pytest.raises(SessionLost):
        await session.open(Dialler())
    release.set()
    await broker.until(lambda: broker.connects and not broker._peers)


async def test_a_cancelled_open_leaves_nothing_behind(
    broker: ScriptedBroker, settings: BrokerSettings, clock: ManualClock
) -> None:
    """The daemon may be stopped while the broker keeps it waiting."""
    broker.connack.is_silent = True
    session = Session(settings, clock, WILL)
    task = asyncio.create_task(session.open(Dialler()))
    await broker.until(lambda: broker.connects)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await broker.until(lambda: not broker._peers)
