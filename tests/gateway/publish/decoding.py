"""Messages turned back into rows, whichever way they were laid out: for tests that compare with what went in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.model import ABSENT, Quality, iso_time
from tests.gateway.publish import schemas

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model import Batch, Cell
    from gateway.outbox.entry import Entry
    from gateway.publish.message import Message

Name = tuple[str, str, int]


@dataclass(frozen=True)
class Row:
    """One tag of one batch, as a consumer knows it."""

    value: Any
    quality: str
    time: str
    history: bool
    fresh: bool


Rows = dict[tuple[Name, str], Row]
"""By the batch's name and the tag."""

EXACT = 2**53


def rows_of(entry: Entry, batch: Batch, *, held: bool = True) -> Rows:
    """What a batch says, straight from the model."""
    name = (entry.device, entry.run, entry.seq)
    rows: Rows = {}
    for position, tag in enumerate(batch.plan.tags):
        cell = batch.values[position]
        if cell is not ABSENT:
            offset_ms = batch.offsets[position] if batch.offsets else 0
            time = iso_time(batch.stamp.time + offset_ms * 1_000_000)
            rows[name, tag.name] = Row(_told(cell), batch.quality[position].value, time, entry.history, fresh=True)
        elif held and batch.held and position in batch.held:
            last = batch.held[position]
            time = iso_time(last.time)
            rows[name, tag.name] = Row(_told(last.value), last.quality.value, time, entry.history, fresh=False)
    return rows


def from_device_layout(messages: Iterable[Message], batch: Batch) -> Rows:
    """Of `layout: device`, parts put together."""
    rows: Rows = {}
    for message in messages:
        told = schemas.check(message.topic, message.payload)
        name = (told["device"], told["run"], told["seq"])
        common = told.get("device_quality", "good")
        history = told.get("history", False)
        told_tags = {*told["values"], *told.get("quality", {}), *told.get("last", {})}
        tags = _of_part(message, batch) if "device_quality" in told else told_tags
        for tag in tags:
            assert (name, tag) not in rows, "a tag stands in two parts"
            quality = told.get("quality", {}).get(tag, common)
            last = told.get("last", {}).get(tag)
            if last is not None and tag not in told["values"]:
                rows[name, tag] = Row(last.get("value"), quality, last["time"], history, fresh=False)
            else:
                offset_ms = told.get("offset_ms", {}).get(tag, 0)
                time = iso_time(batch.stamp.time + offset_ms * 1_000_000)
                rows[name, tag] = Row(told["values"].get(tag), quality, time, history, fresh=True)
    return rows


def _of_part(message: Message, batch: Batch) -> set[str]:
    """Where all tags are bad alike, the message names none of them: they are those of the plan."""
    told = json.loads(message.payload)
    assert "part" not in told or told["values"] or told.get("last"), "a part that tells of nothing"
    named = {*told["values"], *told.get("last", {})}
    return named or {tag.name for tag in batch.plan.tags}


def from_tag_layout(messages: Iterable[Message]) -> Rows:
    """Of `layout: tag`."""
    rows: Rows = {}
    for message in messages:
        told = schemas.check(message.topic, message.payload)
        name = (told["device"], told["run"], told["seq"])
        fresh = not told.get("last", False)
        key = (name, told["tag"])
        assert key not in rows, "a tag comes twice"
        rows[key] = Row(told.get("value"), told["quality"], told["time"], told.get("history", False), fresh=fresh)
    return rows


def from_template(messages: Iterable[Message]) -> Rows:
    """Of the template that `LINES` is, one line of JSON a value."""
    rows: Rows = {}
    for message in messages:
        user = dict(message.properties.user)
        told = json.loads(message.payload)
        name = (user["device"], user["run"], int(user["seq"]))
        rows[name, told["tag"]] = Row(told["value"], told["quality"], told["time"], told["history"], fresh=True)
    return rows


def _told(cell: Cell) -> Any:
    """A value as JSON can tell it."""
    if cell is None or cell is ABSENT:
        return None
    return str(cell) if type(cell) is int and abs(cell) > EXACT else cell


def same(told: Any, value: Any, *, floating: bool) -> bool:
    """Whether a value arrived: float32 come by their shortest text, whole numbers of scaled tags as floats."""
    if isinstance(value, str) and not isinstance(told, str) and floating:
        return float(told) == float(value)
    if isinstance(value, bool) or isinstance(told, bool) or isinstance(value, str):
        return type(told) is type(value) and told == value
    if value is None:
        return told is None
    return abs(told - value) <= 1e-6 * max(abs(told), abs(value)) if floating else told == value


GOOD = Quality.GOOD.value
