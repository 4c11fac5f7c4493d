"""What the text of one cell of a table means, by the type of the key that its column names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args, get_origin

from gateway.config.models import allowed_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

ENTRIES: Final = "|"
"""Stands between the entries of a list or mapping in one cell."""

_TRUE: Final = frozenset({"true", "wahr", "vrai", "vero", "waar", "verdadero", "verdadeiro"})
_FALSE: Final = frozenset({"false", "falsch", "faux", "falso", "onwaar"})
"""What spreadsheets write for a truth value, in the languages of their users."""

_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_POINT: Final = re.compile(r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?")
_COMMA: Final = re.compile(r"[-+]?[0-9]*,[0-9]+([eE][-+]?[0-9]+)?")
_THOUSANDS: Final = re.compile(r"[-+]?[1-9][0-9]{0,2}(\.[0-9]{3})+|[-+]?[1-9][0-9]{0,2}(,[0-9]{3})+")
_HEXADECIMAL: Final = re.compile(r"0[xX][0-9a-fA-F]{1,16}")


class CellValue(NamedTuple):
    """What a cell says."""

    value: object
    complaint: str | None = None
    """Why nobody can be sure what it says; None where it is clear."""


def value_of(text: str, model: type[BaseModel], steps: Sequence[str], *, decimal_comma: bool) -> CellValue:
    """The value of a cell whose column leads to the key at `steps` of the model.

    A text that does not fit is handed on as text: the model says what it wants instead.
    """
    return _value(text, allowed_at(model, list(steps)), decimal_comma=decimal_comma)


def _value(text: str, allowed: Sequence[Any], *, decimal_comma: bool) -> CellValue:
    wanted = {get_origin(one) or one for one in allowed}
    if list in wanted or tuple in wanted:
        inner = [
            part for one in allowed if get_origin(one) in {list, tuple} for part in get_args(one) if part is not ...
        ]
        return _list(text, inner, decimal_comma=decimal_comma)
    if dict in wanted and "=" in text:
        return _mapping(
            text, [get_args(one) for one in allowed if get_origin(one) is dict], decimal_comma=decimal_comma
        )
    if wanted & {int, float}:
        number = _number(text, decimal_comma=decimal_comma)
        if number is not None:
            return number
    if bool in wanted and text.lower() in _TRUE | _FALSE:
        return CellValue(text.lower() in _TRUE)
    return CellValue(_choice(text, allowed))


def _number(text: str, *, decimal_comma: bool) -> CellValue | None:
    if _INTEGER.fullmatch(text):
        return CellValue(int(text))
    if _HEXADECIMAL.fullmatch(text):
        return CellValue(int(text, 16))
    if decimal_comma and _THOUSANDS.fullmatch(text) and "," not in text:
        bare = text.replace(".", "")
        complaint = f"{text} is {bare} or {text.replace('.', ',')}, depending on who reads it: write one of these"
        return CellValue(text, complaint)
    if not decimal_comma and _THOUSANDS.fullmatch(text) and "." not in text:
        bare = text.replace(",", "")
        complaint = f"{text} is {bare} or {text.replace(',', '.')}, depending on who reads it: write one of these"
        return CellValue(text, complaint)
    if _POINT.fullmatch(text) or _COMMA.fullmatch(text):
        return CellValue(float(text.replace(",", ".")))
    return None


def _list(text: str, inner: Sequence[Any], *, decimal_comma: bool) -> CellValue:
    entries = [_value(part.strip(), inner, decimal_comma=decimal_comma) for part in text.split(ENTRIES)]
    return CellValue([entry.value for entry in entries], _first_complaint(entries))


def _mapping(text: str, kinds: Sequence[tuple[Any, ...]], *, decimal_comma: bool) -> CellValue:
    values = [kind[1] for kind in kinds]
    pairs = [part.partition("=") for part in text.split(ENTRIES)]
    read = {key.strip(): _value(value.strip(), values, decimal_comma=decimal_comma) for key, _, value in pairs}
    return CellValue({key: entry.value for key, entry in read.items()}, _first_complaint(list(read.values())))


def _first_complaint(entries: Sequence[CellValue]) -> str | None:
    return next((entry.complaint for entry in entries if entry.complaint), None)


def _choice(text: str, allowed: Sequence[Any]) -> object:
    """The choice that is written like the text, since a choice may be a number; else the text."""
    choices = [choice for one in allowed if get_origin(one) is Literal for choice in get_args(one)]
    return next((choice for choice in choices if str(choice) == text), text)
