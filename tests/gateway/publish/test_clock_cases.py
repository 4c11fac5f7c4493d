"""The worked examples of tests/cases/clock: they are the documentation of time, and hold to the millisecond."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from gateway.clock.watch import ClockWatch
from gateway.config.schema import ClockConfig
from gateway.model import Batch, ClockState, Quality, Tag, iso_time
from gateway.outbox.entry import Entry
from gateway.publish.restamp import Restamped
from gateway.testing import ManualClock, sample_batch, sample_plan
from gateway.uplink import clock_settings

if TYPE_CHECKING:
    from gateway.model import Notice

CASES = Path(__file__).parents[2] / "cases" / "clock"
PLAN = sample_plan("meter", Tag("count", "-", "uint16"))


@dataclass
class Example:
    """One example as its file has it."""

    title: str
    why: str
    starts: str
    rows: list[dict[str, Any]]
    clock: dict[str, Any] = field(default_factory=dict)


EXAMPLES = [
    Example(title, **case)
    for file in sorted(CASES.glob("*.yaml"))
    for title, case in yaml.safe_load(file.read_text(encoding="utf-8")).items()
]


class Kept:
    """What waits on disk over restarts; given out in order."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque()

    def put(self, item: Batch | Notice) -> None:
        """Not used here."""

    async def take(self) -> Entry:
        """The next one; waits for ever where there is none."""
        if not self.entries:
            await asyncio.Event().wait()
        return self.entries.popleft()

    def acknowledge(self, entry: Entry) -> None:
        """It is out already."""

    def refuse(self, entry: Entry, reason: str) -> None:
        """Not used here."""

    def give_back(self) -> None:
        """Not used here."""


class Machine:
    """A gateway on a machine whose clock an example sets."""

    def __init__(self, example: Example) -> None:
        self._example = example
        self._kept = Kept()
        self._run, self._of_boot = 0, 0
        self._clock = self._booted(0.0)
        self._restart()

    def _booted(self, at: float) -> ManualClock:
        self._booted_at = at
        self._of_boot = self._run + 1
        return ManualClock(nanoseconds(self._example.starts), ClockState.FREE_RUNNING)

    def _restart(self) -> None:
        self._run += 1
        runs = frozenset(str(run) for run in range(self._of_boot, self._run + 1))
        self._watch = ClockWatch(self._clock, runs)
        settings = clock_settings(ClockConfig.model_validate(self._example.clock))
        self._queue = Restamped(self._kept, self._clock, self._watch, settings)

    async def play(self, row: dict[str, Any]) -> list[list[Any]]:
        """One row; returns what was sent in it."""
        self._clock.advance(row["at"] - self._booted_at - (self._clock.monotonic_ns / 1e9 - 1))
        if "read" in row:
            batch = sample_batch(PLAN, [row["read"]], self._clock.now())
            self._kept.entries.append(Entry("meter", str(self._run), row["read"], batch, history=True))
        if "set" in row:
            self._clock.time_ns = nanoseconds(row["set"])
        if "synced" in row:
            self._clock.state = ClockState.SYNCED if row["synced"] else ClockState.FREE_RUNNING
        if "restart" in row:
            self._clock = self._booted(row["at"]) if row["restart"] == "reboot" else self._clock
            self._restart()
        self._watch.look()
        return await self._sent() if "send" in row else []

    async def _sent(self) -> list[list[Any]]:
        sent = []
        while True:
            try:
                async with asyncio.timeout(0.01):
                    entry = await self._queue.take()
            except TimeoutError:
                return sent
            assert isinstance(entry.item, Batch)
            quality = entry.item.quality[0]
            told = [] if quality is Quality.GOOD else [quality.value]
            stamp = entry.item.stamp
            sent.append([entry.item.values[0], iso_time(stamp.time), stamp.clock.value, *told])


def nanoseconds(time: str) -> int:
    """Of a time in a file."""
    return round(datetime.fromisoformat(time).timestamp() * 1e9)


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.title for example in EXAMPLES])
async def test_times_are_those_of_the_example(example: Example) -> None:
    """Value, time, clock and quality, in their order."""
    machine = Machine(example)
    for row in example.rows:
        assert await machine.play(row) == row.get("send", []), f"at {row['at']} s"


def test_the_collection_does_not_shrink_unnoticed() -> None:
    """Each has its reason, and each file stands in the table of contents."""
    assert len(EXAMPLES) >= 10
    assert all(example.why for example in EXAMPLES)
    contents = (CASES / "README.md").read_text(encoding="utf-8")
    assert [file.name for file in CASES.glob("*.yaml") if file.name not in contents] == []
