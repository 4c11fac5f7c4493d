"""What is wrong with the text of a formula, and in which column."""

from __future__ import annotations


class FormulaError(Exception):
    """A formula that cannot be used; the text is for a technician.

    Args:
        text: what is wrong.
        column: where, counted from 0 in the characters of the formula.
        hint: what to write instead.
    """

    def __init__(self, text: str, column: int, hint: str | None = None) -> None:
        super().__init__(text)
        self.column = column
        self.hint = hint
