"""What a message is called on the wire: from its second message on a topic is only a number, if the broker allows."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.publish.message import Message

_TOPIC_ALIAS: Final = 0x23
_VARIABLE_BYTE: Final = 128

MOST: Final = 256
"""Topics that a session gives a number, however many the broker allows; what comes later goes by its full name."""


class PackedProperties:
    """Properties of a PUBLISH in the form of the wire. paho asks for nothing but `pack`, and is slow at it itself."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def pack(self) -> bytes:
        """With their length before them, a variable byte integer (MQTT 5, section 1.5.5)."""
        size = len(self._body)
        head = bytes([size]) if size < _VARIABLE_BYTE else bytes([size % 128 | 0x80, size // 128])
        return head + self._body


class Aliases:
    """The numbers of one session (MQTT 5, section 3.3.2.3.4). They end with it, as all that was sent in it does.

    Args:
        most: what the broker allows; 0 allows none.
    """

    def __init__(self, most: int = 0) -> None:
        self._most = min(MOST, most)
        self._numbers: dict[str, int] = {}

    def in_short(self, message: Message) -> tuple[str, PackedProperties]:
        """Topic, empty where its number is known to the broker, and properties."""
        body = message.properties.packed()
        number = self._numbers.get(message.topic)
        if number is not None:
            return "", PackedProperties(body + pack("!BH", _TOPIC_ALIAS, number))
        if len(self._numbers) < self._most:
            number = self._numbers[message.topic] = len(self._numbers) + 1
            body += pack("!BH", _TOPIC_ALIAS, number)
        return message.topic, PackedProperties(body)
