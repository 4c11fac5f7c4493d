from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.config.schema import Template
from gateway.model import ABSENT, Quality
from gateway.outbox.entry import Entry
from gateway.publish.by_template import ByTemplate
from gateway.publish.json import JsonEncoder
from gateway.publish.ports import CannotEncode
from gateway.publish.topics import Topics
from gateway.testing import sample_batch, sample_plan
from tests.gateway.publish.batches import RUN
from tests.gateway.publish.scripted_broker import CONTENT_TYPE, USER_PROPERTY, ScriptedBroker

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from gateway.model import Batch
    from gateway.publish.message import Message
    from tests.gateway.publish.conftest import Desk

    Publishing = Callable[..., AbstractAsyncContextManager[Desk]]

PLAN = sample_plan()


def encoded(batch: Batch, *, history: bool = False, max_bytes: int = 65_536, **config: Any) -> list[Message]:
    template = Template(**{"topic": "plant/{{ device }}", "payload": "{{ values | tojson }}", **config})
    entry = Entry(batch.plan.device, RUN, 7, batch, history)
    return ByTemplate(template, "gw-1", "acme/ehv").encode(entry, batch, max_bytes)


def test_a_batch_is_one_message_in_the_users_form() -> None:
    """All that a template may name, in one line."""
    payload = (
        "{{ gateway }} {{ path }} {{ device }} {{ run }} {{ seq }} {{ plan }} {{ time }} {{ time_ms }} {{ time_ns }} "
        "{{ clock }} {{ history }} {{ part }} {{ values.count }} {{ quality.count }} {{ units.temperature }}"
    )
    (message,) = encoded(sample_batch(PLAN, [71.5, True, 3]), payload=payload)
    assert message.topic == "plant/press-12"
    assert message.payload.decode() == (
        f"gw-1 acme/ehv press-12 {RUN} 7 {PLAN.id} 2026-11-24T10:15:00.250Z 1795515300250 1795515300250000000 "
        "synced False None 3 good °C"
    )


def test_each_value_may_be_a_message() -> None:
    """What changed, and what is bad; not what is absent."""
    batch = sample_batch(PLAN, [71.5, None, ABSENT])
    batch.quality[1] = Quality.NO_REPLY
    form = "{{ tag }};{{ value if value is not none else '' }};{{ unit }};{{ quality }};{{ description }}"
    messages = encoded(batch, each="tag", topic="{{ path }}/{{ device }}/{{ tag }}", payload=form)
    assert [(message.topic, message.payload.decode()) for message in messages] == [
        ("acme/ehv/press-12/temperature", "temperature;71.5;°C;good;"),
        ("acme/ehv/press-12/running", "running;;;bad:no_reply;"),
    ]


def test_the_name_of_the_batch_goes_beside_the_payload() -> None:
    """So that duplicates are found whatever the payload says; a part has its number."""
    tags = [PLAN.tags[2].__class__(f"tag_{number}", str(number), "uint16") for number in range(40)]
    plan = sample_plan("press-12", *tags)
    (whole,) = encoded(sample_batch(plan, list(range(40))), content_type="application/x-own")
    assert whole.properties.content_type == "application/x-own"
    assert dict(whole.properties.user) == {"device": "press-12", "run": RUN, "seq": "7"}
    parts = encoded(sample_batch(plan, list(range(40))), max_bytes=300)
    numbers = [dict(part.properties.user)["part"] for part in parts]
    assert numbers == [f"{number}/{len(parts)}" for number in range(1, len(parts) + 1)]


@pytest.mark.parametrize(
    "topic", ["{{ device }}/#", "+", "{% if history %}x{% endif %}", "a\nb", "{{ 'x' | replace('x', '') }}"]
)
def test_what_is_no_topic_cannot_be_encoded(topic: str) -> None:
    """The text shows what the template made."""
    with pytest.raises(CannotEncode, match="which is no topic to publish to"):
        encoded(sample_batch(PLAN, [71.5, True, 3]), topic=topic)


def test_what_renders_to_nothing_is_not_sent() -> None:
    """A template may choose; a batch of which nothing is sent is done."""
    only_running = "{% if tag == 'running' %}{{ value | tojson }}{% endif %}"
    messages = encoded(sample_batch(PLAN, [71.5, True, 3]), each="tag", payload=only_running)
    assert [message.payload for message in messages] == [b"true"]
    assert encoded(sample_batch(PLAN, [71.5, True, 3]), payload="{% if history %}x{% endif %}") == []


async def test_a_template_that_fails_harms_only_its_batch(broker: ScriptedBroker, publishing: Publishing) -> None:
    """It is set aside with a reason that names the template; an event tells it, and what renders goes on."""
    template = Template(topic="plant/{{ device }}", payload="{{ 100 // values.count }}", content_type="text/plain")
    batches = ByTemplate(template, "gw-1", "")
    async with publishing(broker.port) as desk:
        desk.publisher._encoder._batches = batches
        for count in (5, 0, 4):
            desk.outbox.put(sample_batch(PLAN, [1.5, True, count]))
        await desk.until(lambda: desk.outbox.is_done)
        ((refused, reason),) = desk.outbox.refused
        assert (refused.seq, len(desk.outbox.acknowledged)) == (2, 3), "two batches and the event"
        assert reason.startswith("the template of the payload fails (")
        assert "look at `publish: template:` in gateway.yaml" in reason
        data = [publish for publish in broker.published if publish.topic == "plant/press-12"]
        assert [publish.payload for publish in data] == [b"20", b"25"]
        assert data[0].properties[CONTENT_TYPE] == "text/plain"
        assert data[0].properties[USER_PROPERTY] == {"device": "press-12", "run": RUN, "seq": "1"}


async def test_a_batch_that_sends_nothing_is_acknowledged(broker: ScriptedBroker, publishing: Publishing) -> None:
    """It does not wait in the outbox for ever."""
    template = Template(topic="plant", payload="{% if values.count == 1 %}x{% endif %}")
    async with publishing(broker.port) as desk:
        desk.publisher._encoder._batches = ByTemplate(template, "gw-1", "")
        for count in range(5):
            desk.outbox.put(sample_batch(PLAN, [1.5, True, count]))
        await desk.until(lambda: desk.outbox.is_done)
        assert len(desk.outbox.acknowledged) == 5
        assert [publish.topic for publish in broker.published].count("plant") == 1


def test_what_is_not_a_batch_stays_as_it_is() -> None:
    """Status, meta and gap records keep to the contract, whatever the batches look like."""
    template = ByTemplate(Template(topic="x", payload="y"), "gw-1", "")
    topics = Topics(["acme"], "gw-1")
    assert JsonEncoder(topics, template).meta(PLAN) == JsonEncoder(topics).meta(PLAN)
