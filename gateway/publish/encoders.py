"""Chooses the encoder that the configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.publish.by_device import ByDevice
from gateway.publish.by_tag import ByTag
from gateway.publish.json import JsonEncoder

if TYPE_CHECKING:
    from gateway.config.schema import Publish
    from gateway.publish.ports import BatchEncoder
    from gateway.publish.topics import Topics


def encoder_of(publish: Publish, topics: Topics) -> JsonEncoder:
    """The encoder that gateway.yaml asks for. What is not a batch is JSON by contract in all of them."""
    return JsonEncoder(topics, _batches(publish, topics))


def _batches(publish: Publish, topics: Topics) -> BatchEncoder:
    if publish.template is not None:
        from gateway.publish.by_template import ByTemplate  # noqa: PLC0415 - Jinja is loaded only where it is used

        return ByTemplate(publish.template, topics.gateway, topics.path)
    if publish.layout == "tag":
        return ByTag(topics, publish.history_topic, retain=publish.retain)
    return ByDevice(topics, publish.history_topic)
