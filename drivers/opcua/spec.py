"""What the OPC UA driver is; imports no asyncua."""

from __future__ import annotations

from typing import Final

from drivers.opcua.config import OpcuaConnection, OpcuaDevice, OpcuaTag
from gateway.driver import DriverSpec


def claims(config: OpcuaConnection) -> frozenset[str]:
    """The server's end point: two connections to one server cost it two sessions, and small PLCs have few."""
    return frozenset({config.end_point.claim})


SPEC: Final = DriverSpec(
    name="opcua",
    connection=OpcuaConnection,
    device=OpcuaDevice,
    tag=OpcuaTag,
    driver="drivers.opcua.driver:OpcuaDriver",
    claims=claims,
    simulator="drivers.opcua.simulator:simulate",
)
