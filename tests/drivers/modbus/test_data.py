from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from drivers.modbus.address import COIL, HOLDING, INPUT, Address

if TYPE_CHECKING:
    from drivers.modbus.tag import ModbusTag
    from tests.drivers.modbus.conftest import MakeConnection


def tags_of(
    make: MakeConnection, tags: dict[str, Any], connection: dict[str, Any], **device: Any
) -> dict[str, ModbusTag]:
    config = make(devices={"press": {"tags": tags, **device}}, **connection)
    return config.devices["press"].tags


def faults_of(make: MakeConnection, tags: dict[str, Any], **device: Any) -> list[tuple[tuple[int | str, ...], str]]:
    with pytest.raises(ValidationError) as raised:
        tags_of(make, tags, {}, **device)
    return [(error["loc"][2:], error["msg"]) for error in raised.value.errors()]


@pytest.mark.parametrize(
    ("tag_order", "device_order", "connection_order", "expected"),
    [
        (None, None, None, "ABCD"),
        (None, None, "CDAB", "CDAB"),
        (None, "BADC", "CDAB", "BADC"),
        ("DCBA", "BADC", "CDAB", "DCBA"),
        ("ABCD", "BADC", "CDAB", "ABCD"),
        (None, "GHEFCDAB", None, "CDAB"),
    ],
)
def test_the_nearest_word_about_the_order_counts(
    make_connection: MakeConnection,
    tag_order: str | None,
    device_order: str | None,
    connection_order: str | None,
    expected: str,
) -> None:
    """The tag's, else the unit's, else the connection's, else ABCD."""
    tag = {"address": "holding:1", "type": "float32"} | ({"order": tag_order} if tag_order else {})
    device = {"order": device_order} if device_order else {}
    connection = {"order": connection_order} if connection_order else {}
    (read,) = tags_of(make_connection, {"t": tag}, connection, **device).values()
    assert read.byte_order == expected
    assert read.number_parameters()["order"] == expected


def test_an_order_of_the_unit_fits_all_its_types(make_connection: MakeConnection) -> None:
    """What the rule swaps in one register, in four, in text and in nothing at all."""
    tags = {
        "short": {"address": "holding:1"},
        "long": {"address": "holding:2", "type": "uint64"},
        "text": {"address": "holding:6", "type": "string", "length": 5},
        "bit": {"address": "holding:9.0"},
        "coil": {"address": "coil:1"},
    }
    read = tags_of(make_connection, tags, {}, order="DCBA")
    assert {name: tag.byte_order for name, tag in read.items() if name != "coil"} == dict.fromkeys(
        ("short", "long", "text", "bit"), "DCBA"
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("holding:100", Address(HOLDING, 99)),
        ("holding:1.3", Address(HOLDING, 0)),
        ("coil:65535", Address(COIL, 65534)),
        ("40100", Address(HOLDING, 99)),
        ("365536", Address(INPUT, 65535)),
    ],
)
def test_a_unit_may_count_from_one(make_connection: MakeConnection, text: str, place: Address) -> None:
    """Plain numbers of its manual are one higher than on the wire; documented ones mean the same as ever."""
    (tag,) = tags_of(make_connection, {"t": {"address": text}}, {}, numbering="one_based").values()
    assert tag.place == place
    assert tag.number_parameters().get("wire") == (place.wire if ":" in text else None)


def test_a_unit_that_counts_from_one_has_no_zero(make_connection: MakeConnection) -> None:
    """The error says why."""
    ((where, text),) = faults_of(make_connection, {"t": {"address": "holding:0"}}, numbering="one_based")
    assert where == ("tags", "t", "address")
    assert "numbering: one_based, so its first one is 1" in text


IEC = {"MW": "holding:12288", "M": "coil:0", "IW": "30001", "QX": "coil:512"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("%MW0", Address(HOLDING, 12288)),
        ("%MW100", Address(HOLDING, 12388)),
        ("%MW100.3", Address(HOLDING, 12388)),
        ("%M7", Address(COIL, 7)),
        ("%IW5", Address(INPUT, 5)),
        ("%QX16", Address(COIL, 528)),
    ],
)
def test_iec_addresses_mean_what_the_unit_states(make_connection: MakeConnection, text: str, place: Address) -> None:
    """Makers differ in where %MW0 lies, so nothing is assumed."""
    (tag,) = tags_of(make_connection, {"t": {"address": text}}, {}, iec_addresses=IEC).values()
    assert tag.place == place
    assert tag.number_parameters()["wire"] == place.wire
    assert tag.data_type() == ("bool" if text in {"%M7", "%QX16", "%MW100.3"} else "uint16")


@pytest.mark.parametrize(
    ("tag", "key", "says"),
    [
        ({"address": "%QW5"}, "address", "where %QW0 lies differs from maker to maker"),
        ({"address": "%MW60000"}, "address", "the last one is %MW53247"),
        ({"address": "%MW53248"}, "address", "the last one is %MW53247"),
        ({"address": "%M1.2"}, "address", "is one bit and has no parts"),
        ({"address": "%M1", "type": "uint16"}, "type", "a coil holds bool"),
        ({"address": "%MW1", "order": "CDAB"}, "order", "uint16 has one"),
        ({"address": "%MW53247", "type": "float32"}, "type", "takes 2 registers"),
    ],
)
def test_iec_addresses_are_checked_like_all_others(
    make_connection: MakeConnection, tag: dict[str, Any], key: str, says: str
) -> None:
    """As soon as the unit says where they begin."""
    ((where, text),) = faults_of(make_connection, {"t": tag}, iec_addresses=IEC)
    assert where == ("tags", "t", key)
    assert says in text


@pytest.mark.parametrize(
    ("areas", "says"),
    [
        ({"MW": "coil:0"}, "%MW are registers, and 'coil:0' is none"),
        ({"M": "holding:0"}, "%M are bits, and 'holding:0' is none"),
        ({"MW": "0"}, "'0' is no Modbus address"),
        ({"MD": "holding:0"}, "there is no area 'MD'; the areas are M, I, Q, MX, IX, QX, MW, IW, QW"),
    ],
)
def test_an_area_begins_at_a_point_of_its_kind(
    make_connection: MakeConnection, areas: dict[str, str], says: str
) -> None:
    """Words are registers, bits are coils or discrete inputs."""
    ((where, text),) = faults_of(make_connection, {"t": {"address": "coil:1"}}, iec_addresses=areas)
    assert where == ("iec_addresses", next(iter(areas)))
    assert says in text


def test_codes_of_the_unit_count_where_the_tag_says_nothing(make_connection: MakeConnection) -> None:
    """Each size by its own code; an empty list of the tag switches them off."""
    tags = {
        "signed": {"address": "holding:1", "type": "int16"},
        "unsigned": {"address": "holding:2", "type": "uint32"},
        "own": {"address": "holding:4", "type": "int16", "not_available": [0]},
        "none": {"address": "holding:5", "type": "int16", "not_available": []},
        "bit": {"address": "holding:6.0"},
        "mode": {"address": "holding:6.4-7"},
        "text": {"address": "holding:7", "type": "string", "length": 2},
        "time": {"address": "holding:9", "type": "unix32"},
    }
    read = tags_of(make_connection, tags, {}, not_available=["sunspec"])
    assert read["signed"].register_type.value_of(-32768) is None
    assert read["unsigned"].register_type.value_of(0xFFFFFFFF) is None
    assert read["own"].register_type.value_of(-32768) == -32768
    assert read["own"].register_type.value_of(0) is None
    assert read["none"].register_type.value_of(-32768) == -32768
    assert read["bit"].register_type.value_of(0xFFFF) is True
    assert read["mode"].register_type.value_of(0xFFFF) == 15
    assert read["time"].register_type.value_of(0xFFFFFFFF) == "2106-02-07T06:28:15Z"
    assert read["text"].register_type.value_of(b"AB") == "AB"
    assert read["signed"].number_parameters()["not_available"] == "sunspec"
    assert "not_available" not in read["none"].number_parameters()


@pytest.mark.parametrize(
    ("tag", "key", "says"),
    [
        ({"address": "holding:1", "type": "float64"}, "type", "takes 4 registers, and the unit gives 3 at once"),
        ({"address": "holding:1", "type": "string", "length": 7}, "length", "string at holding:1"),
    ],
)
def test_a_value_that_no_request_can_carry_is_refused(
    make_connection: MakeConnection, tag: dict[str, Any], key: str, says: str
) -> None:
    """It would be cut."""
    ((where, text),) = faults_of(make_connection, {"t": tag}, max_registers=3)
    assert where == ("tags", "t", key)
    assert says in text


@pytest.mark.parametrize(
    ("first", "second", "blamed"),
    [(("1", "float32"), ("2", "float32"), "b"), (("3", "uint64"), ("1", "uint64"), "a")],
)
def test_values_that_overlap_in_part_are_refused(
    make_connection: MakeConnection, first: tuple[str, str], second: tuple[str, str], blamed: str
) -> None:
    """One of both is wrong; the one that begins later is named."""
    tags = {
        name: {"address": f"holding:{address}", "type": data_type}
        for name, (address, data_type) in (("a", first), ("b", second))
    }
    ((where, text),) = faults_of(make_connection, tags)
    assert where == ("tags", blamed, "address")
    assert "one of both addresses or types is wrong" in text


def test_values_inside_one_another_are_usual(make_connection: MakeConnection) -> None:
    """The words of a counter, two views of one number, and neighbours on another table."""
    tags = {
        "counter": {"address": "holding:10", "type": "uint64"},
        "middle": {"address": "holding:11", "type": "uint32"},
        "low": {"address": "holding:13"},
        "as_float": {"address": "holding:10", "type": "float64"},
        "beside": {"address": "holding:14", "type": "float32"},
        "elsewhere": {"address": "input:13", "type": "float32"},
    }
    assert len(tags_of(make_connection, tags, {})) == 6


def test_units_are_equal_only_where_their_tags_mean_the_same(make_connection: MakeConnection) -> None:
    """After a reload a tag whose order comes from its connection counts as changed when that changes."""
    devices = {"press": {"tags": {"t": {"address": "holding:1", "type": "float32"}}}}
    first, same, other = (make_connection(devices=devices, order=order) for order in ("ABCD", "ABCD", "CDAB"))
    assert first.devices == same.devices
    assert first.devices != other.devices
