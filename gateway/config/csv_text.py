"""Tags written as a table, for spreadsheets of either decimal sign; the counterpart of `tag_table`."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from gateway.config.table_values import ENTRIES
from gateway.config.tag_table import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_FIRST: Final = ("address", "type", "order", "unit")
"""What a technician looks at first; the other columns follow in the order of the models."""

BYTE_ORDER_MARK: Final = "\ufeff"
"""Excel takes a file without it for the code page of the machine."""


@dataclass(frozen=True)
class Style:
    """How a table is written."""

    separator: str = ","
    decimal_comma: bool = False
    line_end: str = "\r\n"


SEMICOLON: Final = Style(";", decimal_comma=True)
"""For a spreadsheet of a country with a decimal comma."""


def table_text(tags: Mapping[str, Mapping[str, Any]], keys: Sequence[str], style: Style) -> str:
    """All tags as a table: the names first, then a column for each key that a tag has, in the order of `keys`."""
    columns = [NAME, *sorted({column for tag in tags.values() for column in flat(tag)}, key=_order(keys))]
    rows = [{NAME: name, **flat(tag)} for name, tag in tags.items()]
    return row_text(columns, style) + "".join(
        row_text([row.get(column, "") for column in columns], style) for row in rows
    )


def row_text(values: Iterable[Any], style: Style) -> str:
    """One row with its line end."""
    written = StringIO()
    writer = csv.writer(written, delimiter=style.separator, lineterminator=style.line_end)
    writer.writerow([cell_text(value, decimal_comma=style.decimal_comma) for value in values])
    return written.getvalue()


def cell_text(value: Any, *, decimal_comma: bool) -> str:
    """A value as a cell says it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f" {ENTRIES} ".join(cell_text(entry, decimal_comma=decimal_comma) for entry in value)
    if isinstance(value, dict):
        pairs = (f"{key} = {cell_text(inner, decimal_comma=decimal_comma)}" for key, inner in value.items())
        return f" {ENTRIES} ".join(pairs)
    if isinstance(value, int | float):
        number = json.dumps(value)
        return number.replace(".", ",") if decimal_comma else number
    return str(value)


def flat(tag: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """The keys of a tag by column: `counter.rollover_at` for a key in a group; what no cell can say is left out."""
    columns: dict[str, Any] = {}
    for key, value in tag.items():
        if isinstance(value, dict) and not _is_plain(value):
            columns |= flat(value, f"{before}{key}.")
        elif not (isinstance(value, list) and any(isinstance(entry, list | dict) for entry in value)):
            columns[f"{before}{key}"] = value
    return columns


def _is_plain(value: Mapping[str, Any]) -> bool:
    """Whether a mapping has numbers for its keys, as the texts of an enumeration have."""
    return bool(value) and all(key.lstrip("-").isdigit() for key in map(str, value))


def _order(keys: Sequence[str]) -> Any:
    places = {key: place for place, key in enumerate(dict.fromkeys((*_FIRST, *keys)))}

    def order(column: str) -> tuple[int, str]:
        return places.get(column.partition(".")[0], len(places)), column

    return order
