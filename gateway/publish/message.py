"""One MQTT message, before it is sent."""

from __future__ import annotations

from functools import lru_cache
from struct import pack
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_EXPIRY, _CONTENT_TYPE, _USER = 0x02, 0x03, 0x26
"""Identifiers of PUBLISH properties (MQTT 5, OASIS 2019, section 3.3.2.3)."""


class MessageProperties(NamedTuple):
    """What MQTT 5 tells beside topic and payload. MQTT 3.1.1 tells none of it."""

    content_type: str = ""
    expiry_s: int | None = None
    """The broker forgets the message after this time, s."""
    user: tuple[tuple[str, str], ...] = ()
    """Names and values for the consumer."""

    @property
    def size(self) -> int:
        """Bytes that they take in the packet, without the length before them."""
        return len(self.packed())

    def packed(self) -> bytes:
        """As they stand in the packet, without the length before them."""
        return _packed(self.content_type, self.expiry_s) + (_pairs(self.user) if self.user else b"")


NO_PROPERTIES: Final = MessageProperties()
JSON: Final = MessageProperties("application/json")


class Message(NamedTuple):
    """What goes to one topic, at QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False
    properties: MessageProperties = NO_PROPERTIES

    @property
    def size(self) -> int:
        """Bytes of topic, properties and payload together: the part of the packet that the message itself decides."""
        return len(self.topic.encode()) + len(self.payload) + self.properties.size


@lru_cache(maxsize=64)
def _packed(content_type: str, expiry_s: int | None) -> bytes:
    body = b"" if expiry_s is None else pack("!BI", _EXPIRY, expiry_s)
    return body + bytes([_CONTENT_TYPE]) + _text(content_type) if content_type else body


def _pairs(pairs: Iterable[tuple[str, str]]) -> bytes:
    return b"".join([bytes([_USER]) + _text(name) + _text(value) for name, value in pairs])


def _text(text: str) -> bytes:
    encoded = text.encode()
    return pack("!H", len(encoded)) + encoded
