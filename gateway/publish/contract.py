"""The shapes of the JSON messages, version 1. `config/schema/` describes the same to consumers; tests compare the two.

A field that is None is left out of the message; nothing is ever sent as null but an unknown count of a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Raw, Struct

if TYPE_CHECKING:
    from gateway.model import ClockState, Counter, DeviceState, ScaleFrom, TwoPoint
    from gateway.processing.states import AlarmSeverity

VERSION: Final = 1
"""Stands as `v` in every message. It grows when a consumer of the old shape would misread the new one."""

Written = bool | int | float | str | Raw
"""A value as written: whole numbers beyond 2^53 are text, and very large or small floats bring their own spelling."""


class BatchMessage(Struct, kw_only=True, omit_defaults=True):
    """One batch, or one part of it."""

    v: int
    device: str
    run: str
    seq: int
    part: tuple[int, int] | None = None
    """This part, counted from 1, and how many there are."""
    plan: str
    time: str
    clock: ClockState
    history: bool = False
    device_quality: str | None = None
    """Stands for `quality` where all tags of the device are alike and not good."""
    values: dict[str, Written]
    quality: dict[str, str] | None = None
    raw: dict[str, Written] | None = None
    last: dict[str, LastValue] | None = None
    offset_ms: dict[str, int] | None = None
    source_time: dict[str, str] | None = None
    source_status: dict[str, str] | None = None


class LastValue(Struct, kw_only=True, omit_defaults=True):
    """The last value of a tag that has no fresh one. Without `value` the tag was bad at that time already."""

    value: Written | None = None
    time: str


class ValueMessage(Struct, kw_only=True, omit_defaults=True):
    """One value, where each tag has its own topic. Without `value` the tag is bad, and `quality` says why."""

    v: int
    value: Written | None = None
    unit: str | None = None
    quality: str
    time: str
    """When this value was measured; that of a `last` one lies back."""
    clock: ClockState
    device: str
    tag: str
    run: str
    seq: int
    plan: str
    history: bool = False
    last: bool = False
    """It is not fresh: the last value of a tag, told again with a heartbeat."""
    raw: Written | None = None
    source_time: str | None = None
    source_status: str | None = None


class TagMeta(Struct, kw_only=True, omit_defaults=True):
    """What one tag is."""

    type: str
    address: str
    unit: str | None = None
    unit_ucum: str | None = None
    """The unit's UCUM code."""
    unit_unece: str | None = None
    """The unit's common code of UN/ECE Recommendation 20."""
    description: str | None = None
    range: tuple[float, float] | None = None
    scale: float
    offset: float
    scaling: TwoPoint | None = None
    scale_from: ScaleFrom | None = None
    counter: Counter | None = None
    max_rate_per_s: float | None = None
    stuck_after_s: float | None = None
    stale_after_s: float | None = None
    deadband: float | None = None
    deadband_percent_of_value: float | None = None
    swinging_door: float | None = None
    max_interval_s: float | None = None
    period_s: float
    parameters: dict[str, str] | None = None
    texts: dict[int, str] | None = None
    """What the numbers of an enumeration mean."""
    bits: dict[int, str] | None = None
    """What the bits of a whole number mean, counted from 0."""


class MetaMessage(Struct, kw_only=True, omit_defaults=True):
    """What the tags of one device are, by the plan in use."""

    v: int
    device: str
    gateway: str
    plan: str
    description: str | None = None
    driver: str | None = None
    connection: str | None = None
    heartbeat_s: float
    integers_beyond_2_53: str
    """How whole numbers are written that a double cannot hold: always `string`."""
    tags: dict[str, TagMeta]


class DeviceStatusMessage(Struct, kw_only=True, omit_defaults=True):
    """How one device is doing."""

    v: int
    device: str
    gateway: str
    state: DeviceState
    since: str
    reason: str


class AlarmLine(Struct, kw_only=True, omit_defaults=True):
    """One active alarm."""

    id: str
    severity: AlarmSeverity
    since: str
    text: str
    acknowledged: bool = False
    over: bool = False
    """Its cause is gone; it waits to be acknowledged, or for its off-delay."""


class AlarmsMessage(Struct, kw_only=True):
    """The active alarms of one device, all of them."""

    v: int
    device: str
    gateway: str
    alarms: list[AlarmLine]


@dataclass(frozen=True, slots=True)
class About:
    """What the gateway says of itself in its status."""

    version: str
    run: str
    config: str
    """Hash of the configuration in use."""


class GatewayState(StrEnum):
    """Whether the gateway is there at all. When it says offline, all its devices are bad."""

    ONLINE = "online"
    OFFLINE = "offline"


class GatewayStatusMessage(Struct, kw_only=True, omit_defaults=True):
    """Whether the gateway is there, and which one it is."""

    v: int
    gateway: str
    state: GatewayState
    time: str | None = None
    """Left out of the last will, which the broker publishes at a time that nobody knows beforehand."""
    version: str
    run: str
    config: str
    """Hash of the configuration in use."""
    reason: str
