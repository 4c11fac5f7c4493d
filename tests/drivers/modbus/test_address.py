from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.address import COIL, DISCRETE, HOLDING, INPUT, TABLES, Address, Numbering, Part, Written

if TYPE_CHECKING:
    from drivers.modbus.address import Table


@pytest.mark.parametrize(
    ("text", "table", "number"),
    [
        ("holding:0", HOLDING, 0),
        ("holding:100", HOLDING, 100),
        ("holding:65535", HOLDING, 65535),
        ("input:7", INPUT, 7),
        ("coil:12", COIL, 12),
        ("discrete:3", DISCRETE, 3),
        ("40001", HOLDING, 0),
        ("40021", HOLDING, 20),
        ("49999", HOLDING, 9998),
        ("400001", HOLDING, 0),
        ("465536", HOLDING, 65535),
        ("30001", INPUT, 0),
        ("365536", INPUT, 65535),
        ("00001", COIL, 0),
        ("09999", COIL, 9998),
        ("000001", COIL, 0),
        ("065536", COIL, 65535),
        ("10004", DISCRETE, 3),
        ("100004", DISCRETE, 3),
    ],
)
def test_both_notations_name_the_same_points(text: str, table: Table, number: int) -> None:
    """The wire counts from 0, the manual from 1, and the first digit names the table."""
    assert Address.parse(text) == Address(table, number)


@pytest.mark.parametrize(
    ("number", "documented"),
    [(0, "40001"), (100, "40101"), (9998, "49999"), (9999, "410000"), (65535, "465536")],
)
def test_a_documented_number_has_five_digits_while_they_reach(number: int, documented: str) -> None:
    """Manuals print five digits up to 9999 points and six beyond."""
    assert Address(HOLDING, number).documented == documented


@given(st.sampled_from(TABLES), st.integers(0, 65535))
def test_every_address_reads_back_from_both_notations(table: Table, number: int) -> None:
    """Each notation can be shown as the other, for every point of every table."""
    address = Address(table, number)
    assert Address.parse(address.wire) == address
    assert Address.parse(address.documented) == address


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no Modbus address"),
        ("100", "is no Modbus address"),
        ("holding: 100", "is no Modbus address"),
        ("holding:-1", "is no Modbus address"),
        ("Holding:100", "is no Modbus address"),
        ("20001", "is no Modbus address"),
        ("%MW100", "is no Modbus address"),
        ("holding:٣", "is no Modbus address"),
        ("4000001", "is no Modbus address"),
        ("register:100", "the tables are holding, input, coil, discrete"),
        ("holding:65536", "from 0 to 65535"),
        ("40000", "numbered from 40001 to 49999"),
        ("00000", "numbered from 00001 to 09999"),
        ("400000", "numbered from 400001 to 465536"),
        ("465537", "numbered from 400001 to 465536"),
    ],
)
def test_what_is_no_address_is_refused_with_what_to_write(text: str, says: str) -> None:
    """A wrong address never becomes a guess."""
    with pytest.raises(ValueError, match=says) as error:
        Address.parse(text)
    assert repr(text) in str(error.value)


NUMBERINGS = [
    None,
    Numbering(),
    Numbering(one_based=True),
    Numbering(iec={"MW": Address(HOLDING, 12288), "M": Address(COIL, 0)}),
]
TEXTS = st.text(max_size=12) | st.from_regex(r"(%M|%MW|holding:|coil:|4)[0-9]{1,6}(\.([0-9]{1,2}(-[0-9]{1,2})?|low))?")


@given(TEXTS, st.sampled_from(NUMBERINGS))
def test_any_text_is_an_address_or_a_value_error(text: str, numbering: Numbering | None) -> None:
    """No other error comes out, whatever is written and however the device counts."""
    with suppress(ValueError):
        address, part = Written.parse(text, numbering)
        assert address is None or 0 <= address.number <= 65535
        assert part is None or 0 <= part.low <= part.high <= 15


@pytest.mark.parametrize(
    ("text", "address", "part"),
    [
        ("holding:100", Address(HOLDING, 100), None),
        ("holding:100.0", Address(HOLDING, 100), Part(0, 0)),
        ("holding:100.15", Address(HOLDING, 100), Part(15, 15)),
        ("input:7.4-7", Address(INPUT, 7), Part(4, 7)),
        ("40101.3", Address(HOLDING, 100), Part(3, 3)),
        ("400101.high", Address(HOLDING, 100), Part(8, 15)),
        ("holding:100.low", Address(HOLDING, 100), Part(0, 7)),
        ("%MW7", None, None),
        ("%MW7.3", None, Part(3, 3)),
    ],
)
def test_parts_of_a_register_follow_a_point(text: str, address: Address | None, part: Part | None) -> None:
    """Bits by their number, halves by their name, behind any notation."""
    assert Written.parse(text) == (address, part)


@pytest.mark.parametrize(
    "text", ["holding:1.", "holding:1.3-", "holding:1.-3", "holding:1.Low", "holding:1.3.4", "holding:1..3", ".3"]
)
def test_what_is_no_part_is_refused(text: str) -> None:
    """Never taken for something near it."""
    with pytest.raises(ValueError, match="is no Modbus address"):
        Written.parse(text)


@pytest.mark.parametrize("text", ["%MD1", "%MW", "%MW1.2.3", "%mw1", "%MB1", "%"])
def test_what_is_no_iec_address_is_refused(text: str) -> None:
    """With those that there are."""
    with pytest.raises(ValueError, match="is no IEC address that can be read: they are %M, %I and %Q for bits"):
        Written.parse(text)


@pytest.mark.parametrize(("part", "mask", "text"), [(Part(3, 3), 0x0008, "bit 3"), (Part(4, 7), 0x00F0, "bits 4 to 7")])
def test_a_part_knows_its_bits(part: Part, mask: int, text: str) -> None:
    """Bit 0 is the least significant one."""
    assert (part.mask, str(part)) == (mask, text)


def test_people_see_both_notations() -> None:
    """An error text names the point as the wire and as the manual has it."""
    assert str(Address(HOLDING, 100)) == 'holding:100 (documented as "40101")'
    assert Address(COIL, 0).span(1) == 'coil:0 (documented as "00001")'
    assert Address(INPUT, 100).span(50) == 'input:100 to input:149 (documented as "30101" to "30150")'


def test_tables_are_read_by_their_function_codes() -> None:
    """Function codes and limits of Modbus Application Protocol V1.1b3, sections 6.1 to 6.4."""
    assert {(table.name, table.read_function, table.most_per_request) for table in TABLES} == {
        ("coil", 1, 2000),
        ("discrete", 2, 2000),
        ("holding", 3, 125),
        ("input", 4, 125),
    }
