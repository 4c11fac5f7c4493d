"""Helpers for the tests of drivers, encoders and stages. Public: third-party drivers use them too."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from gateway.driver import Device, DeviceTiming, DriverError, LinkError, Reply, Request
from gateway.model import Batch, Cell, ClockState, Plan, Quality, Stamp, Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.model import DeviceStatus

SAMPLE_TIME = 1_795_515_300_250_000_000
"""2026-11-24T10:15:00.250Z in ns: the time of a `ManualClock` that was not moved."""


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, time_ns: int = SAMPLE_TIME, state: ClockState = ClockState.SYNCED) -> None:
        self.time_ns = time_ns
        self.monotonic_ns = 1_000_000_000
        self.state = state

    def now(self) -> Stamp:
        """This instant on both clocks."""
        return Stamp(self.time_ns, self.monotonic_ns, self.state)

    def monotonic_s(self) -> float:
        """The monotonic clock in seconds."""
        return self.monotonic_ns / 1e9

    def advance(self, seconds: float) -> None:
        """Let both clocks run on."""
        self.time_ns += round(seconds * 1e9)
        self.monotonic_ns += round(seconds * 1e9)

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back; the monotonic clock does not notice."""
        self.time_ns += round(seconds * 1e9)


def sample_plan(device: str = "press-12", *tags: Tag) -> Plan:
    """A plan of the given tags, or of three unscaled ones: `temperature`, `running`, `count`."""
    return Plan(
        device,
        tags
        or (
            Tag("temperature", "holding:100", "float32", unit="°C"),
            Tag("running", "coil:12", "bool"),
            Tag("count", "holding:20", "uint16"),
        ),
    )


def sample_batch(plan: Plan, values: list[Cell], stamp: Stamp | None = None) -> Batch:
    """A batch of GOOD values at `stamp`, or at the sample time."""
    return Batch(plan, values, [Quality.GOOD] * len(values), stamp or ManualClock().now())


class ScriptedDriver:
    """A polling driver that answers as it is told. Each tag is one request, and its value counts the readings."""

    def __init__(self) -> None:
        self.link_error: LinkError | None = None
        """Raised by `open`, and by `read` on an open link."""
        self.errors: dict[str, DriverError] = {}
        """Raised when a tag is read, by tag name or `device/tag`."""
        self.opened = 0
        self.is_open = False
        self.reads: list[str] = []
        """`device/tag` of each reading, in order."""

    async def open(self) -> None:
        """Open, unless told otherwise."""
        if self.link_error is not None:
            raise self.link_error
        self.opened += 1
        self.is_open = True

    async def close(self) -> None:
        """Close."""
        self.is_open = False

    def requests(self, devices: Sequence[Device]) -> list[Request]:
        """One request a tag."""
        return [
            Request(device.name, tag.period_s, (position,), tag.name)
            for device in devices
            for position, tag in enumerate(device.plan.tags)
        ]

    async def read(self, request: Request) -> Reply:
        """The number of readings so far, or the error that was asked for."""
        name = f"{request.device}/{request.detail}"
        self.reads.append(name)
        if self.link_error is not None:
            raise self.link_error
        error = self.errors.get(name) or self.errors.get(request.detail)
        if error is not None:
            raise error
        return Reply([len(self.reads)])


class Collected:
    """An outlet that keeps all it is given."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.statuses: list[DeviceStatus] = []
        self.failures: list[str] = []

    def emit(self, batch: Batch) -> None:
        """Keep a batch."""
        self.batches.append(batch)

    def report(self, status: DeviceStatus) -> None:
        """Keep a status."""
        self.statuses.append(status)

    def failed(self, device: str) -> None:
        """Keep the name of a device that failed once."""
        self.failures.append(device)


def sample_device(name: str = "press-12", *tags: Tag, **timing: float) -> Device:
    """A device of the given tags; `timing` overrides a period of 1 s, a time-out of 0.2 s, no retry, BAD after 2."""
    plan = sample_plan(name, *tags)
    defaults = {"period_s": 1.0, "timeout_s": 0.2, "retries": 0, "bad_after": 2, "heartbeat_s": 60.0}
    return Device(name, None, plan, DeviceTiming(**{**defaults, **timing}))  # type: ignore[arg-type]  # by field


async def eventually(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """Wait until the condition holds.

    Raises:
        AssertionError: it did not within that time.
    """
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {within_s} s"
        await asyncio.sleep(0.005)
