"""How the points of one table are cut into runs, each of which one request reads: the cheapest way there is.

What must stay in one request is a unit: a number of several registers, or the tags that are to be read together.
Units are sorted by address, and a run is what one request reads of them. Where two neighbours may not be in one run
there is a wall between them: a gap that is too long, a hole that the device refuses, a place that it was found to
refuse to read across.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from drivers.modbus.cost import LinkCost
    from drivers.modbus.tag import ModbusTag


class Point(NamedTuple):
    """A tag on its table."""

    start: int
    end: int
    """The address after its last."""
    position: int
    """In the device's plan."""
    tag: ModbusTag
    period_s: float


class Unit(NamedTuple):
    """Points that stay in one request."""

    start: int
    end: int
    """The address after the last of its points."""
    points: tuple[Point, ...]

    @classmethod
    def of(cls, points: Collection[Point]) -> Unit:
        """The unit of these points."""
        return cls(min(point.start for point in points), max(point.end for point in points), tuple(sorted(points)))

    @property
    def period_s(self) -> float:
        """Time between two readings, s; the same for all of them."""
        return self.points[0].period_s


class Walls:
    """What no request may read across, in one table.

    Args:
        max_gap: most addresses without a tag that a request may read along.
        holes: first address and address after the last of stretches that are never read along.
        cuts: addresses at which a request must begin anew.
    """

    def __init__(self, max_gap: int, holes: Collection[tuple[int, int]] = (), cuts: Collection[int] = ()) -> None:
        self._max_gap = max_gap
        self._holes = sorted(holes)
        self._cuts = sorted(cuts)

    def between(self, before: Unit, reached: int, following: Unit) -> bool:
        """Whether a run that has reached an address, its last unit being `before`, may not go on with `following`."""
        return (
            following.start - reached > self._max_gap
            or (bool(self._cuts) and self._is_cut(before.start, following.start))
            or (bool(self._holes) and self._is_hole(reached, following.start))
        )

    def _is_hole(self, reached: int, upto: int) -> bool:
        return any(first < upto and after > reached for first, after in self._holes)

    def _is_cut(self, after: int, upto: int) -> bool:
        return bisect_right(self._cuts, after) < bisect_right(self._cuts, upto)


class Run(NamedTuple):
    """Units that one request reads."""

    units: tuple[Unit, ...]
    cost: float
    """In bytes of the link."""

    @property
    def start(self) -> int:
        """The first address."""
        return self.units[0].start

    @property
    def end(self) -> int:
        """The address after the last."""
        return max(unit.end for unit in self.units)


class Measure(NamedTuple):
    """How much a run of one table may hold, and what it costs."""

    most: int
    """Registers or bits."""
    is_bits: bool
    link: LinkCost

    def data_bytes(self, count: int) -> int:
        """Bytes of data in the reply to a request for so many registers or bits."""
        return (count + 7) // 8 if self.is_bits else 2 * count

    def cost(self, count: int) -> float:
        """Of one request, in bytes of the link."""
        return self.link.of(self.data_bytes(count))

    def run(self, units: Sequence[Unit]) -> Run:
        """The run of these units."""
        end = max(unit.end for unit in units)
        return Run(tuple(units), self.cost(end - units[0].start))


class _Way(NamedTuple):
    """The cheapest way found to have read all units before one."""

    cost: float
    before: int
    """Where the last run of this way begins."""


def cheapest_runs(units: Sequence[Unit], walls: Walls, measure: Measure) -> list[Run]:
    """The shortest path from the first unit to behind the last, each step being one run.

    Args:
        units: sorted.
        walls: what no run reaches across.
        measure: most addresses of a run, and its cost.
    """
    ways = {0: _Way(0.0, 0)}
    for first in range(len(units)):
        if first not in ways:
            continue
        for after, count in _ends_of_run(units, first, walls, measure.most):
            cost = ways[first].cost + measure.cost(count)
            if after not in ways or cost < ways[after].cost:
                ways[after] = _Way(cost, first)
    return _walked(units, ways, measure)


def _ends_of_run(units: Sequence[Unit], first: int, walls: Walls, most: int) -> Iterator[tuple[int, int]]:
    """Where a run that begins at `first` may end: the unit after it, and the addresses it then spans.

    Ending inside a run without a gap saves nothing, so it ends at gaps and where it can grow no more.
    """
    before, begin, end = units[first], units[first].start, units[first].end
    for after in range(first + 1, len(units)):
        following = units[after]
        if following.end - begin > most or walls.between(before, end, following):
            yield after, end - begin
            return
        if following.start > end:
            yield after, end - begin
        before, end = following, max(end, following.end)
    yield len(units), end - begin


def _walked(units: Sequence[Unit], ways: dict[int, _Way], measure: Measure) -> list[Run]:
    """The runs of the cheapest way, found from its end."""
    runs: list[Run] = []
    after = len(units)
    while after:
        before = ways[after].before
        runs.append(measure.run(units[before:after]))
        after = before
    return runs[::-1]


def halves(units: Sequence[Unit]) -> tuple[Sequence[Unit], Sequence[Unit]] | None:
    """Two runs of these units, each of about half the addresses; None where there is only one unit.

    Units that overlap stay together, since one request for either asks for the other as well.
    """
    begins = _begins(units)
    if not begins:
        return None
    middle = (units[0].start + max(unit.end for unit in units)) // 2
    starts = [units[at].start for at in begins]
    nearest = min(max(bisect_left(starts, middle), 0), len(begins) - 1)
    at = begins[nearest]
    return units[:at], units[at:]


def _begins(units: Sequence[Unit]) -> list[int]:
    """Where a run may begin: the units that overlap none before them."""
    begins, end = [], units[0].end
    for at in range(1, len(units)):
        if units[at].start >= end:
            begins.append(at)
        end = max(end, units[at].end)
    return begins
