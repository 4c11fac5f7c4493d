"""What a reload does to the connections: which links are opened anew, which devices change, which miss nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.collect.plan import devices_of
from gateway.collect.virtual import virtual_devices_of
from gateway.config.files import DERIVED_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.config.schema import Configuration, Connection
    from gateway.driver import Device


class Effect(StrEnum):
    """What becomes of a connection or device."""

    SAME = "same"
    """It misses no reading."""
    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"
    """A device with another plan or timing; a connection that stays open while one of its devices changes."""
    REOPENED = "reopened"
    """A connection that is reached in another way: all its devices wait until it is open again."""


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """One device, and the names of its tags that differ."""

    device: str
    effect: Effect
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectionChange:
    """One connection and its devices."""

    connection: str
    effect: Effect
    devices: tuple[DeviceChange, ...]


def changes(before: Iterable[Connection], after: Iterable[Connection]) -> list[ConnectionChange]:
    """What taking over `after` does to what runs with `before`, by name."""
    old, new = ({connection.name: connection for connection in side} for side in (before, after))
    return [_change(old.get(name), new.get(name), name) for name in sorted(old.keys() | new.keys())]


def derived_changes(before: Configuration, after: Configuration) -> list[ConnectionChange]:
    """The same of virtual devices, as if derived.yaml were a connection; nothing where neither side has any."""
    old, new = ({one.name: one.device for one in virtual_devices_of(side)} for side in (before, after))
    if not old and not new:
        return []
    devices = tuple(_device_changes(old, new))
    effect = Effect.SAME if all(one.effect is Effect.SAME for one in devices) else Effect.CHANGED
    if not old or not new:
        effect = Effect.NEW if new else Effect.GONE
    return [ConnectionChange(DERIVED_FILE, effect, devices)]


def same_link(before: Connection, after: Connection) -> bool:
    """Whether a connection can stay open: the same driver reaches the devices in the same way."""
    return before.spec is after.spec and before.config.reached_by() == after.config.reached_by()


def _change(before: Connection | None, after: Connection | None, name: str) -> ConnectionChange:
    devices = tuple(_device_changes(_by_name(before), _by_name(after)))
    if before is None or after is None:
        effect = Effect.NEW if before is None else Effect.GONE
    elif not same_link(before, after):
        effect = Effect.REOPENED
    else:
        effect = Effect.SAME if all(one.effect is Effect.SAME for one in devices) else Effect.CHANGED
    return ConnectionChange(name, effect, devices)


def _by_name(connection: Connection | None) -> Mapping[str, Device]:
    return {device.name: device for device in devices_of(connection.config)} if connection is not None else {}


def _device_changes(before: Mapping[str, Device], after: Mapping[str, Device]) -> Iterable[DeviceChange]:
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            yield DeviceChange(name, Effect.NEW if old is None else Effect.GONE)
        else:
            yield _tag_changes(old, new)


def _tag_changes(old: Device, new: Device) -> DeviceChange:
    if old == new:
        return DeviceChange(new.name, Effect.SAME)
    before, after = old.config.tags, new.config.tags
    return DeviceChange(
        new.name,
        Effect.CHANGED,
        new=tuple(name for name in after if name not in before),
        gone=tuple(name for name in before if name not in after),
        changed=tuple(name for name in after if name in before and after[name] != before[name]),
    )
