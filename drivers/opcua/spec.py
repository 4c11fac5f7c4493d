"""What the OPC UA driver is; imports no asyncua."""

from __future__ import annotations

from typing import Final

from drivers.opcua.config import OpcuaConnection, OpcuaDevice, OpcuaTag
from drivers.opcua.errors import ERRORS
from gateway.driver import DriverCommand, DriverSpec, Question


def claims(config: OpcuaConnection) -> frozenset[str]:
    """The server's end point: two connections to one server cost it two sessions, and small PLCs have few."""
    by = f" by {config.interface}" if config.interface else ""
    return frozenset({config.end_point.claim + by})


SPEC: Final = DriverSpec(
    name="opcua",
    connection=OpcuaConnection,
    device=OpcuaDevice,
    tag=OpcuaTag,
    driver="drivers.opcua.driver:OpcuaDriver",
    claims=claims,
    errors=ERRORS,
    questions=(Question("connection", "url"), Question("connection", "insecure")),
    commands=(
        DriverCommand("trust", "trust the certificate of a server", "drivers.opcua.commands.trust:prepare"),
        DriverCommand("certs", "list the certificates of both sides", "drivers.opcua.commands.certs:prepare"),
    ),
    simulator="drivers.opcua.simulator:simulate",
)
