"""Every way to lay out batches, each with the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gateway.config.schema import Publish, Template
from gateway.publish.encoders import encoder_of
from gateway.publish.topics import Topics
from tests.gateway.publish import decoding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import Batch
    from gateway.publish.json import JsonEncoder
    from gateway.publish.message import Message

LINES = (
    '{"tag": {{ tag | tojson }}, "value": {{ value | tojson }}, "quality": {{ quality | tojson }}, '
    '"time": {{ time | tojson }}, "history": {{ history | tojson }}}'
)


@dataclass(frozen=True)
class Layout:
    """One encoder under test."""

    name: str
    publish: Publish
    tells_held: bool = True

    @property
    def encoder(self) -> JsonEncoder:
        """A fresh one."""
        return encoder_of(self.publish, Topics(["acme", "ehv"], "gw-1"))

    def decode(self, messages: Sequence[Message], batch: Batch) -> decoding.Rows:
        """The rows of these messages."""
        if self.publish.encoder == "template":
            return decoding.from_template(messages)
        if self.publish.layout == "tag":
            return decoding.from_tag_layout(messages)
        return decoding.from_device_layout(messages, batch)


TEMPLATE = Template(each="tag", topic="plant/{{ device }}/{{ tag }}", payload=LINES)
LAYOUTS = [
    Layout("device", Publish()),
    Layout("device, one topic", Publish(history_topic="same")),
    Layout("tag", Publish(layout="tag")),
    Layout("tag, retained", Publish(layout="tag", retain=True)),
    Layout("template", Publish(encoder="template", template=TEMPLATE), tells_held=False),
]


@pytest.fixture(params=LAYOUTS, ids=lambda layout: layout.name)
def layout(request: pytest.FixtureRequest) -> Layout:
    """Each layout in turn."""
    chosen: Layout = request.param
    return chosen
