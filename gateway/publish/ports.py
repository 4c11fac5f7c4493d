"""What the publisher needs of its neighbours, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import Batch, Notice
    from gateway.outbox.entry import Entry
    from gateway.publish.contract import About, GatewayState
    from gateway.publish.message import Message


class EntryQueue(Protocol):
    """The outbox, as the publisher sees it."""

    def put(self, item: Batch | Notice) -> object:
        """One more batch or notice to be sent."""
        ...

    async def take(self) -> Entry:
        """The next entry to be sent; it stays with the queue until it is acknowledged, refused or given back."""
        ...

    def acknowledge(self, entry: Entry) -> None:
        """The broker has it: forget it."""
        ...

    def refuse(self, entry: Entry, reason: str) -> None:
        """The broker will never have it: forget it, and record the gap."""
        ...

    def give_back(self) -> None:
        """All that was taken and neither acknowledged nor refused is to be sent again."""
        ...


class CannotEncode(Exception):  # noqa: N818 - says what is the matter
    """No message can be made of this entry, now or later. The text says why."""


class BatchEncoder(Protocol):
    """Makes messages of batches: one way to lay them out."""

    def encode(self, entry: Entry, batch: Batch, max_bytes: int) -> Sequence[Message]:
        """The messages of one batch, each in `max_bytes` where it can be parted so far; none where it tells nothing.

        Raises:
            NotFinite: a value is NaN or infinite; the batch comes again without it.
            CannotEncode: no message can be made of it.
        """
        ...


class Encoder(Protocol):
    """Makes messages of entries, and of what the gateway says of itself."""

    def encode(self, entry: Entry, max_bytes: int) -> Sequence[Message]:
        """The messages of one entry, each with topic and payload in `max_bytes` where it can be parted so far."""
        ...

    def gateway_status(self, state: GatewayState, about: About, reason: str = "", time: int | None = None) -> Message:
        """Whether the gateway is there; retained, and without a `time` (UTC, ns) the last will."""
        ...
