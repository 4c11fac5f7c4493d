"""A clock that is set: what is noticed, what is told, and what the times before were worth."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.clock.watch import ClockEvent, ClockWatch, Correction
from gateway.model import ClockState, Stamp
from gateway.testing import SAMPLE_TIME, ManualClock

RUN = "000007-00c0ffee"
RUNS = frozenset({RUN})
HOUR_NS = 3_600_000_000_000


def unsynced(time_ns: int = 1_000) -> ManualClock:
    """A clock in 1970."""
    return ManualClock(time_ns, ClockState.FREE_RUNNING)


def test_a_quiet_clock_says_nothing() -> None:
    """Both clocks run on together for a day."""
    clock = ManualClock()
    watch = ClockWatch(clock, RUNS)
    for _ in range(24):
        clock.advance(3600)
        assert watch.look() is None


def test_a_step_is_told_once_with_both_times() -> None:
    """The event says what the clock would show without it and what it shows."""
    clock = ManualClock()
    watch = ClockWatch(clock, RUNS)
    clock.advance(10)
    clock.step(3600)
    change = watch.look()
    assert change is not None
    assert (change.event, change.step) == (ClockEvent.STEPPED, HOUR_NS)
    assert change.notice().body == {
        "event": "clock_stepped",
        "from": "2026-11-24T10:15:10.250Z",
        "to": "2026-11-24T11:15:10.250Z",
        "step_s": 3600.0,
    }
    clock.advance(1)
    assert watch.look() is None


def test_small_steps_add_up() -> None:
    """What is too small to tell is not forgotten: ten times 20 ms is a step of 0.1 s or more."""
    clock = ManualClock()
    watch = ClockWatch(clock, RUNS)
    steps = []
    for _ in range(10):
        clock.step(0.02)
        change = watch.look()
        steps += [change.step] if change else []
    assert steps == [100_000_000, 100_000_000]


def test_a_reading_that_was_interrupted_is_no_step() -> None:
    """Between reading one clock and the other the process may sleep; the second reading tells."""

    class Interrupted(ManualClock):
        late = False

        def now(self) -> Stamp:
            stamp = super().now()
            late, self.late = self.late, False
            return stamp._replace(time=stamp.time + 400_000_000) if late else stamp

    clock = Interrupted()
    watch = ClockWatch(clock, RUNS)
    clock.late = True
    assert watch.look() is None


def test_the_first_synchronisation_corrects_what_came_before() -> None:
    """Ten minutes after a start in 1970 the clock is set: every earlier stamp gets its true time."""
    clock = unsynced()
    watch = ClockWatch(clock, RUNS)
    early = clock.now()
    clock.advance(600)
    assert watch.restamped(RUN, early) is early
    clock.time_ns, clock.state = SAMPLE_TIME, ClockState.SYNCED
    change = watch.look()
    assert change is not None
    assert change.event is ClockEvent.SYNCED
    assert watch.restamped(RUN, early) == Stamp(SAMPLE_TIME - 600 * 10**9, early.monotonic, ClockState.CORRECTED)


def test_a_stamp_of_another_boot_stays_as_it_is() -> None:
    """Its monotonic time counted from another beginning."""
    clock = ManualClock()
    stamp = Stamp(5, 5, ClockState.FREE_RUNNING)
    assert ClockWatch(clock, RUNS).restamped("000006-00c0ffee", stamp) is stamp


def test_a_run_that_starts_synchronised_corrects_earlier_runs_of_its_boot() -> None:
    """The process was restarted after the clock was set; what the one before left on disk is of the same boot."""
    clock = ManualClock()
    early = Stamp(1_000, clock.monotonic_ns - 10**9, ClockState.FREE_RUNNING)
    expected = Stamp(SAMPLE_TIME - 10**9, early.monotonic, ClockState.CORRECTED)
    assert ClockWatch(clock, RUNS).restamped(RUN, early) == expected


def test_what_was_taken_while_synchronised_is_never_touched() -> None:
    """Also where the clock was set later: its time was true by what was known then."""
    clock = ManualClock()
    watch = ClockWatch(clock, RUNS)
    stamp = clock.now()
    clock.step(-3600)
    watch.look()
    assert watch.restamped(RUN, stamp) is stamp


def test_a_lost_synchronisation_is_told_and_its_times_stay_marked() -> None:
    """They were right a while ago; nobody can say by how much they are wrong."""
    clock = ManualClock()
    watch = ClockWatch(clock, RUNS)
    clock.advance(60)
    clock.state = ClockState.FREE_RUNNING
    change = watch.look()
    assert change is not None
    assert (change.event, watch.state) == (ClockEvent.LOST, ClockState.FREE_RUNNING)
    clock.advance(60)
    late = clock.now()
    clock.state = ClockState.SYNCED
    watch.look()
    assert watch.restamped(RUN, late) is late


@given(offset=st.integers(-(2**62), 2**62), until=st.integers(0, 2**62), time=st.integers(), at=st.integers(0, 2**62))
def test_corrected_times_keep_their_distances(offset: int, until: int, time: int, at: int) -> None:
    """Two corrected stamps lie as far apart as their monotonic times; only free-running ones are corrected."""
    correction = Correction(offset, until)
    stamp = Stamp(time, at, ClockState.FREE_RUNNING)
    corrected = correction.corrected(stamp)
    assert corrected.monotonic == at
    if at <= until:
        assert corrected.time - at == offset
        assert corrected.clock is ClockState.CORRECTED
    else:
        assert corrected is stamp
    assert correction.corrected(corrected) is corrected
