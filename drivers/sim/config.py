"""What a simulated device shows, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, Self

from pydantic import Field, PrivateAttr, field_validator

from drivers.sim.signal import parse_signal
from gateway.connection import ConnectionConfig, DeviceConfig, Name, TagConfig

if TYPE_CHECKING:
    from drivers.sim.signal import Signal

Fault = Literal["none", "dead", "refuse", "slow", "garbage", "frozen"]

_FAULTS: Final = (
    "dead: no reply; refuse: answers that it will not; slow: answers after most of the time-out; "
    "garbage: answers nonsense; frozen: the values stand still."
)


class Plug:
    """What a running simulation holds; out means that nobody answers any more."""

    def __init__(self) -> None:
        self.is_in = True

    def pull(self) -> None:
        """End the simulation."""
        self.is_in = False


class SimTag(TagConfig):
    """One simulated point."""

    address: str = Field(
        description="analog (shaped by unit and range), digital, text, counter (1, 2, 3, ... a reading), "
        "or a constant such as constant:42.5"
    )

    @field_validator("address")
    @classmethod
    def _is_a_signal(cls, address: str) -> str:
        parse_signal(address)
        return address

    @property
    def signal(self) -> Signal:
        """The address, understood."""
        return parse_signal(self.address)

    def data_type(self) -> str:
        """`float`, `bool`, `int` or `text`, as the signal yields it."""
        return self.signal.type


class SimDevice(DeviceConfig):
    """One simulated device."""

    fault: Fault = Field("none", description=f"What is wrong with the device. {_FAULTS}")
    tags: dict[Name, SimTag] = Field(min_length=1, description="The points of this device, by name.")  # type: ignore[assignment]  # narrowed by each driver


class SimConnection(ConnectionConfig):
    """A cable that does not exist."""

    driver: Literal["sim"] = Field(description="sim: simulated devices.")
    link: Literal["up", "down"] = Field("up", description="down: the connection cannot be opened.")
    devices: dict[Name, SimDevice] = Field(min_length=1, description="The simulated devices, by name.")  # type: ignore[assignment]  # narrowed by each driver

    _plug: Plug | None = PrivateAttr(None)

    @property
    def plug(self) -> Plug | None:
        """Held by a running simulation; no file can say it and no dump shows it."""
        return self._plug

    def plugged_into(self, plug: Plug) -> Self:
        """The same connection, alive until the plug is pulled."""
        plugged = self.model_copy()
        plugged._plug = plug  # noqa: SLF001 - a copy of this object
        return plugged
