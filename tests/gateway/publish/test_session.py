from __future__ import annotations

import asyncio
import gc
import os
import socket
from dataclasses import replace
from pathlib import Path
from struct import unpack_from
from typing import TYPE_CHECKING

import pytest
import uvloop
from structlog.testing import capture_logs

from gateway.publish.dial import Dialler
from gateway.publish.endings import SessionClosed, SessionEnd, SessionLost, SessionRefused, TakenOver
from gateway.publish.message import Message
from gateway.publish.session import Session
from gateway.publish.settings import BrokerSettings
from gateway.testing import ManualClock
from tests.gateway.publish.scripted_broker import (
    NO_ANSWER,
    Bytes,
    Goodbye,
    ScriptedBroker,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.gateway.publish.scripted_broker import Answer

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


@pytest.mark.parametrize("size", [1, 130, 20_000, 65_536])
async def test_a_message_of_the_allowed_size_makes_a_packet_of_the_allowed_size(
    broker: ScriptedBroker, session: Session, size: int
) -> None:
    """What is taken off for the packet's own fields is enough for every length."""
    session.publish(Message("t", b"x" * (size - 1)))
    await broker.until(lambda: broker.published)
    assert size < broker.published[0].size <= size + 10


async def test_all_that_is_sent_in_one_turn_leaves_in_one_segment(broker: ScriptedBroker, session: Session) -> None:
    """Ten messages are one packet on the wire, not ten: fewer wake-ups here, at the switch and at the broker."""
    sock = session._socket()
    assert sock is not None
    before = segments(sock)
    for number in range(10):
        session.publish(Message(DATA.topic, b"%d" % number * 50))
    await broker.until(lambda: len(broker.published) == 10)
    assert segments(sock) - before == 1


def segments(sock: socket.socket) -> int:
    """Segments with data that this socket has sent."""
    (count,) = unpack_from("I", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), DATA_SEGMENTS_OUT)
    assert isinstance(count, int)
    return count


async def test_a_message_larger_than_the_sockets_buffers_arrives_whole(
    broker: ScriptedBroker, session: Session
) -> None:
    """What does not fit at once is sent on when the socket takes more."""
    large = Message(DATA.topic, os.urandom(8_000_000))
    session.publish(large)
    session.publish(DATA)
    await broker.until(lambda: len(broker.published) == 2)
    assert [publish.payload for publish in broker.published] == [large.payload, DATA.payload]


async def test_each_answer_is_handed_on_with_its_code_and_words(broker: ScriptedBroker, session: Session) -> None:
    """Packet id, reason code, and what the broker says itself."""
    codes = iter([0x00, 0x10, 0x87])
    broker.answer = lambda _publish: next(codes)
    answers: list[tuple[int, int, str]] = []
    session.on_answer = lambda *answer: answers.append(answer)
    ids = [session.publish(DATA) for _ in range(3)]
    await broker.until(lambda: len(answers) == 3)
    assert answers == [(ids[0], 0x00, ""), (ids[1], 0x10, ""), (ids[2], 0x87, "")]
    assert [publish.qos for publish in broker.published] == [1, 1, 1]
    assert not any(publish.duplicate for publish in broker.published)


async def test_a_topic_that_no_broker_takes_is_an_error(session: Session) -> None:
    """Wildcards cannot be published to; the session lives on."""
    with pytest.raises(ValueError, match="wildcards"):
        session.publish(Message("acme/+/data", b""))
    assert not session.ended.done()


@pytest.mark.parametrize(
    ("answer", "kind", "words", "blames"),
    [
        (Goodbye(), SessionLost, "hung up", False),
        (Goodbye(0x8E), TakenOver, "serves another client with the id 'gw-1'", False),
        (Goodbye(0x8B), SessionLost, "is shutting down", False),
        (Goodbye(0x95), SessionLost, "finds a packet too large", True),
        (Goodbye(0x98), SessionRefused, "by its administrator", False),
        (Bytes(b"\xff" * 16), SessionLost, "sent what is not MQTT", True),
        (Bytes(b"\x40\x04\x00\x01\x95\x00"), SessionLost, "sent what is not MQTT", True),
        (Bytes(b"\x30\xff\xff\xff\x7f"), SessionLost, "sent what is not MQTT", True),
    ],
    ids=["hang up", "taken over", "shutdown", "too large", "administrator", "garbage", "unknown reason", "huge packet"],
)
async def test_an_end_has_its_kind_and_words(  # noqa: PLR0917 - one case has many sides
    broker: ScriptedBroker,
    session: Session,
    answer: Answer,
    kind: type[SessionEnd],
    words: str,
    blames: bool,  # noqa: FBT001 - a property of the case
) -> None:
    """Whatever the broker does, the session ends with a reason and never with a traceback."""
    broker.answer = lambda _publish: answer
    session.publish(DATA)
    end = await outcome(session)
    assert type(end) is kind
    assert words in str(end)
    assert end.blames_message is blames


async def test_a_broker_of_the_older_protocol_may_hang_up_over_a_message(
    broker: ScriptedBroker, settings: BrokerSettings, clock: ManualClock
) -> None:
    """It has no other way to refuse one."""
    session = Session(replace(settings, protocol="3.1.1"), clock, WILL)
    await session.open(Dialler())
    broker.answer = lambda _publish: Goodbye()
    session.publish(DATA)
    assert (await outcome(session)).blames_message


async def test_silence_of_one_and_a_half_keep_alives_ends_the_session(
    broker: ScriptedBroker, session: Session, clock: ManualClock
) -> None:
    """A half-open link looks healthy to TCP for a quarter of an hour."""
    broker.freeze()
    clock.advance(7)
    await asyncio.sleep(0.1)
    assert not session.ended.done()
    clock.advance(1)
    end = await outcome(session)
    assert isinstance(end, SessionLost)
    assert "has not been heard for 8 s" in str(end)


async def test_twenty_seconds_without_acknowledgement_end_the_session(
    broker: ScriptedBroker, session: Session, clock: ManualClock
) -> None:
    """A broker that talks but acknowledges nothing is as good as gone."""
    broker.answer = lambda _publish: Bytes(PINGRESP)
    session.publish(DATA)
    for _ in range(4):
        clock.advance(4.9)
        broker.send(PINGRESP)
        await broker.until(lambda: session._heard_s == clock.monotonic_s())
    assert not session.ended.done()
    clock.advance(1)
    assert "is connected but acknowledges nothing for 21 s" in str(await outcome(session))


async def test_acknowledgements_that_come_slowly_keep_the_session(
    broker: ScriptedBroker, session: Session, clock: ManualClock
) -> None:
    """Progress counts, not the age of the last message."""
    broker.answer = lambda _publish: NO_ANSWER
    for _ in range(5):
        session.publish(DATA)
    await broker.until(lambda: len(broker.published) == 5)
    for publish in broker.published:
        clock.advance(3)
        broker.acknowledge(publish)
        await broker.until(lambda: session._progress_s == clock.monotonic_s())
        await asyncio.sleep(0.05)
        assert not session.ended.done()


async def test_an_idle_session_pings(broker: ScriptedBroker, settings: BrokerSettings, clock: ManualClock) -> None:
    """The broker throws out who is silent for 1.5 keep-alives."""
    session = Session(replace(settings, keepalive_s=1), clock, WILL)
    await session.open(Dialler())
    await broker.until(lambda: broker.pings)
    assert not session.ended.done()
    session.abort()


async def test_an_exception_behind_a_callback_ends_the_session_and_is_logged(
    broker: ScriptedBroker, session: Session
) -> None:
    """In a callback of paho it would vanish with its thread; here it is seen, and everything is sent again."""

    def defect(*_: object) -> None:
        raise ZeroDivisionError

    session.on_answer = defect
    with capture_logs() as logs:
        session.publish(DATA)
        end = await outcome(session)
    assert isinstance(end, SessionLost)
    assert "a defect here, ZeroDivisionError()" in str(end)
    assert logs[0]["event"] == "mqtt_session_defect"


async def test_goodbye_tells_the_broker(broker: ScriptedBroker, session: Session) -> None:
    """After DISCONNECT the broker does not publish the last will."""
    await session.close(20)
    await broker.until(lambda: broker.goodbyes)
    assert broker.goodbyes == [0x00]
    assert isinstance(session.ended.result(), SessionClosed)


async def test_hanging_up_does_not(broker: ScriptedBroker, session: Session) -> None:
    """A session that is given up lets the broker publish the last will."""
    session.abort()
    await broker.until(lambda: not broker._peers)
    assert broker.goodbyes == []


async def test_a_session_that_is_over_takes_messages_without_harm(session: Session) -> None:
    """Who publishes learns of the end a moment later; nothing is raised in between."""
    session.abort()
    session.publish(DATA)
    await session.close(20)
    assert session.ended.done()


async def test_a_hundred_sessions_leave_no_descriptor_behind(
    broker: ScriptedBroker, settings: BrokerSettings, clock: ManualClock
) -> None:
    """Sockets and memory are bounded for ever, however often the link is lost."""
    dialler = Dialler()
    gc.collect()
    before = descriptors()
    for number in range(100):
        session = Session(settings, clock, WILL)
        await session.open(dialler)
        session.publish(DATA)
        if number % 2:
            broker.hang_up()
            await outcome(session)
        else:
            session.abort()
    await broker.until(lambda: not broker._peers)
    gc.collect()
    assert descriptors() <= before


def descriptors() -> int:
    """Open descriptors of this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_a_session_runs_under_uvloop() -> None:
    """The daemon's loop is uvloop; it drives the socket just the same."""

    async def run() -> None:
        async with ScriptedBroker() as broker:
            session = Session(BrokerSettings("127.0.0.1", broker.port, "gw-1"), ManualClock(), WILL)
            await session.open(Dialler())
            for _ in range(100):
                session.publish(Message(DATA.topic, os.urandom(100_000)))
            await broker.until(lambda: len(broker.published) == 100)
            await session.close(20)
            await broker.until(lambda: broker.goodbyes)

    uvloop.run(run())
