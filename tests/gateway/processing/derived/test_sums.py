"""What is made of samples and times, against the formulas of the textbook."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Quality
from gateway.processing.derived.sums import Sums

S = 1_000_000_000


def summed(*samples: float | str | bool) -> Sums:
    sums = Sums()
    for sample in samples:
        sums.sample(sample, Quality.GOOD)
    return sums


@given(st.lists(st.floats(-1e6, 1e6) | st.integers(-(10**6), 10**6) | st.booleans(), min_size=1, max_size=50))
def test_takes_are_those_of_the_textbook(samples: list[float]) -> None:
    """Mean, sum, extremes, and the deviation of the samples themselves."""
    sums = summed(*samples)
    numbers = [float(sample) for sample in samples]
    assert sums.made("count", None) == len(samples)
    assert sums.made("last", None) == samples[-1]
    assert sums.made("min", None) == min(numbers)
    assert sums.made("max", None) == max(numbers)
    assert sums.made("sum", None) == pytest.approx(sum(numbers), abs=1e-6)
    assert sums.made("mean", None) == pytest.approx(statistics.fmean(numbers), abs=1e-6)
    assert sums.made("standard_deviation", None) == pytest.approx(statistics.pstdev(numbers), abs=1e-3)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(1, 1000)), min_size=1, max_size=20))
def test_a_time_weighted_mean_weighs_by_time(held: list[tuple[float, int]]) -> None:
    """A value that held twice as long counts twice as much."""
    sums = Sums()
    for value, seconds in held:
        sums.hold(value, Quality.GOOD, seconds * S)
    expected = sum(value * seconds for value, seconds in held) / sum(seconds for _, seconds in held)
    assert sums.made("time_weighted_mean", None) == pytest.approx(expected, abs=1e-6)


ANYTHING = st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.integers() | st.text() | st.booleans()


@given(st.lists(st.tuples(ANYTHING, st.sampled_from(list(Quality))), max_size=20))
def test_whatever_comes_in_no_exception_and_no_infinity_comes_out(samples: list[tuple[object, Quality]]) -> None:
    """Any float, subnormal or not a number, any whole number, text, nothing, in any quality."""
    sums = Sums(states=(True, "idle", 3))
    for value, quality in samples:
        sums.sample(value, quality)  # type: ignore[arg-type]  # more than a source may give
        sums.hold(value, quality, S)  # type: ignore[arg-type]  # as above
    for take in ("mean", "min", "max", "sum", "standard_deviation", "time_weighted_mean"):
        made = sums.made(take, None)
        assert made is None or abs(float(made)) < float("inf")
    assert 0.0 <= sums.good_percent <= 100.0


def test_sums_that_outgrow_a_float_are_none() -> None:
    """An infinite number is never published."""
    sums = summed(1e308, -1e308, 1e308)
    assert sums.made("sum", None) == 1e308
    assert summed(1e308, 1e308).made("sum", None) is None
    assert sums.made("standard_deviation", None) is None


def test_a_whole_number_beyond_a_float_has_no_sum() -> None:
    """It counts and is last, but cannot be added."""
    sums = summed(1.0, 10**400)
    assert (sums.made("count", None), sums.made("last", None)) == (2, 10**400)
    assert sums.made("mean", None) is None


def test_without_a_sample_there_is_no_mean_and_a_sum_of_nothing() -> None:
    """Zero samples were counted, and their sum is zero; a mean of nothing is none."""
    sums = Sums()
    assert (sums.made("count", None), sums.made("sum", None), sums.made("mean", None)) == (0, 0.0, None)
    assert sums.made("standard_deviation", None) is None
    assert sums.made("min", None) is None


def test_states_are_told_apart_by_value() -> None:
    """Each state has its seconds; a value that is none of them has none."""
    sums = Sums(states=(0, 1))
    for value, seconds in ((0, 5), (1, 7), (2, 9), (False, 1)):
        sums.hold(value, Quality.GOOD, seconds * S)
    assert (sums.made("time_in_state", 0), sums.made("time_in_state", 1)) == (6.0, 7.0)
