"""What waits on disk, in forms that other programs read."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Final

from gateway.model import Notice, columns_of, iso_time
from gateway.numbers import shortest_float32
from gateway.publish.columns import SINGLE_TYPES
from gateway.publish.json import JsonEncoder
from gateway.publish.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TextIO

    from gateway.model import Cell, Tag
    from gateway.outbox.entry import Entry

COLUMNS: Final = ("time", "clock", "device", "tag", "value", "unit", "quality", "run", "seq", "plan")
"""Of the table."""

_UNLIMITED: Final = 2**31


def write_json_lines(entries: Iterable[Entry], out: TextIO) -> int:
    """Each entry as it would be published, one a line. Returns how many."""
    encoder = JsonEncoder(Topics([], "export"))
    count = 0
    for entry in entries:
        out.writelines(message.payload.decode() + "\n" for message in encoder.encode(entry, _UNLIMITED))
        count += 1
    return count


def write_table(entries: Iterable[Entry], out: TextIO) -> int:
    """CSV (RFC 4180), a row a value; records of the gateway have their topic as tag and their body as value.

    Returns how many entries there were.
    """
    table = csv.writer(out)
    table.writerow(COLUMNS)
    count = 0
    for entry in entries:
        table.writerows(_rows(entry))
        count += 1
    return count


FORMATS: Final[dict[str, Callable[[Iterable[Entry], TextIO], int]]] = {"jsonl": write_json_lines, "csv": write_table}


def _rows(entry: Entry) -> list[tuple[str | int | float, ...]]:
    item = entry.item
    when = iso_time(item.stamp.time), item.stamp.clock.value, entry.device
    name = entry.run, entry.seq
    if isinstance(item, Notice):
        return [(*when, item.topic, json.dumps(dict(item.body)), "", "good", *name, "")]
    return [
        (*when, tag.name, _text(tag, value), tag.unit or "", quality.value, *name, item.plan.id)
        for tag, value, quality in columns_of(item)
    ]


def _text(tag: Tag, value: Cell) -> str | int | float:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and tag.type in SINGLE_TYPES and not tag.scaled:
        return shortest_float32(value)
    return value if isinstance(value, (str, int, float)) else ""
