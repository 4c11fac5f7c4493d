"""What the Modbus driver is; does not import pymodbus."""

from __future__ import annotations

from typing import Final

from drivers.modbus.config import ModbusConnection, ModbusDevice, ModbusTag
from gateway.driver import DriverSpec


def claims(config: ModbusConnection) -> frozenset[str]:
    """The end point, such as `tcp 192.168.1.5:502`: a PLC has few sockets, so one connection owns it."""
    return frozenset({f"tcp {config.end_point}"})


SPEC: Final = DriverSpec(
    name="modbus",
    connection=ModbusConnection,
    device=ModbusDevice,
    tag=ModbusTag,
    driver="drivers.modbus.driver:ModbusDriver",
    claims=claims,
    simulator="drivers.modbus.simulator:simulate",
)
