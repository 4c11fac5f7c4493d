from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.clocks import CLOCK_NAMES, UNIX_NAMES, clock
from drivers.modbus.datatypes import encode

if TYPE_CHECKING:
    from drivers.modbus.clocks import ClockName
    from drivers.modbus.datatypes import DataType

SHOWN: tuple[ClockName, ...] = ("cp56time2a", "s7_date_and_time", "s7_dtl", "ymdhms")
MILLISECONDS = ("cp56time2a", "s7_date_and_time", "s7_dtl", "unix64_ms")
TIMES = st.datetimes(datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2089-12-31"))
OFFSETS = st.none() | st.integers(-14 * 60, 14 * 60).map(lambda minutes: timedelta(minutes=minutes))


def read(data_type: DataType, wire: bytes) -> object:
    return data_type.value_of(struct.unpack(f">{data_type.code}", wire)[0])


@given(st.sampled_from(CLOCK_NAMES), TIMES, OFFSETS)
def test_a_time_comes_back(name: ClockName, when: datetime, offset: timedelta | None) -> None:
    """To the second or millisecond that the form has, with the offset that the clock has."""
    is_unix = name in UNIX_NAMES
    data_type = clock(name, None if is_unix else offset)
    when = when.replace(microsecond=when.microsecond // 1000 * 1000 if name in MILLISECONDS else 0)
    if is_unix or offset is not None:
        when = when.replace(tzinfo=UTC if is_unix else timezone(offset or timedelta()))
    text = read(data_type, encode(when.isoformat(), data_type, "ABCD"))
    assert isinstance(text, str)
    assert datetime.fromisoformat(text) == when
    assert text.endswith("Z") == (when.utcoffset() == timedelta())


@given(st.sampled_from(CLOCK_NAMES), st.binary(min_size=12, max_size=12), OFFSETS)
def test_any_bytes_are_a_time_or_none(name: ClockName, octets: bytes, offset: timedelta | None) -> None:
    """No error comes out, whatever stands in the registers."""
    data_type = clock(name, offset)
    text = read(data_type, octets[: 2 * data_type.registers])
    assert text is None or datetime.fromisoformat(str(text))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("cp56time2a", "1999-12-31T23:59:59", "the year 1999 does not fit, which goes from 2000 to 2127"),
        ("cp56time2a", "2128-01-01T00:00:00", "the year 2128"),
        ("s7_date_and_time", "2090-01-01T00:00:00", "from 1990 to 2089"),
        ("s7_dtl", "1969-12-31T23:59:59", "from 1970 to 2554"),
        ("unix32", "2106-02-07T06:28:16Z", "does not fit into unix32"),
        ("unix32", "1969-12-31T23:59:59Z", "does not fit into unix32"),
        ("unix32", "2026-11-24T10:15:00", "add the offset from UTC, such as Z"),
        ("ymdhms", "2026-11-24T10:15:00Z", "leave the offset from UTC out"),
        ("ymdhms", "24.11.2026", "is no date and time such as 2026-11-24T10:15:00"),
        ("ymdhms", 5, "5 is no date and time"),
    ],
)
def test_a_time_that_the_form_cannot_hold_is_refused(name: ClockName, value: object, says: str) -> None:
    """With the reason, and never rolled over."""
    with pytest.raises(ValueError, match=says):
        encode(value, clock(name, None), "ABCD")  # type: ignore[arg-type]  # part of the test


def test_a_time_with_an_offset_is_turned_into_the_time_of_the_clock() -> None:
    """Noon in UTC is one o'clock on a clock an hour ahead."""
    data_type = clock("ymdhms", timedelta(hours=1))
    assert read(data_type, encode("2026-11-24T12:00:00Z", data_type, "ABCD")) == "2026-11-24T13:00:00+01:00"
    with pytest.raises(ValueError, match="add the offset"):
        encode("2026-11-24T12:00:00", data_type, "ABCD")


@pytest.mark.parametrize("name", SHOWN)
def test_all_zeros_and_all_ones_are_no_time(name: ClockName) -> None:
    """What a clock that was never set often shows."""
    data_type = clock(name, None)
    for octet in (b"\x00", b"\xff"):
        assert read(data_type, octet * 2 * data_type.registers) is None
