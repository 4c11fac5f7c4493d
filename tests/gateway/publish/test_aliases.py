from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.publish.aliases import MOST, Aliases
from gateway.publish.message import JSON, Message, MessageProperties
from tests.gateway.publish.scripted_broker import (
    CONTENT_TYPE,
    MAXIMUM_PACKET_SIZE,
    MESSAGE_EXPIRY,
    TOPIC_ALIAS,
    TOPIC_ALIAS_MAXIMUM,
    USER_PROPERTY,
    Goodbye,
    ScriptedBroker,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.gateway.publish.conftest import Desk

    Publishing = Callable[..., AbstractAsyncContextManager[Desk]]


def data(topic: str) -> Message:
    return Message(topic, b"{}", properties=JSON)


async def test_a_topic_is_sent_once_and_then_by_its_number(broker: ScriptedBroker, publishing: Publishing) -> None:
    """The broker sees the right topic all the same, in no more numbers than it allows."""
    broker.connack.properties = {TOPIC_ALIAS_MAXIMUM: 3}
    async with publishing(broker.port) as desk:
        for _ in range(10):
            for device in ("press-12", "press-13", "press-14"):
                desk.put(device)
        await desk.until(lambda: desk.outbox.is_done)
    short = [publish for publish in broker.published if publish.is_short]
    assert {publish.topic for publish in short} == {"acme/ehv/press-12/data", "acme/ehv/press-13/data"}
    assert len(short) == 2 * 9
    assert max(publish.properties.get(TOPIC_ALIAS, 0) for publish in broker.published) == 3
    assert [publish.topic for publish in broker.published].count("acme/ehv/press-14/data") == 10


async def test_numbers_end_with_their_session(broker: ScriptedBroker, publishing: Publishing) -> None:
    """After a reconnect each topic is named in full again; a number of before would mean nothing to the broker."""
    broker.connack.properties = {TOPIC_ALIAS_MAXIMUM: 10}
    async with publishing(broker.port) as desk:
        desk.put("press-12", 20)
        await desk.until(lambda: desk.outbox.is_done)
        broker.hang_up()
        await desk.until(lambda: len(broker.connects) == 2)
        desk.put("press-12", 20)
        await desk.until(lambda: desk.outbox.is_done)
    for session in (1, 2):
        named = [p.is_short for p in broker.published if p.session == session and p.topic.endswith("press-12/data")]
        assert named == [False, *[True] * 19]


async def test_a_broker_without_numbers_gets_names(broker: ScriptedBroker, publishing: Publishing) -> None:
    """The standard's default is none, and MQTT 3.1.1 knows none."""
    for protocol in ("5", "3.1.1"):
        async with publishing(broker.port, protocol=protocol) as desk:
            desk.put("press-12", 5)
            await desk.until(lambda: desk.outbox.is_done)
    assert not any(publish.is_short or TOPIC_ALIAS in publish.properties for publish in broker.published)


async def test_properties_arrive(broker: ScriptedBroker, publishing: Publishing) -> None:
    """Content type, expiry and the user's own, of a retained message here."""
    own = MessageProperties("text/csv", 180, (("device", "press-12"), ("run", "r"), ("note", "ä" * 100)))
    async with publishing(broker.port) as desk:
        desk.publisher.retain(Message("acme/x", b"1;2", retain=True, properties=own))
        await broker.until(lambda: any(publish.topic == "acme/x" for publish in broker.published))
    (publish,) = [publish for publish in broker.published if publish.topic == "acme/x"]
    assert publish.properties[CONTENT_TYPE] == "text/csv"
    assert publish.properties[MESSAGE_EXPIRY] == 180
    assert publish.properties[USER_PROPERTY] == {"device": "press-12", "run": "r", "note": "ä" * 100}


async def test_properties_count_against_the_packet_size(broker: ScriptedBroker, publishing: Publishing) -> None:
    """No packet is larger than the broker allows, with numbers, content type and all."""
    broker.connack.properties = {MAXIMUM_PACKET_SIZE: 400, TOPIC_ALIAS_MAXIMUM: 10}
    async with publishing(broker.port) as desk:
        for size in range(300, 400):
            own = MessageProperties("text/plain", user=(("n", "v" * 100),))
            desk.publisher.retain(Message(f"acme/{size}", b"x" * (size - 120), retain=True, properties=own))
        desk.put("press-12", 20)
        await desk.until(lambda: desk.outbox.is_done)
        assert desk.publisher.state.reconnects == 0
    assert 380 < max(publish.size for publish in broker.published) <= 400


async def test_a_broker_that_forgets_its_numbers_gets_names(broker: ScriptedBroker, publishing: Publishing) -> None:
    """0x94 ends one session and costs nothing else: no batch is blamed, and the next session names every topic."""
    broker.connack.properties = {TOPIC_ALIAS_MAXIMUM: 10}
    broker.answer = lambda publish: Goodbye(0x94) if publish.is_short else 0x00
    async with publishing(broker.port) as desk:
        desk.put("press-12", 20)
        await desk.until(lambda: desk.outbox.is_done)
        assert desk.publisher.state.reconnects == 1
        assert desk.outbox.refused == []


def test_no_more_topics_are_numbered_than_are_worth_it() -> None:
    """Memory of both sides is bounded, whatever the broker offers."""
    aliases = Aliases(65_535)
    names = [aliases.in_short(data(f"topic/{number}"))[0] for number in range(1000) for _ in range(2)]
    assert names.count("") == MOST
