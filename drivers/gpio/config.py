"""What a technician writes of the pin header: which library reaches it, and what each pin means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Self

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from drivers.gpio.wires import Wires
from gateway.connection import ConnectionConfig, DeviceConfig, Name, TagConfig, Timing

if TYPE_CHECKING:
    from collections.abc import Iterator

LAST_PIN: Final = 27
"""The 40-pin header carries GPIO0 to GPIO27 (Raspberry Pi documentation, GPIO and the 40-pin header)."""

_ADDRESS: Final = re.compile(r"GPIO(0|[1-9][0-9]?)")


class GpioTag(TagConfig):
    """One contact on one pin."""

    address: str = Field(
        description="GPIO number as the processor counts (BCM), such as GPIO17; not the number of the header pin.",
        json_schema_extra={"pattern": "^GPIO([0-9]|1[0-9]|2[0-7])$"},
    )
    type: Literal["bool"] = Field("bool", description="A contact is always bool.")
    pull: Literal["up", "down", "none"] = Field(
        "up", description="Internal resistor of about 50 kilohm; `none` where the circuit has its own."
    )
    active: Literal["high", "low"] | None = Field(
        None,
        description="Electrical level that reads as true; without it the level away from the pull: `low` with pull up.",
    )
    debounce_ms: float = Field(
        10.0,
        ge=0,
        le=10_000,
        description="A level is believed once it has been stable for this long, ms; shorter pulses are not seen.",
    )

    @field_validator("address")
    @classmethod
    def _on_the_header(cls, address: str) -> str:
        found = _ADDRESS.fullmatch(address)
        if found is None or int(found[1]) > LAST_PIN:
            raise ValueError(f"{address!r} is no pin: write GPIO0 to GPIO{LAST_PIN}; header pin 11, for one, is GPIO17")
        return address

    @field_validator("scale", "offset", "range", "deadband")
    @classmethod
    def _is_for_numbers(cls, _given: object, info: ValidationInfo) -> object:
        raise ValueError(f"a contact is true or false: leave {info.field_name} out")

    @model_validator(mode="after")
    def _level_is_known(self) -> Self:
        if self.pull == "none" and self.active is None:
            raise ValueError("without a pull the pin does not tell which level is true: write active: high or low")
        return self

    @property
    def pin(self) -> int:
        """The BCM number."""
        return int(self.address.removeprefix("GPIO"))

    @property
    def active_level(self) -> bool:
        """The electrical level, high or not, that reads as true."""
        return (self.active or ("low" if self.pull == "up" else "high")) == "high"

    def data_type(self) -> str:
        """Always `bool`."""
        return self.type

    def number_parameters(self) -> dict[str, str]:
        """What decides between true and false beside the level itself."""
        active = "high" if self.active_level else "low"
        return {"pull": self.pull, "active": active, "debounce_ms": f"{self.debounce_ms:g}"}


class GpioDevice(DeviceConfig):
    """A group of contacts that belong to one machine."""

    tags: dict[Name, GpioTag] = Field(min_length=1, description="The contacts of this device, by name.")  # type: ignore[assignment]  # narrowed by each driver


class GpioConnection(ConnectionConfig):
    """The pin header of this Raspberry Pi."""

    TIMING: ClassVar[Timing] = Timing(period_s=1.0, timeout_s=1.0, retries=0, bad_after=1, heartbeat_s=60.0)
    """Every level is read again each `period_s`, so that a lost edge heals within 1 s."""

    driver: Literal["gpio"] = Field(description="gpio: the pins of this Raspberry Pi.")
    pin_factory: Literal["lgpio", "mock"] = Field(
        description="Which library reaches the pins: `lgpio` on a Raspberry Pi, `mock` where there are none. Always "
        "written, so that pins are never simulated unnoticed."
    )
    devices: dict[Name, GpioDevice] = Field(min_length=1, description="Groups of contacts, by name.")  # type: ignore[assignment]  # narrowed by each driver

    _wires: Wires | None = PrivateAttr(None)

    @field_validator("devices")
    @classmethod
    def _one_tag_a_pin(cls, devices: dict[str, GpioDevice]) -> dict[str, GpioDevice]:
        taken: dict[str, str] = {}
        for device, config in devices.items():
            for tag, contact in config.tags.items():
                if contact.address in taken:
                    raise ValueError(f"{contact.address} is read twice, by {taken[contact.address]} and {device}.{tag}")
                taken[contact.address] = f"{device}.{tag}"
        return devices

    @property
    def wires(self) -> Wires | None:
        """In a simulation, what is connected to the mock pins. No file can say it and no dump shows it."""
        return self._wires

    def wired_to(self, wires: Wires) -> Self:
        """The same connection on mock pins with these wires."""
        wired = self.model_copy(update={"pin_factory": "mock"})
        wired._wires = wires  # noqa: SLF001 - a copy of this object
        return wired

    def contacts(self) -> Iterator[tuple[str, GpioTag]]:
        """`device.tag` and the tag, of all contacts in the order of the file."""
        for device, config in self.devices.items():
            for tag, contact in config.tags.items():
                yield f"{device}.{tag}", contact
