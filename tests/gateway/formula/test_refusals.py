"""What is no formula is refused, at its column; nothing that a text says is ever done."""

from __future__ import annotations

import keyword
import math
import sys
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.formula.error import FormulaError
from gateway.formula.formula import Formula
from gateway.formula.functions import NAMES
from gateway.formula.reader import MOST_LEVELS, MOST_NODES
from gateway.formula.text import MOST_CHARACTERS

INPUTS = ("t", "u")

REFUSED = [
    ("t.real", 0, "a '.' behind a name cannot stand in a formula"),
    ("1 + t.__class__.__mro__", 4, "a '.' behind a name cannot stand in a formula"),
    ("t[0]", 0, "a [ cannot stand in a formula"),
    ("open('x')", 0, "'open' is neither an input nor a function"),
    ("1 + __import__('os')", 4, "'__import__' is neither an input nor a function"),
    ("u + t()", 4, "'t' is an input and no function"),
    ("(lambda: 1)()", 1, "a function definition cannot stand in a formula"),
    ("lambda: t", 0, "a function definition cannot stand in a formula"),
    ("[t for t in u]", 0, "a loop cannot stand in a formula"),
    ("{t for t in u}", 0, "a loop cannot stand in a formula"),
    ("{t: t for t in u}", 0, "a loop cannot stand in a formula"),
    ("max(t for t in u)", 0, "this function is written max(a, b, ...)"),
    ("[t]", 0, "a list cannot stand in a formula"),
    ("{t}", 0, "a list cannot stand in a formula"),
    ("{}", 0, "a list cannot stand in a formula"),
    ("(t, u)", 0, "a ',' outside of a function cannot stand in a formula"),
    ("f'{t}'", 0, "a formatted text cannot stand in a formula"),
    ("t + (u := 1)", 5, "an assignment cannot stand in a formula"),
    ("max(*t, u)", 4, "a * before a name cannot stand in a formula"),
    ("max(t, u, **u)", 0, "this function is written max(a, b, ...)"),
    ("'a' * 9", 0, "a text cannot stand here"),
    ("t + 'a'", 4, "a text cannot stand here"),
    ("'a' == 'a'", 0, "a text cannot stand here"),
    ("t < 'a'", 4, "a text cannot stand here"),
    ("t == u == 'a'", 10, "a text cannot stand here"),
    ("b'a' == t", 0, "this cannot stand in a formula"),
    ("None == t", 0, "this cannot stand in a formula"),
    ("... if t else u", 0, "this cannot stand in a formula"),
    ("2j * t", 0, "this cannot stand in a formula"),
    ("t ** u", 5, "the exponent must be a number from -10 to 10"),
    ("t ** 11", 5, "the exponent must be a number from -10 to 10"),
    ("t ** -11", 5, "the exponent must be a number from -10 to 10"),
    ("t ** 2 ** 3", 5, "the exponent must be a number from -10 to 10"),
    ("t ** True", 5, "the exponent must be a number from -10 to 10"),
    ("9223372036854775808 + t", 0, "this number is too large"),
    ("t + 1e309", 4, "this number is too large"),
    ("t ^ u", 4, "'^' has no meaning in a formula"),
    ("t & u", 4, "'&' has no meaning in a formula"),
    ("t << u", 5, "'<<' has no meaning in a formula"),
    ("~t", 0, "'~' has no meaning in a formula"),
    ("t is u", 5, "'is' has no meaning in a formula"),
    ("t < u in t", 9, "'in' has no meaning in a formula"),
    ("x + t", 0, "'x' is neither an input nor a function"),
    ("t + min", 4, "the function 'min' needs its argument in brackets"),
    ("min(t)", 0, "this function is written min(a, b, ...)"),
    ("round(t, u)", 9, "decimals must be a whole number from 0 to 15"),
    ("round(t, ndigits=1)", 0, "this function is written round(x) or round(x, decimals)"),
    ("integral(t)", 0, 'this function is written integral(x, per="h")'),
    ("integral(t, 'h')", 0, 'this function is written integral(x, per="h")'),
    ("integral(t, per=u)", 16, 'per must be one of "s", "min", "h", "d"'),
    ("integral(t, per='h', per='d')", 0, 'this function is written integral(x, per="h")'),
    ("moving_average(t, -1)", 18, "seconds must be a number above 0 to 86400"),
    ("moving_average(t, True)", 18, "seconds must be a number above 0 to 86400"),
    ("moving_average(t, 1, seconds=1)", 0, "this function is written moving_average(x, seconds)"),
    ("previous(*t)", 0, "this function is written previous(x)"),
    ("", 0, "the formula is empty"),
    (" \n ", 0, "the formula is empty"),
    ("t +", 2, "the formula cannot be read from here on"),
    ("t # u", 2, "'#' has no meaning in a formula"),
    ("t\\\n+u", 1, "'\\\\' has no meaning in a formula"),
    ("é + x", 0, "'é' is neither an input nor a function"),
    ("'é' == t and x", 13, "'x' is neither an input nor a function"),
    ("t == 'a' or t > 1", 12, "'t' is used as a text and as a number"),
]


@pytest.mark.parametrize(("text", "column", "told"), REFUSED)
def test_each_refusal_names_its_column(text: str, column: int, told: str) -> None:
    """A technician is led to the character, counted from 0 in the formula itself."""
    with pytest.raises(FormulaError) as caught:
        Formula(text, INPUTS)
    assert (caught.value.column, str(caught.value)) == (column, told)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("t = u", "to compare, write =="),
        ("t && u", "write and"),
        ("t || u", "write or"),
        ("!t", "write not"),
        ("t <> u", "write != for 'not equal'"),
        ("t ? u : 1", "write A if CONDITION else B"),
        ("t AND u", "write and, or, not, if, else in small letters"),
        ("1,5 * t", "a decimal number is written with a point"),
        ("t ^ 2", "a power is written x ** 2"),
        ("(t + u", "brackets: 1 opened, 0 closed"),
        ("tt + u", "did you mean 't'?"),
    ],
)
def test_habits_from_other_languages_are_answered(text: str, hint: str) -> None:
    """Structured text, C and spreadsheets write it differently; the message says how it is written here."""
    with pytest.raises(FormulaError) as caught:
        Formula(text, INPUTS)
    assert caught.value.hint == hint


def test_size_and_depth_are_bounded() -> None:
    """The cost of a formula has a bound that is seen in its text."""
    Formula("+".join("t" * (MOST_LEVELS - 1)), INPUTS)
    for text in ["+".join("t" * (MOST_LEVELS + 1)), "-" * MOST_LEVELS + "t", f"max({','.join('t' * 17)})"]:
        with pytest.raises(FormulaError):
            Formula(text, INPUTS)
    with pytest.raises(FormulaError, match="too large from here on"):
        Formula("+".join(f"max({','.join('t' * 16)})" for _ in range(13)), INPUTS)
    assert MOST_NODES < 13 * 17
    with pytest.raises(FormulaError, match="at most 500 characters"):
        Formula("t" * (MOST_CHARACTERS + 1), INPUTS)


@pytest.mark.parametrize(
    "opening", ["(", "[", "{", "-", "not ", "lambda:", "t if t else ", "f(", "t.", "t[", "~", "t**"]
)
def test_deep_nesting_of_any_kind_is_refused(opening: str) -> None:
    """The parser's own limits are far above what the length of a formula lets in, and come out as its errors."""
    with pytest.raises(FormulaError):
        Formula((opening * MOST_CHARACTERS)[: MOST_CHARACTERS - 1] + "t", INPUTS)


@pytest.mark.parametrize("limit", [RecursionError, MemoryError, ValueError])
def test_limits_of_the_parser_itself_come_out_as_errors(
    limit: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Releases of Python differ in where theirs are."""

    def full(*_: object, **__: object) -> None:
        raise limit

    monkeypatch.setattr("gateway.formula.text.ast.parse", full)
    with pytest.raises(FormulaError, match="too deeply nested"):
        Formula("t + 1", INPUTS)


class Watched:
    """Notes what Python is asked to do while it is on; a hook cannot be taken out again, so it is switched off."""

    events: Final[set[str]] = set()
    on = False

    @classmethod
    def hook(cls, event: str, _arguments: object) -> None:
        if cls.on:
            cls.events.add(event)


sys.addaudithook(Watched.hook)

HARMLESS = {"compile", "object.__getattr__", "sys._getframe"}
"""`compile` is how the tree is made (with the flag for a tree alone); hypothesis looks at frames."""

SIGNS = [*"+-*/%()[]{}<>=!.,:;@~^&|\"'\\ \n\t", "**", "//", "==", ":=", "0", "1", "9e9", "f'", "0x", "1_0", "é", "\0"]
WORDS = [
    "__import__",
    "eval",
    "exec",
    "open",
    "os",
    ".system",
    "__class__",
    "globals",
    "import os",
    "print(1)",
    "9" * 30,
]

PIECES = st.sampled_from([*INPUTS, *NAMES, *keyword.kwlist, *SIGNS, *WORDS])


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60))
@example("__import__('os').system('true')")
@example("().__class__.__base__.__subclasses__()")
@example("eval('1') if t else exec('1')")
def test_no_text_does_anything_but_arithmetic(text: str) -> None:
    """Any text is refused with a column inside it, or is worked out without Python being asked to do anything."""
    Watched.events.clear()
    Watched.on = True
    try:
        _tried(text)
    finally:
        Watched.on = False
    assert Watched.events <= HARMLESS


def _tried(text: str) -> None:
    try:
        formula = Formula(text, INPUTS)
    except FormulaError as error:
        column = error.column
    else:
        column = 0
        _worked_out(formula)
    assert 0 <= column <= len(text)


def _worked_out(formula: Formula) -> None:
    memory = formula.memory()
    for values in ([1.5, 2], [0, -1e300], [True, 2**63]):
        try:
            result = formula.work_out(values, memory, 0)
        except (ArithmeticError, ValueError):
            continue
        assert isinstance(result, int | float)
        assert math.isfinite(result)
