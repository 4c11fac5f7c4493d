"""Moves mock pins as a machine would.

Mock pins live in the process that owns their factory, so the simulation and the driver must meet in this process. They
meet in the configuration: the yielded one carries the wires of this simulation as a private attribute, which no file
can say and no dump shows. A registry of factories would do it, too, but as global state in which two simulations meet.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from drivers.gpio.wires import Wires
from gateway.clock import SystemClock
from gateway.signals import digital

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from drivers.gpio.config import GpioConnection
    from gateway.clock import Clock

STEP_S: Final = 0.05
"""How often the wires are looked after; the signals change after 1 s at the earliest."""


@asynccontextmanager
async def simulate(config: GpioConnection) -> AsyncIterator[GpioConnection]:
    """Drive each pin by the signal of its `device.tag`. Yields the configuration that reads these pins."""
    wires = Wires()
    clock = SystemClock()
    _drive(wires, config, clock.monotonic_s())
    moving = asyncio.create_task(_move(wires, config, clock))
    try:
        yield config.wired_to(wires)
    finally:
        moving.cancel()
        with suppress(asyncio.CancelledError):
            await moving
        wires.unplug()


async def _move(wires: Wires, config: GpioConnection, clock: Clock) -> None:
    while True:
        await asyncio.sleep(STEP_S)
        _drive(wires, config, clock.monotonic_s())


def _drive(wires: Wires, config: GpioConnection, now_s: float) -> None:
    for key, contact in config.contacts():
        wires.drive(contact.pin, digital(key, now_s) == contact.active_level)
