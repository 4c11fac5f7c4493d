"""What a simulated tag holds at an instant, as the bytes of its registers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from drivers.modbus.clocks import CLOCK_NAMES, UNIX_NAMES
from drivers.modbus.datatypes import encode
from gateway.signals import analog, digital

if TYPE_CHECKING:
    from drivers.modbus.datatypes import DataType
    from drivers.modbus.tag import ModbusTag
    from gateway.model import Value

_HALF_MOST: Final = 65_504
"""The largest float16 (IEEE 754-2019, table 3.5, binary16)."""

_BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""What clocks show at 0 s."""


def octets_of(tag: ModbusTag, key: str, time_s: float) -> bytes:
    """The registers of a tag in the order of the wire; of some bits, their register with all others 0.

    Args:
        tag: in registers.
        key: names the signal that it follows, `device.tag`.
        time_s: since any beginning.
    """
    data_type = tag.all_values_type()
    return encode(_value(tag, data_type, key, time_s), data_type, tag.byte_order)


def _value(tag: ModbusTag, data_type: DataType, key: str, time_s: float) -> Value:
    if data_type.name == "bool":
        return digital(key, time_s)
    if data_type.is_number:
        value = analog(key, tag.unit, tag.range, time_s)
        return _fitting((value - tag.offset) / tag.scale, data_type)
    if data_type.name in CLOCK_NAMES:
        return _shown(tag, data_type.name, time_s)
    length = tag.length or 0
    if data_type.name == "bytes":
        return int(time_s).to_bytes(length + 8, "big")[-length:].hex()
    return key.rpartition(".")[2][:length]


def _fitting(number: float, data_type: DataType) -> float:
    """The nearest number that the type can hold."""
    if data_type.limits is not None:
        lowest, highest = data_type.limits
        return min(max(round(number), lowest), highest)
    return min(max(number, -_HALF_MOST), _HALF_MOST) if data_type.name == "float16" else number


def _shown(tag: ModbusTag, name: str, time_s: float) -> str:
    """The time of a clock as text, with an offset from UTC where the tag states one."""
    now = _BEGINNING + timedelta(seconds=int(time_s))
    is_stated = tag.utc_offset is not None or name in UNIX_NAMES
    return (now if is_stated else now.replace(tzinfo=None)).isoformat()
