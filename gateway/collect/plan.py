"""From what the technician wrote to devices with plans: every default filled in, once a configuration."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from gateway.connection import STEP_S
from gateway.driver import Device, DeviceTiming
from gateway.model import Plan, Tag
from gateway.processing.engineering import engineered
from gateway.processing.states import bits_of, texts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.connection import ConnectionConfig, DeviceConfig, TagConfig, ValueConfig


def devices_of(config: ConnectionConfig) -> list[Device]:
    """The devices of one connection, in the order of the file."""
    return [_device(name, device, _timing(device, config)) for name, device in config.devices.items()]


def _device(name: str, config: DeviceConfig, timing: DeviceTiming) -> Device:
    tags = tuple(_tag(tag_name, tag, timing.period_s) for tag_name, tag in config.tags.items())
    return Device(name, config, Plan(name, tags, timing.heartbeat_s), timing)


def _timing(device: DeviceConfig, connection: ConnectionConfig) -> DeviceTiming:
    """The nearest word wins: the device's, the connection's defaults, the driver's own."""
    said: dict[str, float | None] = {}
    for source in (connection.timing(), connection.defaults, device):
        if source.period_s is not None:
            said["align_s"] = None
        said |= source.model_dump(include=set(DeviceTiming.__dataclass_fields__), exclude_none=True)
        if source.align is not None:
            said["period_s"] = said["align_s"] = STEP_S[source.align]
    return DeviceTiming(**said)  # type: ignore[arg-type]  # the models hold each field's type


def _tag(name: str, config: TagConfig, device_period_s: float) -> Tag:
    origin = Origin(config.address, config.data_type(), config.number_parameters())
    return tag_of(name, config, origin, config.period_s or device_period_s)


class Origin(NamedTuple):
    """Where a value comes from: read at an address, or calculated."""

    address: str
    type: str
    parameters: Mapping[str, str]


@lru_cache(maxsize=1024)
def _held_once(parameters: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Most tags of a device have the same; thousands of copies would take megabytes."""
    return parameters


def tag_of(name: str, config: ValueConfig, origin: Origin, period_s: float) -> Tag:
    """The tag of what was written of a value, wherever it comes from."""
    tag = Tag(
        name=name,
        address=origin.address,
        type=origin.type,
        parameters=_held_once(tuple(sorted(origin.parameters.items()))),
        unit=config.unit,
        description=config.description,
        scale=config.scale,
        offset=config.offset,
        range=None if config.range is None else (config.range[0], config.range[1]),
        deadband=config.deadband,
        period_s=period_s,
        texts=texts_of(config),
        bits=bits_of(config),
    )
    return engineered(tag, config)
