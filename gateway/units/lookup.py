"""Units as people write them: what they are called by others, and how they convert."""

from __future__ import annotations

from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple
from unicodedata import normalize

from gateway.units.table import TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_CODE: Final = "-"
_OTHER_SIGNS: Final = str.maketrans({"μ": "u", "Ω": "Ohm", "²": "2", "³": "3"} | dict.fromkeys(" ·⋅*^", ""))


class Unit(NamedTuple):
    """One unit of the table."""

    name: str
    """As the table spells it first."""
    ucum: str | None
    """Unified Code for Units of Measure, case sensitive (ucum.org)."""
    rec20: str | None
    """Common code of UN/ECE Recommendation 20, which OPC UA uses too (Part 8, EUInformation)."""
    quantity: str
    factor: Fraction | None
    """Times this, plus `offset`, is the value in the first unit of the quantity; None where no fraction is exact."""
    offset: Fraction


class Conversion(NamedTuple):
    """New value = old value * slope + intercept, exactly."""

    slope: Fraction
    intercept: Fraction


class ConversionError(ValueError):
    """A unit cannot be converted into another. The text is for a technician."""


def find_unit(text: str) -> Unit | None:
    """The unit that somebody wrote; None where the table has none."""
    return _units().get(_spelled(text))


def nearest_unit(text: str) -> str | None:
    """A known spelling near to one that is not known."""
    spelled = _spelled(text)
    alike = [known for known in _units() if known.lower() == spelled.lower()]
    near = alike or get_close_matches(spelled, list(_units()), n=1)
    return near[0] if near else None


def conversion(source: str, target: str) -> Conversion:
    """How values in one unit become values in another.

    Raises:
        ConversionError: one of them is not known, or they measure different quantities.
    """
    old, new = _known(source), _known(target)
    if old.quantity != new.quantity:
        raise ConversionError(f"{source} is a unit of {old.quantity} and {target} one of {new.quantity}")
    if old.factor is None or new.factor is None:
        raise ConversionError(f"{source} and {target} do not convert by whole numbers: use `scale`")
    return Conversion(old.factor / new.factor, (old.offset - new.offset) / new.factor)


def _known(text: str) -> Unit:
    unit = find_unit(text)
    if unit is None:
        near = nearest_unit(text)
        raise ConversionError(f"the unit {text!r} is not known" + (f", did you mean {near!r}?" if near else ""))
    return unit


def _spelled(text: str) -> str:
    """NFKC makes one of the two micro signs, of the two ohm signs, and of raised and plain digits."""
    return normalize("NFKC", text).translate(_OTHER_SIGNS)


@cache
def _units() -> Mapping[str, Unit]:
    """All units by each of their spellings."""
    return {spelling: unit for line in TABLE.strip().splitlines() for spelling, unit in _of_line(line)}


def _of_line(line: str) -> list[tuple[str, Unit]]:
    spellings, ucum, rec20, quantity, factor, *offset = (field.strip() for field in line.split("|"))
    names = spellings.split()
    unit = Unit(
        names[0],
        _code(ucum),
        _code(rec20),
        quantity,
        None if factor == _NO_CODE else _fraction(factor),
        _fraction(offset[0]) if offset else Fraction(0),
    )
    return [(name, unit) for name in names]


def _code(text: str) -> str | None:
    return None if text == _NO_CODE else text


def _fraction(text: str) -> Fraction:
    numerator, _, denominator = text.partition("/")
    return Fraction(numerator) / Fraction(denominator or "1")
