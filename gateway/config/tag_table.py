"""Tags as a table, where a technician prefers a spreadsheet: a CSV file that a device names with `tags_file`.

The first row names the keys of a tag, with `name` for the tag's own name; each further row is one tag. A key of a group
is written with a point (`counter.rollover_at`), a list with `|` between its entries (`0 | 150`), a mapping likewise
(`0 = idle | 1 = running`). An empty cell says nothing. A row or a column whose first cell begins with `#` is a remark.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.config.document import Document, Node, Place
from gateway.config.models import keys_at
from gateway.config.problems import did_you_mean, quoted
from gateway.config.sheet import read_sheet
from gateway.config.table_values import value_of
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from gateway.config.document import Step
    from gateway.config.files import Source
    from gateway.config.problems import Problem
    from gateway.config.sheet import Cell, Row, Sheet

NAME: Final = "name"
"""The column with the names of the tags."""

REMARK: Final = "#"


class Column(NamedTuple):
    """One column of a table that says something of tags."""

    position: int
    steps: tuple[str, ...]
    """The key, or the way to a key inside a group."""


@dataclass
class TagTable:
    """What a table says."""

    sheet: Sheet
    columns: list[Column] = field(default_factory=list)
    """Those that say something of tags, the names' own among them."""
    width: int = 0
    """Columns, remarks among them."""
    tags: dict[str, Node] | None = None
    """By name; None where the table cannot be understood."""
    rows: dict[str, Row] = field(default_factory=dict)
    """The row of each tag."""
    problems: list[Problem] = field(default_factory=list)


def read_tags(source: Source, tag: type[BaseModel]) -> TagTable:
    """Read a table of tags whose keys are those of a driver's model of a tag. Nothing is raised."""
    return _Reader(source, tag).read()


class _Reader:
    """One table on its way to nodes. What is wrong with it becomes problems."""

    def __init__(self, source: Source, tag: type[BaseModel]) -> None:
        self._document = Document(source.name, None)
        self._tag = tag
        self._table = TagTable(read_sheet(source.text, source.name), problems=self._document.problems)
        self._doubtful = False
        """A column is not known; that a key is missing is no news."""

    def read(self) -> TagTable:
        """The tags of all rows that have a name of their own."""
        sheet = self._table.sheet
        rows = [row for row in sheet.rows if not row.cells[0].text.startswith(REMARK)]
        if sheet.unclosed is not None:
            self._tell(sheet.unclosed, "the quote that opens here is never closed", code=Code.TABLE)
        elif not rows:
            self._tell(Place(1, 1), "this table has no row with the names of its columns", code=Code.TABLE)
        elif self._read_columns(rows[0].cells):
            self._read_rows(rows[1:])
        return self._table

    def _read_columns(self, header: Sequence[Cell]) -> bool:
        columns: dict[tuple[str, ...], int] = {}
        for position, cell in enumerate(header):
            steps = tuple(part.strip() for part in cell.text.split("."))
            if not cell.text or cell.text.startswith(REMARK):
                continue
            if steps in columns:
                self._tell(cell.place, f"the column {quoted(cell.text)} stands twice", code=Code.TABLE_COLUMN)
            elif self._is_known(cell, steps):
                columns[steps] = position
        if (NAME,) not in columns:
            self._tell(
                header[0].place, "the column 'name' is missing; the first row names the columns", code=Code.TABLE_COLUMN
            )
            return False
        self._table.width = len(header)
        self._table.columns = [Column(position, steps) for steps, position in columns.items()]
        return True

    def _is_known(self, cell: Cell, steps: tuple[str, ...]) -> bool:
        keys = [NAME, *keys_at(self._tag, ())]
        if steps[0] in keys:
            return True
        self._tell(cell.place, f"unknown column {quoted(cell.text)}", did_you_mean(steps[0], keys), Code.TABLE_COLUMN)
        self._doubtful = True
        return False

    def _read_rows(self, rows: Sequence[Row]) -> None:
        tags: dict[str, Node] = {}
        for row in rows:
            name, tag = self._read_row(row.cells)
            if name is None:
                self._tell(tag.place, "this row has no name for its tag", code=Code.TABLE_ROW)
            elif name.text in tags:
                first = tags[name.text].place.cell
                self._tell(
                    name.place, f"the tag {quoted(name.text)} stands twice, first in cell {first}", code=Code.TABLE_ROW
                )
            else:
                tag.place = tag.key_place = name.place
                tags[name.text] = tag
                self._table.rows[name.text] = row
        self._table.tags = tags

    def _read_row(self, cells: Sequence[Cell]) -> tuple[Cell | None, Node]:
        """The cell with the tag's name, None where it is empty, and what the row says."""
        tag = Node({}, cells[0].place, cells[0].place, doubtful=self._doubtful)
        name = None
        for position, steps in self._table.columns:
            cell = cells[position] if position < len(cells) else None
            if cell is None or not cell.text:
                continue
            if steps == (NAME,):
                name = cell
            else:
                self._put(tag, steps, cell)
        return name, tag

    def _put(self, tag: Node, steps: tuple[str, ...], cell: Cell) -> None:
        node = tag
        for step in steps[:-1]:
            node = _child(node, step, Node({}, cell.place, cell.place))
        value = value_of(cell.text, self._tag, steps, decimal_comma=self._table.sheet.separator != ",")
        if value.complaint:
            self._tell(cell.place, f"{steps[-1]}: {value.complaint}", code=Code.TABLE_NUMBER)
        leaf = _node(value.value, cell.place)
        leaf.refused = value.complaint is not None
        _child(node, steps[-1], leaf)

    def _tell(self, place: Place, text: str, hint: str | None = None, code: str = Code.TABLE) -> None:
        self._document.problems.append(self._document.problem(place, text, hint, code))


def _child(parent: Node, step: Step, child: Node) -> Node:
    """The child at this step; the given one where there is none yet."""
    assert isinstance(parent.value, dict)
    if step not in parent.children:
        parent.children[step] = child
        parent.value[step] = child.value
    return parent.children[step]


def _node(value: object, place: Place) -> Node:
    node = Node(value, place, place)
    pairs = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    node.children = {step: _node(inner, place) for step, inner in pairs}
    return node
