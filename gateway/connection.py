"""What a technician writes of the field: connections, devices, tags. Each driver extends these three models.

Type, default, unit and description of a key are declared here once; the error messages, the JSON Schema for editors and
the reference documentation derive from them.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
"""Name of a device or tag. It becomes a topic level, so it stays within letters, digits, `_` and `-`."""

RESERVED_NAMES = frozenset({"data", "history", "meta", "status", "alarms", "set", "gaps", "events", "health"})
"""Levels that the MQTT contract uses itself; no tag or device may be called so."""


class Strict(BaseModel):
    """A model that refuses unknown keys and converts nothing but whole numbers to floats."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TagConfig(Strict):
    """One named point of a device."""

    address: str = Field(description="Where the point lives, in the driver's notation.")
    unit: str | None = Field(None, description="Engineering unit as people write it, such as °C, kW or r/min.")
    description: str = Field("", description="What the point means, for people.")
    scale: float = Field(1.0, description="Engineering value = raw value x scale + offset.")
    offset: float = Field(0.0, description="Added after the scale, in the engineering unit.")
    range: list[float] | None = Field(
        None,
        min_length=2,
        max_length=2,
        description="Lowest and highest plausible value; outside it the value is published as uncertain.",
    )
    deadband: float | None = Field(
        None,
        ge=0,
        description="Smallest change worth sending, in the engineering unit; without it every sample is sent.",
    )
    period_s: float | None = Field(None, gt=0, description="Time between two readings of this tag, s.")

    def data_type(self) -> str:
        """The data type in the driver's words."""
        raise TypeError(f"{type(self).__name__} must say its data type")

    def number_parameters(self) -> dict[str, str]:
        """What makes the number beside address, type, scale, offset and unit (word order, for instance)."""
        return {}


class Timing(Strict):
    """When a device is read and when it is given up. Each key may stand in a connection's `defaults` or at a device."""

    period_s: float | None = Field(None, gt=0, description="Time between two readings, s.")
    timeout_s: float | None = Field(None, gt=0, description="How long to wait for an answer, s.")
    retries: int | None = Field(None, ge=0, le=10, description="How often a reading without an answer is tried again.")
    bad_after: int | None = Field(None, ge=1, description="Failed readings in a row after which the device is BAD.")
    heartbeat_s: float | None = Field(
        None, gt=0, description="Time between two snapshots of the whole device, s, however little changes."
    )


class DeviceConfig(Timing):
    """One PLC, meter, drive or pin header behind a connection. A driver narrows `tags` to its own tag model."""

    description: str = Field("", description="What the device is, for people.")
    tags: dict[Name, TagConfig] = Field(min_length=1, description="The points of this device, by name.")


class ConnectionConfig(Strict):
    """One way to reach devices: one cable, one file. A driver narrows `devices` to its own device model."""

    TIMING: ClassVar[Timing] = Timing(period_s=1.0, timeout_s=1.0, retries=1, bad_after=2, heartbeat_s=60.0)
    """The driver's own timing, where the files say nothing."""

    version: Literal[1] = Field(description="Version of the file format; this release reads 1.")
    driver: str = Field(description="Which driver speaks on this connection.")
    defaults: Timing = Field(
        Timing(), description="Timing of all devices of this connection that do not say their own."
    )
    devices: dict[Name, DeviceConfig] = Field(min_length=1, description="The devices behind this connection, by name.")

    def reached_by(self) -> dict[str, object]:
        """All that reaches the devices. Where it is equal before and after a reload, the link stays open."""
        return self.model_dump(exclude={"version", "defaults", "devices"})
