"""The cells of a CSV file and where each stands, whatever program and language settings wrote it.

RFC 4180 says comma, double quotes and doubled quotes inside. A spreadsheet set to a language with a decimal comma
writes semicolons instead; some write tabs; Excel may say which in a first line `sep=;`. All of them are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.config.document import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEPARATORS: Final = (";", "\t", ",")
"""The likelier first, where a header line holds as many of one as of another."""

_SAYS_SEPARATOR: Final = "sep="


class Cell(NamedTuple):
    """One cell, without the quotes and spaces around it."""

    text: str
    place: Place


class Row(NamedTuple):
    """One row that holds anything, as long as it is written."""

    cells: list[Cell]
    begin: int
    """Index of its first character in the text."""
    end: int
    """Index behind its line end."""


@dataclass(frozen=True)
class Sheet:
    """The rows of a table that hold anything."""

    rows: list[Row]
    separator: str
    unclosed: Place | None = None
    """Where a quote opens that is never closed; the rest of the text is in its cell."""


def read_sheet(text: str, file: str) -> Sheet:
    """The rows and cells of a CSV text. Empty rows are left out; nothing is raised."""
    reader = _Reader(text, file)
    rows = [row for row in reader.rows() if any(cell.text for cell in row.cells)]
    return Sheet(rows, reader.separator, reader.unclosed)


def column_letters(column: int) -> str:
    """The name of a column in a spreadsheet: A for 0, Z for 25, AA for 26."""
    letters = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


class _Reader:
    """Walks over the text once, counting lines, columns and rows."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._at = 0
        self._line = 1
        self._line_begin = 0
        self.separator = self._find_separator()
        self.unclosed: Place | None = None

    def rows(self) -> Iterator[Row]:
        """Row by row to the end of the text. The row's number is that of the spreadsheet."""
        number = 0
        while self._at < len(self._text):
            number += 1
            begin = self._at
            cells = list(self._row(number))
            yield Row(cells, begin, min(self._at, len(self._text)))

    def _find_separator(self) -> str:
        first, _, _ = self._text.partition("\n")
        said = first.strip("\r\n\"'")
        if said.lower().startswith(_SAYS_SEPARATOR) and len(said) == len(_SAYS_SEPARATOR) + 1:
            self._step_over_line()
            return said[-1]
        outside_quotes = "".join(first.split('"')[::2])
        return max(_SEPARATORS, key=outside_quotes.count)

    def _step_over_line(self) -> None:
        end = self._text.find("\n")
        self._at = len(self._text) if end < 0 else end + 1
        self._line, self._line_begin = 2, self._at

    def _row(self, number: int) -> Iterator[Cell]:
        column = 0
        while True:
            place = Place(self._line, self._at - self._line_begin + 1, self._file, f"{column_letters(column)}{number}")
            yield Cell(self._cell(place), place)
            if self._next() != self.separator:
                self._end_line()
                return
            self._at += 1
            column += 1

    def _cell(self, place: Place) -> str:
        end = self._end_of_plain()
        if self._text[self._at : end].lstrip().startswith('"'):
            return self._quoted(place)
        text = self._text[self._at : end]
        self._at = end
        return text.strip()

    def _quoted(self, place: Place) -> str:
        self._at = self._text.index('"', self._at) + 1
        parts = []
        while True:
            end = self._text.find('"', self._at)
            if end < 0:
                self.unclosed = place
                end = len(self._text)
            parts.append(self._text[self._at : end])
            self._count_lines(self._at, end)
            self._at = min(end + 1, len(self._text))
            if self._next() != '"':
                break
            parts.append('"')
            self._at += 1
        rest = self._end_of_plain()
        parts.append(self._text[self._at : rest].strip())
        self._at = rest
        return "".join(parts).strip()

    def _count_lines(self, begin: int, end: int) -> None:
        lines = self._text.count("\n", begin, end)
        if lines:
            self._line += lines
            self._line_begin = self._text.rindex("\n", begin, end) + 1

    def _end_of_plain(self) -> int:
        ends = (self._text.find(sign, self._at) for sign in (self.separator, "\n"))
        return min((end for end in ends if end >= 0), default=len(self._text))

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _end_line(self) -> None:
        self._at += 1
        self._line += 1
        self._line_begin = self._at
