"""Plays the units of a connection by its transport, with values that move."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from pymodbus.constants import ExcCodes
from pymodbus.simulator.simcore import SimCore

from drivers.modbus.address import TABLES
from drivers.modbus.playing import octets_of
from drivers.modbus.serving import UNUSED, serving
from gateway.clock import SystemClock
from gateway.signals import digital

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from drivers.modbus.address import Table
    from drivers.modbus.connection import ModbusConnection
    from drivers.modbus.tag import ModbusTag
    from gateway.clock import Clock

_ALL_BITS: Final = 0xFFFF
_TABLE_BY_FUNCTION = {table.read_function: table for table in TABLES}


@asynccontextmanager
async def simulate(config: ModbusConnection) -> AsyncIterator[ModbusConnection]:
    """Serve all units, tables and addresses of this connection, on a free port of 127.0.0.1 or on a pseudo-terminal.

    Numbers follow `gateway.signals` by the tag's unit and range, and are made when they are read. Between the lowest
    and the highest address of a table, what has no tag reads as 0; outside it the server answers with exception 02,
    and to a write with 01. For a unit that is not configured it answers with 0B, on a serial port not at all.

    Yields:
        The same connection, reaching the server.
    """
    async with serving(config, _Units(config, SystemClock())) as reaching:
        yield reaching


class _Signal(NamedTuple):
    """One tag that plays."""

    key: str
    """`device.tag`."""
    tag: ModbusTag
    start: int
    end: int
    """The address after its last."""

    def bit(self, time_s: float) -> bool:
        """The state of a coil or discrete input."""
        return digital(self.key, time_s)

    def registers(self, time_s: float) -> list[int]:
        """The engineering value of this instant as it lies in the device."""
        octets = octets_of(self.tag, self.key, time_s)
        return [int.from_bytes(octets[at : at + 2], "big") for at in range(0, len(octets), 2)]


class _Played:
    """The signals on one table of one unit."""

    def __init__(self, signals: list[_Signal]) -> None:
        self._signals = signals
        self._first = min(signal.start for signal in signals)
        self._end = max(signal.end for signal in signals)

    def holds(self, address: int, count: int) -> bool:
        """Whether all these addresses lie between the lowest and the highest one with a tag."""
        return self._first <= address and address + count <= self._end

    def bits(self, address: int, count: int, time_s: float) -> list[bool]:
        """The states at this instant; False where there is no tag."""
        states = [False] * count
        for signal in self._within(address, count):
            states[signal.start - address] = signal.bit(time_s)
        return states

    def registers(self, address: int, count: int, time_s: float) -> list[int]:
        """The registers at this instant; 0 where there is no tag. A number may be cut by the reader."""
        cells = dict.fromkeys(range(address, address + count), 0)
        for signal in self._within(address, count):
            numbered = enumerate(signal.registers(time_s), signal.start)
            beside = 0 if signal.tag.part is None else _ALL_BITS  # tags of some bits share their register
            cells.update((at, cells[at] & beside | register) for at, register in numbered if at in cells)
        return list(cells.values())

    def _within(self, address: int, count: int) -> Iterator[_Signal]:
        return (signal for signal in self._signals if signal.start < address + count and signal.end > address)


class _Units(SimCore):
    """What the server asks for values, in place of stored registers."""

    def __init__(self, config: ModbusConnection, clock: Clock) -> None:
        super().__init__(UNUSED)
        self._clock = clock
        self._played = {place: _Played(signals) for place, signals in _signals_by_place(config).items()}
        self._units = {device.unit_id for device in config.devices.values()}

    async def async_getValues(  # noqa: N802 - pymodbus calls it so
        self, device_id: int, func_code: int, address: int, count: int = 1
    ) -> list[int] | list[bool] | ExcCodes:
        """The values at this instant, or an exception code."""
        if device_id not in self._units:
            return ExcCodes.GATEWAY_NO_RESPONSE
        table = _TABLE_BY_FUNCTION.get(func_code)
        if table is None:
            return ExcCodes.ILLEGAL_FUNCTION
        played = self._played.get((device_id, table))
        if played is None or not played.holds(address, count):
            return ExcCodes.ILLEGAL_ADDRESS
        read = played.bits if table.is_bits else played.registers
        return read(address, count, self._clock.monotonic_s())

    async def async_setValues(  # noqa: N802 - pymodbus calls it so
        self,
        device_id: int,  # noqa: ARG002 - as above
        func_code: int,  # noqa: ARG002 - as above
        address: int,  # noqa: ARG002 - as above
        values: list[int] | list[bool],  # noqa: ARG002 - as above
    ) -> ExcCodes:
        """Nothing here can be written."""
        return ExcCodes.ILLEGAL_FUNCTION


def _signals_by_place(config: ModbusConnection) -> dict[tuple[int, Table], list[_Signal]]:
    """By unit and table; devices of the same unit id share them."""
    places: dict[tuple[int, Table], list[_Signal]] = {}
    for device_name, device in config.devices.items():
        for tag_name, tag in device.tags.items():
            place = tag.place
            signal = _Signal(f"{device_name}.{tag_name}", tag, place.number, place.number + tag.span)
            places.setdefault((device.unit_id, place.table), []).append(signal)
    return places
