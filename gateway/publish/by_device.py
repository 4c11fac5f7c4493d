"""Batches as JSON, one message each, or as few as they fit into: `layout: device`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec.json import Encoder

from gateway.model import iso_time
from gateway.publish.columns import PlanColumns, common_quality
from gateway.publish.contract import VERSION, BatchMessage
from gateway.publish.message import JSON, Message
from gateway.publish.parts import in_parts

if TYPE_CHECKING:
    from gateway.model import Batch, Quality
    from gateway.outbox.entry import Entry
    from gateway.publish.parts import Part
    from gateway.publish.topics import Topics


class ByDevice:
    """The batches of one gateway.

    Args:
        topics: where they go.
        history_topic: `history` keeps what waited on disk apart from live data, `same` does not.
    """

    def __init__(self, topics: Topics, history_topic: Literal["history", "same"] = "history") -> None:
        self._live = topics.data
        self._history = topics.history if history_topic == "history" else topics.data
        self._json = Encoder()
        self._columns = PlanColumns()

    def encode(self, entry: Entry, batch: Batch, max_bytes: int) -> list[Message]:
        """One message, or the parts of the batch.

        Raises:
            NotFinite: a value is NaN or infinite.
        """
        topic = self._history(entry.device) if entry.history else self._live(entry.device)
        room = max_bytes - len(topic.encode()) - JSON.size
        alike = common_quality(batch)
        whole = self._payload(entry, batch, alike)
        if len(whole) <= room:
            return [Message(topic, whole, properties=JSON)]

        def part_of(portion: Batch, part: Part) -> bytes:
            return self._payload(entry, portion, alike, part)

        parts = in_parts(batch, len(whole), room, part_of, lambda payload: len(payload) <= room)
        return [Message(topic, payload, properties=JSON) for payload in parts]

    def _payload(self, entry: Entry, batch: Batch, alike: Quality | None, part: Part | None = None) -> bytes:
        columns = self._columns.of(batch.plan)
        body = BatchMessage(
            v=VERSION,
            device=entry.device,
            run=entry.run,
            seq=entry.seq,
            part=part,
            plan=batch.plan.id,
            time=iso_time(batch.stamp.time),
            clock=batch.stamp.clock,
            history=entry.history,
            device_quality=None if alike is None else alike.value,
            values=columns.values(batch),
            quality=columns.quality(batch) if alike is None else None,
            raw=columns.raw(batch),
            last=columns.last(batch),
            offset_ms=columns.offset_ms(batch),
            source_time=columns.source_time(batch),
            source_status=columns.source_status(batch),
        )
        return self._json.encode(body)
