"""One round over the due requests of one device, and what is remembered of it until the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.collect.backoff import Backoff
from gateway.collect.schedule import DeviceSchedule
from gateway.model import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.clock import Clock
    from gateway.collect.health import DeviceHealth
    from gateway.driver import Device, DriverError, Reply, Request
    from gateway.model import Plan, Quality


class Asked:
    """One request and how it fared."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.failures = 0
        """In a row."""
        self.is_bad = False
        """Its tags have been told BAD."""
        self.skip_until_ns = 0
        """It is not asked before then, on the monotonic clock."""
        self.backoff = Backoff()

    def answered(self) -> None:
        """Forget the failures."""
        self.failures = 0
        self.is_bad = False
        self.skip_until_ns = 0
        self.backoff.succeeded()


class PolledDevice:
    """What the connection remembers of one device between two acquisitions."""

    def __init__(self, device: Device, requests: Sequence[Request], health: DeviceHealth, now_ns: int) -> None:
        self.device = device
        self.health = health
        self.asked = [Asked(request) for request in requests]
        self.schedule = DeviceSchedule(device.name, ((asked.request.period_s, asked) for asked in self.asked), now_ns)
        self.backoff = Backoff()
        self.silences = 0
        """Acquisitions in a row without any answer."""


class Acquisition:
    """One round over the due requests of one device, growing into its batch."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self._clock = clock
        stamp = clock.now()
        self.begun_ns = stamp.monotonic
        self.batch = Batch.empty(plan, stamp)
        self.answers = 0
        """Requests that were answered."""
        self.failures: list[tuple[Asked, DriverError]] = []

    @property
    def reason(self) -> str:
        """What failed first; empty where nothing did."""
        return str(self.failures[0][1]) if self.failures else ""

    def answered(self, asked: Asked, reply: Reply) -> None:
        """Take the values of one reply; its arrival is the batch's time."""
        batch = self.batch
        batch.stamp = self._clock.now()
        batch.unchanged = reply.unchanged and (batch.unchanged or not self.answers)
        for position, value in zip(asked.request.positions, reply.values, strict=True):
            batch.values[position] = value
        if reply.quality is not None:
            for position, quality in zip(asked.request.positions, reply.quality, strict=True):
                batch.quality[position] = quality
        self.answers += 1
        asked.answered()

    def failed(self, asked: Asked, error: DriverError) -> None:
        """Count a failure of one request."""
        asked.failures += 1
        self.batch.stamp = self._clock.now()
        self.failures.append((asked, error))

    def mark_bad(self, asked: Asked, quality: Quality) -> None:
        """Say BAD of all tags of one request."""
        asked.is_bad = True
        self.batch.unchanged = False
        for position in asked.request.positions:
            self.batch.values[position] = None
            self.batch.quality[position] = quality
