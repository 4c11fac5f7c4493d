"""All derived tags of a gateway: which of them a batch touches, in which order they settle, what comes out.

A derived tag is worked out behind all that it is made of, so that one batch of a source settles a whole chain in one
pass, and nothing is worked out twice in it. Each virtual device yields one batch a pass, with the time of the trigger.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from gateway.config.chains import levels
from gateway.model import ABSENT, Batch
from gateway.processing.derived.calculation import Calculation
from gateway.processing.derived.summing import Summing
from gateway.processing.derived.table import Feed, LatestValues

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gateway.model import Plan, Stamp
    from gateway.processing.counters import Store
    from gateway.processing.derived.summing import Made
    from gateway.processing.derived.virtual import VirtualDevice

_NS: Final = 1_000_000_000
_NS_PER_MS: Final = 1_000_000
_UNHEARD_NS: Final = 10 * _NS
"""A tag of which no input was heard for so long after the start is told as BAD, rather than not at all."""
_MOST_ROUTES: Final = 256
"""Sets of tags for which it is remembered what they touch; a device that reports single changes has many."""


@dataclass(slots=True)
class _Step:
    """Tags of one virtual device that are worked out together: none of them rests on another one."""

    device: str
    calculations: list[Calculation]


@dataclass(slots=True)
class _Periodic:
    calculation: Calculation
    period_ns: int
    next_ns: int = 0
    """Multiples of the period, on the monotonic clock."""


class Derivation:
    """The derived tags.

    Args:
        devices: the virtual devices.
        refine: scales and judges a batch of a virtual device in place, as any other one's.
        store: where integrals that persist are kept between runs.
    """

    def __init__(
        self, devices: Sequence[VirtualDevice], refine: Callable[[Batch], None], store: Store | None = None
    ) -> None:
        self._refine = refine
        self._store = store
        self._plans: dict[str, Plan] = {device.name: device.device.plan for device in devices}
        sources = [source for device in devices for source in _sources(device)]
        self._table = LatestValues(sources)
        self._calculations = {
            f"{device.name}.{tag.name}": Calculation(device.name, tag, self._table)
            for device in devices
            for tag in device.formulas
        }
        self._windows = [Summing(device.name, window, self._table) for device in devices for window in device.windows]
        self._feeds = {name: Feed(name, self._table) for name in {source.partition(".")[0] for source in sources}}
        self._order = levels({name: tag.tag.config.inputs.values() for name, tag in self._calculations.items()})
        self._triggered = self._by_input()
        self._summed = {window.place: [w for w in self._windows if w.place == window.place] for window in self._windows}
        self._periodic = [
            _Periodic(tag, round(tag.tag.config.period_s * _NS))
            for tag in self._calculations.values()
            if tag.tag.config.period_s is not None
        ]
        self._routes: dict[tuple[int, ...], list[_Step]] = {}
        self._made: list[Made] = []
        self._unheard = {name: tag for name, tag in self._calculations.items() if tag.tag.config.period_s is None}
        self._unheard_until_ns: int | None = None
        if store is not None:
            for kept in self._kept():
                kept.restore(store)

    def take_over(self, before: Derivation, unchanged: Iterable[str]) -> None:
        """Go on where an earlier configuration stopped.

        Args:
            before: what ran until now.
            unchanged: devices, virtual ones too, whose plans are the same as before: their latest values still hold.
        """
        self._table.take_over(before._table, unchanged)
        for name, tag in self._calculations.items():
            earlier = before._calculations.get(name)
            if earlier is not None and earlier.made_of == tag.made_of:
                tag.take_over(earlier)
                if name not in before._unheard:
                    self._unheard.pop(name, None)
        known = {(w.device, w.window.name): w for w in before._windows}
        for window in self._windows:
            earlier_window = known.get((window.device, window.window.name))
            if earlier_window is not None and earlier_window.made_of == window.made_of:
                window.take_over(earlier_window)

    def follow(self, batch: Batch) -> list[Batch]:
        """The batches of virtual devices that a refined batch brings about: refined themselves, not yet reported."""
        fresh = self._feed(batch)
        closed = self._closed()
        return [*closed, *self._settle(self._route(fresh), batch.stamp), *self._closed()] if fresh else closed

    def tick(self, stamp: Stamp) -> list[Batch]:
        """What time alone brings about: windows that are over, and tags with a period of their own."""
        for window in self._windows:
            self._made += window.tick(stamp)
        closed = self._closed()
        due = [one.calculation for one in self._periodic if _is_due(one, stamp.monotonic)]
        due += self._given_up(stamp.monotonic) if self._unheard else ()
        return [*closed, *self._settle(self._steps(due), stamp), *self._closed()]

    def next_tick_s(self, stamp: Stamp) -> float:
        """How long `tick` may wait, s: at most a second."""
        nearest = min((one.next_ns for one in self._periodic), default=stamp.monotonic + _NS)
        return min(1.0, max(0.0, (nearest - stamp.monotonic) / _NS))

    def save(self) -> None:
        """Put what persists into the store."""
        if self._store is not None:
            for kept in self._kept():
                kept.save(self._store)

    def _kept(self) -> Iterable[Calculation | Summing]:
        return (*self._calculations.values(), *self._windows)

    def _given_up(self, now_ns: int) -> Iterable[Calculation]:
        """Tags that nothing has triggered yet and that are told all the same."""
        if self._unheard_until_ns is None:
            self._unheard_until_ns = now_ns + _UNHEARD_NS
        if now_ns < self._unheard_until_ns:
            return ()
        unheard, self._unheard = self._unheard, {}
        return unheard.values()

    def _by_input(self) -> dict[int, list[Calculation]]:
        """By the place of an input in the table: the tags that it triggers. Those with a period wait for that."""
        triggered: dict[int, list[Calculation]] = {}
        for tag in self._calculations.values():
            if tag.tag.config.period_s is None:
                for place in set(tag.places):
                    triggered.setdefault(place, []).append(tag)
        return triggered

    def _feed(self, batch: Batch) -> tuple[int, ...]:
        """Take a batch into the table and the windows; the places in the table that it touched."""
        feed = self._feeds.get(batch.plan.device)
        if feed is None:
            return ()
        fresh = feed.take(batch)
        if self._summed:
            self._sum_up(batch, fresh)
        return tuple(place for _, place in fresh)

    def _sum_up(self, batch: Batch, fresh: Iterable[tuple[int, int]]) -> None:
        values, quality, offsets = self._table.values, self._table.quality, batch.offsets
        for position, place in fresh:
            for window in self._summed.get(place, ()):
                offset_ns = offsets[position] * _NS_PER_MS if offsets else 0
                self._made += window.sample(values[place], quality[place], batch.stamp, offset_ns)

    def _route(self, places: tuple[int, ...]) -> list[_Step]:
        """The steps that a change in these places of the table brings about."""
        steps = self._routes.get(places)
        if steps is None:
            if len(self._routes) >= _MOST_ROUTES:
                self._routes.clear()
            steps = self._steps([tag for place in places for tag in self._triggered.get(place, ())])
            self._routes[places] = steps
        return steps

    def _steps(self, first: Iterable[Calculation]) -> list[_Step]:
        """These tags and all that rest on them, in an order in which they settle."""
        found: dict[str, Calculation] = {}
        waiting = list(first)
        while waiting:
            tag = waiting.pop()
            name = f"{tag.device}.{tag.tag.name}"
            if name not in found:
                found[name] = tag
                place = self._table.index.get(name)
                waiting += self._triggered.get(place, ()) if place is not None else ()
        ordered = sorted(found, key=lambda name: (self._order[name], found[name].device, found[name].tag.position))
        groups = groupby(ordered, key=lambda name: (self._order[name], found[name].device))
        return [_Step(device, [found[name] for name in names]) for (_, device), names in groups]

    def _settle(self, steps: Iterable[_Step], stamp: Stamp) -> list[Batch]:
        """Work the steps out, one batch a device."""
        settled: dict[str, Batch] = {}
        for step in steps:
            part = Batch.empty(self._plans[step.device], stamp)
            for tag in step.calculations:
                position = tag.tag.position
                part.values[position], part.quality[position] = tag.work_out(stamp.monotonic)
                if self._unheard:
                    self._unheard.pop(f"{tag.device}.{tag.tag.name}", None)
            self._refine(part)
            self._feed(part)
            whole = settled.setdefault(step.device, part)
            if whole is not part:
                _join(whole, part)
        return list(settled.values())

    def _closed(self) -> list[Batch]:
        """The batches of the windows that are over, and of the tags that rest on them."""
        batches: list[Batch] = []
        made, self._made = self._made, []
        made.sort(key=lambda one: (one.stamp.time, one.device))
        for _, together in groupby(made, key=lambda one: (one.stamp.time, one.device)):
            batch = self._batch_of(list(together))
            fresh = self._feed(batch)
            batches += [batch, *self._settle(self._route(fresh), batch.stamp)]
        return batches

    def _batch_of(self, made: Sequence[Made]) -> Batch:
        batch = Batch.empty(self._plans[made[0].device], made[0].stamp)
        for one in made:
            for position, value, quality in one.cells:
                batch.values[position], batch.quality[position] = value, quality
        self._refine(batch)
        return batch


def _sources(device: VirtualDevice) -> Iterable[str]:
    for tag in device.formulas:
        yield from tag.config.inputs.values()
    for window in device.windows:
        yield window.config.source


def _is_due(one: _Periodic, now_ns: int) -> bool:
    """Whether a tag is due; periods that were missed are let go."""
    if now_ns < one.next_ns:
        return False
    one.next_ns += ((now_ns - one.next_ns) // one.period_ns + 1) * one.period_ns
    return True


def _join(whole: Batch, part: Batch) -> None:
    """Put what is in one batch into another of the same plan."""
    for position, value in enumerate(part.values):
        if value is not ABSENT:
            whole.values[position], whole.quality[position] = value, part.quality[position]
    if part.raw:
        whole.raw = {**(whole.raw or {}), **part.raw}
