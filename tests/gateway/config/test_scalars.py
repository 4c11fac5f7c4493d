"""What words without quotes mean."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.scalars import is_text, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("40021", 40021),
        ("9223372036854775807", 9223372036854775807),
        ("0.5", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("-2.50", -2.5),
        ("1e3", 1000.0),
        ("1E3", 1000.0),
        ("1.5e-3", 0.0015),
    ],
)
def test_values_that_everybody_reads_alike_are_taken(text: str, value: object) -> None:
    """Numbers and truth values in their plain form need no quotes."""
    resolved = resolve(text)
    assert resolved.complaint is None
    assert (type(resolved.value), resolved.value) == (type(value), value)


@pytest.mark.parametrize(
    "text",
    ["holding:100", "coil:12", "°C", "r/min", "press-12", "10LAB20CT001", "1.2.3.4", "3.1.1", "GPIO17", "y", "n", "e3"],
)
def test_text_that_looks_like_nothing_else_needs_no_quotes(text: str) -> None:
    """Addresses, units and names are written as they are."""
    assert resolve(text) == (text, None)
    assert is_text(text)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("no", "write true or false, or quote it"),
        ("Yes", "write true or false, or quote it"),
        ("on", "write true or false, or quote it"),
        ("OFF", "write true or false, or quote it"),
        ("True", "write true, or quote it"),
        ("FALSE", "write false, or quote it"),
        ("08", "write it without the 0, or quote it"),
        ("-007", "write it without the 0, or quote it"),
        ("0x1F", "write it in decimal, or quote it"),
        ("0o17", "write it in decimal, or quote it"),
        ("0b11", "write it in decimal, or quote it"),
        ("1_000", "write the digits only, or quote it"),
        ("12:30", "quote it"),
        ("1:30:00", "quote it"),
        ("2026-11-24", "quote it"),
        ("99999999999999999999", "quote it if it is text"),
        ("1e999", "is too large a number"),
        (".inf", "is not a number that can be used"),
        ("-.INF", "is not a number that can be used"),
        (".NaN", "is not a number that can be used"),
    ],
)
def test_words_read_in_two_ways_are_refused_with_advice(text: str, advice: str) -> None:
    """Whoever wrote it learns why, and what to write."""
    value, complaint = resolve(text)
    assert value == text
    assert complaint is not None
    assert complaint.startswith(f"'{text}' ")
    assert complaint.endswith(advice)
    assert not is_text(text)


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_no_value(text: str) -> None:
    """An empty place is told as such."""
    assert resolve(text) == (None, "has no value")


@pytest.mark.parametrize(
    "text", ["\u201canalog\u201d", "\u201eanalog\u201c", "\u2018analog\u2019", "\u00abanalog\u00bb"]
)
def test_typographic_quotes_are_found(text: str) -> None:
    """A value pasted from a manual says why it does not work."""
    assert "typographic quote" in (resolve(text).complaint or "")


@pytest.mark.parametrize("space", ["\u00a0", "\u202f", "\u200b"])
def test_spaces_that_are_none_are_found(space: str) -> None:
    """A space pasted from a web page is invisible to the eye, not to the check."""
    assert "not a plain space" in (resolve(f"ana{space}log").complaint or "")


def test_number_of_absurd_length_is_refused() -> None:
    """Python refuses to convert more than 4300 digits; the check does not try."""
    assert resolve("9" * 5000).complaint is not None
    assert resolve("1" + "0" * 400 + ".5").complaint is not None


@given(st.text(max_size=30))
def test_accepted_words_mean_the_same_to_every_yaml_program(text: str) -> None:
    """What is not refused is read the same by the usual loader of PyYAML, so other tools agree with this one."""
    value, complaint = resolve(text)
    try:
        theirs = yaml.safe_load(f"- {text}")
    except (yaml.YAMLError, ValueError):
        return
    if complaint is None and isinstance(theirs, list) and isinstance(theirs[0], bool | int) and text.strip() == text:
        assert theirs == [value]


@given(st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back_as_they_were_written(number: float) -> None:
    """Every number as Python prints it is taken, and keeps its value."""
    assert resolve(repr(number)) == (number, None)
