"""What a formula remembers, call by call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formula.formula import Formula, set_totals, totals
from gateway.formula.memory import MOST_SAMPLES, Integral, MovingAverage, Previous, SecondsSince

S = 1_000_000_000


def test_previous_is_unsure_at_its_first_value_only() -> None:
    """There is nothing before the first one, so it stands for itself."""
    previous = Previous()
    assert previous.step(5.0, 0) == 5.0
    assert previous.unsure
    assert previous.step(6.0, S) == 5.0
    assert not previous.unsure


def test_previous_survives_an_interruption() -> None:
    """The last value that was known is the one before the next."""
    previous = Previous()
    previous.step(5.0, 0)
    previous.interrupt()
    assert previous.step(6.0, S) == 5.0


def test_seconds_since_counts_from_the_last_time_the_condition_held() -> None:
    """Zero while it holds; unsure until it held once."""
    since = SecondsSince()
    assert [since.step(value, second * S) for second, value in enumerate([0, 0, 1, 0, 0, 1])] == [0, 1, 0, 1, 2, 0]
    assert not since.unsure
    fresh = SecondsSince()
    fresh.step(0, 0)
    assert fresh.unsure


@pytest.mark.parametrize(("per", "expected"), [("s", 3600.0), ("min", 60.0), ("h", 1.0), ("d", 1 / 24)])
def test_an_integral_counts_time_in_the_unit_that_is_asked_for(per: str, expected: float) -> None:
    """1 for an hour is 3600 times seconds, and 1 times hours."""
    formula = Formula(f"integral(t, per='{per}')", ("t",))
    memory = formula.memory()
    formula.work_out([1.0], memory, 0)
    assert formula.work_out([1.0], memory, 3600 * S) == pytest.approx(expected)


def test_an_integral_does_not_run_backwards() -> None:
    """A clock that went back, which a monotonic one never does, adds nothing."""
    integral = Integral(1.0)
    integral.step(1.0, 10 * S)
    assert integral.step(1.0, 5 * S) == 0.0
    assert integral.step(1.0, 6 * S) == 1.0


def test_an_integral_that_outgrows_a_float_keeps_its_total() -> None:
    """The sample is refused, what was added before is not lost."""
    integral = Integral(1.0)
    integral.step(1e308, 0)
    integral.step(1e308, S)
    with pytest.raises(OverflowError):
        integral.step(1.0, 2 * S)
    assert integral.total == 1e308


def test_totals_can_be_taken_out_and_put_in() -> None:
    """In the order in which the integrals stand in the formula; other memories have none."""
    formula = Formula("integral(t, per='s') + previous(t) + integral(2 * t, per='s')", ("t",))
    memory = formula.memory()
    formula.work_out([1.0], memory, 0)
    formula.work_out([1.0], memory, S)
    assert totals(memory) == [1.0, 2.0]
    other = formula.memory()
    set_totals(other, totals(memory))
    assert formula.work_out([1.0], other, 0) == 1.0 + 1.0 + 2.0


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(0, 10)), min_size=1, max_size=50))
def test_an_integral_is_the_sum_of_value_times_time(samples: list[tuple[float, int]]) -> None:
    """Each value counts for the time until the next one."""
    integral = Integral(1.0)
    now, expected = 0, 0.0
    for position, (value, after_s) in enumerate(samples):
        if position:
            now += after_s * S
            expected += samples[position - 1][0] * after_s
        result = integral.step(value, now)
    assert result == pytest.approx(expected, abs=1e-6)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(0, 10)), min_size=1, max_size=50), st.integers(1, 20))
def test_a_moving_average_is_the_mean_of_the_young_samples(samples: list[tuple[float, int]], seconds: int) -> None:
    """Those younger than the span, the newest always among them."""
    average = MovingAverage(seconds)
    now = 0
    seen: list[tuple[int, float]] = []
    for value, after_s in samples:
        now += after_s * S
        seen.append((now, value))
        young = [one for time, one in seen if time > now - seconds * S]
        assert average.step(value, now) == pytest.approx(sum(young) / len(young), abs=1e-6)


def test_a_moving_average_is_bounded_in_memory() -> None:
    """However often samples come, so many are held and no more."""
    average = MovingAverage(86_400)
    for n in range(MOST_SAMPLES + 10):
        result = average.step(float(n >= 10), n)
    assert len(average._samples) == MOST_SAMPLES
    assert result == 1.0
