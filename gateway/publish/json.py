"""Entries of the outbox as JSON messages, by version 1 of the MQTT contract (see README.md in this folder)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from msgspec.json import Encoder

from gateway.model import ABSENT, Notice, Quality, iso_time
from gateway.publish.columns import Columns, NotFinite, common_quality
from gateway.publish.contract import (
    VERSION,
    BatchMessage,
    DeviceStatusMessage,
    GatewayStatusMessage,
    MetaMessage,
    TagMeta,
)
from gateway.publish.message import Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.model import Batch, DeviceStatus, Held, Plan, Tag
    from gateway.outbox.entry import Entry
    from gateway.publish.contract import About, GatewayState
    from gateway.publish.topics import Topics

_PLANS_KEPT: Final = 1024

T = TypeVar("T")


class JsonEncoder:
    """Makes the messages of one gateway.

    Args:
        topics: where they go.
        history_topic: `history` keeps what waited on disk apart from live data, `same` does not.
    """

    def __init__(self, topics: Topics, history_topic: Literal["history", "same"] = "history") -> None:
        self._topics = topics
        self._history = topics.history if history_topic == "history" else topics.data
        self._json = Encoder()
        self._columns: dict[tuple[str, str], Columns] = {}

    def encode(self, entry: Entry, max_bytes: int) -> list[Message]:
        """The messages of one entry, each with topic and payload in `max_bytes` where its tags can be parted so far."""
        item = entry.item
        if isinstance(item, Notice):
            return [self._notice(entry, item)]
        try:
            return self._batch(entry, item, max_bytes)
        except NotFinite:
            return self._batch(entry, _finite(item), max_bytes)

    def meta(self, plan: Plan, *, connection: str = "", driver: str = "", description: str = "") -> Message:
        """What the tags of a device are; retained."""
        body = MetaMessage(
            v=VERSION,
            device=plan.device,
            gateway=self._topics.gateway,
            plan=plan.id,
            description=description or None,
            driver=driver or None,
            connection=connection or None,
            heartbeat_s=plan.heartbeat_s,
            integers_beyond_2_53="string",
            tags={tag.name: _tag_meta(tag) for tag in plan.tags},
        )
        return Message(self._topics.meta(plan.device), self._json.encode(body), retain=True)

    def device_status(self, status: DeviceStatus) -> Message:
        """How a device is doing; retained."""
        body = DeviceStatusMessage(
            v=VERSION,
            device=status.device,
            gateway=self._topics.gateway,
            state=status.state,
            since=iso_time(status.since),
            reason=status.reason,
        )
        return Message(self._topics.status(status.device), self._json.encode(body), retain=True)

    def gateway_status(self, state: GatewayState, about: About, reason: str = "", time: int | None = None) -> Message:
        """Whether the gateway is there; retained, and without a `time` (UTC, ns) the last will."""
        body = GatewayStatusMessage(
            v=VERSION,
            gateway=self._topics.gateway,
            state=state,
            time=None if time is None else iso_time(time),
            version=about.version,
            run=about.run,
            config=about.config,
            reason=reason,
        )
        return Message(self._topics.gateway_status, self._json.encode(body), retain=True)

    def _notice(self, entry: Entry, notice: Notice) -> Message:
        head = {
            "v": VERSION,
            "run": entry.run,
            "seq": entry.seq,
            "time": iso_time(notice.stamp.time),
            "clock": notice.stamp.clock,
        }
        return Message(self._topics.notice(notice.topic), self._json.encode({**head, **notice.body, **head}))

    def _batch(self, entry: Entry, batch: Batch, max_bytes: int) -> list[Message]:
        topic = self._history(entry.device) if entry.history else self._topics.data(entry.device)
        room = max_bytes - len(topic.encode())
        alike = common_quality(batch)
        whole = self._payload(entry, batch, alike)
        if len(whole) <= room:
            return [Message(topic, whole)]
        fewest = len(whole) // max(1, room) + 1
        return [Message(topic, payload) for payload in self._parts(entry, batch, alike, room, fewest)]

    def _parts(self, entry: Entry, batch: Batch, alike: Quality | None, room: int, fewest: int) -> list[bytes]:
        positions = _occupied(batch)
        for count in range(fewest, len(positions)):
            payloads = self._in_parts(entry, batch, alike, _cut(positions, count))
            if all(len(payload) <= room for payload in payloads):
                return payloads
        return self._in_parts(entry, batch, alike, _cut(positions, max(1, len(positions))))

    def _in_parts(
        self, entry: Entry, batch: Batch, alike: Quality | None, groups: Sequence[Sequence[int]]
    ) -> list[bytes]:
        of = len(groups)
        return [
            self._payload(entry, _portion(batch, group), alike, (number, of))
            for number, group in enumerate(groups, start=1)
        ]

    def _payload(self, entry: Entry, batch: Batch, alike: Quality | None, part: tuple[int, int] | None = None) -> bytes:
        columns = self._columns_of(batch.plan)
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

    def _columns_of(self, plan: Plan) -> Columns:
        key = (plan.device, plan.id)
        columns = self._columns.get(key)
        if columns is None:
            if len(self._columns) >= _PLANS_KEPT:
                self._columns.clear()
            columns = self._columns[key] = Columns(plan)
        return columns


def _tag_meta(tag: Tag) -> TagMeta:
    return TagMeta(
        type=tag.type,
        address=tag.address,
        unit=tag.unit,
        description=tag.description or None,
        range=tag.range,
        scale=tag.scale,
        offset=tag.offset,
        deadband=tag.deadband,
        period_s=tag.period_s,
        parameters=dict(tag.parameters) or None,
    )


def _occupied(batch: Batch) -> list[int]:
    held = batch.held or {}
    return [position for position, cell in enumerate(batch.values) if cell is not ABSENT or position in held]


def _cut(positions: Sequence[int], count: int) -> list[Sequence[int]]:
    """The positions in `count` runs of nearly equal length, so that neighbours stay together."""
    ends = [len(positions) * n // count for n in range(count + 1)]
    return [positions[start:end] for start, end in pairwise(ends)]


def _portion(batch: Batch, positions: Sequence[int]) -> Batch:
    chosen = frozenset(positions)
    return replace(
        batch,
        values=[cell if position in chosen else ABSENT for position, cell in enumerate(batch.values)],
        source_status=_only(batch.source_status, chosen),
        raw=_only(batch.raw, chosen),
        held=_only(batch.held, chosen),
    )


def _only(column: Mapping[int, T] | None, chosen: frozenset[int]) -> dict[int, T] | None:
    return None if column is None else {position: cell for position, cell in column.items() if position in chosen}


def _finite(batch: Batch) -> Batch:
    """The batch with every NaN and infinity turned into what it is: a reading that is not available."""
    values, quality, raw = list(batch.values), list(batch.quality), dict(batch.raw or {})
    for position, cell in enumerate(batch.values):
        if isinstance(cell, float) and not isfinite(cell):
            values[position], quality[position], raw[position] = None, Quality.NOT_AVAILABLE, cell
    held = {position: _finite_held(last) for position, last in (batch.held or {}).items()}
    return replace(batch, values=values, quality=quality, raw=raw, held=held)


def _finite_held(held: Held) -> Held:
    if isinstance(held.value, float) and not isfinite(held.value):
        return held._replace(value=None, quality=Quality.NOT_AVAILABLE)
    return held
