from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.cost import NETWORK
from drivers.modbus.cutting import Measure, Point, Unit, Walls, cheapest_runs
from drivers.modbus.sharing import multiple, runs_by_period

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from drivers.modbus.cutting import Run

REGISTERS = Measure(125, is_bits=False, link=NETWORK)


def units(addresses: Iterable[int], period_s: float, width: int = 1) -> list[Unit]:
    """Tags at these addresses; none of them needs more than its place here."""
    return [
        Unit.of([Point(at, at + width, 1000 * round(period_s) + at, None, period_s)])  # type: ignore[arg-type]  # no tag is looked at
        for at in sorted(set(addresses))
    ]


def rate(periods: Iterable[tuple[float, Sequence[Run]]]) -> float:
    """Bytes a second."""
    return sum(run.cost / period_s for period_s, runs in periods for run in runs)


def spans(periods: Iterable[tuple[float, Sequence[Run]]]) -> dict[float, list[tuple[int, int]]]:
    """First and last address of each request, by period."""
    return {period_s: [(run.start, run.end - 1) for run in runs] for period_s, runs in periods}


def planned(by_period: Mapping[float, Sequence[Unit]]) -> list[tuple[float, list[Run]]]:
    return runs_by_period(by_period, Walls(16), REGISTERS)


def test_a_slow_tag_between_fast_ones_rides_for_nothing() -> None:
    """Its address is read anyway."""
    assert spans(planned({1.0: units([10, 14], 1), 5.0: units([12], 5)})) == {1.0: [(10, 14)]}


def test_a_slow_neighbour_rides_where_two_bytes_a_reading_are_cheaper_than_a_request() -> None:
    """Two bytes five times, against 139 bytes once."""
    assert spans(planned({1.0: units([10, 11], 1), 5.0: units([12], 5)})) == {1.0: [(10, 12)]}


def test_a_long_slow_block_is_read_by_itself() -> None:
    """60 registers each second would be 120 bytes a second, apart they are 257 bytes in ten seconds."""
    apart = spans(planned({1.0: units([10, 11], 1), 10.0: units(range(12, 72), 10)}))
    assert apart == {1.0: [(10, 11)], 10.0: [(12, 71)]}


def test_only_whole_multiples_ride() -> None:
    """A tag of 2.5 s in a request of 1 s would be late every other time."""
    assert spans(planned({1.0: units([10], 1), 2.5: units([11], 2.5)})) == {1.0: [(10, 10)], 2.5: [(11, 11)]}


@pytest.mark.parametrize(
    ("slow", "fast", "times"), [(5.0, 1.0, 5), (0.3, 0.1, 3), (60.0, 0.25, 240), (2.5, 1.0, None), (1.0, 0.3, None)]
)
def test_multiples_are_found_in_spite_of_binary_fractions(slow: float, fast: float, times: int | None) -> None:
    """0.3 divided by 0.1 is not quite 3."""
    assert multiple(slow, fast) == times


@given(
    st.dictionaries(
        st.sampled_from([0.5, 1.0, 2.0, 5.0, 60.0]), st.sets(st.integers(0, 200), min_size=1, max_size=12), min_size=1
    )
)
def test_sharing_is_never_dearer_than_reading_apart_and_loses_nothing(addresses: dict[float, set[int]]) -> None:
    """Held against the cheapest plan of each period by itself; every tag is read once, at its period or a divisor."""
    by_period = {period_s: units(numbers, period_s) for period_s, numbers in addresses.items()}
    shared = planned(by_period)
    apart = [(period_s, cheapest_runs(own, Walls(16), REGISTERS)) for period_s, own in by_period.items()]
    assert rate(shared) <= rate(apart) + 1e-9
    read = [(unit, period_s) for period_s, runs in shared for run in runs for unit in run.units]
    assert sorted(unit for unit, _ in read) == sorted(chain.from_iterable(by_period.values()))
    assert all(multiple(unit.period_s, period_s) for unit, period_s in read)
