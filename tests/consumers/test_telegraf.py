"""The script for Telegraf makes the rows that the databases are to have: Starlark, run as the Python that it is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from gateway.model import Batch
from gateway.publish.json import JsonEncoder
from gateway.publish.topics import Topics
from tests.consumers.conftest import CONSUMERS
from tests.gateway.publish import decoding
from tests.gateway.publish.batches import entries

if TYPE_CHECKING:
    from gateway.outbox.entry import Entry

ENCODER = JsonEncoder(Topics(["acme"], "gw-1"))


@dataclass
class Metric:
    """What Telegraf hands to a script and takes from it."""

    name: str
    tags: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    time: int = 0


def rows(payload: bytes) -> list[Metric]:
    """What the script makes of one message."""
    source = re.sub(r"^load\(.*\)$", "", (CONSUMERS / "rows.star").read_text("utf-8"), flags=re.MULTILINE)
    world: dict[str, Any] = {
        "json": SimpleNamespace(decode=json.loads),
        "time": SimpleNamespace(parse_time=_parse_time),
        "Metric": Metric,
        "type": lambda value: {"str": "string"}.get(type(value).__name__, type(value).__name__),
    }
    exec(source, world)  # noqa: S102 - the project's own script
    made: list[Metric] = world["apply"](Metric("mqtt_consumer", fields={"value": payload.decode()}))
    return made


def _parse_time(text: str) -> SimpleNamespace:
    seconds = datetime.fromisoformat(text).timestamp()
    return SimpleNamespace(unix_nano=round(seconds * 1000) * 1_000_000)


@settings(max_examples=40, deadline=None)
@given(entries)
def test_each_fresh_value_is_a_row(entry: Entry) -> None:
    """Whatever the model allows: number or text, quality, and (device, run, seq, tag) to know it by."""
    assert isinstance(entry.item, Batch)
    (message,) = ENCODER.encode(entry, 10_000_000)
    meant = decoding.rows_of(entry, entry.item, held=False)
    if b"device_quality" in message.payload:
        meant = {key: row for key, row in meant.items() if row.value is not None}  # the others are not named
    made = rows(message.payload)
    told = {((r.tags["device"], r.fields["run"], r.fields["seq"]), r.tags["tag"]): r for r in made}
    assert len(told) == len(made)
    assert {key: row.fields["quality"] for key, row in told.items()} == {key: r.quality for key, r in meant.items()}
    values = json.loads(message.payload)["values"]
    for (_, tag), row in told.items():
        value = values.get(tag)
        assert ("text" in row.fields) == isinstance(value, str)
        assert ("value" in row.fields) == isinstance(value, int | float)
        assert row.fields["history"] is entry.history


@pytest.mark.parametrize("payload", [b'{"v":1,"state":"online"}', b"{}", b'{"values":{}}'])
def test_other_messages_make_no_rows(payload: bytes) -> None:
    """Status and meta come under the same topics, if somebody subscribes to all."""
    assert rows(payload) == []


def test_both_configurations_hold_their_session_and_acknowledge_late() -> None:
    """What makes them lose nothing stands in both."""
    import tomllib  # noqa: PLC0415 - used here only

    for name in ("telegraf-influxdb.conf", "telegraf-timescaledb.conf"):
        (source,) = tomllib.loads((CONSUMERS / name).read_text("utf-8"))["inputs"]["mqtt_consumer"]
        assert source["qos"] == 1
        assert source["persistent_session"] is True
        assert source["client_id"]
        assert source["max_undelivered_messages"] > 0
        assert any(topic.endswith("/history") for topic in source["topics"])
