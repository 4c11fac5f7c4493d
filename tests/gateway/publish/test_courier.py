from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from gateway.model import Notice, Plan, Tag
from gateway.publish.judge import FAILING_S, FAILURES
from gateway.publish.message import Message
from gateway.testing import ManualClock, sample_batch, sample_plan
from tests.gateway.publish import schemas
from tests.gateway.publish.scripted_broker import (
    MAXIMUM_PACKET_SIZE,
    NO_ANSWER,
    RECEIVE_MAXIMUM,
    Bytes,
    Goodbye,
    Publish,
    ScriptedBroker,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.gateway.publish.conftest import Desk
    from tests.gateway.publish.scripted_broker import Answer

    Publishing = Callable[..., AbstractAsyncContextManager[Desk]]

BAD, GOOD = "press-12", "press-13"
META = Message("acme/ehv/press-12/meta", b'{"v":1}', retain=True)


def only(device: str, answer: Answer) -> Callable[[Publish], Answer]:
    """A script: this answer to the data of one device, success to all else."""
    return lambda publish: answer if f"/{device}/data" in publish.topic else 0x00


def late(broker: ScriptedBroker) -> Callable[[Publish], Answer]:
    """A script: success to everything, a moment later, as over a real network."""

    def answer(publish: Publish) -> Answer:
        asyncio.get_running_loop().call_later(0.002, broker.acknowledge, publish)
        return NO_ANSWER

    return answer


def seqs(broker: ScriptedBroker, device: str) -> list[int]:
    """What was published of a device, in its order."""
    return [schemas.parse(p.payload)["seq"] for p in broker.published if f"/{device}/data" in p.topic]


@pytest.mark.parametrize(("receive_maximum", "most"), [(1, 1), (3, 3), (100, 16)])
async def test_no_more_is_under_way_than_the_broker_and_the_window_allow(
    broker: ScriptedBroker, publishing: Publishing, receive_maximum: int, most: int
) -> None:
    """Receive Maximum holds for entries, their parts and retained messages together."""
    broker.connack.properties = {RECEIVE_MAXIMUM: receive_maximum, MAXIMUM_PACKET_SIZE: 400}
    broker.answer = late(broker)
    plan = Plan("meter", tuple(Tag(f"voltage_l{n}", f"input:{n}", "float32") for n in range(30)))
    async with publishing(broker.port) as desk:
        for number in range(20):
            desk.publisher.retain(Message(f"acme/ehv/device-{number}/meta", b"{}", retain=True))
            desk.outbox.put(sample_batch(plan, [230.1] * 30))
        desk.put(GOOD, 50)
        await desk.until(lambda: desk.outbox.is_done)
        assert broker.most_unanswered == most
        assert desk.publisher.state.sent > 100


async def test_the_window_is_full_when_there_is_enough_to_send(broker: ScriptedBroker, publishing: Publishing) -> None:
    """Sixteen messages are under way, and the seventeenth waits for a place."""
    broker.answer = lambda publish: NO_ANSWER if publish.topic.endswith("/data") else 0x00
    async with publishing(broker.port) as desk:
        desk.put(GOOD, 40)
        await broker.until(lambda: len(broker.published) == 17)
        await asyncio.sleep(0.05)
        assert len(broker.published) == 17
        assert len(desk.outbox.taken) == 16
        broker.acknowledge(broker.published[1])
        await broker.until(lambda: len(broker.published) == 18)


async def test_at_most_one_window_arrives_twice_for_each_lost_link(
    broker: ScriptedBroker, publishing: Publishing
) -> None:
    """The link breaks over and over with a window unanswered: each time no more than 16 names repeat."""
    well = late(broker)
    broker.answer = lambda publish: Goodbye() if len(broker.published) % 40 == 0 else well(publish)
    async with publishing(broker.port) as desk:
        desk.put(GOOD, 200)
        await desk.until(lambda: desk.outbox.is_done)
        losses = desk.publisher.state.reconnects
        names = Counter(
            (told["device"], told["run"], told["seq"])
            for told in (schemas.parse(p.payload) for p in broker.published if p.topic.endswith("/data"))
        )
    assert losses >= 4
    assert {seq for _, _, seq in names} == set(range(1, 201))
    assert sum(count - 1 for count in names.values()) <= 16 * losses


async def test_nobody_listening_is_no_failure_and_one_warning(broker: ScriptedBroker, publishing: Publishing) -> None:
    """0x10: the broker has it; that no one subscribed is worth a line, not one for each message."""
    broker.answer = lambda _publish: 0x10
    with capture_logs() as logs:
        async with publishing(broker.port) as desk:
            desk.put(GOOD, 20)
            await desk.until(lambda: len(desk.outbox.acknowledged) == 20)
    assert [log["event"] for log in logs].count("nobody_subscribes") == 1


async def test_a_quota_holds_up_only_its_own_topic(broker: ScriptedBroker, publishing: Publishing) -> None:
    """0x97 is tried again with growing pauses; others pass meanwhile, and it arrives in the end."""
    refusals = iter([0x97] * 5)
    broker.answer = lambda publish: next(refusals, 0x00) if f"/{BAD}/" in publish.topic else 0x00
    with capture_logs() as logs:
        async with publishing(broker.port) as desk:
            desk.put(BAD)
            desk.put(GOOD, 50)
            await desk.until(lambda: desk.outbox.is_done)
            assert len(desk.outbox.acknowledged) == 51
            assert desk.outbox.acknowledged[-1].device == BAD
            assert desk.outbox.refused == []
    assert seqs(broker, BAD) == [1] * 6
    assert [log["event"] for log in logs].count("broker_refuses_for_now") == 1


async def test_a_topic_denied_three_times_is_given_up_and_told(broker: ScriptedBroker, publishing: Publishing) -> None:
    """0x87: the device's batches are refused, one event says so, the others never notice."""
    broker.answer = only(BAD, 0x87)
    async with publishing(broker.port) as desk:
        desk.put(BAD, 10)
        desk.put(GOOD, 100)
        await desk.until(lambda: desk.outbox.is_done)
        assert len(desk.outbox.refused) == 10
        assert desk.publisher.state.refused == 10
        reason = desk.outbox.refused[0][1]
        assert reason.startswith("acme/ehv/press-12/data: not allowed; look at the broker's access list (ACL) (0x87)")
    events = [schemas.check(p.topic, p.payload) for p in broker.published if p.topic.endswith("/events")]
    assert [(event["event"], event["device"]) for event in events] == [("messages_refused", BAD)]
    assert len(seqs(broker, GOOD)) == 100


async def test_denials_that_end_in_time_lose_nothing(broker: ScriptedBroker, publishing: Publishing) -> None:
    """An access list that is being reloaded denies twice; a device that was told refused is told anew later."""
    refusals = iter([0x87, 0x87, 0x00, 0x87, 0x87])
    broker.answer = lambda publish: next(refusals, 0x00) if f"/{BAD}/" in publish.topic else 0x00
    async with publishing(broker.port) as desk:
        desk.put(BAD)
        await desk.until(lambda: desk.outbox.is_done)
        desk.put(BAD)
        await desk.until(lambda: desk.outbox.is_done)
        assert len(desk.outbox.acknowledged) == 2


@pytest.mark.parametrize("code", [0x90, 0x91, 0x99])
async def test_a_message_that_can_never_do_better_is_refused_at_once(
    broker: ScriptedBroker, publishing: Publishing, code: int
) -> None:
    """It is sent once and does not stand in anybody's way."""
    broker.answer = only(BAD, code)
    async with publishing(broker.port) as desk:
        desk.put(BAD)
        desk.put(GOOD, 20)
        await desk.until(lambda: desk.outbox.is_done)
        assert [entry.device for entry, _ in desk.outbox.refused] == [BAD]
        assert f"(0x{code:02X})" in desk.outbox.refused[0][1]
    assert seqs(broker, BAD) == [1]


async def test_a_topic_that_keeps_failing_while_others_pass_is_given_up(
    broker: ScriptedBroker, publishing: Publishing, clock: ManualClock
) -> None:
    """0x80 for a minute, and only there: then the topic is the cause."""
    broker.answer = only(BAD, 0x80)
    async with publishing(broker.port, keepalive_s=600, retry_s=0.001) as desk:
        desk.put(BAD)
        await desk.until(lambda: len(seqs(broker, BAD)) >= min(4, FAILURES))
        clock.advance(FAILING_S + 1)
        desk.put(GOOD)
        await desk.until(lambda: desk.outbox.refused)
        await desk.until(lambda: desk.outbox.is_done)


async def test_a_refused_event_brings_forth_no_event(broker: ScriptedBroker, publishing: Publishing) -> None:
    """Otherwise the gateway would talk to itself for ever."""
    broker.answer = lambda publish: 0x99 if publish.topic.endswith("/events") else 0x00
    async with publishing(broker.port) as desk:
        desk.outbox.put(Notice("events", {"event": "config_loaded"}, ManualClock().now()))
        await desk.until(lambda: desk.outbox.refused)
        await asyncio.sleep(0.05)
        assert desk.outbox.is_done
        assert len(desk.outbox.refused) == 1


async def test_a_batch_is_parted_to_fit_and_acknowledged_when_all_parts_are(
    broker: ScriptedBroker, publishing: Publishing
) -> None:
    """Maximum Packet Size 1 KiB: no packet is larger, and the entry waits for its last part."""
    broker.connack.properties = {MAXIMUM_PACKET_SIZE: 1024}
    broker.answer = lambda publish: NO_ANSWER if publish.topic.endswith("/data") else 0x00
    plan = Plan("meter", tuple(Tag(f"voltage_l{n}", f"input:{n}", "float32") for n in range(100)))
    async with publishing(broker.port) as desk:
        desk.outbox.put(sample_batch(plan, [230.1] * 100))
        await broker.until(lambda: len(seqs(broker, "meter")) > 1 and last_part(broker))
        parts = broker.published[1:]
        assert max(publish.size for publish in parts) <= 1024
        for publish in parts[1:]:
            broker.acknowledge(publish)
        await desk.until(lambda: desk.publisher.state.acknowledged == len(parts))
        assert desk.outbox.acknowledged == []
        broker.acknowledge(parts[0])
        await desk.until(lambda: desk.outbox.is_done)
    values = [name for publish in parts for name in schemas.check(publish.topic, publish.payload)["values"]]
    assert values == [tag.name for tag in plan.tags]


def last_part(broker: ScriptedBroker) -> bool:
    """Whether the newest message is the last of its parts."""
    part = schemas.parse(broker.published[-1].payload).get("part", [0, 1])
    return bool(part[0] == part[1])


async def test_a_batch_of_which_one_part_is_refused_is_refused_once(
    broker: ScriptedBroker, publishing: Publishing
) -> None:
    """Its other parts end quietly, whatever the broker says of them."""
    broker.connack.properties = {MAXIMUM_PACKET_SIZE: 400}
    codes = iter([0x00, 0x99, 0x99])
    broker.answer = lambda publish: next(codes, 0x00) if publish.topic.endswith("/data") else 0x00
    plan = Plan("meter", tuple(Tag(f"voltage_l{n}", f"input:{n}", "float32") for n in range(60)))
    async with publishing(broker.port) as desk:
        desk.outbox.put(sample_batch(plan, [230.1] * 60))
        desk.put(GOOD, 3)
        await desk.until(lambda: desk.outbox.is_done)
        assert [entry.device for entry, _ in desk.outbox.refused] == ["meter"]
        assert [entry.device for entry in desk.outbox.acknowledged] == [GOOD] * 3 + ["_gateway"]


async def test_a_value_too_large_for_any_packet_harms_only_its_batch(
    broker: ScriptedBroker, publishing: Publishing
) -> None:
    """It is refused before it is sent; sent, it would end one session after the other."""
    broker.connack.properties = {MAXIMUM_PACKET_SIZE: 1024}
    plan = sample_plan(BAD, Tag("program", "ns=2;s=Program", "string"))
    async with publishing(broker.port) as desk:
        desk.outbox.put(sample_batch(plan, ["G01 " * 1000]))
        desk.put(GOOD, 3)
        await desk.until(lambda: desk.outbox.is_done)
        assert "bytes, and the broker takes packets of 1010" in desk.outbox.refused[0][1]
        assert desk.publisher.state.reconnects == 0
    assert seqs(broker, BAD) == []


async def test_a_description_too_large_for_any_packet_is_told_and_left_out(
    broker: ScriptedBroker, publishing: Publishing
) -> None:
    """A device of 500 tags may have more to say than a small broker takes; its values still go."""
    broker.connack.properties = {MAXIMUM_PACKET_SIZE: 1024}
    with capture_logs() as logs:
        async with publishing(broker.port) as desk:
            desk.publisher.retain(Message(META.topic, b"x" * 2000, retain=True))
            desk.put(GOOD, 3)
            await desk.until(lambda: desk.outbox.is_done)
    (told,) = [log for log in logs if log["event"] == "retained_refused"]
    assert "needs 2022 bytes, and the broker takes packets of 1010" in told["reason"]
    assert META.topic not in [publish.topic for publish in broker.published]


async def test_a_batch_that_cannot_be_encoded_harms_only_itself(broker: ScriptedBroker, publishing: Publishing) -> None:
    """Half a surrogate pair from a device's text memory is no UTF-8."""
    plan = sample_plan(BAD, Tag("name", "ns=2;s=Name", "string"))
    async with publishing(broker.port) as desk:
        desk.outbox.put(sample_batch(plan, ["\ud800"]))
        desk.put(GOOD, 3)
        await desk.until(lambda: desk.outbox.is_done)
        assert "it cannot be encoded: UnicodeEncodeError" in desk.outbox.refused[0][1]


@pytest.mark.parametrize(
    ("protocol", "answer"),
    [("5", Goodbye(0x95)), ("5", Goodbye(0x87)), ("5", Bytes(b"\x40\x04\x00\x01\x95\x00")), ("3.1.1", Goodbye())],
    ids=["too large", "not allowed", "an unknown reason", "hang up in 3.1.1"],
)
async def test_a_message_over_which_the_broker_ends_every_session_is_found(
    broker: ScriptedBroker, publishing: Publishing, protocol: str, answer: Answer
) -> None:
    """One at a time, three times over: then it is refused, and everything behind it arrives."""
    poison = 17
    broker.answer = lambda p: answer if b'"seq":17,' in p.payload and p.topic.endswith(f"{BAD}/data") else 0x00
    async with publishing(broker.port, protocol=protocol) as desk:
        desk.put(BAD, 40)
        desk.put(GOOD, 40)
        await desk.until(lambda: desk.outbox.is_done)
        assert [(entry.device, entry.seq) for entry, _ in desk.outbox.refused] == [(BAD, poison)]
        assert "the broker ends every session over it: broker 127.0.0.1" in desk.outbox.refused[0][1]
        assert 3 <= desk.publisher.state.reconnects <= 5
    assert seqs(broker, BAD).count(poison) <= 4


async def test_a_retained_message_over_which_the_broker_ends_every_session_is_withheld(
    broker: ScriptedBroker, publishing: Publishing
) -> None:
    """Data flows without it; its successor is tried again."""
    broker.answer = lambda publish: Goodbye(0x95) if publish.payload == META.payload else 0x00
    newer = Message(META.topic, b"{}", retain=True)
    async with publishing(broker.port) as desk:
        desk.publisher.retain(META)
        desk.put(GOOD, 40)
        await desk.until(lambda: desk.outbox.is_done)
        desk.publisher.retain(newer)
        await broker.until(lambda: broker.published[-1].payload == newer.payload)
        assert desk.outbox.refused == []


async def test_a_denied_retained_message_holds_up_nothing(broker: ScriptedBroker, publishing: Publishing) -> None:
    """It is tried three times in a session and told once; the next session tries anew."""
    broker.answer = lambda publish: 0x87 if publish.topic == META.topic else 0x00
    with capture_logs() as logs:
        async with publishing(broker.port) as desk:
            desk.publisher.retain(META)
            desk.put(GOOD, 40)
            await desk.until(lambda: desk.outbox.is_done)
            await desk.until(lambda: "retained_refused" in [log["event"] for log in logs])
            assert [publish.topic for publish in broker.published].count(META.topic) == 3
            broker.hang_up()
            await broker.until(lambda: META.topic in [p.topic for p in broker.published if p.session == 2])


async def test_a_retained_message_that_waits_is_never_overtaken_by_itself(
    broker: ScriptedBroker, publishing: Publishing
) -> None:
    """When a refused message is sent again the newest text of its topic is sent, not the one that was refused."""
    codes = iter([0x97])
    broker.answer = lambda publish: next(codes, 0x00) if publish.topic == META.topic else 0x00
    newer = Message(META.topic, b"{}", retain=True)
    async with publishing(broker.port, retry_s=0.1) as desk:
        desk.publisher.retain(META)
        await broker.until(lambda: META.topic in [publish.topic for publish in broker.published])
        desk.publisher.retain(newer)
        await broker.until(lambda: [publish.topic for publish in broker.published].count(META.topic) == 3)
    assert [publish.payload for publish in broker.published][-2:] == [newer.payload, newer.payload]


async def test_messages_that_wait_to_be_sent_again_are_bounded(broker: ScriptedBroker, publishing: Publishing) -> None:
    """A broker that takes nothing gets no more than it has to decide about; the rest stays in the outbox."""
    broker.answer = lambda publish: 0x97 if publish.topic.endswith("/data") else 0x00
    async with publishing(broker.port, retry_s=30) as desk:
        desk.put(GOOD, 1000)
        await desk.until(lambda: len(desk.outbox.taken) >= 256)
        await asyncio.sleep(0.1)
        assert len(desk.outbox.taken) <= 256 + 16
