"""Date and time in registers, in the forms that devices use; the value is ISO 8601 text.

A device's clock usually shows the time of its place and does not say which. Where `utc_offset` states it, the text ends
with it (`Z` for UTC); where nothing is stated, nothing is added. Unix times are UTC by their definition.

Sources, all public: IEC 60870-5-4 (CP56Time2a) as it lies in registers in Schneider Electric's format TI081 (user
manual of the IM400N, "Date and time format"); Siemens' S7 types DATE_AND_TIME and DTL (S7-1200 system manual, "Time and
date data types"); POSIX for Unix times.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

from drivers.modbus.datatypes import DataType

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.model import Value

ClockName = Literal["cp56time2a", "s7_date_and_time", "s7_dtl", "ymdhms", "unix32", "unix64", "unix64_ms"]
"""The forms by the names people write."""

CLOCK_NAMES: Final[tuple[ClockName, ...]] = get_args(ClockName)
UNIX_NAMES: Final = ("unix32", "unix64", "unix64_ms")
"""Those that count from 1970, UTC."""

_SUMMER: Final = timedelta(hours=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Reading(NamedTuple):
    """What a clock shows."""

    local: datetime
    """Without a zone."""
    is_summer: bool = False
    """It says itself that it is one hour ahead."""


@dataclass(frozen=True, slots=True)
class _Form:
    """One way to put date and time into registers."""

    layout: struct.Struct
    read: Callable[..., _Reading | None]
    """What the numbers of the layout say; None where the device says that they mean nothing.

    Raises:
        ValueError: no such date or time.
    """
    write: Callable[[datetime], tuple[int, ...]]
    """The numbers of the layout."""
    resolution: str
    """The last part of the text: `seconds` or `milliseconds`."""


def _read_cp56(*numbers: int) -> _Reading | None:
    year, month, day, hour, minute, milliseconds = numbers
    if minute & 0x80:
        return None
    second, rest = divmod(milliseconds, 1000)
    local = _time(2000 + (year & 0x7F), month & 0x0F, day & 0x1F, hour & 0x1F, minute & 0x3F, second, 1000 * rest)
    return _Reading(local, is_summer=bool(hour & 0x80))


def _time(*numbers: int) -> datetime:
    """Year, month, day, hour, minute, second and microsecond, in no zone.

    Raises:
        ValueError: there is no such time.
    """
    return datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001 - the zone is told apart


def _write_cp56(when: datetime) -> tuple[int, ...]:
    _between(when, 2000, 2127)
    milliseconds = 1000 * when.second + when.microsecond // 1000
    return when.year - 2000, when.month, when.day, when.hour, when.minute, milliseconds


def _read_date_and_time(*octets: int) -> _Reading:
    digits = "".join(f"{octet:02x}" for octet in octets)
    year, *rest = (int(digits[at : at + 2]) for at in range(0, 12, 2))
    century = 1900 if year >= _FIRST_S7_YEAR else 2000
    return _Reading(_time(century + year, *rest, 1000 * int(digits[12:15])))


_FIRST_S7_YEAR: Final = 90
"""Two digits mean 1990 to 2089."""


def _write_date_and_time(when: datetime) -> tuple[int, ...]:
    _between(when, 1990, 2089)
    digits = f"{when:%y%m%d%H%M%S}{when.microsecond // 1000:03d}{when.isoweekday() % 7 + 1}"
    return tuple(int(digits[at : at + 2], 16) for at in range(0, len(digits), 2))


def _read_dtl(*numbers: int) -> _Reading:
    year, month, day, _, hour, minute, second, nanosecond = numbers
    return _Reading(_time(year, month, day, hour, minute, second, nanosecond // 1000))


def _write_dtl(when: datetime) -> tuple[int, ...]:
    _between(when, 1970, 2554)
    weekday = when.isoweekday() % 7 + 1
    return when.year, when.month, when.day, weekday, when.hour, when.minute, when.second, 1000 * when.microsecond


def _read_six(*numbers: int) -> _Reading:
    return _Reading(_time(*numbers))


def _write_six(when: datetime) -> tuple[int, ...]:
    return when.year, when.month, when.day, when.hour, when.minute, when.second


def _between(when: datetime, first: int, last: int) -> None:
    if not first <= when.year <= last:
        raise ValueError(f"the year {when.year} does not fit, which goes from {first} to {last}")


_FORMS: Final = {
    "cp56time2a": _Form(struct.Struct(">xBBBBBH"), _read_cp56, _write_cp56, "milliseconds"),
    "s7_date_and_time": _Form(struct.Struct(">8B"), _read_date_and_time, _write_date_and_time, "milliseconds"),
    "s7_dtl": _Form(struct.Struct(">HBBBBBBI"), _read_dtl, _write_dtl, "milliseconds"),
    "ymdhms": _Form(struct.Struct(">6H"), _read_six, _write_six, "seconds"),
}


def clock(name: ClockName, utc_offset: timedelta | None) -> DataType:
    """A form of date and time, with the offset of the device's clock from UTC where it is known."""
    if name in UNIX_NAMES:
        return _unix(name)
    form = _FORMS[name]

    def read(field: bytes) -> str | None:
        try:
            reading = form.read(*form.layout.unpack(field))
        except ValueError:
            return None
        return None if reading is None else _told(reading, utc_offset, form.resolution)

    def write(value: Value) -> bytes:
        return form.layout.pack(*form.write(_local(value, utc_offset)))

    return DataType(name, f"{form.layout.size}s", form.layout.size // 2, write, read)


def _told(reading: _Reading, utc_offset: timedelta | None, resolution: str) -> str:
    if utc_offset is None:
        return reading.local.isoformat(timespec=resolution)
    offset = utc_offset + _SUMMER if reading.is_summer else utc_offset
    return _with_z(reading.local.replace(tzinfo=timezone(offset)).isoformat(timespec=resolution))


def _with_z(text: str) -> str:
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def _local(value: Value, utc_offset: timedelta | None) -> datetime:
    """The time that the device's clock is to show."""
    when = _parsed(value)
    if (when.tzinfo is None) != (utc_offset is None):
        raise ValueError(
            f"{value!r}: leave the offset from UTC out, since the device's clock has none (utc_offset)"
            if utc_offset is None
            else f"{value!r}: add the offset from UTC, such as Z"
        )
    return when if utc_offset is None else when.astimezone(timezone(utc_offset)).replace(tzinfo=None)


def _parsed(value: Value) -> datetime:
    try:
        return datetime.fromisoformat(value)  # type: ignore[arg-type]  # what is no text is refused here as well
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is no date and time such as 2026-11-24T10:15:00") from None


_UNIX_LAYOUTS: Final = {"unix32": ("I", 2, 1), "unix64": ("Q", 4, 1), "unix64_ms": ("Q", 4, 1000)}
"""Code, registers, and counts a second."""


def _unix(name: str) -> DataType:
    code, registers, a_second = _UNIX_LAYOUTS[name]
    resolution = "seconds" if a_second == 1 else "milliseconds"

    def read(field: int) -> str | None:
        try:
            return _with_z((_EPOCH + timedelta(seconds=field / a_second)).isoformat(timespec=resolution))
        except OverflowError:
            return None

    def write(value: Value) -> int:
        count = round((_parsed_utc(value) - _EPOCH) / timedelta(seconds=1 / a_second))
        if not 0 <= count < 1 << 16 * registers:
            raise ValueError(f"{value!r} does not fit into {name}")
        return count

    return DataType(name, code, registers, write, read)


def _parsed_utc(value: Value) -> datetime:
    when = _parsed(value)
    if when.tzinfo is None:
        raise ValueError(f"{value!r}: add the offset from UTC, such as Z")
    return when
