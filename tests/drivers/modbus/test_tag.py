from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest
from pydantic import ValidationError

from drivers.modbus.address import Part
from drivers.modbus.tag import _ELSEWHERE, ModbusTag, TypeName

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def errors_of(given: dict[str, Any]) -> list[ErrorDetails]:
    """What is wrong with a tag."""
    with pytest.raises(ValidationError) as raised:
        ModbusTag.model_validate(given)
    return raised.value.errors()


@pytest.mark.parametrize(
    ("tag", "data_type", "parameters"),
    [
        ({"address": "holding:100"}, "uint16", {"table": "holding", "order": "ABCD"}),
        ({"address": "30001", "type": "float32", "order": "CDAB"}, "float32", {"table": "input", "order": "CDAB"}),
        ({"address": "40001", "type": "int64", "order": "HGFEDCBA"}, "int64", {"table": "holding", "order": "DCBA"}),
        ({"address": "coil:12"}, "bool", {"table": "coil"}),
        ({"address": "discrete:12", "type": "bool"}, "bool", {"table": "discrete"}),
        (
            {"address": "holding:65535", "type": "int16", "order": "BADC"},
            "int16",
            {"table": "holding", "order": "BADC"},
        ),
        ({"address": "holding:65534", "type": "uint32"}, "uint32", {"table": "holding", "order": "ABCD"}),
        ({"address": "holding:1.3"}, "bool", {"table": "holding", "order": "ABCD"}),
        ({"address": "holding:1.3-5"}, "uint16", {"table": "holding", "order": "ABCD"}),
        ({"address": "input:1.low"}, "uint8", {"table": "input", "order": "ABCD"}),
        (
            {"address": "holding:1", "type": "string", "length": 9, "encoding": "utf-8"},
            "string",
            {"table": "holding", "order": "ABCD", "length": "9", "encoding": "utf-8"},
        ),
        (
            {"address": "holding:1", "type": "bytes", "length": 2},
            "bytes",
            {"table": "holding", "order": "ABCD", "length": "2"},
        ),
        (
            {"address": "holding:1", "type": "cp56time2a", "utc_offset": "+01:00"},
            "cp56time2a",
            {"table": "holding", "order": "ABCD", "utc_offset": "+01:00"},
        ),
        (
            {"address": "holding:1", "not_available": ["sunspec", 9]},
            "uint16",
            {"table": "holding", "order": "ABCD", "not_available": "sunspec, 9"},
        ),
    ],
)
def test_a_tag_says_its_type_and_all_that_makes_its_value(
    tag: dict[str, Any], data_type: str, parameters: dict[str, str]
) -> None:
    """Registers are uint16, bits bool and bytes uint8 where nothing is said; what changes the value is named."""
    config = ModbusTag.model_validate(tag)
    assert config.data_type() == data_type
    assert config.number_parameters() == parameters


@pytest.mark.parametrize(
    ("tag", "span"),
    [
        ({"address": "coil:1"}, 1),
        ({"address": "holding:1.3"}, 1),
        ({"address": "holding:1", "type": "float32"}, 2),
        ({"address": "holding:1", "type": "bcd64"}, 4),
        ({"address": "holding:1", "type": "string", "length": 7}, 4),
        ({"address": "holding:1", "type": "bytes", "length": 250}, 125),
        ({"address": "holding:1", "type": "s7_dtl"}, 6),
        ({"address": "holding:1", "type": "unix64_ms"}, 4),
    ],
)
def test_a_tag_takes_as_many_addresses_as_its_value_fills(tag: dict[str, Any], span: int) -> None:
    """Half a register is a whole address."""
    config = ModbusTag.model_validate(tag)
    assert config.span == span
    assert config.place.number == 1


def test_parts_of_a_register_are_named_by_their_bits() -> None:
    """`low` and `high` are the halves."""
    parts = {text: ModbusTag.model_validate({"address": f"40101.{text}"}).part for text in ("0", "4-7", "low", "high")}
    assert parts == {"0": Part(0, 0), "4-7": Part(4, 7), "low": Part(0, 7), "high": Part(8, 15)}
    assert ModbusTag.model_validate({"address": "40101"}).part is None


REFUSED = [
    ({"address": "adress"}, "address", "is no Modbus address"),
    ({"address": "holding:70000"}, "address", "from 0 to 65535"),
    ({"address": 40021}, "address", 'write the address in quotes: "40021"'),
    ({"address": None}, "address", "valid string"),
    ({"address": "coil:1.3"}, "address", "is one bit and has no parts"),
    ({"address": "holding:1.16"}, "address", "the bits of a register are 0 to 15"),
    ({"address": "holding:1.7-4"}, "address", "holding:100.4-7"),
    ({"address": "holding:65535", "type": "float32"}, "type", "takes 2 registers, but holding:65535"),
    ({"address": "465536", "type": "uint32"}, "type", 'documented as "465536"'),
    ({"address": "holding:65534", "type": "float64"}, "type", "takes 4 registers, but from holding:65534"),
    ({"address": "holding:1", "type": "bool"}, "type", 'say which bit, such as "holding:1.0"'),
    ({"address": "holding:1", "type": "int8"}, "type", 'say which half, "holding:1.low" or "holding:1.high"'),
    ({"address": "coil:1", "type": "uint16"}, "type", "a coil holds bool"),
    ({"address": "discrete:1", "type": "float32"}, "type", "a discrete holds bool"),
    ({"address": "holding:1", "type": "float"}, "type", "float32"),
    ({"address": "holding:1.3", "type": "uint16"}, "type", "write bool, or leave type out"),
    ({"address": "holding:1.3-4", "type": "bool"}, "type", "write uint8, int8, uint16, int16, or leave type out"),
    ({"address": "holding:1.0-8", "type": "uint8"}, "type", "write uint16, int16, or leave type out"),
    ({"address": "holding:1.low", "type": "float32"}, "type", "float32 does not fit holding:1.low"),
    ({"address": "holding:1", "type": "string"}, "type", "add length"),
    ({"address": "holding:1", "type": "bytes"}, "type", "add length"),
    ({"address": "holding:1", "order": "CDAB"}, "order", "uint16 has one"),
    ({"address": "holding:1", "type": "int16", "order": "DCBA"}, "order", "write BADC"),
    ({"address": "holding:1.3", "order": "CDAB"}, "order", "bool has one"),
    ({"address": "holding:1", "type": "uint32", "order": "ACBD"}, "order", "CDAB"),
    ({"address": "holding:1", "type": "uint32", "order": "GHEFCDAB"}, "order", "write CDAB"),
    ({"address": "holding:1", "type": "string", "length": 8, "order": "HGFEDCBA"}, "order", "write DCBA"),
    ({"address": "coil:1", "order": "ABCD"}, "order", "leave order out"),
    ({"address": "coil:1", "scale": 0.1}, "scale", "leave scale out"),
    ({"address": "coil:1", "offset": 1.0}, "offset", "leave offset out"),
    ({"address": "discrete:1", "range": [0.0, 1.0]}, "range", "leave range out"),
    ({"address": "holding:1.0", "scale": 2.0}, "scale", "is true or false: leave scale out"),
    ({"address": "holding:1", "type": "string", "length": 2, "scale": 2.0}, "scale", "string is no number"),
    ({"address": "holding:1", "type": "s7_dtl", "range": [0.0, 1.0]}, "range", "s7_dtl is no number"),
    ({"address": "holding:1", "length": 2}, "length", "uint16 has no length"),
    ({"address": "holding:1", "type": "string", "length": 0}, "length", "greater than or equal to 1"),
    ({"address": "holding:1", "type": "string", "length": 251}, "length", "less than or equal to 250"),
    ({"address": "holding:1", "encoding": "ascii"}, "encoding", "uint16 is no text"),
    ({"address": "holding:1", "type": "uint32", "utc_offset": "+01:00"}, "utc_offset", "uint32 has no utc_offset"),
    ({"address": "holding:1", "type": "unix32", "utc_offset": "+01:00"}, "utc_offset", "counts in UTC"),
    ({"address": "holding:1", "type": "s7_dtl", "utc_offset": "CET"}, "utc_offset", 'such as "+01:00"'),
    ({"address": "holding:1", "type": "s7_dtl", "utc_offset": "+1:00"}, "utc_offset", 'such as "+01:00"'),
    ({"address": "holding:1", "type": "s7_dtl", "utc_offset": "+15:00"}, "utc_offset", 'such as "+01:00"'),
    ({"address": "coil:1", "not_available": ["sunspec"]}, "not_available", "leave not_available out"),
    ({"address": "holding:1", "type": "s7_dtl", "not_available": [0]}, "not_available", "is no number"),
]


@pytest.mark.parametrize(("tag", "where", "says"), REFUSED)
def test_an_impossible_tag_is_refused_at_the_key_at_fault(tag: dict[str, Any], where: str, says: str) -> None:
    """One error, at the right key, with what to write instead."""
    (error,) = errors_of(tag)
    assert error["loc"] == (where,)
    assert says in error["msg"]


@pytest.mark.parametrize(
    ("elsewhere", "here"),
    [
        ("REAL", "float32"),
        ("dint", "int32"),
        ("WORD", "uint16"),
        ("int", "int16"),
        ("double", "float64"),
        ("DTL", "s7_dtl"),
    ],
)
def test_a_type_by_what_it_is_called_elsewhere_is_refused_with_its_name_here(elsewhere: str, here: str) -> None:
    """One name for each type, so that files read alike; int has 16 bits in IEC 61131-3 and 32 in C."""
    (error,) = errors_of({"address": "holding:1", "type": elsewhere})
    assert error["loc"] == ("type",)
    assert f"{elsewhere!r} is called {here} here" in error["msg"]


def test_what_types_are_called_elsewhere_is_no_type_here() -> None:
    """The list translates, and hides nothing."""
    names = set(get_args(TypeName))
    assert names.isdisjoint(_ELSEWHERE)
    assert names.issuperset(_ELSEWHERE.values())


@pytest.mark.parametrize(
    ("data_type", "code", "says"),
    [
        ("int16", "0x18000", "98304 does not fit into int16"),
        ("int16", -32769, "-32769 does not fit into int16"),
        ("uint16", 65536, "65536 does not fit into uint16"),
        ("uint16", 1.5, "1.5 is no whole number"),
        ("uint16", "none", "'none' is no code"),
        ("uint16", "0xZZ", "'0xZZ' is no code"),
        ("uint16", float("inf"), "inf is no whole number"),
        ("float32", "nan", "nan is no number"),
        ("float32", 1e39, "too large for float32"),
        ("bcd16", 10000, "10000 does not fit"),
        ("unix32", 0.5, "0.5 does not fit into unix32"),
        ("unix32", float("inf"), "inf is no number"),
    ],
)
def test_a_code_that_the_type_cannot_hold_is_refused(data_type: str, code: Any, says: str) -> None:
    """Such a code would never match."""
    errors = errors_of({"address": "holding:1", "type": data_type, "not_available": ["sunspec", code]})
    assert [error["loc"] for error in errors] == [("not_available", 1)]
    assert says in errors[0]["msg"]


def test_all_faults_of_a_tag_are_told_at_once() -> None:
    """A technician repairs a tag in one go."""
    tag = {
        "address": "holding:1",
        "type": "string",
        "length": 4,
        "scale": 2.0,
        "order": "GHEFCDAB",
        "utc_offset": "+01:00",
    }
    assert {error["loc"] for error in errors_of(tag)} == {("scale",), ("order",), ("utc_offset",)}


def test_errors_of_a_tag_do_not_hide_behind_one_another() -> None:
    """A wrong address does not make its type and order wrong as well, but another wrong key is told."""
    errors = errors_of({"address": "nowhere", "type": "bool", "order": "DCBA", "deadband": -1.0})
    assert {error["loc"] for error in errors} == {("address",), ("deadband",)}


@pytest.mark.parametrize(
    ("address", "meant"),
    [("40001", "holding:40000"), ("40004", "holding:40003"), ("400001", "holding:40000")],
)
def test_an_address_that_may_mean_the_beginning_of_sunspec_is_doubted(address: str, meant: str) -> None:
    """Both meanings are named, with what to write for each."""
    tag = ModbusTag.model_validate({"address": address})
    (doubt,) = tag.doubts()
    assert doubt.key == "address"
    assert doubt.hint == f'write "{meant}" if that is meant, else "{tag.place.wire}"'


@pytest.mark.parametrize("address", ["40005", "30001", "holding:0", "holding:40000", "00001", "10001"])
def test_other_addresses_are_not_doubted(address: str) -> None:
    """Written on the wire, further up, or of another table, an address means what it says."""
    assert list(ModbusTag.model_validate({"address": address}).doubts()) == []


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ({"type": "string", "length": 4}, "text"),
        ({"type": "bytes", "length": 4}, "text"),
        ({"type": "unix32"}, "text"),
        ({"type": "cp56time2a"}, "text"),
        ({"type": "bcd16"}, "number"),
        ({}, "number"),
        ({"address": "holding:1.4-7"}, "number"),
        ({"address": "holding:1.3"}, "state"),
        ({"address": "coil:1"}, "state"),
    ],
)
def test_the_core_is_told_what_a_tag_holds(keys: dict[str, Any], kind: str) -> None:
    """Only numbers can be scaled and compared with limits."""
    tag = ModbusTag.model_validate({"address": "holding:1"} | keys)
    assert (tag.holds_text(), tag.holds_numbers()) == (kind == "text", kind == "number")
