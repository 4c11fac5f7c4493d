"""What a word without quotes in a file means: true, false, a number, or text.

YAML 1.1 turns `no` into false, `08` into text, `0x10` into 16, `12:30` into 750 and `1_000` into 1000. Whoever wrote
that seldom meant it, so here each of them is refused with the reason. What is in quotes is always text.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Final, NamedTuple

from gateway.config.problems import quoted


class Resolved(NamedTuple):
    """What a plain scalar stands for."""

    value: bool | int | float | str | None
    complaint: str | None = None
    """Why it is refused, and what to write instead; None where it is fine."""


_MOST_DIGITS = 19
"""A 64-bit integer has at most so many decimal digits."""

_NULL = frozenset({"~", "null", "Null", "NULL"})
_SWITCH = re.compile(r"yes|no|on|off|true|false", re.IGNORECASE)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
_NUMBER_LIKE = re.compile(r"[-+.]?[0-9]")

_LOOK_ALIKES: Final = (
    (
        re.compile(r"[-+]?0[0-9]+"),
        "begins with 0, which some programs read as octal: write it without the 0, or quote it",
    ),
    (re.compile(r"[-+]?0[xX][0-9a-fA-F_]+"), "is a hexadecimal number: write it in decimal, or quote it"),
    (re.compile(r"[-+]?0[oO][0-7_]+"), "is an octal number: write it in decimal, or quote it"),
    (re.compile(r"[-+]?0[bB][01_]+"), "is a binary number: write it in decimal, or quote it"),
    (re.compile(r"[-+]?[0-9][0-9_]*_[0-9_.]*"), "has _ between its digits: write the digits only, or quote it"),
    (
        re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?"),
        "is a time or a number to base 60, depending on who reads it: quote it",
    ),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?"), "is a date: quote it"),
)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE)
_STRANGE_QUOTE = re.compile(r"[\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb]")
_STRANGE_SPACE = re.compile(r"[\u00a0\u2000-\u200b\u202f\u2060\u3000]")


@lru_cache(maxsize=1024)
def resolve(text: str) -> Resolved:
    """The meaning of a word without quotes, with a complaint where people and programs disagree about it."""
    if not text or text in _NULL:
        return Resolved(None, "has no value")
    if text in {"true", "false"}:
        return Resolved(text == "true")
    if _SWITCH.fullmatch(text):
        return Resolved(text, f"{quoted(text)} is true or false or text, depending on who reads it: {_advice(text)}")
    if _NUMBER_LIKE.match(text) or _NOT_FINITE.fullmatch(text):
        return _number_like(text)
    return Resolved(text) if text.isascii() else Resolved(text, _strange_character(text))


def is_text(text: str) -> bool:
    """Whether a word without quotes is text, and nothing else, to everybody."""
    resolved = resolve(text)
    return isinstance(resolved.value, str) and resolved.complaint is None


def _advice(switch: str) -> str:
    known = {"true": "write true", "false": "write false"}
    return f"{known.get(switch.lower(), 'write true or false')}, or quote it"


def _number_like(text: str) -> Resolved:
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _float(text)
    if _NOT_FINITE.fullmatch(text):
        return Resolved(text, f"{quoted(text)} is not a number that can be used")
    for pattern, complaint in _LOOK_ALIKES:
        if pattern.fullmatch(text):
            return Resolved(text, f"{quoted(text)} {complaint}")
    return Resolved(text)


def _integer(text: str) -> Resolved:
    if len(text.lstrip("+-")) > _MOST_DIGITS:
        return Resolved(text, f"{quoted(text)} is a number too long to be used: quote it if it is text")
    return Resolved(int(text))


def _float(text: str) -> Resolved:
    number = float(text)
    return Resolved(number) if math.isfinite(number) else Resolved(text, f"{quoted(text)} is too large a number")


def _strange_character(text: str) -> str | None:
    if _STRANGE_QUOTE.match(text):
        return f'{quoted(text)} begins with a typographic quote: write "'
    if _STRANGE_SPACE.search(text):
        return f"{quoted(text)} holds a space that is not a plain space: type it again"
    return None
