"""Batches as JSON, one message a value, for a Unified Namespace: `layout: tag`."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final, Literal

from msgspec.json import Encoder

from gateway.model import ABSENT, Quality, iso_time
from gateway.publish.columns import PlanColumns
from gateway.publish.contract import VERSION, ValueMessage
from gateway.publish.message import JSON, Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.model import Batch, Cell, Plan
    from gateway.outbox.entry import Entry
    from gateway.publish.columns import Columns
    from gateway.publish.topics import Topics

HEARTBEATS: Final = 3
"""A retained value that was not renewed for so many heartbeats of its device is forgotten by the broker (MQTT 5)."""

_NS_PER_MS: Final = 1_000_000


class ByTag:
    """The batches of one gateway, value by value. A batch has arrived when all its messages have.

    Args:
        topics: where they go.
        history_topic: `history` keeps what waited on disk apart from live values, `same` does not.
        retain: whether the broker keeps the newest live value of each tag. History is never retained.
    """

    def __init__(
        self, topics: Topics, history_topic: Literal["history", "same"] = "history", *, retain: bool = False
    ) -> None:
        self._live = topics.tag
        self._history = topics.tag_history if history_topic == "history" else topics.tag
        self._retain = retain
        self._json = Encoder()
        self._columns = PlanColumns()

    def encode(self, entry: Entry, batch: Batch, max_bytes: int) -> list[Message]:  # noqa: ARG002 - a value has no parts
        """One message for each tag with a fresh value, a reason for having none, or a last value.

        Raises:
            NotFinite: a value is NaN or infinite.
        """
        topic_of = self._history if entry.history else self._live
        retain = self._retain and not entry.history
        properties = JSON._replace(expiry_s=_expiry_s(batch.plan)) if retain else JSON
        return [
            Message(topic_of(entry.device, body.tag), self._json.encode(body), retain, properties)
            for body in self._bodies(entry, batch)
        ]

    def _bodies(self, entry: Entry, batch: Batch) -> Iterator[ValueMessage]:
        columns = self._columns.of(batch.plan)
        for position, (cell, quality) in enumerate(zip(batch.values, batch.quality, strict=True)):
            if cell is not ABSENT:
                time = batch.stamp.time + (0 if batch.offsets is None else batch.offsets[position] * _NS_PER_MS)
                yield self._body(entry, batch, columns, position, cell, quality, time)
            elif batch.held and position in batch.held:
                body = self._body(entry, batch, columns, position, *batch.held[position])
                body.last = True
                yield body

    def _body(  # noqa: PLR0913, PLR0917 - a value has many sides
        self, entry: Entry, batch: Batch, columns: Columns, position: int, cell: Cell, quality: Quality, time: int
    ) -> ValueMessage:
        tag = batch.plan.tags[position]
        source_time = batch.source_times[position] if batch.source_times and cell is batch.values[position] else None
        raw = (batch.raw or {}).get(position)
        return ValueMessage(
            v=VERSION,
            value=columns.written(position, cell),
            unit=tag.unit,
            quality=quality.value,
            time=iso_time(time),
            clock=batch.stamp.clock,
            device=entry.device,
            tag=tag.name,
            run=entry.run,
            seq=entry.seq,
            plan=batch.plan.id,
            history=entry.history,
            raw=None if raw is None else columns.rejected(raw),
            source_time=None if source_time is None else iso_time(source_time),
            source_status=(batch.source_status or {}).get(position),
        )


def _expiry_s(plan: Plan) -> int:
    return max(1, ceil(HEARTBEATS * plan.heartbeat_s))
