"""From the text of a formula to Python's tree of it, or to the column where it stops making sense."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Final

from gateway.formula.error import FormulaError

MOST_CHARACTERS: Final = 500
"""A formula that is longer is two formulas."""

_UNREADABLE: Final = "the formula cannot be read from here on"

_HABITS: Final = (
    (re.compile(r"&&"), "write and"),
    (re.compile(r"\|\|"), "write or"),
    (re.compile(r"<>"), "write != for 'not equal'"),
    (re.compile(r"(?<![=<>!:])=(?!=)"), "to compare, write =="),
    (re.compile(r"!(?!=)"), "write not"),
    (re.compile(r"\?"), "write A if CONDITION else B"),
    (re.compile(r"\b(AND|OR|NOT|IF|ELSE)\b"), "write and, or, not, if, else in small letters"),
    (re.compile(r"\b(if|IF|then|THEN)\b"), "write A if CONDITION else B"),
)
"""What people write who know another language, and what to write here."""


def tree_of(text: str) -> ast.expr:
    """The tree of a formula; whatever stands in it, nothing is executed.

    Raises:
        FormulaError: the text is no expression at all.
    """
    if len(text) > MOST_CHARACTERS:
        raise FormulaError(f"a formula has at most {MOST_CHARACTERS} characters, this one {len(text)}", 0)
    strange = re.search(r"[#\\;`$]", text)
    if strange:
        raise FormulaError(f"{strange[0]!r} has no meaning in a formula", strange.start())
    return _parsed(_on_one_line(text))


def _on_one_line(text: str) -> str:
    """The text with each line end as a space: the place of a character in it is its column."""
    return re.sub(r"\s", " ", text)


def _parsed(text: str) -> ast.expr:
    indent = len(text) - len(text.lstrip())
    if indent == len(text):
        raise FormulaError("the formula is empty", 0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.lstrip(), mode="eval").body
    except SyntaxError as error:
        raise _unreadable(text, _column(text, indent, error.offset or 0)) from None
    except (ValueError, RecursionError, MemoryError):
        raise FormulaError("this is too deeply nested to be a formula", 0) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.keyword):
            node.col_offset = indent + _characters(text.lstrip(), node.col_offset)
    return tree


def _column(text: str, indent: int, offset: int) -> int:
    """The column of an offset counted from 1; 0 is how the parser says that the text ends too early."""
    return min(indent + offset, len(text)) - 1 if offset > 0 else len(text.rstrip()) - 1


def _unreadable(text: str, column: int) -> FormulaError:
    for habit, hint in _HABITS:
        match = habit.search(text)
        if match:
            return FormulaError(_UNREADABLE, match.start(), hint)
    opened, closed = text.count("("), text.count(")")
    brackets = f"brackets: {opened} opened, {closed} closed" if opened != closed else None
    return FormulaError(_UNREADABLE, column, brackets)


def _characters(text: str, byte_offset: int) -> int:
    """The tree counts columns in bytes of UTF-8."""
    return byte_offset if text.isascii() else len(text.encode()[:byte_offset].decode(errors="replace"))
