"""What the Modbus driver is; does not import pymodbus."""

from __future__ import annotations

from typing import Final

from drivers.modbus.config import ModbusDevice
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.refusals import ERRORS
from drivers.modbus.tag import ModbusTag
from gateway.driver import DriverSpec, Question


def claims(config: ModbusConnection) -> frozenset[str]:
    """The end point, such as `tcp 192.168.1.5:502`: a PLC has few sockets and a bus one master."""
    by = f" by {config.interface}" if config.interface else ""
    return frozenset({f"{'tcp' if config.host else 'serial port'} {config.end_point}{by}"})


SPEC: Final = DriverSpec(
    name="modbus",
    connection=ModbusConnection,
    device=ModbusDevice,
    tag=ModbusTag,
    driver="drivers.modbus.driver:ModbusDriver",
    claims=claims,
    errors=ERRORS,
    questions=(
        Question("connection", "transport"),
        Question("connection", "host", ("transport", frozenset({"tcp", "tls", "rtu_over_tcp"}))),
        Question("connection", "port"),
        Question("connection", "baudrate", ("transport", frozenset({"rtu", "rtu_over_tcp"}))),
        Question("connection", "parity", ("transport", frozenset({"rtu", "rtu_over_tcp"}))),
        Question("device", "unit_id"),
        Question("tag", "type"),
        Question("tag", "order"),
    ),
    simulator="drivers.modbus.simulator:simulate",
    plan="drivers.modbus.plan_table:planned",
)
