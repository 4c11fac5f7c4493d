"""From what the technician wrote to devices with plans: every default filled in, once a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.driver import Device, DeviceTiming
from gateway.model import Plan, Tag

if TYPE_CHECKING:
    from gateway.connection import ConnectionConfig, DeviceConfig, TagConfig


def devices_of(config: ConnectionConfig) -> list[Device]:
    """The devices of one connection, in the order of the file."""
    return [_device(name, device, _timing(device, config)) for name, device in config.devices.items()]


def _device(name: str, config: DeviceConfig, timing: DeviceTiming) -> Device:
    tags = tuple(_tag(tag_name, tag, timing.period_s) for tag_name, tag in config.tags.items())
    return Device(name, config, Plan(name, tags, timing.heartbeat_s), timing)


def _timing(device: DeviceConfig, connection: ConnectionConfig) -> DeviceTiming:
    """The nearest word wins: the device's, the connection's defaults, the driver's own."""
    said: dict[str, float] = {}
    for source in (connection.TIMING, connection.defaults, device):
        said |= source.model_dump(include=set(DeviceTiming.__dataclass_fields__), exclude_none=True)
    return DeviceTiming(**said)  # type: ignore[arg-type]  # the models hold each field's type


def _tag(name: str, config: TagConfig, device_period_s: float) -> Tag:
    return Tag(
        name=name,
        address=config.address,
        type=config.data_type(),
        parameters=tuple(sorted(config.number_parameters().items())),
        unit=config.unit,
        description=config.description,
        scale=config.scale,
        offset=config.offset,
        range=None if config.range is None else (config.range[0], config.range[1]),
        deadband=config.deadband,
        period_s=config.period_s or device_period_s,
    )
