"""Cells of a CSV text and their places."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.document import Place
from gateway.config.sheet import column_letters, read_sheet

CELLS = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=8) | st.sampled_from(
    ['a"b', "a;b", "a,b", 'x"', "a\nb", "a b"]
)


def texts_of(text: str) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in read_sheet(text, "t.csv").rows]


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=5), min_size=1, max_size=6),
    st.sampled_from([";", ",", "\t"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_the_standard_library_writes_is_read_back(rows: list[list[str]], separator: str, quoting: int) -> None:
    """Whatever stands in the cells, under any separator, quoted or not."""
    header = ["name", "address"]
    written = io.StringIO()
    csv.writer(written, delimiter=separator, quoting=quoting).writerows([header, *rows])  # type: ignore[arg-type]  # any of the constants
    expected = [row for row in [header, *([cell.strip() for cell in row] for row in rows)] if any(row)]
    assert texts_of(written.getvalue()) == expected


@given(st.text(st.sampled_from('a";,\t\r\n sep=#'), max_size=60))
def test_no_text_stops_the_reader(text: str) -> None:
    """Every character is in a cell or between cells; places stay inside the text."""
    sheet = read_sheet(text, "t.csv")
    lines = text.split("\n")
    for row in sheet.rows:
        for cell in row.cells:
            assert 1 <= cell.place.line <= len(lines)
            assert 1 <= cell.place.column <= len(lines[cell.place.line - 1]) + 1


def test_place_is_that_of_an_editor_and_of_a_spreadsheet() -> None:
    """Line and column count from 1; the cell keeps its number though a cell above holds a line end."""
    sheet = read_sheet('name,note\nspeed,"two\nlines"\nlevel,x\n', "t.csv")
    assert [row.cells[1].place for row in sheet.rows] == [
        Place(1, 6, "t.csv", "B1"),
        Place(2, 7, "t.csv", "B2"),
        Place(4, 7, "t.csv", "B3"),
    ]


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a;b,c;d\n", ";"),
        ("a,b;c,d\n", ","),
        ("a\tb\n", "\t"),
        ('"a;b;c",d\n', ","),
        ("a\n", ";"),
        ("sep=,\na;b\n", ","),
    ],
)
def test_separator_is_found(text: str, separator: str) -> None:
    """By what the first line says or holds most of, quotes aside."""
    assert read_sheet(text, "t.csv").separator == separator


def test_rows_know_where_they_stand_in_the_text() -> None:
    """So that one row can be replaced and all others stay as they are, byte for byte."""
    text = 'name,note\r\n\r\nspeed,"two\nlines"\nlevel,x'
    assert [text[row.begin : row.end] for row in read_sheet(text, "t.csv").rows] == [
        "name,note\r\n",
        'speed,"two\nlines"\n',
        "level,x",
    ]


def test_line_that_says_the_separator_is_no_row() -> None:
    """Excel writes and reads `sep=;`; the place of what follows counts on."""
    sheet = read_sheet("sep=;\r\nname;address\r\n", "t.csv")
    assert [[cell.text for cell in row.cells] for row in sheet.rows] == [["name", "address"]]
    assert sheet.rows[0].cells[1].place == Place(2, 6, "t.csv", "B1")


def test_open_quote_is_told_with_its_place() -> None:
    """The first quote that is never closed swallows the rest; where it opens is what a person must know."""
    assert read_sheet('name,note\nspeed,"open\nlevel,x\n', "t.csv").unclosed == Place(2, 7, "t.csv", "B2")
    assert read_sheet('name,note\nspeed,"closed"\n', "t.csv").unclosed is None


@pytest.mark.parametrize(
    ("column", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
)
def test_columns_are_named_as_in_a_spreadsheet(column: int, letters: str) -> None:
    """There is no zero: Z is followed by AA."""
    assert column_letters(column) == letters
