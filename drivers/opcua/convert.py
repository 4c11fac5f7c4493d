"""From a DataValue of the server to a cell with its quality."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asyncua import ua

from drivers.opcua.status import TYPE_MISMATCH, name_of, quality_of
from gateway.model import Level, Quality, Value, iso_time
from gateway.numbers import shortest_float32

if TYPE_CHECKING:
    from collections.abc import Callable

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

_UNSET_YEAR: Final = 1601
"""A DateTime counts from 1601; servers send the zero for "not known" (Part 6, 5.2.2.5)."""


class Reading(NamedTuple):
    """One value of one tag, as it will stand in a batch."""

    value: Value | None
    quality: Quality
    status: str | None = None
    """Name of the StatusCode, where it is not plain `Good`."""
    source_time: int | None = None
    """UTC, ns since 1970, as the source gave it."""
    fault: str = ""
    """Where the configuration does not fit the server: what is wrong, for a technician."""


def reading_of(data: ua.DataValue, data_type: str) -> Reading:
    """What the server says of a tag of this data type (`auto`, `bool`, `int`, `float`, `text`)."""
    code = data.StatusCode.value if data.StatusCode else 0
    quality = quality_of(code)
    status = name_of(code) if code >> 16 else None
    time = nanoseconds(data.SourceTimestamp)
    if quality.level is Level.BAD:
        return Reading(None, quality, status, time)
    try:
        value = _value(data.Value, data_type)
    except TypeError as error:
        return Reading(None, Quality.CONFIG, TYPE_MISMATCH, time, str(error))
    return Reading(value, Quality.NOT_AVAILABLE if value is None else quality, status, time)


def nanoseconds(time: datetime | None) -> int | None:
    """UTC in ns since 1970; None where the server knows no time."""
    if time is None or time.year <= _UNSET_YEAR:
        return None
    return (time - _EPOCH) // _MICROSECOND * 1000


def age_ns(data: ua.DataValue, published: datetime, oldest_s: float) -> int:
    """How long before `published`, the server's own time of sending, the value was taken, ns.

    Only differences of the server's times count, so its clock may be wrong. A source with another clock, or a value
    that has long stood still, gives an age outside 0 to `oldest_s`: then nothing is known of it but that it holds now.
    """
    for time in (data.SourceTimestamp, data.ServerTimestamp):
        if time is not None:
            age = (published - time) // _MICROSECOND
            if 0 <= age <= oldest_s * 1_000_000:
                return age * 1000
    return 0


def _value(variant: ua.Variant | None, data_type: str) -> Value | None:
    """The plain value; None where the server has none to give.

    Raises:
        TypeError: it does not fit the tag; the message is for a technician.
    """
    if variant is None or variant.Value is None:
        return None
    if variant.is_array:
        raise TypeError(f"the server sends an array of {variant.VariantType.name}; this release reads single values")
    convert = _SCALARS.get(variant.VariantType)
    if convert is None:
        raise TypeError(f"the server sends a {variant.VariantType.name}; this release reads bool, numbers, text, time")
    value = convert(variant.Value)
    return value if data_type == "auto" or value is None else _as_declared(value, data_type, variant.VariantType.name)


def _as_declared(value: Value, data_type: str, sent: str) -> Value:
    """The value in the type that the tag declares: bool widens to int, and int to float; nothing is ever narrowed."""
    match data_type, value:
        case ("bool", bool()) | ("float", float()) | ("text", str()):
            return value
        case "int", int():
            return int(value)
        case "float", int() if not isinstance(value, bool):
            return float(value)
        case _:
            raise TypeError(f"the tag says type: {data_type}, but the server sends a {sent}")


def _float32(value: float) -> float | None:
    return shortest_float32(value) if isfinite(value) else None


def _float64(value: float) -> float | None:
    return value if isfinite(value) else None


def _text(value: str) -> str:
    """Text that can be encoded: bytes that were no UTF-8 become the replacement character."""
    return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _iso(value: datetime) -> str:
    return iso_time((value - _EPOCH) // _MICROSECOND * 1000)


_KIND: Final = ua.VariantType

_INTEGERS: Final = (
    _KIND.SByte,
    _KIND.Byte,
    _KIND.Int16,
    _KIND.UInt16,
    _KIND.Int32,
    _KIND.UInt32,
    _KIND.Int64,
    _KIND.UInt64,
)

_SCALARS: Final[dict[ua.VariantType, Callable[[Any], Value | None]]] = {
    _KIND.Boolean: bool,
    **dict.fromkeys(_INTEGERS, int),
    _KIND.Float: _float32,
    _KIND.Double: _float64,
    _KIND.String: _text,
    _KIND.DateTime: _iso,
}
"""Built-in types of Part 6, 5.1.2 that a column can hold."""
