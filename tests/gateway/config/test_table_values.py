"""The text of a cell and what it means."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from gateway.config.table_values import value_of
from gateway.connection import Strict


class Group(Strict):
    """A group inside a tag."""

    width_bits: int = 16


class Tag(Strict):
    """One key of each kind."""

    text: str | None = None
    number: float | None = Field(None, gt=0)
    whole: int = 0
    switch: bool = False
    limits: list[float] | None = None
    choice: Literal["a", "b", 3] = "a"
    texts: dict[str, str] | None = None
    group: Group = Group()


def value(text: str, *steps: str, comma: bool = False) -> object:
    read = value_of(text, Tag, steps, decimal_comma=comma)
    assert read.complaint is None, read.complaint
    return read.value


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("1", "text", "1"),
        ("0.1", "number", 0.1),
        ("-2.5e3", "number", -2500.0),
        ("12", "whole", 12),
        ("0x8000", "whole", 0x8000),
        ("abc", "whole", "abc"),
        ("TRUE", "switch", True),
        ("FALSCH", "switch", False),
        ("vrai", "switch", True),
        ("1", "switch", "1"),
        ("0 | 150.5", "limits", [0, 150.5]),
        ("7", "limits", [7]),
        ("0 | x", "limits", [0, "x"]),
        ("b", "choice", "b"),
        ("3", "choice", 3),
        ("c", "choice", "c"),
        ("0 = idle | 1 = running", "texts", {"0": "idle", "1": "running"}),
        ("idle", "texts", "idle"),
        ("12.5", "unknown", "12.5"),
    ],
)
def test_meaning_follows_the_type_of_the_key(text: str, key: str, expected: object) -> None:
    """What does not fit stays text, and the model says what it wants."""
    read = value(text, key)
    assert read == expected
    assert type(read) is type(expected)


def test_key_in_a_group_has_its_own_type() -> None:
    """`group.width_bits` is a number."""
    assert value("32", "group", "width_bits") == 32


@pytest.mark.parametrize(("text", "expected"), [("0,1", 0.1), ("-12,75", -12.75), (",5", 0.5), ("0,125", 0.125)])
def test_decimal_comma_is_a_point(text: str, expected: float) -> None:
    """In a table of a country that writes it so."""
    assert value(text, "number", comma=True) == expected


@pytest.mark.parametrize(("text", "comma"), [("1.250", True), ("12.345.678", True), ("1,250", False)])
def test_number_that_may_hold_thousands_is_refused(text: str, *, comma: bool) -> None:
    """1.250 is one and a quarter to one reader and 1250 to another; a factor of 1000 is not guessed."""
    read = value_of(text, Tag, ("number",), decimal_comma=comma)
    assert read.complaint is not None
    assert "depending on who reads it" in read.complaint


def test_doubt_inside_a_list_or_mapping_is_told() -> None:
    """An entry that may mean two things is no better inside a list."""
    assert value_of("0 | 1.250", Tag, ("limits",), decimal_comma=True).complaint is not None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_that_python_writes_is_read(number: float) -> None:
    """The shortest text of a float comes back as the same float."""
    read = value_of(repr(number), Tag, ("number",), decimal_comma=False)
    assert read.value == number


@given(
    text=st.text(max_size=30),
    key=st.sampled_from(["text", "number", "switch", "limits", "choice", "texts"]),
    comma=st.booleans(),
)
def test_no_text_stops_the_reading(text: str, key: str, *, comma: bool) -> None:
    """Any text is a value or a complaint."""
    read = value_of(text, Tag, (key,), decimal_comma=comma)
    assert read.value is not None
    assert read.complaint is None or "depending on who reads it" in read.complaint
