"""Helpers for the tests of drivers, encoders and stages. Public: third-party drivers use them too."""

from __future__ import annotations

from gateway.model import Batch, Cell, ClockState, Plan, Quality, Stamp, Tag

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
