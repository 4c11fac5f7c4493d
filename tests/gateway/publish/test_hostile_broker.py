from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from gateway.publish.dial import Dialler
from gateway.publish.message import Message
from gateway.publish.session import Session
from gateway.publish.settings import BrokerSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from gateway.testing import ManualClock
    from tests.gateway.publish.conftest import Desk
    from tests.gateway.publish.scripted_broker import ScriptedBroker

    Publishing = Callable[..., AbstractAsyncContextManager[Desk]]

WILL = Message("acme/_gateway/gw-1/status", b"{}", retain=True)
PUBLISHED = b"\x30\x0f\x00\x05acme/\x00payload"
"""A message that nobody subscribed to."""


def rubbish(rng: random.Random) -> bytes:
    """A packet of some kind with a true length and anything inside, or plain noise."""
    body = rng.randbytes(rng.choice([0, 1, 2, 3, 5, 8, 40, 120]))
    if rng.random() < 0.1:
        return body
    return packet(rng, body)


def packet(rng: random.Random, body: bytes) -> bytes:
    """A packet of any kind with this inside."""
    return bytes([rng.randrange(256), len(body)]) + body


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("seed", range(30))
async def test_no_bytes_of_a_broker_end_in_anything_but_the_session(
    broker: ScriptedBroker, clock: ManualClock, seed: int, protocol: str
) -> None:
    """The session goes on, or it is over with a text for people; nothing is raised, and no socket stays."""
    rng = random.Random(seed)  # noqa: S311 - noise, not a secret
    settings = BrokerSettings("127.0.0.1", broker.port, "gw-1", protocol=protocol, tick_s=0.02, connect_timeout_s=5)
    session = Session(settings, clock, WILL)
    await session.open(Dialler())
    session.publish(Message("acme/press-12/data", b"{}"))
    await broker.until(lambda: broker.published)
    for _ in range(8):
        broker.send(rubbish(rng))
    broker.hang_up_when_sent()
    await broker.until(session.ended.done)
    end = session.ended.result()
    assert str(end).startswith(f"broker {settings.where} ")
    assert session._socket() is None


async def test_messages_that_nobody_asked_for_are_passed_over(broker: ScriptedBroker, clock: ManualClock) -> None:
    """Nothing is subscribed, so whatever a broker sends on its own is no business of the gateway."""
    settings = BrokerSettings("127.0.0.1", broker.port, "gw-1", tick_s=0.02)
    session = Session(settings, clock, WILL)
    await session.open(Dialler())
    answers: list[int] = []
    session.on_answer = lambda mid, _code, _said: answers.append(mid)
    for _ in range(200):
        broker.send(PUBLISHED)
    mid = session.publish(Message("acme/press-12/data", b"{}"))
    await broker.until(lambda: answers == [mid])
    assert not session.ended.done()
    session.abort()


async def test_a_hostile_broker_costs_no_batch(broker: ScriptedBroker, publishing: Publishing) -> None:
    """Noise in every session for a while: when it ends, all is there, and no batch was blamed for it."""
    rng = random.Random(7)  # noqa: S311 - noise, not a secret
    noisy = [True]

    def answer(_publish: object) -> int:
        if noisy[0]:
            broker.send(packet(rng, rng.randbytes(64)))
        return 0x00

    broker.answer = answer
    with capture_logs() as logs:
        async with publishing(broker.port) as desk:
            desk.put("press-12", 50)
            await broker.until(lambda: len(broker.connects) > 5)
            noisy[0] = False
            await desk.until(lambda: desk.outbox.is_done)
            assert desk.outbox.refused == []
    assert {log["event"] for log in logs} <= {"broker_connected", "broker_lost", "mqtt_session_defect"}
