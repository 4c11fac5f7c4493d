"""Counters: the reading stays as the meter shows it; a guarded total stands beside it, and each repair is an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.model import ABSENT, Level, Notice, Quality
from gateway.processing.columns import is_number
from gateway.processing.meter import Meter
from gateway.processing.scaling import Line

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from gateway.model import Batch, Cell, Plan, Tag
    from gateway.processing.meter import Repair
    from gateway.state import Json

    class Store(Protocol):
        """What outlives the process, such as `gateway.state.State`."""

        def get(self, key: str) -> Json:
            """The value of a key, or None."""
            ...

        def put(self, key: str, value: Json) -> None:
            """Remember a value; it reaches the disk later."""
            ...


_LARGEST_COUNT: Final = 2**64
"""No meter counts so far. What lies beyond, or below zero, is no count: no total can be told."""


class Counters:
    """Works on raw counts, before scaling, so that whole numbers add up exactly.

    Args:
        plan: of the driver. The batches leave by `plan.published`, which has the totals at its end.
        store: where the totals are kept between runs; None keeps them for this run.
        tell: takes an event for each repair.
    """

    def __init__(self, plan: Plan, store: Store | None, tell: Callable[[Notice], None]) -> None:
        self.positions = [position for position, tag in enumerate(plan.tags) if tag.counter is not None]
        self._published = plan.published
        self._tell = tell
        self._store = store
        self._totals = [plan.positions[tag.name] for tag in plan.tags if tag.total is not None]
        self._counters = [_counter(self._published, plan.tags[position]) for position in self.positions]
        self.repaired = False
        """A total was repaired since the last `save`: the next save is urgent."""
        for counter in self._counters:
            counter.meter.remember(None if store is None else store.get(counter.key))

    def apply(self, batch: Batch) -> None:
        """Add the columns of the totals, and fill them."""
        self._widen(batch)
        for counter in self._counters:
            if batch.values[counter.position] is not ABSENT:
                self._count(batch, counter)

    def save(self) -> None:
        """Put the totals into the store."""
        self.repaired = False
        if self._store is not None:
            for counter in self._counters:
                if counter.meter.last is not None:
                    self._store.put(counter.key, counter.meter.memory())

    def _widen(self, batch: Batch) -> None:
        """A total has its counter's times. It is absent until it is filled."""
        batch.plan = self._published
        batch.values += [ABSENT] * len(self._totals)
        batch.quality += [Quality.GOOD] * len(self._totals)
        if batch.offsets is not None:
            batch.offsets = batch.offsets + [batch.offsets[position] for position in self._totals]
        if batch.source_times is not None:
            batch.source_times = batch.source_times + [batch.source_times[position] for position in self._totals]

    def _count(self, batch: Batch, counter: _Counter) -> None:
        cell, quality = batch.values[counter.position], batch.quality[counter.position]
        if is_number(cell) and 0 <= cell < _LARGEST_COUNT:
            self._read(batch, counter, cell)
        else:
            counter.meter.pause()
            quality = quality if quality.level is Level.BAD else Quality.NOT_AVAILABLE
        if counter.total is not None:
            batch.values[counter.total], batch.quality[counter.total] = _total(counter.meter, quality)

    def _read(self, batch: Batch, counter: _Counter, raw: float) -> None:
        last = counter.meter.last
        repair = counter.meter.read(raw)
        if repair is not None and last is not None:
            self.repaired = True
            self._tell(_event(batch, counter, repair, (last, raw)))


class _Counter(NamedTuple):
    """One counter, and where its total stands."""

    name: str
    key: str
    """Of the store."""
    position: int
    total: int | None
    meter: Meter
    line: Line


def _counter(published: Plan, tag: Tag) -> _Counter:
    assert tag.counter is not None
    return _Counter(
        name=tag.name,
        key=f"counter/{published.device}/{tag.name}",
        position=published.positions[tag.name],
        total=published.positions[tag.total.name] if tag.total is not None else None,
        meter=Meter(tag.counter.turn),
        line=Line.of(tag),
    )


def _total(meter: Meter, quality: Quality) -> tuple[Cell, Quality]:
    """The total is as good as the reading, unless nobody knows what the reading means."""
    if quality.level is Level.BAD:
        return None, quality
    is_doubtful = meter.waits and quality is Quality.GOOD
    return meter.total, Quality.RESTART if is_doubtful else quality


def _event(batch: Batch, counter: _Counter, repair: Repair, readings: tuple[float, float]) -> Notice:
    last, raw = readings
    body = {
        "event": repair.value,
        "device": batch.plan.device,
        "tag": counter.name,
        "before": counter.line.engineering(last),
        "after": counter.line.engineering(raw),
        "total": counter.line.engineering(counter.meter.total),
    }
    return Notice("events", body, batch.stamp)
