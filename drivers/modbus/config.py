"""What a technician writes of the units behind a Modbus connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from drivers.modbus.data import DataConfig, settle
from drivers.modbus.faults import raise_faults
from drivers.modbus.holes import Hole
from drivers.modbus.plan_rules import reading_faults
from drivers.modbus.tag import ModbusTag
from gateway.connection import Name

if TYPE_CHECKING:
    from drivers.modbus.address import Table
    from drivers.modbus.datatypes import Order


class ModbusDevice(DataConfig):
    """One unit behind the connection."""

    unit_id: int = Field(
        1, ge=0, le=255, description="Modbus unit (slave address); many devices with a network socket ignore it."
    )
    max_registers: int = Field(
        125, ge=2, le=125, description="Most registers that the device gives in one answer; see its manual."
    )
    max_gap: int = Field(
        16,
        ge=0,
        le=124,
        description="Most addresses without a tag that a request may read along; 0 where the device refuses them.",
    )
    holes: list[str] = Field(
        [],
        description='Addresses that no request may read along, such as "holding:120-129" or "40121-40130"; a device '
        "that refuses them would refuse the whole request.",
    )
    read_together: list[list[Name]] = Field(
        [],
        description="Groups of tags that belong to one reading, such as a value and its scale factor: those of one "
        "group are always read in one request.",
    )
    request_gap_ms: float | None = Field(
        None, ge=0, le=10_000, description="As for the connection, where this device needs another pause."
    )
    tags: dict[Name, ModbusTag] = Field(min_length=1, description="The points of this device, by name.")  # type: ignore[assignment]  # narrowed by each driver

    @model_validator(mode="after")
    def _tags_fit_the_unit(self) -> Self:
        self.settle(None)
        raise_faults("ModbusDevice", reading_faults(self))
        return self

    def settle(self, order: Order | None) -> None:
        """Let the tags know what this unit says, and the order of a connection that has one."""
        settle(self.tags, self.context(order), self.max_registers)

    def holes_in(self, table: Table) -> list[tuple[int, int]]:
        """First address and address after the last of each hole of one table."""
        holes = (Hole.parse(text) for text in self.holes)
        return [(hole.first, hole.after) for hole in holes if hole.table is table]
