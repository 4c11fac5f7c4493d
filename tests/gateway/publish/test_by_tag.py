from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from gateway.config.schema import Publish
from gateway.model import ABSENT, Held, Plan, Quality, Tag
from gateway.outbox.entry import Entry
from gateway.publish.by_tag import ByTag
from gateway.publish.encoders import encoder_of
from gateway.publish.message import Message, MessageProperties
from gateway.publish.topics import Topics
from gateway.testing import SAMPLE_TIME, sample_batch, sample_plan
from tests.gateway.publish.batches import RUN
from tests.gateway.publish.scripted_broker import MESSAGE_EXPIRY, ScriptedBroker

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.gateway.publish.conftest import Desk

    Publishing = Callable[..., AbstractAsyncContextManager[Desk]]

TOPICS = Topics(["acme", "ehv"], "gw-1")
PLAN = sample_plan("press-12", Tag("temperature", "holding:1", "float32", unit="°C"), Tag("running", "coil:1", "bool"))


def entry_of(values: list[object], *, history: bool = False, plan: Plan = PLAN) -> Entry:
    return Entry("press-12", RUN, 7, sample_batch(plan, values), history)


def encoded(layout: ByTag, entry: Entry) -> list[Message]:
    return layout.encode(entry, entry.item, 65_536)


def test_a_value_is_told_as_the_contract_shows() -> None:
    """One message with all that one needs to know of it."""
    message, _ = encoded(ByTag(TOPICS), entry_of([71.3, True]))
    assert message.topic == "acme/ehv/press-12/temperature"
    assert json.loads(message.payload) == {
        "v": 1,
        "value": 71.3,
        "unit": "°C",
        "quality": "good",
        "time": "2026-11-24T10:15:00.250Z",
        "clock": "synced",
        "device": "press-12",
        "tag": "temperature",
        "run": RUN,
        "seq": 7,
        "plan": PLAN.id,
    }


def test_history_has_its_own_topic_below_the_tag() -> None:
    """Unless it is wanted on the same."""
    (message,) = encoded(ByTag(TOPICS), entry_of([71.3, ABSENT], history=True))
    assert message.topic == "acme/ehv/press-12/temperature/history"
    (message,) = encoded(ByTag(TOPICS, "same"), entry_of([71.3, ABSENT], history=True))
    assert message.topic == "acme/ehv/press-12/temperature"
    assert json.loads(message.payload)["history"] is True


@pytest.mark.parametrize(("heartbeat_s", "expiry_s"), [(60.0, 180), (0.1, 1), (0.5, 2)])
def test_a_retained_value_ends_with_its_third_missed_heartbeat(heartbeat_s: float, expiry_s: int) -> None:
    """A tag that is gone does not look alive to whoever subscribes next year."""
    plan = Plan("press-12", PLAN.tags, heartbeat_s)
    (message,) = encoded(ByTag(TOPICS, retain=True), entry_of([71.3, ABSENT], plan=plan))
    assert message.retain
    assert message.properties == MessageProperties("application/json", expiry_s)


def test_a_bad_tag_has_no_value_but_a_reason() -> None:
    """And the rejected reading, for the eye of an engineer."""
    entry = entry_of([None, True])
    entry.item.quality[0] = Quality.NOT_AVAILABLE
    entry.item.raw = {0: math.inf}
    told = json.loads(encoded(ByTag(TOPICS), entry)[0].payload)
    assert "value" not in told
    assert (told["quality"], told["raw"]) == ("bad:not_available", "inf")


def test_a_value_that_is_not_fresh_says_so() -> None:
    """With its own time, marked as `last`; a source's time belongs to fresh values only."""
    entry = entry_of([ABSENT, True])
    entry.item.held = {0: Held(71.3, Quality.STALE, SAMPLE_TIME - 60_000_000_000)}
    entry.item.source_times = [SAMPLE_TIME, SAMPLE_TIME]
    told = [json.loads(message.payload) for message in encoded(ByTag(TOPICS), entry)]
    assert told[0]["last"] is True
    assert told[0]["time"] == "2026-11-24T10:14:00.250Z"
    assert ["source_time" in one for one in told] == [False, True]


async def test_a_batch_has_arrived_when_all_its_values_have(broker: ScriptedBroker, publishing: Publishing) -> None:
    """One value refused for good: the batch is refused, once; the others are acknowledged after their last value."""
    broker.answer = lambda publish: 0x99 if publish.topic.endswith("/count") and b'"value":3' in publish.payload else 0
    async with publishing(broker.port) as desk:
        desk.publisher._encoder = encoder_of(Publish(layout="tag", retain=True), TOPICS)
        desk.put("press-12", 6)
        await desk.until(lambda: desk.outbox.is_done)
        assert [entry.seq for entry, _ in desk.outbox.refused] == [4]
        assert sorted(entry.seq for entry in desk.outbox.acknowledged if entry.device == "press-12") == [1, 2, 3, 5, 6]
    values = [publish for publish in broker.published if publish.topic.startswith("acme/ehv/press-12/")]
    assert all(publish.retain and publish.properties[MESSAGE_EXPIRY] == 180 for publish in values)
