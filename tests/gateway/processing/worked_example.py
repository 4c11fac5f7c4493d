"""Worked examples: what is read at which second, and exactly what is sent. See tests/cases/processing/README.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import Field

from gateway.collect.plan import devices_of
from gateway.connection import ConnectionConfig, DeviceConfig, Name, TagConfig
from gateway.model import ABSENT, Batch, Quality, Stamp
from gateway.processing.pipeline import Pipeline
from gateway.testing import SAMPLE_TIME, ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.model import Notice, Plan

CASES = Path(__file__).parents[2] / "cases" / "processing"
QUALITIES = {quality.value: quality for quality in Quality}


class ExampleTag(TagConfig):
    """A tag whose address does not matter."""

    address: str = "a"
    type: str = "float64"

    def data_type(self) -> str:
        return self.type


class ExampleDevice(DeviceConfig):
    tags: dict[Name, ExampleTag] = Field(min_length=1)  # type: ignore[assignment]  # narrowed as by a driver


class ExampleConnection(ConnectionConfig):
    devices: dict[Name, ExampleDevice] = Field(min_length=1)  # type: ignore[assignment]  # narrowed as by a driver


class Store:
    """What outlives a restart, and what only a kill shows to be lost."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return self.values.get(key)

    def put(self, key: str, value: Any) -> None:
        self.values[key] = value


@dataclass
class Example:
    """One example as its file has it."""

    file: str
    title: str
    why: str
    tags: dict[str, Any]
    rows: list[dict[str, Any]]
    heartbeat_s: float = 3600.0
    store: Store = field(default_factory=Store)

    def plan(self) -> Plan:
        device = {"heartbeat_s": float(self.heartbeat_s), "tags": self.tags}
        config = {"version": 1, "driver": "example", "devices": {"example": device}}
        (made,) = devices_of(ExampleConnection.model_validate(config))
        return made.plan

    def replay(self) -> Iterator[tuple[dict[str, Any], list[Any], list[Any]]]:
        """Each row with what was sent and what events were told, in the notation of the files."""
        clock = ManualClock()
        events: list[Notice] = []
        pipeline = Pipeline(self.plan(), self.store, events.append)
        for row in self.rows:
            clock.advance(row["at"] - (clock.time_ns - SAMPLE_TIME) / 1e9)
            if "restart" in row:
                batches = pipeline.finish() if row["restart"] == "stop" else []
                pipeline = Pipeline(self.plan(), self.store, events.append)
            elif "save" in row:
                batches = []
                pipeline.save()
            else:
                batches = self._row(pipeline, row, clock.now())
            yield row, [shown(batch, row["at"]) for batch in batches], [dict(event.body) for event in events]
            events.clear()

    def _row(self, pipeline: Pipeline, row: dict[str, Any], stamp: Stamp) -> list[Batch]:
        if "read" not in row:
            snapshot = pipeline.heartbeat(stamp)
            return [] if snapshot is None else [snapshot]
        return pipeline.process(read(pipeline.plan, row["read"], stamp))


def examples() -> list[Example]:
    """All of them, in the order of their files."""
    return [
        Example(file.stem, title, **case)
        for file in sorted(CASES.glob("*.yaml"))
        for title, case in yaml.safe_load(file.read_text(encoding="utf-8")).items()
    ]


def read(plan: Plan, cells: dict[str, Any], stamp: Stamp) -> Batch:
    """The batch that a driver would make of a row."""
    batch = Batch.empty(plan, stamp)
    for name, cell in cells.items():
        position = plan.positions[name]
        value, quality = cell if isinstance(cell, list) else (cell, "good")
        if isinstance(value, str) and value in QUALITIES:
            value, quality = None, value
        batch.values[position], batch.quality[position] = value, QUALITIES[quality]
    batch.whole = len(cells) == len(plan.tags)
    return batch


def shown(batch: Batch, at: float) -> dict[str, Any]:
    """A batch in the notation of the files."""
    seconds = (batch.stamp.time - SAMPLE_TIME) / 1e9
    told: dict[str, Any] = {} if seconds == at else {"at": seconds}
    for position, (tag, value) in enumerate(zip(batch.plan.tags, batch.values, strict=True)):
        if value is not ABSENT:
            told[tag.name] = _cell(value, batch.quality[position], (batch.raw or {}).get(position))
    if batch.held:
        told["last"] = {batch.plan.tags[position].name: _held(held) for position, held in batch.held.items()}
    return told


def _cell(value: Any, quality: Quality, raw: Any) -> Any:
    if value is None:
        return quality.value if raw is None else [quality.value, raw]
    return value if quality is Quality.GOOD else [value, quality.value]


def _held(held: Any) -> dict[str, Any]:
    seconds = (held.time - SAMPLE_TIME) / 1e9
    return {"value": _cell(held.value, held.quality, None), "at": int(seconds) if seconds == int(seconds) else seconds}
