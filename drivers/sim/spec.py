"""What the simulation driver is."""

from __future__ import annotations

from typing import Final

from drivers.sim.config import SimConnection, SimDevice, SimTag
from gateway.driver import DriverSpec


def claims(config: SimConnection) -> frozenset[str]:
    """Each simulated device; there is nothing else to own."""
    return frozenset(f"sim {device}" for device in config.devices)


SPEC: Final = DriverSpec(
    name="sim",
    connection=SimConnection,
    device=SimDevice,
    tag=SimTag,
    driver="drivers.sim.driver:SimDriver",
    claims=claims,
    simulator="drivers.sim.simulator:simulate",
)
