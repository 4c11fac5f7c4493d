"""The Python consumer stores each value once, whatever stops meanwhile."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from gateway.model import Batch
from gateway.publish.by_tag import ByTag
from gateway.publish.json import JsonEncoder
from gateway.publish.topics import Topics
from tests.consumers.conftest import CONSUMERS
from tests.faults.uplink.rig import DEVICES, TAGS
from tests.gateway.publish import decoding
from tests.gateway.publish.batches import entries

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from gateway.outbox.entry import Entry
    from tests.conftest import Mosquitto
    from tests.faults.uplink.rig import Rig

    Uplink = Callable[[int], AbstractAsyncContextManager[Rig]]

SCRIPT = CONSUMERS / "sqlite_consumer.py"
TOPICS = Topics(["acme"], "gw-1")


def _loaded() -> Any:
    spec = importlib.util.spec_from_file_location("sqlite_consumer", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


consumer = _loaded()


def stored(path: Path) -> list[tuple[Any, ...]]:
    """All rows: device, seq, tag, value, history."""
    with closing(sqlite3.connect(path)) as database, suppress(sqlite3.OperationalError):  # it is not made yet
        return database.execute("select device, seq, tag, value, history from reading").fetchall()
    return []


def rows_since(path: Path, begun: int) -> list[tuple[Any, ...]]:
    """The rows of later batches than this one."""
    return [row for row in stored(path) if row[1] > begun]


def started(path: Path, port: int) -> subprocess.Popen[bytes]:
    """The consumer as a process."""
    return subprocess.Popen([sys.executable, SCRIPT, str(path), "--port", str(port), "--topic", "acme/#"])


@pytest.mark.mosquitto
@pytest.mark.slow
async def test_each_value_is_stored_once_through_outages(mosquitto: Mosquitto, uplink: Uplink, tmp_path: Path) -> None:
    """The broker restarts, and the consumer is killed and comes back: all that was made is there, once, and right."""
    path = tmp_path / "plant.db"
    process = started(path, mosquitto.port)
    try:
        async with uplink(mosquitto.port) as rig:
            await rig.until(lambda: path.exists() and len(stored(path)) > DEVICES * TAGS, 30, "values in the file")
            begun = min(row[1] for row in stored(path))  # what came before, came before the subscription
            process.kill()
            process.wait(10)
            await rig.until(lambda: rig.made > 8, 20, "values without a consumer")
            mosquitto.stop()
            await rig.until(lambda: rig.outbox.counters.waiting_on_disk > 0, 20, "history")
            mosquitto.start()
            process = started(path, mosquitto.port)
            await rig.drained()
            wanted = (rig.made - begun) * DEVICES * TAGS
            await rig.until(lambda: len(rows_since(path, begun)) >= wanted, 30, "all stored")
        rows = rows_since(path, begun)
        assert len(rows) == wanted
        assert [row for row in rows if row[3] != row[1]] == [], "a counter's value is the number of its batch"
        assert any(history for *_, history in rows)
    finally:
        process.kill()
        process.wait(10)


@settings(max_examples=40, deadline=None)
@given(entries)
def test_both_layouts_make_the_same_rows(entry: Entry) -> None:
    """Whatever the model allows: value, quality and time of each fresh tag, by device and by tag."""
    assert isinstance(entry.item, Batch)
    for encoder in (JsonEncoder(TOPICS), JsonEncoder(TOPICS, ByTag(TOPICS))):
        rows = [row for m in encoder.encode(entry, 10_000_000) for row in consumer.rows_of(json.loads(m.payload))]
        meant = decoding.rows_of(entry, entry.item, held=False)
        told = {((row[0], row[1], row[2]), row[3]): row[6] for row in rows}
        assert len(told) == len(rows)
        if b"device_quality" in b"".join(message.payload for message in encoder.encode(entry, 10_000_000)):
            meant = {key: row for key, row in meant.items() if row.value is not None}  # the others are not named
        assert told == {key: row.quality for key, row in meant.items()}


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"[]", b"7", b"{", b"\xff", b"null"),
        b'{"seq": 1, "tag": "t"}',
        b'{"seq": 1, "values": 7}',
        b'{"seq": 1, "values": {}, "device": "d", "run": "r"}',
        b'{"seq": {}, "values": {"a": {}}, "device": "d", "run": "r", "time": "t"}',
    ],
)
def test_what_is_not_from_a_gateway_is_passed_over(payload: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """One stranger on the broker does not stop the storing."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(consumer.SCHEMA)
        for topic in ("acme/x/data", "acme/_gateway/gw-1/gaps"):
            consumer.store(database, topic, payload)
        assert database.execute("select count(*) from reading").fetchone() == (0,)


def test_gaps_are_stored() -> None:
    """What was lost stands beside what was not."""
    gap = {"run": "000001-a", "seq": 3, "device": "d", "from": "a", "to": "b", "count": None, "reason": "crash"}
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(consumer.SCHEMA)
        for _ in range(2):
            consumer.store(database, "acme/_gateway/gw-1/gaps", json.dumps(gap).encode())
        rows = database.execute('select device, "from", count, reason from gap').fetchall()
        assert rows == [("d", "a", None, "crash")]
