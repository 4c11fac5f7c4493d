"""Tags of several periods in one request, where that is cheaper than reading them apart.

A request of 1 s may carry tags of 5 s: it becomes longer in each of five readings, and a request is saved in one of
them. What counts is the cost a second. The plan begins with each period by itself; a change is made only where it
lowers the sum, so what comes out is never dearer than reading the periods apart.

A period takes passengers only from one that is a whole multiple of it, so that they are fresh at every one of their own
readings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.modbus.cutting import cheapest_runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from drivers.modbus.cutting import Measure, Run, Unit, Walls

_WHOLE = 1e-9
"""How far a quotient of two periods may be from a whole number and still be one."""


def runs_by_period(
    units: Mapping[float, Sequence[Unit]], walls: Walls, measure: Measure
) -> list[tuple[float, list[Run]]]:
    """The runs of one table by the period they are read with, s; a run may hold units of slower periods.

    Args:
        units: by their own period, sorted.
        walls: what no run reaches across.
        measure: most addresses of a run, and its cost.
    """
    read = {period_s: _Read(period_s, own, walls, measure) for period_s, own in units.items()}
    for slow in sorted(units)[1:]:
        for fast in sorted(units):
            if fast < slow and multiple(slow, fast) is not None:
                _let_ride(read[slow], read[fast])
    return [(period_s, one.best()) for period_s, one in read.items() if one.runs]


def multiple(slow_s: float, fast_s: float) -> int | None:
    """How often the fast period fits into the slow one; None where that is no whole number of times."""
    times = round(slow_s / fast_s)
    return times if abs(slow_s / fast_s - times) < _WHOLE * times else None


class _Read:
    """What is read with one period."""

    def __init__(self, period_s: float, units: Sequence[Unit], walls: Walls, measure: Measure) -> None:
        self.period_s = period_s
        self.runs = cheapest_runs(units, walls, measure)
        self._walls = walls
        self._measure = measure

    def best(self) -> list[Run]:
        """The cheapest runs of all that is read by now."""
        return self._cheapest(unit for run in self.runs for unit in run.units)

    def gains(self, gone: Sequence[Run], come: Sequence[Run]) -> float:
        """How much less is paid a second with other runs in the place of some."""
        return (sum(run.cost for run in gone) - sum(run.cost for run in come)) / self.period_s

    def exchange(self, gone: Sequence[Run], come: Sequence[Run]) -> None:
        """Put other runs in the place of some."""
        self.runs = [run for run in self.runs if run not in gone] + list(come)

    def near(self, units: Sequence[Unit]) -> list[Run]:
        """The runs that could be one with these units."""
        first, after = units[0].start - self._measure.most, units[-1].end + self._measure.most
        return [run for run in self.runs if run.end > first and run.start < after]

    def with_more(self, runs: Sequence[Run], more: Sequence[Unit]) -> list[Run]:
        """The cheapest runs for what these runs read, and more units."""
        return self._cheapest([*(unit for run in runs for unit in run.units), *more])

    def without(self, run: Run, fewer: Sequence[Unit]) -> list[Run]:
        """The cheapest runs for what a run reads, without some of its units."""
        gone = {unit.points[0].position for unit in fewer}
        return self._cheapest(unit for unit in run.units if unit.points[0].position not in gone)

    def spans(self, unit: Unit) -> bool:
        """Whether a run reads the addresses of this unit along anyway."""
        return any(run.start <= unit.start and unit.end <= run.end for run in self.runs)

    def _cheapest(self, units: Iterable[Unit]) -> list[Run]:
        return cheapest_runs(sorted(units, key=_by_place), self._walls, self._measure)


def _by_place(unit: Unit) -> tuple[int, int, int]:
    return unit.start, unit.end, unit.points[0].position


def _let_ride(slow: _Read, fast: _Read) -> None:
    """Move to the faster period what lies in its runs anyway, then each run that is cheaper there."""
    for run in list(slow.runs):
        _move_where_cheaper(run, [unit for unit in run.units if fast.spans(unit)], slow, fast)
    for run in list(slow.runs):
        _move_where_cheaper(run, run.units, slow, fast)


def _move_where_cheaper(run: Run, units: Sequence[Unit], slow: _Read, fast: _Read) -> None:
    """Only what lies near is cut anew, so that a device of thousands of tags is planned in no time."""
    if not units or not fast.runs:
        return
    rest, near = slow.without(run, units), fast.near(units)
    merged = fast.with_more(near, units)
    if slow.gains([run], rest) + fast.gains(near, merged) > 0:
        slow.exchange([run], rest)
        fast.exchange(near, merged)
