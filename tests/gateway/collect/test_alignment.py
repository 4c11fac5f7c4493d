"""Readings at round times of the wall clock, whatever is done to that clock."""

from __future__ import annotations

import pytest

from gateway.collect.alignment import Alignment
from gateway.collect.plan import devices_of
from gateway.collect.schedule import DeviceSchedule
from gateway.connection import STEP_S, ConnectionConfig, DeviceConfig, Name, TagConfig
from gateway.testing import SAMPLE_TIME, ManualClock

QUARTER_S = 900.0
QUARTER_NS = 900_000_000_000
TO_NEXT_S = (QUARTER_NS - SAMPLE_TIME % QUARTER_NS) / 1e9
"""From the sample time to the next quarter hour."""


def scheduled(clock: ManualClock, *periods_s: float) -> DeviceSchedule[str]:
    """A device with these periods, aligned to quarter hours, its first readings done."""
    alignment = Alignment(clock, QUARTER_S)
    members = [(period_s, f"{period_s:g}") for period_s in periods_s]
    schedule = DeviceSchedule("meter", members, clock.monotonic_ns, alignment)
    assert schedule.take(clock.monotonic_ns) == [name for _, name in members]
    return schedule


def readings(schedule: DeviceSchedule[str], clock: ManualClock, for_s: float) -> list[int]:
    """The wall times at which the schedule gives out its aligned member, waking as it says."""
    times = []
    end = clock.monotonic_ns + round(for_s * 1e9)
    while schedule.due_ns < end:
        clock.advance(max(0, schedule.due_ns - clock.monotonic_ns) / 1e9)
        if schedule.take(clock.monotonic_ns):
            times.append(clock.time_ns)
    return times


def test_it_reads_at_each_quarter_hour() -> None:
    """The first reading is at once, the next ones exactly at :00, :15, :30 and :45."""
    clock = ManualClock()
    times = readings(scheduled(clock, QUARTER_S), clock, 7200)
    assert len(times) == 8
    assert all(time % QUARTER_NS < 1_000 for time in times)


def test_what_is_not_aligned_keeps_its_own_times() -> None:
    """A tag of one second is read each second, also in a device whose other tags are aligned."""
    clock = ManualClock()
    schedule = scheduled(clock, QUARTER_S, 1.0)
    taken = []
    for _ in range(20):
        clock.advance((schedule.due_ns - clock.monotonic_ns) / 1e9)
        taken += schedule.take(clock.monotonic_ns)
    assert taken == ["1"] * 20


def test_a_clock_set_forward_over_a_quarter_gives_one_reading_within_half_a_minute() -> None:
    """The step that was jumped over is read late, once; the next ones are on time again."""
    clock = ManualClock()
    schedule = scheduled(clock, QUARTER_S)
    clock.step(3600)
    stepped = clock.time_ns
    first, *others = readings(schedule, clock, 3600)
    assert first - stepped <= 30_000_000_000
    assert all(time % QUARTER_NS < 1_000 for time in others)


def test_a_clock_set_back_is_followed_once() -> None:
    """Setting it back reads nothing by itself; the quarter hours of the new time are read as they come."""
    clock = ManualClock()
    schedule = scheduled(clock, QUARTER_S)
    readings(schedule, clock, TO_NEXT_S + 10)
    clock.advance(20)
    clock.step(-3600)
    times = readings(schedule, clock, 1800)
    assert len(times) == 2
    assert all(time % QUARTER_NS < 1_000 for time in times)


def test_overruns_are_of_periods_only() -> None:
    """Looking at the clock early or late is no reading that was left out."""
    clock = ManualClock()
    schedule = scheduled(clock, QUARTER_S)
    clock.advance(5000)
    assert schedule.take(clock.monotonic_ns) == ["900"]
    assert schedule.overruns == 0


def config_of(defaults: dict[str, object], device: dict[str, object]) -> ConnectionConfig:
    """A connection with one device of one tag."""
    file = {
        "version": 1,
        "driver": "any",
        "defaults": defaults,
        "devices": {"meter": {"tags": {"t": {"address": "a"}, "fast": {"address": "b", "period_s": 1.0}}, **device}},
    }
    return _Connection.model_validate(file)


class _Tag(TagConfig):
    """A tag of no driver."""

    def data_type(self) -> str:
        return "int"


class _Device(DeviceConfig):
    """A device of no driver."""

    tags: dict[Name, _Tag]  # type: ignore[assignment]  # narrowed as each driver does


class _Connection(ConnectionConfig):
    """A connection of no driver."""

    devices: dict[Name, _Device]  # type: ignore[assignment]  # narrowed as each driver does


@pytest.mark.parametrize(
    ("defaults", "device", "period_s", "align_s"),
    [
        ({}, {}, 1.0, None),
        ({"align": "15min"}, {}, 900.0, 900.0),
        ({}, {"align": "1h"}, 3600.0, 3600.0),
        ({"align": "15min"}, {"period_s": 5.0}, 5.0, None),
        ({"period_s": 5.0}, {"align": "1min"}, 60.0, 60.0),
    ],
)
def test_the_nearest_word_wins(
    defaults: dict[str, object], device: dict[str, object], period_s: float, align_s: float | None
) -> None:
    """A period at the device replaces an alignment of the connection, and the other way round."""
    (made,) = devices_of(config_of(defaults, device))
    assert (made.timing.period_s, made.timing.align_s) == (period_s, align_s)
    assert [tag.period_s for tag in made.plan.tags] == [period_s, 1.0]


def test_every_step_has_its_length() -> None:
    """The words of the file and their seconds."""
    assert STEP_S == {"1min": 60, "5min": 300, "10min": 600, "15min": 900, "30min": 1800, "1h": 3600}
