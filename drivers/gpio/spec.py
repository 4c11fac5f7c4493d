"""What the GPIO driver is; imports neither gpiozero nor lgpio."""

from __future__ import annotations

from typing import Final

from drivers.gpio.config import GpioConnection, GpioDevice, GpioTag
from gateway.driver import DriverSpec, Question


def claims(config: GpioConnection) -> frozenset[str]:
    """Each pin that this connection reads, such as `gpio 17`."""
    return frozenset(f"gpio {tag.pin}" for _, tag in config.contacts())


SPEC: Final = DriverSpec(
    name="gpio",
    connection=GpioConnection,
    device=GpioDevice,
    tag=GpioTag,
    driver="drivers.gpio.driver:GpioDriver",
    claims=claims,
    questions=(
        Question("connection", "pin_factory"),
        Question("tag", "pull"),
        Question("tag", "debounce_ms"),
    ),
    simulator="drivers.gpio.simulator:simulate",
)
