"""Codes by which a device says that it has no value, in place of a number.

A code is compared with the raw number, before scaling. Manuals give it as a number (-9999) or as the pattern of the
registers (0x8000); both are understood.
"""

from __future__ import annotations

import math
import struct
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drivers.modbus.datatypes import DataType
    from gateway.model import Value

CodeRule = Literal["sunspec", "highest", "lowest"]
"""Rules that give each whole number its code. `sunspec`: the lowest of a signed number, the highest of an unsigned one
(SunSpec Information Model Specification, "not implemented"); `highest`: 0x7FFF, 0xFFFF and so on, as ABB's meters do.
"""

RULES: Final[tuple[CodeRule, ...]] = get_args(CodeRule)

Code = int | float | str
"""A number, a pattern such as 0x8000 (in quotes), or the name of a rule."""


def values_of(codes: Iterable[Code], data_type: DataType) -> frozenset[Value]:
    """The values of this type that mean "not available". Rules say nothing of floats, whose NaN says it always.

    Raises:
        ValueError: a code that this type cannot hold; the text says which and why.
    """
    values = (_value(code, data_type) for code in codes)
    return frozenset(value for value in values if value is not None)


def _value(code: Code, data_type: DataType) -> Value | None:
    """The value that means it; None where the type itself never takes it for a value."""
    if code in RULES:
        return _by_rule(str(code), data_type)
    if isinstance(code, str) and code.lower().startswith("0x"):
        return data_type.value_of(_of_pattern(_parsed(code), data_type))
    number = _parsed(code) if isinstance(code, str) else code
    return data_type.value_of(_of_number(number, data_type))


def _by_rule(rule: str, data_type: DataType) -> Value | None:
    if data_type.limits is None:
        return None
    lowest, highest = data_type.limits
    if rule == "sunspec":
        return lowest if lowest < 0 else highest
    return lowest if rule == "lowest" else highest


def _of_number(number: float, data_type: DataType) -> int | float:
    """A number as the field that it is. A count of seconds is one already; a signed number may be given as its pattern.

    Raises:
        ValueError: the type cannot hold it.
    """
    lowest, highest = data_type.limits or (0, 0)
    if (lowest < 0 and number > highest) or not data_type.is_number:
        return _of_pattern(number, data_type)
    field: int | float = data_type.write(number)
    return field


def _of_pattern(pattern: float, data_type: DataType) -> int | float:
    """The bits of the registers as the field that `struct` makes of them; of some bits of one, their own pattern.

    Raises:
        ValueError: the registers do not have so many bits, or it is no whole number.
    """
    if not math.isfinite(pattern):
        raise ValueError(f"{pattern} is no number")
    size = 2 * data_type.registers
    low = 0 if data_type.mask is None else (data_type.mask & -data_type.mask).bit_length() - 1
    if pattern != int(pattern) or not 0 <= int(pattern) << low < 1 << 8 * size:
        raise ValueError(f"{pattern} does not fit into {data_type.name}")
    field: int | float = struct.unpack(f">{data_type.code}", (int(pattern) << low).to_bytes(size, "big"))[0]
    return field


def _parsed(code: str) -> float:
    for read in (partial(int, base=0), float):
        try:
            return read(code)
        except ValueError:
            continue
    raise ValueError(
        f'{code!r} is no code: write a number, a pattern of the registers in quotes such as "0x8000", or one of '
        f"{', '.join(RULES)}"
    )
