"""Entries of the outbox as JSON messages, by version 1 of the MQTT contract (see README.md in this folder)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.json import Encoder

from gateway.model import Notice, iso_time
from gateway.publish.by_device import ByDevice
from gateway.publish.columns import NotFinite
from gateway.publish.contract import (
    VERSION,
    AlarmLine,
    AlarmsMessage,
    DeviceStatusMessage,
    GatewayStatusMessage,
    MetaMessage,
    TagMeta,
)
from gateway.publish.message import JSON, Message
from gateway.publish.parts import finite
from gateway.units import find_unit
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.model import DeviceStatus, Plan, Tag
    from gateway.outbox.entry import Entry
    from gateway.processing.alarms import ActiveAlarm
    from gateway.publish.contract import About, GatewayState
    from gateway.publish.ports import BatchEncoder
    from gateway.publish.topics import Topics


class JsonEncoder:
    """Makes the messages of one gateway.

    Args:
        topics: where they go.
        batches: makes those of batches; one JSON message a batch unless given.
    """

    def __init__(self, topics: Topics, batches: BatchEncoder | None = None) -> None:
        self._topics = topics
        self._batches = batches or ByDevice(topics)
        self._json = Encoder()

    def encode(self, entry: Entry, max_bytes: int) -> Sequence[Message]:
        """The messages of one entry, each in `max_bytes` where its tags can be parted so far."""
        item = entry.item
        if isinstance(item, Notice):
            return [self._notice(entry, item)]
        try:
            return self._batches.encode(entry, item, max_bytes)
        except NotFinite:
            return self._batches.encode(entry, finite(item), max_bytes)

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
        return Message(self._topics.meta(plan.device), self._json.encode(body), retain=True, properties=JSON)

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
        return Message(self._topics.status(status.device), self._json.encode(body), retain=True, properties=JSON)

    def alarms(self, device: str, active: Iterable[ActiveAlarm]) -> Message:
        """The active alarms of a device; retained."""
        lines = [
            AlarmLine(
                id=alarm.id,
                severity=alarm.severity,
                since=iso_time(alarm.since),
                text=alarm.text,
                acknowledged=alarm.acknowledged,
                over=alarm.over,
            )
            for alarm in active
        ]
        body = AlarmsMessage(v=VERSION, device=device, gateway=self._topics.gateway, alarms=lines)
        return Message(self._topics.alarms(device), self._json.encode(body), retain=True, properties=JSON)

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
        return Message(self._topics.gateway_status, self._json.encode(body), retain=True, properties=JSON)

    def _notice(self, entry: Entry, notice: Notice) -> Message:
        code = {"code": Code.GAP} if notice.topic == "gaps" else {}
        head = {
            "v": VERSION,
            "run": entry.run,
            "seq": entry.seq,
            "time": iso_time(notice.stamp.time),
            "clock": notice.stamp.clock,
        }
        return Message(
            self._topics.notice(notice.topic),
            self._json.encode({**head, **notice.body, **head, **code}),
            properties=JSON,
        )


def _tag_meta(tag: Tag) -> TagMeta:
    unit = None if tag.unit is None else find_unit(tag.unit)
    return TagMeta(
        type=tag.type,
        address=tag.address,
        unit=tag.unit,
        unit_ucum=unit and unit.ucum,
        unit_unece=unit and unit.rec20,
        description=tag.description or None,
        range=tag.range,
        scale=tag.scale,
        offset=tag.offset,
        scaling=tag.scaling,
        scale_from=tag.scale_from,
        counter=tag.counter,
        max_rate_per_s=tag.max_rate_per_s,
        stuck_after_s=tag.stuck_after_s,
        stale_after_s=tag.stale_after_s,
        deadband=tag.deadband,
        deadband_percent_of_value=tag.deadband_percent,
        swinging_door=tag.swinging_door,
        max_interval_s=tag.max_interval_s,
        period_s=tag.period_s,
        parameters=dict(tag.parameters) or None,
        texts=dict(tag.texts) or None,
        bits=dict(tag.bits) or None,
    )
