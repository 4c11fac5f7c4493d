"""One MQTT message, before it is sent."""

from __future__ import annotations

from typing import NamedTuple


class Message(NamedTuple):
    """What goes to one topic, at QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False

    @property
    def size(self) -> int:
        """Bytes of topic and payload together: the part of the packet that the message itself decides."""
        return len(self.topic.encode()) + len(self.payload)
