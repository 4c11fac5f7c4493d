"""The newest retained message of each topic, for every session to begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.publish.message import Message

if TYPE_CHECKING:
    from collections.abc import Iterator


class Retained:
    """What the broker should hold. A topic to be cleared is kept as an empty message until that has arrived."""

    def __init__(self) -> None:
        self._messages: dict[str, Message] = {}
        self._withheld: set[str] = set()

    def put(self, message: Message) -> bool:
        """Remember a message; says whether it is news."""
        if self._messages.get(message.topic) == message:
            return False
        self._messages[message.topic] = message
        self._withheld.discard(message.topic)
        return True

    def clear(self, topic: str) -> bool:
        """Have the broker forget the topic; says whether it held anything of ours."""
        return topic in self._messages and self.put(Message(topic, b"", retain=True))

    def get(self, topic: str) -> Message | None:
        """The newest message of the topic, if it is to be sent."""
        return None if topic in self._withheld else self._messages.get(topic)

    def withhold(self, topic: str) -> None:
        """Do not send this message again; the next one of the topic is another matter."""
        self._withheld.add(topic)

    def arrived(self, message: Message) -> None:
        """The broker has it. A topic that was cleared is forgotten here too."""
        if not message.payload and self._messages.get(message.topic) == message:
            del self._messages[message.topic]

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._messages))
