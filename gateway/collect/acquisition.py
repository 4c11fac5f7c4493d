"""One round over the due requests of one device, and what is remembered of it until the next."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from gateway.collect.alignment import Alignment
from gateway.collect.backoff import Backoff
from gateway.collect.schedule import DeviceSchedule
from gateway.model import ABSENT, Batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.clock import Clock
    from gateway.collect.health import DeviceHealth
    from gateway.collect.isolation import Isolation, Split
    from gateway.driver import Device, DeviceTiming, DriverError, Reply, Request
    from gateway.model import Plan, Quality, Stamp

T = TypeVar("T")


class Asked:
    """One request and how it fared."""

    def __init__(self, request: Request, split: Split | None = None) -> None:
        self.request = request
        self.failures = 0
        """In a row."""
        self.is_bad = False
        """Its tags have been told BAD."""
        self.skip_until_ns: float = 0
        """It is not asked before then, on the monotonic clock."""
        self.backoff = Backoff()
        self.took_ns = 0
        """From the last try that failed to its failure."""
        self.has_answered = False
        """It was answered at least once."""
        self.split = split
        """The split that it is a half of, until it is known whether the device refuses it."""
        self.stands_alone = False
        """The device was found to lack its points."""
        self.is_watched = split is not None
        """An answer tells something about what the device refuses."""
        self.place = _run(request.positions)
        """Where its values stand in the columns; None where they do not stand side by side."""
        self.waiting = [0] * len(request.riders)
        """Of each rider, how many readings are left out before the next one that counts."""

    def answered(self) -> None:
        """Forget the failures."""
        self.has_answered = True
        if self.failures:
            self.failures = 0
            self.backoff.succeeded()
        self.is_bad = False
        self.skip_until_ns = 0


class PolledDevice:
    """What the connection remembers of one device between two acquisitions."""

    def __init__(
        self,
        device: Device,
        requests: Sequence[Request],
        health: DeviceHealth,
        clock: Clock,
        isolation: Isolation | None = None,
    ) -> None:
        self.device = device
        self.health = health
        self.isolation = isolation
        """None where the driver's requests cannot be parted."""
        self.asked = [self._asked(request) for request in requests]
        align_s = device.timing.align_s
        alignment = None if align_s is None else Alignment(clock, align_s)
        self.schedule = DeviceSchedule(device.name, _by_period(self.asked), clock.now().monotonic, alignment)
        self.backoff = Backoff()
        self.silences = 0
        """Acquisitions in a row without any answer."""
        self.alone_until_ns = 0
        """Nothing may be asked before then: a late reply may still come."""
        self._hasty = replace(device.timing, retries=0)
        self.shut: dict[Asked, int] = {}
        """What is not asked before the link is opened again, with the number of the present opening."""

    @property
    def is_silent(self) -> bool:
        """Whether so many acquisitions in a row were without any answer that the device is BAD."""
        return self.silences >= self.device.timing.bad_after

    @property
    def patience(self) -> DeviceTiming:
        """As configured; a silent device is not asked twice in a row."""
        return self._hasty if self.is_silent else self.device.timing

    def leave_alone(self, for_s: float, now_ns: int) -> None:
        """Ask nothing for so long; then everything."""
        self.alone_until_ns = now_ns + round(for_s * 1e9)
        self.schedule.delay(self.alone_until_ns)

    def part(self, asked: Asked, parts: Sequence[Asked]) -> None:
        """Ask these from now on in the place of one."""
        self.asked = [other for other in self.asked if other is not asked] + list(parts)
        self.schedule.exchange({asked}, _by_period(parts))

    def plan_anew(self, requests: Sequence[Request]) -> None:
        """Ask these from now on in the place of all."""
        before, shut = self.asked, self.shut
        self.asked, self.shut = [self._asked(request) for request in requests], {}
        self.schedule.exchange(set(before), _by_period(self.asked))
        known = {asked.request.span: asked for asked in shut}
        for asked in self.asked:
            same = known.get(asked.request.span) if asked.stands_alone else None
            if same is not None:
                asked.is_bad, asked.failures = same.is_bad, same.failures
                self.shut_until_opened(asked, shut[same], same.skip_until_ns)

    def shut_until_opened(self, asked: Asked, opening: int, until_ns: float = math.inf) -> None:
        """Ask no more before the link is opened again, or before this time of the monotonic clock."""
        asked.skip_until_ns = until_ns
        self.shut[asked] = opening

    def link_opened(self, opening: int) -> None:
        """Ask again what was shut before this opening."""
        for asked in [asked for asked, shut_at in self.shut.items() if shut_at != opening]:
            del self.shut[asked]
            asked.skip_until_ns = 0

    def _asked(self, request: Request) -> Asked:
        asked = Asked(request)
        asked.stands_alone = self.isolation is not None and self.isolation.stands_alone(request)
        asked.is_watched = asked.stands_alone
        return asked


class Acquisition:
    """One round over the due requests of one device, growing into its batch."""

    __slots__ = ("_cells", "_clock", "answers", "batch", "begun_ns", "failures", "is_over", "reason")

    def __init__(self, plan: Plan, clock: Clock, begun: Stamp) -> None:
        self._clock = clock
        self.begun_ns = begun.monotonic
        self.batch = Batch.empty(plan, begun)
        self.answers = 0
        """Requests that were answered."""
        self.failures: list[tuple[Asked, DriverError]] = []
        self.reason = ""
        """What failed first; empty where nothing did."""
        self.is_over = False
        """There is no use in asking on."""
        self._cells = 0

    def answered(self, asked: Asked, reply: Reply) -> None:
        """Take the values of one reply; its arrival is the batch's time.

        Raises:
            ValueError: the reply does not have a value for each position; a defect of the driver.
        """
        batch, positions = self.batch, asked.request.positions
        if len(reply.values) != len(positions):
            raise ValueError(f"{len(reply.values)} values for {len(positions)} tags")
        batch.stamp = self._clock.now()
        batch.unchanged = reply.unchanged and (batch.unchanged or not self.answers)
        self.answers += 1
        self._cells += len(positions)
        if asked.place is not None:
            batch.values[asked.place] = reply.values
        else:
            _put(batch.values, asked, reply.values)
        if reply.quality is not None:
            _put(batch.quality, asked, reply.quality)
        if reply.raw:
            batch.raw = {**(batch.raw or {}), **{positions[at]: raw for at, raw in reply.raw.items()}}
        if asked.waiting:
            self._leave_out_riders(asked)
        batch.whole = self._cells == len(batch.values)
        if asked.failures or asked.is_bad or not asked.has_answered:
            asked.answered()

    def failed(self, asked: Asked, error: DriverError) -> None:
        """Count a failure of one request."""
        asked.failures += 1
        self.batch.stamp = self._clock.now()
        self.failures.append((asked, error))
        self.reason = self.reason or error.told

    def refused(self, asked: Asked, error: DriverError) -> None:
        """The device lacks the points of one request: that is no failure of the device, and BAD at once."""
        asked.failures += 1
        self.batch.stamp = self._clock.now()
        self.reason = self.reason or error.told
        if not asked.is_bad:
            self.mark_bad(asked, error.quality)

    def mark_bad(self, asked: Asked, quality: Quality) -> None:
        """Say BAD of all tags of one request."""
        asked.is_bad = True
        self.batch.unchanged = False
        for position in asked.request.positions:
            self.batch.values[position] = None
            self.batch.quality[position] = quality

    def _leave_out_riders(self, asked: Asked) -> None:
        """Slower tags that ride along count only when they are due themselves, or were BAD."""
        if asked.is_bad:
            asked.waiting = [0] * len(asked.waiting)
        for rider, (at, of_how_many) in enumerate(asked.request.riders):
            if asked.waiting[rider]:
                asked.waiting[rider] -= 1
                self.batch.values[asked.request.positions[at]] = ABSENT
                self._cells -= 1
            else:
                asked.waiting[rider] = of_how_many - 1


def _put(column: list[T], asked: Asked, cells: Sequence[T]) -> None:
    if asked.place is not None:
        column[asked.place] = cells
        return
    for position, cell in zip(asked.request.positions, cells, strict=True):
        column[position] = cell


def _run(positions: Sequence[int]) -> slice | None:
    first = positions[0]
    return (
        slice(first, first + len(positions)) if list(positions) == list(range(first, first + len(positions))) else None
    )


def _by_period(asked: Iterable[Asked]) -> Iterable[tuple[float, Asked]]:
    return ((one.request.period_s, one) for one in asked)
