from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from gateway.publish.contract import About
from gateway.publish.message import Message
from tests.gateway.publish import schemas
from tests.gateway.publish.plain_outbox import RUN, PlainOutbox
from tests.gateway.publish.scripted_broker import NO_ANSWER, Bytes, Goodbye, ScriptedBroker

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from gateway.testing import ManualClock
    from tests.gateway.publish.conftest import Desk

    Publishing = Callable[..., AbstractAsyncContextManager[Desk]]

STATUS = "acme/ehv/_gateway/gw-1/status"
META = Message("acme/ehv/press-12/meta", b'{"v":1}', retain=True)
NEWER = Message("acme/ehv/press-12/meta", b'{"v":1,"tags":{}}', retain=True)


def topics(broker: ScriptedBroker, session: int | None = None) -> list[str]:
    """Where the messages of one session, or of all, went, in their order."""
    return [publish.topic for publish in broker.published if session in {None, publish.session}]


async def test_an_entry_is_acknowledged_when_the_broker_has_it(broker: ScriptedBroker, publishing: Publishing) -> None:
    """A batch is published and leaves the outbox with its PUBACK, not before."""
    broker.answer = lambda publish: NO_ANSWER if publish.topic.endswith("/data") else 0x00
    async with publishing(broker.port) as desk:
        desk.put("press-12")
        await broker.until(lambda: "acme/ehv/press-12/data" in topics(broker))
        assert desk.outbox.acknowledged == []
        broker.acknowledge(broker.published[-1])
        await desk.until(lambda: desk.outbox.is_done)
        assert len(desk.outbox.acknowledged) == 1
        state = desk.publisher.state
        assert (state.connected, state.reason) == (True, "")
        assert (state.sent, state.acknowledged, state.refused, state.reconnects) == (2, 2, 0, 0)


async def test_the_first_attempt_is_made_at_once(broker: ScriptedBroker, publishing: Publishing) -> None:
    """Start to first value is counted in tenths of a second; there is no jitter before it."""
    async with publishing(broker.port) as desk:
        await desk.until(lambda: desk.publisher.state.connected)
        assert desk.pauses.drawn == []


async def test_a_session_begins_with_status_and_retained_messages(
    broker: ScriptedBroker, publishing: Publishing
) -> None:
    """Whoever subscribes knows what the tags are before the first value comes, however many retained ones there are."""
    async with publishing(broker.port) as desk:
        desk.put("press-12", 5)
        for number in range(40):
            desk.publisher.retain(Message(f"acme/ehv/device-{number}/meta", b"{}", retain=True))
        await desk.until(lambda: desk.outbox.is_done)
    sent = topics(broker)
    assert sent[0] == STATUS
    assert sent[1:41] == [f"acme/ehv/device-{number}/meta" for number in range(40)]
    assert sent[41:] == ["acme/ehv/press-12/data"] * 5
    assert [publish.retain for publish in broker.published] == [True] * 41 + [False] * 5
    assert schemas.check(STATUS, broker.published[0].payload)["state"] == "online"


async def test_every_session_begins_so(broker: ScriptedBroker, publishing: Publishing) -> None:
    """A broker that lost its memory knows everything again after a reconnect; of each topic the newest."""
    async with publishing(broker.port) as desk:
        desk.publisher.retain(META)
        await desk.until(lambda: desk.publisher.state.acknowledged == 2)
        desk.publisher.retain(NEWER)
        await desk.until(lambda: desk.publisher.state.acknowledged == 3)
        broker.hang_up()
        await broker.until(lambda: len(broker.published) == 5)
        assert topics(broker, 2) == [STATUS, META.topic]
        assert broker.published[-1].payload == NEWER.payload
        assert desk.publisher.state.reconnects == 1


async def test_a_retained_message_goes_out_at_once(broker: ScriptedBroker, publishing: Publishing) -> None:
    """A device that goes offline is told now; the same message again is not sent twice."""
    async with publishing(broker.port) as desk:
        await desk.until(lambda: desk.publisher.state.acknowledged == 1)
        desk.publisher.retain(META)
        desk.publisher.retain(META)
        await desk.until(lambda: desk.publisher.state.acknowledged == 2)
        desk.put("press-12")
        await desk.until(lambda: desk.outbox.is_done)
    assert topics(broker) == [STATUS, META.topic, "acme/ehv/press-12/data"]


async def test_a_forgotten_topic_is_cleared_at_the_broker(broker: ScriptedBroker, publishing: Publishing) -> None:
    """A device that was taken out of the configuration leaves nothing behind, also in later sessions."""
    async with publishing(broker.port) as desk:
        desk.publisher.retain(META)
        await desk.until(lambda: desk.publisher.state.acknowledged == 2)
        desk.publisher.forget(META.topic)
        await desk.until(lambda: desk.publisher.state.acknowledged == 3)
        assert (broker.published[-1].payload, broker.published[-1].retain) == (b"", True)
        broker.hang_up()
        await broker.until(lambda: len(broker.connects) == 2 and topics(broker, 2))
        desk.put("press-12")
        await desk.until(lambda: desk.outbox.is_done)
        assert topics(broker, 2) == [STATUS, "acme/ehv/press-12/data"]


async def test_a_topic_forgotten_without_a_session_is_cleared_in_the_next(
    broker: ScriptedBroker, publishing: Publishing
) -> None:
    """A reload during an outage removes the device all the same."""
    async with publishing(broker.port) as desk:
        desk.publisher.retain(META)
        await desk.until(lambda: desk.publisher.state.acknowledged == 2)
        await broker.stop()
        await desk.until(lambda: not desk.publisher.state.connected)
        desk.publisher.forget(META.topic)
        await broker.restart()
        await broker.until(lambda: topics(broker, 2) == [STATUS, META.topic])
        assert broker.published[-1].payload == b""


async def test_a_new_configuration_is_told(broker: ScriptedBroker, publishing: Publishing) -> None:
    """After a reload the status shows the new hash, and the next session's last will too."""
    async with publishing(broker.port) as desk:
        await desk.until(lambda: desk.publisher.state.acknowledged == 1)
        desk.publisher.introduce(About("0.1.0", RUN, "beef"))
        await desk.until(lambda: desk.publisher.state.acknowledged == 2)
        assert schemas.check(STATUS, broker.published[-1].payload)["config"] == "beef"
        broker.hang_up()
        await broker.until(lambda: len(broker.connects) == 2)
        will = broker.connects[-1].will
        assert will is not None
        assert schemas.check(will.topic, will.payload)["config"] == "beef"


async def test_the_last_will_says_offline(broker: ScriptedBroker, publishing: Publishing) -> None:
    """A gateway that vanishes is offline for everybody, with its reason."""
    async with publishing(broker.port):
        await broker.until(lambda: broker.connects)
    will = broker.connects[0].will
    assert will is not None
    told = schemas.check(will.topic, will.payload)
    assert (will.topic, will.retain, told["state"], told["reason"]) == (STATUS, True, "offline", "connection lost")


@pytest.mark.parametrize("code", [0x84, 0x86, 0x87, 0x88])
async def test_a_refused_gateway_stays_away_for_ten_seconds_at_least(
    broker: ScriptedBroker, publishing: Publishing, code: int
) -> None:
    """A wrong password tried ten times a second locks the account and fills the broker's log."""
    broker.connack.code = code
    async with publishing(broker.port) as desk:
        await desk.until(lambda: len(desk.pauses.slept_s) == 3)
        assert set(desk.pauses.drawn) == {(10, 60)}
        assert min(desk.pauses.slept_s) >= 10
        assert not desk.publisher.state.connected
        assert f"broker 127.0.0.1:{broker.port} " in desk.publisher.state.reason
        broker.connack.code = 0x00
        desk.put("press-12")
        await desk.until(lambda: desk.outbox.is_done)


async def test_a_stolen_client_id_is_left_to_its_thief_for_a_minute(
    broker: ScriptedBroker, publishing: Publishing
) -> None:
    """Two gateways with one id would otherwise throw each other out for ever."""
    async with publishing(broker.port) as desk:
        await desk.until(lambda: desk.publisher.state.acknowledged == 1)
        broker.disconnect(0x8E)
        await desk.until(lambda: desk.pauses.slept_s)
        assert desk.pauses.slept_s == [60]
        await desk.until(lambda: desk.publisher.state.reconnects == 1)


async def test_a_lost_link_is_tried_again_within_ten_seconds(broker: ScriptedBroker, publishing: Publishing) -> None:
    """A pause is drawn from zero to ten seconds, for a broken link and for a broker that is not there."""
    async with publishing(broker.port) as desk:
        await desk.until(lambda: desk.publisher.state.connected)
        await broker.stop()
        await desk.until(lambda: len(desk.pauses.drawn) >= 3)
        assert set(desk.pauses.drawn) == {(0, 10)}
        assert "is the broker running" in desk.publisher.state.reason


@pytest.mark.parametrize("answer", [Goodbye(), Bytes(b"\xff" * 100), Bytes(b"\x30\xff\xff\xff\x7f")])
async def test_nothing_is_lost_whatever_breaks_the_session(
    broker: ScriptedBroker, publishing: Publishing, answer: Goodbye | Bytes
) -> None:
    """What was under way is sent again, and at most one window arrives twice."""
    spoilt: list[int] = []

    def spoil_once(publish: object) -> int | Goodbye | Bytes:
        if len(broker.published) != 30 or spoilt:
            return 0x00
        spoilt.append(1)
        return answer

    broker.answer = spoil_once
    async with publishing(broker.port) as desk:
        desk.put("press-12", 100)
        await desk.until(lambda: desk.outbox.is_done)
        assert desk.publisher.state.reconnects == 1
    seqs = [schemas.check(p.topic, p.payload)["seq"] for p in broker.published if p.topic.endswith("/data")]
    assert sorted(set(seqs)) == list(range(1, 101))
    assert len(seqs) - 100 <= 16


async def test_a_half_open_link_is_given_up(broker: ScriptedBroker, publishing: Publishing, clock: ManualClock) -> None:
    """A cable cut behind a switch ends after 1.5 keep-alives, and what was under way arrives over the new link."""
    async with publishing(broker.port) as desk:
        await desk.until(lambda: desk.publisher.state.acknowledged == 1)
        broker.freeze()
        desk.put("press-12", 3)
        await desk.until(lambda: desk.publisher.state.sent == 4)
        clock.advance(8)
        await desk.until(lambda: desk.pauses.drawn)
        assert "has not been heard" in desk.publisher.state.reason
        broker.thaw()
        await desk.until(lambda: desk.outbox.is_done)


async def test_a_broker_that_acknowledges_nothing_is_given_up(
    broker: ScriptedBroker, publishing: Publishing, clock: ManualClock
) -> None:
    """After twenty seconds the session is begun anew; nothing is lost."""
    broker.answer = lambda publish: 0x00 if publish.session > 1 or publish.topic == STATUS else NO_ANSWER
    async with publishing(broker.port, keepalive_s=60) as desk:
        desk.put("press-12", 3)
        await broker.until(lambda: len(broker.published) == 4)
        clock.advance(21)
        await desk.until(lambda: desk.outbox.is_done)
        assert topics(broker, 2) == [STATUS] + ["acme/ehv/press-12/data"] * 3


async def test_one_cause_is_one_line_in_the_log(broker: ScriptedBroker, publishing: Publishing) -> None:
    """A broker that is away for a week does not fill the disk; its return and another cause are told."""
    broker.connack.code = 0x88
    with capture_logs() as logs:
        async with publishing(broker.port) as desk:
            await desk.until(lambda: len(desk.pauses.slept_s) == 5)
            broker.connack.code = 0x86
            await desk.until(lambda: len(desk.pauses.slept_s) == 10)
            broker.connack.code = 0x00
            await desk.until(lambda: desk.publisher.state.connected)
    told = [log for log in logs if log["log_level"] != "debug"]
    assert [log["event"] for log in told] == ["broker_refused", "broker_refused", "broker_connected"]
    assert "password" in told[1]["reason"]
    assert told[1]["retry_s"] == 35.0


async def test_the_state_says_since_when(broker: ScriptedBroker, publishing: Publishing, clock: ManualClock) -> None:
    """Repeated failures do not move the beginning of an outage."""
    async with publishing(broker.port) as desk:
        clock.advance(100)
        await desk.until(lambda: desk.publisher.state.connected)
        connected_at = desk.publisher.state.since
        assert connected_at == clock.time_ns
        clock.advance(1)
        await broker.stop()
        await desk.until(lambda: desk.pauses.drawn)
        lost_at = desk.publisher.state.since
        clock.advance(1000)
        await desk.until(lambda: len(desk.pauses.drawn) > 3)
        assert connected_at < desk.publisher.state.since == lost_at < clock.time_ns


async def test_a_clean_stop_says_offline_and_goodbye(broker: ScriptedBroker, publishing: Publishing) -> None:
    """What is under way arrives first, the retained status says offline, and the last will is not needed."""
    async with publishing(broker.port) as desk:
        desk.put("press-12", 10)
        await desk.until(lambda: desk.publisher.state.sent > 1)
        await desk.publisher.close(10)
        await asyncio.wait_for(desk.task, 10)
        await broker.until(lambda: broker.goodbyes == [0x00])
        last = schemas.check(STATUS, broker.published[-1].payload)
        assert (last["state"], last["reason"], last["time"]) == ("offline", "stopped", "2026-11-24T10:15:00.250Z")
        assert broker.published[-1].retain
        assert desk.outbox.taken == []


async def test_a_stop_takes_nothing_more_from_the_outbox(broker: ScriptedBroker, publishing: Publishing) -> None:
    """What is taken at the end would arrive twice after the next start."""
    broker.answer = lambda publish: NO_ANSWER if publish.topic.endswith("/data") else 0x00
    async with publishing(broker.port) as desk:
        desk.put("press-12", 40)
        await broker.until(lambda: len(broker.published) == 17)
        closing = asyncio.create_task(desk.publisher.close(20))
        await asyncio.sleep(0)
        for publish in broker.published[1:]:
            broker.acknowledge(publish)
        await closing
        assert len(desk.outbox.acknowledged) == 16
        assert topics(broker)[-1] == STATUS


async def test_a_stop_keeps_its_deadline_though_the_broker_hangs(
    broker: ScriptedBroker, publishing: Publishing
) -> None:
    """SIGTERM ends the daemon in time; without DISCONNECT the broker tells everybody by the last will."""
    broker.answer = lambda publish: NO_ANSWER if publish.topic.endswith("/data") else 0x00
    async with publishing(broker.port) as desk:
        desk.put("press-12", 3)
        await broker.until(lambda: len(broker.published) == 4)
        begun_s = time.monotonic()
        await desk.publisher.close(0.3)
        assert time.monotonic() - begun_s < 5
        await asyncio.wait_for(desk.task, 10)
        assert broker.goodbyes == []
        assert desk.outbox.taken == []
        assert not desk.outbox.is_done


async def test_a_stop_without_a_session_has_nothing_to_wait_for(broker: ScriptedBroker, publishing: Publishing) -> None:
    """The broker has published the last will already."""
    async with publishing(broker.port) as desk:
        await broker.stop()
        await desk.until(lambda: desk.pauses.drawn)
        await desk.publisher.close(10)
        await asyncio.wait_for(desk.task, 10)


async def test_a_cancelled_publisher_gives_everything_back(broker: ScriptedBroker, publishing: Publishing) -> None:
    """What was under way goes to disk with the outbox."""
    broker.answer = lambda _publish: NO_ANSWER
    async with publishing(broker.port) as desk:
        desk.put("press-12", 5)
        await broker.until(lambda: len(broker.published) == 6)
        desk.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await desk.task
        assert desk.outbox.taken == []
        assert not desk.outbox.is_done
        await broker.until(lambda: not broker._peers)


class BrokenOnce(PlainOutbox):
    """An outbox that fails the first time it is asked."""

    async def take(self) -> object:  # type: ignore[override]  # it never gets to return
        """Fail, then work."""
        if not self.acknowledged and not getattr(self, "failed", False):
            self.failed = True
            raise ZeroDivisionError
        return await super().take()


async def test_a_defect_in_the_outbox_is_survived(broker: ScriptedBroker, publishing: Publishing) -> None:
    """The publisher ends for nothing but its cancellation; the defect is logged with its traceback."""
    outbox = BrokenOnce()
    with capture_logs() as logs:
        async with publishing(broker.port, outbox=outbox) as desk:
            desk.put("press-12")
            await desk.until(lambda: outbox.is_done)
    assert "publisher_defect" in [log["event"] for log in logs]
