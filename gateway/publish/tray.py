"""What is to be sent next."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.outbox.entry import Entry
    from gateway.publish.memory import Memory
    from gateway.publish.message import Message
    from gateway.publish.suspicion import Name


@dataclass(slots=True, eq=False)
class Parcel:
    """One entry on its way: acknowledged when all its messages are."""

    entry: Entry
    unanswered: int
    """Messages without a good answer."""
    is_over: bool = False
    """It was refused; what is left of it is not sent."""

    @property
    def name(self) -> Name:
        """What it is known by over sessions."""
        return (self.entry.device, self.entry.run, self.entry.seq)


@dataclass(slots=True, eq=False)
class Item:
    """One message on its way; without a parcel it is a retained one."""

    message: Message
    parcel: Parcel | None = None
    refusals: int = 0
    """How often the broker did not take it for now."""

    @property
    def name(self) -> Name:
        """What it is known by over sessions."""
        return self.message.topic if self.parcel is None else self.parcel.name


class Tray:
    """Retained messages first, then entries in their order. A suspect goes alone, and a retained suspect goes last.

    Args:
        memory: the retained messages, all of which are due, and the suspects.
    """

    def __init__(self, memory: Memory) -> None:
        self._retained = memory.retained
        self._suspicion = memory.suspicion
        self._due = dict.fromkeys(memory.retained)
        self._waiting: deque[Item] = deque()

    def __bool__(self) -> bool:
        """Whether anything is left to send."""
        return bool(self._due or self._waiting)

    def announce(self, topic: str) -> None:
        """The retained message of this topic is to be sent; which one, is asked when its turn comes."""
        self._due[topic] = None

    def add(self, items: Iterable[Item]) -> None:
        """Messages of an entry are to be sent."""
        self._waiting.extend(items)

    def next(self, *, alone: bool) -> Item | None:
        """The next message, taken out; None where there is none that may go now.

        Args:
            alone: nothing is under way, so a suspect may go.
        """
        return self._next_due(suspect=False) or self._next_waiting(alone=alone) or self._last(alone=alone)

    def _last(self, *, alone: bool) -> Item | None:
        return self._next_due(suspect=True) if alone and not self._waiting else None

    def _next_due(self, *, suspect: bool) -> Item | None:
        for topic in tuple(self._due):
            if self._suspicion.falls_on(topic) is suspect:
                del self._due[topic]
                message = self._retained.get(topic)
                if message is not None:
                    return Item(message)
        return None

    def _next_waiting(self, *, alone: bool) -> Item | None:
        while self._waiting:
            item = self._waiting[0]
            if item.parcel is None or not item.parcel.is_over:
                if self._suspicion.falls_on(item.name) and not alone:
                    return None
                return self._waiting.popleft()
            self._waiting.popleft()
        return None
