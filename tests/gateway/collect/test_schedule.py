"""The schedule: absolute slots that never drift."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.collect.schedule import SLOTS, DeviceSchedule

SECOND = 1_000_000_000
NOW = 12_345_678_901


def test_the_first_reading_is_due_at_once() -> None:
    """Nobody waits a period for the first value."""
    assert DeviceSchedule("d", [(5.0, "a")], NOW).due_ns == NOW


def test_slots_are_exact_multiples_however_late_each_reading_is() -> None:
    """Lateness of one reading never moves the next slot."""
    schedule = DeviceSchedule("d", [(1.0, "a")], NOW)
    schedule.take(NOW)
    first = schedule.due_ns
    for beat in range(1, 100):
        schedule.take(schedule.due_ns + beat * 7_000_000 % SECOND)
        assert schedule.due_ns == first + beat * SECOND


def test_a_missed_slot_is_counted_and_not_made_up_for() -> None:
    """After a stall of 3.5 s one reading follows, not four."""
    schedule = DeviceSchedule("d", [(1.0, "a")], NOW)
    schedule.take(NOW)
    late = schedule.due_ns + 3 * SECOND + SECOND // 2
    assert schedule.take(late) == ["a"]
    assert schedule.due_ns > late
    assert schedule.overruns == 3


def test_only_the_groups_that_are_due_are_taken() -> None:
    """Fast and slow tags of a device meet in the slots that both have."""
    schedule = DeviceSchedule("d", [(1.0, "fast"), (4.0, "slow")], NOW)
    assert schedule.take(NOW) == ["fast", "slow"]
    taken = [schedule.take(schedule.due_ns) for _ in range(12)]
    assert taken.count(["fast", "slow"]) == 3
    assert taken.count(["fast"]) == 9


def test_devices_spread_over_few_slots_that_all_links_share() -> None:
    """Wake-ups cost more than values, so 200 devices meet in five phases of a second, all of them used."""
    phases = set()
    for number in range(200):
        schedule = DeviceSchedule(f"device-{number}", [(1.0, "a")], NOW)
        schedule.take(NOW)
        phases.add(schedule.due_ns % SECOND)
    assert len(phases) == SLOTS


def test_after_a_delay_everything_is_read_and_no_overrun_is_counted() -> None:
    """A device that was left alone for a minute is read whole when it is tried again."""
    schedule = DeviceSchedule("d", [(1.0, "fast"), (60.0, "slow")], NOW)
    schedule.take(NOW)
    schedule.delay(NOW + 30 * SECOND)
    assert schedule.due_ns == NOW + 30 * SECOND
    assert schedule.take(NOW + 30 * SECOND) == ["fast", "slow"]
    assert schedule.overruns == 0


@given(st.floats(0.01, 3600), st.integers(0, 10**18), st.text(min_size=1))
def test_the_next_slot_lies_in_the_future_and_within_one_period(period_s: float, now: int, name: str) -> None:
    """For every period, time and name."""
    schedule = DeviceSchedule(name, [(period_s, "a")], now)
    schedule.take(now)
    assert now < schedule.due_ns <= now + round(period_s * SECOND)


def test_members_are_exchanged_without_moving_the_slots() -> None:
    """What takes the place of others is due when they were; a new period begins with the next one."""
    schedule = DeviceSchedule("press", [(1.0, "whole"), (5.0, "slow")], 0)
    schedule.take(0)
    due_ns = schedule.due_ns
    schedule.exchange({"whole"}, [(1.0, "first"), (1.0, "second"), (2.0, "new")])
    assert schedule.due_ns == due_ns
    assert {"first", "second", "new"} <= set(schedule.take(due_ns))
    assert "whole" not in schedule.take(due_ns + 1_000_000_000)


def test_a_period_without_members_wakes_nobody() -> None:
    """Its slots are gone with the last of them."""
    schedule = DeviceSchedule("press", [(1.0, "fast"), (60.0, "slow")], 0)
    schedule.take(0)
    schedule.take(schedule.due_ns)
    schedule.exchange({"fast"}, [(60.0, "merged")])
    assert schedule.shortest_period_ns == 60_000_000_000
    assert schedule.due_ns > 59_000_000_000


def test_a_delay_outlives_an_exchange() -> None:
    """A device that is left alone stays so."""
    schedule = DeviceSchedule("press", [(1.0, "whole")], 0)
    schedule.delay(77_000_000_000)
    schedule.exchange({"whole"}, [(1.0, "half")])
    assert schedule.due_ns == 77_000_000_000
    assert schedule.take(77_000_000_000) == ["half"]
