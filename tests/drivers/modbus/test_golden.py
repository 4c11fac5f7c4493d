"""Bytes on the wire and what they mean, typed by hand from standards and manuals. Each is read, and written back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drivers.modbus.address import HOLDING
from drivers.modbus.datatypes import encode
from drivers.modbus.decode import Placed, decoder_of
from drivers.modbus.tag import ModbusTag
from gateway.model import Quality

if TYPE_CHECKING:
    from drivers.modbus.decode import Decoded

LONG = {"ABCD": "ABCDEFGH", "CDAB": "GHEFCDAB", "BADC": "BADCFEHG", "DCBA": "HGFEDCBA"}


def tag_of(**keys: Any) -> ModbusTag:
    return ModbusTag.model_validate({"address": "holding:100"} | keys)


def decoded(wire: str, **keys: Any) -> Decoded:
    raw = bytes.fromhex(wire)
    return decoder_of(HOLDING, [Placed(0, tag_of(**keys))], len(raw) // 2)(raw)


def encoded(value: Any, **keys: Any) -> str:
    tag = tag_of(**keys)
    return encode(value, tag.register_type, tag.byte_order).hex()


def both_ways(wire: str, value: Any, **keys: Any) -> None:
    """The bytes mean the value, of exactly its type, and the value gives the bytes."""
    values, quality, raw = decoded(wire, **keys)
    assert (values, quality, raw) == ([value], None, None)
    assert type(values[0]) is type(value)
    assert encoded(value, **keys) == wire.replace(" ", "").lower()


@pytest.mark.parametrize(
    ("name", "order", "wire", "value"),
    [
        # Modbus Application Protocol V1.1b3, section 6.3: registers 108 to 110 hold 02 2B, 00 00, 00 64.
        ("uint16", "ABCD", "022B", 555),
        ("uint16", "BADC", "2B02", 555),
        ("uint16", "ABCD", "FFFF", 65535),
        ("int16", "ABCD", "FFFF", -1),
        ("int16", "ABCD", "8000", -32768),
        ("int16", "BADC", "0080", -32768),
        ("uint32", "ABCD", "00010000", 65536),
        ("uint32", "CDAB", "00000001", 65536),
        ("uint32", "BADC", "01000000", 65536),
        ("uint32", "DCBA", "00000100", 65536),
        ("int32", "ABCD", "FFFFFFFE", -2),
        ("int32", "CDAB", "FFFEFFFF", -2),
        ("int32", "BADC", "FFFFFEFF", -2),
        ("int32", "DCBA", "FEFFFFFF", -2),
        ("uint64", "ABCD", "0102030405060708", 72623859790382856),
        ("uint64", "CDAB", "0708050603040102", 72623859790382856),
        ("uint64", "BADC", "0201040306050807", 72623859790382856),
        ("uint64", "DCBA", "0807060504030201", 72623859790382856),
        ("uint64", "ABCD", "FFFFFFFFFFFFFFFF", 18446744073709551615),
        ("int64", "ABCD", "FFFFFFFFFFFFFFFE", -2),
        ("int64", "CDAB", "FFFEFFFFFFFFFFFF", -2),
        ("int64", "BADC", "FFFFFFFFFFFFFEFF", -2),
        ("int64", "DCBA", "FEFFFFFFFFFFFFFF", -2),
        ("int64", "ABCD", "8000000000000000", -9223372036854775808),
        # IEEE 754-2019: binary16.
        ("float16", "ABCD", "3C00", 1.0),
        ("float16", "BADC", "003C", 1.0),
        ("float16", "ABCD", "C000", -2.0),
        ("float16", "ABCD", "7BFF", 65504.0),
        ("float16", "ABCD", "5475", 71.3),
        # The manual of Finder's meters 7M: 123.45 is stored as 42F6 E666.
        ("float32", "ABCD", "42F6E666", 123.45),
        ("float32", "CDAB", "E66642F6", 123.45),
        ("float32", "BADC", "F64266E6", 123.45),
        ("float32", "DCBA", "66E6F642", 123.45),
        ("float32", "ABCD", "3F800000", 1.0),
        # IEEE 754-2019, binary64: pi.
        ("float64", "ABCD", "400921FB54442D18", 3.141592653589793),
        ("float64", "CDAB", "2D18544421FB4009", 3.141592653589793),
        ("float64", "BADC", "0940FB214454182D", 3.141592653589793),
        ("float64", "DCBA", "182D4454FB210940", 3.141592653589793),
        ("bcd16", "ABCD", "1234", 1234),
        ("bcd16", "BADC", "3412", 1234),
        ("bcd32", "ABCD", "12345678", 12345678),
        ("bcd32", "CDAB", "56781234", 12345678),
        ("bcd32", "BADC", "34127856", 12345678),
        ("bcd32", "DCBA", "78563412", 12345678),
        ("bcd64", "ABCD", "0000000123456789", 123456789),
        ("bcd64", "CDAB", "6789234500010000", 123456789),
        ("bcd64", "BADC", "0000010045238967", 123456789),
        ("bcd64", "DCBA", "8967452301000000", 123456789),
    ],
)
def test_numbers(name: str, order: str, wire: str, value: float) -> None:
    """Every number in every order that it knows, under the short names and the long ones."""
    both_ways(wire, value, type=name, order=order)
    if len(wire) == 16:
        both_ways(wire, value, type=name, order=LONG[order])


@pytest.mark.parametrize(
    ("part", "keys", "wire", "value"),
    [
        (".0", {}, "0001", True),
        (".0", {}, "FFFE", False),
        (".15", {}, "8000", True),
        (".15", {"type": "bool"}, "7FFF", False),
        (".3", {"order": "BADC"}, "0800", True),
        (".4-7", {}, "1234", 3),
        (".4-7", {"type": "uint8"}, "FF5F", 5),
        (".4-7", {"type": "int8"}, "0FF0", -1),
        (".12-15", {"type": "int16"}, "8FFF", -8),
        (".0-11", {}, "FABC", 0xABC),
        (".0-11", {"type": "int16"}, "0800", -2048),
        (".0-15", {"type": "int16"}, "8000", -32768),
        (".low", {}, "12FE", 254),
        (".low", {"type": "int8"}, "12FE", -2),
        (".high", {}, "FE12", 254),
        (".high", {"type": "int8"}, "FE12", -2),
        (".high", {"order": "BADC"}, "12FE", 254),
        (".high", {"type": "uint16"}, "0100", 1),
    ],
)
def test_bits_and_bytes_of_a_register(part: str, keys: dict[str, Any], wire: str, value: int) -> None:
    """Bit 0 is the least significant one; signed types take the highest bit of the range as the sign."""
    values, quality, _ = decoded(wire, address=f"holding:100{part}", **keys)
    assert (values, quality) == ([value], None)
    assert type(values[0]) is type(value)


@pytest.mark.parametrize(
    ("keys", "wire", "value"),
    [
        # SunSpec Information Model Specification: the marker at the beginning of the map.
        ({"length": 4}, "53756E53", "SunS"),
        ({"length": 4, "order": "BADC"}, "7553536E", "SunS"),
        ({"length": 4, "order": "CDAB"}, "6E535375", "SunS"),
        ({"length": 6}, "504D35363630", "PM5660"),
        ({"length": 7}, "504D3536363056 00", "PM5660V"),
        ({"length": 8, "encoding": "latin-1"}, "FC6265722032 3000", "\u00fcber 20"),
        ({"length": 8, "encoding": "utf-8"}, "C3BC6265722032 30", "\u00fcber 20"),
        ({"length": 2}, "0000", ""),
    ],
)
def test_text(keys: dict[str, Any], wire: str, value: str) -> None:
    """Two characters a register, the first one in the high byte, unless the order says otherwise."""
    both_ways(wire, value, type="string", **keys)


@pytest.mark.parametrize(
    ("length", "wire", "value"),
    [
        (8, "504D353636300000", "PM5660"),
        (8, "504D353636302020", "PM5660"),
        (8, "504D350036363030", "PM5"),
        (8, "2050 4D20 3520 2000", " PM 5"),
        (5, "504D353636FF", "PM566"),
        (1, "41FF", "A"),
    ],
)
def test_text_ends_at_a_nul_and_spaces_that_fill_it_up_are_taken_off(length: int, wire: str, value: str) -> None:
    """Spaces before and between stay; of a half register the other half is not looked at."""
    assert decoded(wire, type="string", length=length) == ([value], None, None)


@pytest.mark.parametrize(
    ("length", "order", "wire", "value"),
    [
        (6, "ABCD", "00A0F2001122", "00a0f2001122"),
        (6, "BADC", "A00000F22211", "00a0f2001122"),
        (6, "CDAB", "1122F20000A0", "00a0f2001122"),
        (6, "DCBA", "221100F2A000", "00a0f2001122"),
        (4, "ABCD", "C0A80105", "c0a80105"),
    ],
)
def test_raw_bytes(length: int, order: str, wire: str, value: str) -> None:
    """An Ethernet and an IP address, as hexadecimal text."""
    both_ways(wire, value, type="bytes", length=length, order=order)


def test_the_second_half_of_the_last_register_is_not_part_of_an_odd_length() -> None:
    """Three bytes fill a register and a half."""
    assert decoded("01020304", type="bytes", length=3) == (["010203"], None, None)


@pytest.mark.parametrize(
    ("name", "keys", "wire", "value"),
    [
        # Schneider Electric, TI081: words of year, month and day (Tuesday is 3), hour and minute, milliseconds.
        ("cp56time2a", {}, "001A 0B78 0A0F 762A", "2026-11-24T10:15:30.250"),
        ("cp56time2a", {}, "001A 0B18 0A0F 762A", "2026-11-24T10:15:30.250"),
        ("cp56time2a", {"utc_offset": "+00:00"}, "001A 0B18 0A0F 762A", "2026-11-24T10:15:30.250Z"),
        ("cp56time2a", {"utc_offset": "+01:00"}, "001A 0B18 0A0F 762A", "2026-11-24T10:15:30.250+01:00"),
        ("cp56time2a", {"utc_offset": "-03:30"}, "001A 0B18 0A0F 762A", "2026-11-24T10:15:30.250-03:30"),
        # The same words from the last to the first, as in Siemens' SICAM FCM; the bytes as IEC 60870-5-4 sends them.
        ("cp56time2a", {"order": "CDAB"}, "762A 0A0F 0B18 001A", "2026-11-24T10:15:30.250"),
        ("cp56time2a", {"order": "DCBA"}, "2A76 0F0A 180B 1A00", "2026-11-24T10:15:30.250"),
        ("cp56time2a", {}, "007F 0C1F 173B EA5F", "2127-12-31T23:59:59.999"),
        # Siemens S7: DT#2026-11-24-10:15:30.250, a Tuesday (3); its first and its last year.
        ("s7_date_and_time", {}, "2611 2410 1530 2503", "2026-11-24T10:15:30.250"),
        ("s7_date_and_time", {"order": "BADC"}, "1126 1024 3015 0325", "2026-11-24T10:15:30.250"),
        ("s7_date_and_time", {}, "9001 0100 0000 0002", "1990-01-01T00:00:00.000"),
        ("s7_date_and_time", {}, "8912 3123 5959 9997", "2089-12-31T23:59:59.999"),
        # Siemens S7: DTL#2026-11-24-10:15:30.250.
        ("s7_dtl", {}, "07EA 0B18 030A 0F1E 0EE6 B280", "2026-11-24T10:15:30.250"),
        ("s7_dtl", {"utc_offset": "+02:00"}, "07EA 0B18 030A 0F1E 0EE6 B280", "2026-11-24T10:15:30.250+02:00"),
        ("ymdhms", {}, "07EA 000B 0018 000A 000F 001E", "2026-11-24T10:15:30"),
        # The manual of Finder's meters 7M: 16 May 2012 10:36:46 GMT is stored as 4FB3 833E.
        ("unix32", {}, "4FB3 833E", "2012-05-16T10:36:46Z"),
        ("unix32", {"order": "CDAB"}, "833E 4FB3", "2012-05-16T10:36:46Z"),
        ("unix32", {}, "FFFF FFFF", "2106-02-07T06:28:15Z"),
        ("unix64", {}, "0000 0000 6B05 63A4", "2026-11-24T10:15:00Z"),
        ("unix64_ms", {}, "0000 01A2 0D0D 38B0", "2026-11-24T10:15:00.016Z"),
    ],
)
def test_date_and_time(name: str, keys: dict[str, Any], wire: str, value: str) -> None:
    """Without a stated offset the text has none; Unix times are UTC."""
    assert decoded(wire, type=name, **keys) == ([value], None, None)
    assert decoded(encoded(value, type=name, **keys), type=name, **keys) == ([value], None, None)


@pytest.mark.parametrize(
    ("name", "wire", "value"),
    [
        ("cp56time2a", "001a0b180a0f762a", "2026-11-24T10:15:30.250"),
        ("s7_date_and_time", "2611241015302503", "2026-11-24T10:15:30.250"),
        ("s7_date_and_time", "2611221015302501", "2026-11-22T10:15:30.250"),
        ("s7_dtl", "07ea0b18030a0f1e0ee6b280", "2026-11-24T10:15:30.250"),
        ("s7_dtl", "07ea0b15070a0f1e0ee6b280", "2026-11-21T10:15:30.250"),
    ],
)
def test_a_time_is_written_with_its_day_of_the_week(name: str, wire: str, value: str) -> None:
    """Siemens counts from Sunday, 1, to Saturday, 7; CP56Time2a leaves it open, which 0 says."""
    assert encoded(value, type=name) == wire


def test_the_reserved_bit_of_cp56time2a_is_not_part_of_the_year() -> None:
    """R4, which some devices set."""
    assert decoded("009A 0B18 0A0F 762A", type="cp56time2a").values == ["2026-11-24T10:15:30.250"]


def test_a_clock_on_summer_time_is_an_hour_ahead_of_its_offset() -> None:
    """The bit SU of CP56Time2a says so."""
    wire = "001A 0718 8A0F 762A"
    assert decoded(wire, type="cp56time2a", utc_offset="+01:00").values == ["2026-07-24T10:15:30.250+02:00"]
    assert decoded(wire, type="cp56time2a").values == ["2026-07-24T10:15:30.250"]


@pytest.mark.parametrize(
    ("keys", "wire", "raw"),
    [
        ({"type": "float16"}, "7E00", "nan"),
        ({"type": "float16"}, "FC00", "-inf"),
        ({"type": "float32"}, "7FC00000", "nan"),
        ({"type": "float32"}, "7F800001", "nan"),
        ({"type": "float32"}, "7F800000", "inf"),
        ({"type": "float32"}, "FF800000", "-inf"),
        ({"type": "float64"}, "7FF8000000000000", "nan"),
        ({"type": "float64", "order": "CDAB"}, "000000000000FFF0", "-inf"),
        ({"type": "bcd16"}, "123A", 0x123A),
        ({"type": "bcd32"}, "FFFFFFFF", 0xFFFFFFFF),
        ({"type": "bcd64"}, "A000000000000000", 0xA000000000000000),
        ({"type": "string", "length": 4}, "FFFFFFFF", "ffffffff"),
        ({"type": "string", "length": 4, "encoding": "utf-8"}, "41C30042", "41c30042"),
        ({"type": "cp56time2a"}, "FFFFFFFFFFFFFFFF", "ffffffffffffffff"),
        ({"type": "cp56time2a"}, "0000000000000000", "0000000000000000"),
        ({"type": "cp56time2a"}, "001A0B180A8F762A", "001a0b180a8f762a"),  # iV: not valid
        ({"type": "cp56time2a"}, "001A0B180A0FEA60", "001a0b180a0fea60"),  # 60 s
        ({"type": "s7_date_and_time"}, "26112410153025A3", "26112410153025a3"),
        ({"type": "s7_date_and_time"}, "2613241015302503", "2613241015302503"),
        ({"type": "s7_dtl"}, "07EA021E030A0F1E0EE6B280", "07ea021e030a0f1e0ee6b280"),  # 30 February
        ({"type": "ymdhms"}, "07EA000B0018000A000F003C", "07ea000b0018000a000f003c"),
        ({"type": "unix64"}, "FFFFFFFFFFFFFFFF", 18446744073709551615),
    ],
)
def test_what_is_no_value_is_not_available(keys: dict[str, Any], wire: str, raw: Any) -> None:
    """No number, no decimal digit, no text, no date: never a value, and the engineer sees what stood there."""
    assert decoded(wire, **keys) == ([None], [Quality.NOT_AVAILABLE], {0: raw})


@pytest.mark.parametrize(
    ("keys", "wire", "raw"),
    [
        # SunSpec Information Model Specification, "not implemented"; the same table in SMA's manuals.
        ({"type": "int16", "not_available": ["sunspec"]}, "8000", -32768),
        ({"type": "uint16", "not_available": ["sunspec"]}, "FFFF", 65535),
        ({"type": "int32", "not_available": ["sunspec"]}, "80000000", -2147483648),
        ({"type": "uint32", "not_available": ["sunspec"]}, "FFFFFFFF", 4294967295),
        ({"type": "int64", "not_available": ["sunspec"]}, "8000000000000000", -9223372036854775808),
        ({"type": "uint64", "not_available": ["sunspec"]}, "FFFFFFFFFFFFFFFF", 18446744073709551615),
        ({"type": "uint32", "not_available": [0]}, "00000000", 0),  # acc32
        # ABB's meters: all ones but the sign.
        ({"type": "int16", "not_available": ["highest"]}, "7FFF", 32767),
        ({"type": "int32", "not_available": ["highest"]}, "7FFFFFFF", 2147483647),
        ({"type": "uint16", "not_available": ["highest"]}, "FFFF", 65535),
        ({"type": "int16", "not_available": ["0x8000"]}, "8000", -32768),
        ({"type": "int16", "not_available": [32768]}, "8000", -32768),
        ({"type": "int16", "not_available": [-32768]}, "8000", -32768),
        ({"type": "int16", "not_available": ["-32768"]}, "8000", -32768),
        ({"type": "int16", "not_available": ["0x7FFF", "0x8000"]}, "7FFF", 32767),
        ({"type": "int64", "not_available": ["0x8000000000000001"]}, "8000000000000001", -9223372036854775807),
        ({"type": "float32", "not_available": [-9999.0]}, "C61C3C00", -9999.0),
        ({"type": "float32", "not_available": [-9999]}, "C61C3C00", -9999.0),
        ({"type": "float32", "not_available": ["0xC61C3C00"]}, "C61C3C00", -9999.0),
        ({"type": "float32", "order": "CDAB", "not_available": ["0xC61C3C00"]}, "3C00C61C", -9999.0),
        ({"type": "bcd16", "not_available": [9999]}, "9999", 0x9999),
        ({"type": "bcd16", "not_available": ["0x9999"]}, "9999", 0x9999),
        ({"type": "unix32", "not_available": [0]}, "00000000", 0),
        ({"type": "unix32", "not_available": ["0xFFFFFFFF"]}, "FFFFFFFF", 4294967295),
        ({"address": "holding:1.4-7", "not_available": [15]}, "00F0", 0x00F0),
        ({"address": "holding:1.4-7", "not_available": ["0xF"]}, "12F3", 0x12F3),
        ({"address": "holding:1.high", "not_available": ["sunspec"]}, "FF00", 0xFF00),
        ({"address": "holding:1.high", "type": "int8", "not_available": ["0x80"]}, "8000", 0x8000),
    ],
)
def test_a_code_for_not_available_is_no_number(keys: dict[str, Any], wire: str, raw: Any) -> None:
    """Written as a number, as a pattern or as a rule; the raw number is kept for the engineer."""
    assert decoded(wire, **keys) == ([None], [Quality.NOT_AVAILABLE], {0: raw})


@pytest.mark.parametrize(
    ("keys", "wire", "value"),
    [
        ({"type": "int16", "not_available": ["sunspec"]}, "7FFF", 32767),
        ({"type": "int16", "not_available": ["sunspec"]}, "FFFF", -1),
        ({"type": "uint16", "not_available": ["sunspec"]}, "8000", 32768),
        ({"type": "int16", "not_available": ["0x8000"]}, "8001", -32767),
        ({"type": "float32", "not_available": ["sunspec"]}, "C61C3C00", -9999.0),
        ({"type": "int16", "not_available": []}, "8000", -32768),
        ({"address": "holding:1.4-7", "not_available": [15]}, "0F0F", 0),
    ],
)
def test_other_numbers_stay_numbers(keys: dict[str, Any], wire: str, value: float) -> None:
    """A code is one number of one type, and nothing beside it."""
    assert decoded(wire, **keys) == ([value], None, None)
