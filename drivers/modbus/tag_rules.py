"""What must hold between the keys of one tag: the type fits its place, and each key has something to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.modbus.address import LAST_WIRE_ADDRESS
from drivers.modbus.clocks import CLOCK_NAMES, UNIX_NAMES
from drivers.modbus.datatypes import LONG_ORDERS, ONE_REGISTER_ORDERS
from drivers.modbus.faults import Fault
from drivers.modbus.numerals import NUMERALS
from drivers.modbus.unavailable import values_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.modbus.address import Address, Part
    from drivers.modbus.tag import ModbusTag

_BY_LENGTH: Final = ("string", "bytes")
_REGISTER_TYPES: Final = (*NUMERALS, *_BY_LENGTH, *CLOCK_NAMES)
_NUMBER_KEYS: Final = ("scale", "offset", "range")
_BYTE_TYPES: Final = ("uint8", "int8")
_WORD_TYPES: Final = ("uint16", "int16")
_BYTE_WIDTH: Final = 8
_LONG_ORDER_REGISTERS: Final = 4


def faults_of(tag: ModbusTag) -> Iterator[Fault]:
    """What is wrong between the keys of a tag whose address can be read."""
    place = tag.place
    type_fault = _about_type(tag, place, tag.part)
    if type_fault is not None:
        yield Fault(("type",), type_fault)
        return
    yield from _about_order(tag, place)
    yield from _about_extras(tag, place)


def _about_type(tag: ModbusTag, place: Address, part: Part | None) -> str | None:
    """Why the type does not fit the place."""
    name = tag.data_type()
    if place.table.is_bits:
        return None if name == "bool" else f"{name} does not fit {place}: a {place.table.name} holds bool"
    if part is not None:
        return _about_type_of_part(name, tag, part)
    if name == "bool":
        return f'bool does not fit {place}, which is a register: say which bit, such as "{tag.address}.0"'
    if name in _BYTE_TYPES:
        return f'{name} is half of {place}: say which half, "{tag.address}.low" or "{tag.address}.high"'
    if name in _BY_LENGTH and tag.length is None:
        return f"{name} needs its length in bytes: add length"
    return _about_last_register(name, tag, place)


def _about_type_of_part(name: str, tag: ModbusTag, part: Part) -> str | None:
    fitting = _fitting(part)
    if name in fitting:
        return None
    return f"{name} does not fit {tag.address}, {part} of a register: write {', '.join(fitting)}, or leave type out"


def _fitting(part: Part) -> tuple[str, ...]:
    """The types that some bits of a register can have."""
    if part.width == 1:
        return ("bool",)
    return _WORD_TYPES if part.width > _BYTE_WIDTH else (*_BYTE_TYPES, *_WORD_TYPES)


def _about_last_register(name: str, tag: ModbusTag, place: Address) -> str | None:
    left = LAST_WIRE_ADDRESS - place.number + 1
    if tag.span <= left:
        return None
    ends = f"{place} is the last one" if left == 1 else f"from {place} on there are {left}"
    return f"{name} takes {tag.span} registers, but {ends}"


def _about_order(tag: ModbusTag, place: Address) -> Iterator[Fault]:
    order, name = tag.order, tag.data_type()
    if order is None:
        return
    if place.table.is_bits:
        yield Fault(("order",), f"{place} is one bit: leave order out")
    elif tag.span == 1 and order not in ONE_REGISTER_ORDERS:
        text = (
            f"{order} needs two registers and {name} has one: leave order out, or write BADC where the device swaps "
            f"the bytes in a register"
        )
        yield Fault(("order",), text)
    elif order in LONG_ORDERS and (tag.span != _LONG_ORDER_REGISTERS or name == "string"):
        yield Fault(("order",), f"{order} names eight bytes, which {name} does not have: write {LONG_ORDERS[order]}")


def _about_extras(tag: ModbusTag, place: Address) -> Iterator[Fault]:
    """Keys that say nothing of such a tag."""
    name = tag.data_type()
    is_number = name in NUMERALS or name in {*_BYTE_TYPES, *_WORD_TYPES}
    fitting = {
        **dict.fromkeys(_NUMBER_KEYS, is_number),
        "length": name in _BY_LENGTH,
        "encoding": name == "string",
        "utc_offset": name in CLOCK_NAMES and name not in UNIX_NAMES,
        "not_available": is_number or name in UNIX_NAMES,
    }
    for key, fits in fitting.items():
        if key in tag.model_fields_set and not fits:
            yield Fault((key,), f"{_what(name, place, key)}: leave {key} out")
    if fitting["not_available"] and tag.not_available:
        yield from _about_codes(tag)


def _what(name: str, place: Address, key: str) -> str:
    if name == "bool":
        return f"{place} is true or false"
    if key == "utc_offset" and name in UNIX_NAMES:
        return f"{name} counts in UTC"
    if key in {"length", "utc_offset"}:
        return f"{name} has no {key}"
    return f"{name} is no number" if key != "encoding" else f"{name} is no text"


def _about_codes(tag: ModbusTag) -> Iterator[Fault]:
    for at, code in enumerate(tag.not_available or ()):
        try:
            values_of([code], tag.all_values_type())
        except ValueError as error:
            yield Fault(("not_available", at), str(error))
