"""When each device is due: absolute slots on the monotonic clock, so that no period drifts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gateway.collect.alignment import Alignment

SLOTS = 5
"""Phases that devices are spread over. Few, since a wake-up costs more than a value: what is due together shares it."""

_LONGEST_SPREAD_NS = 1_000_000_000

T = TypeVar("T")


class _Group(Generic[T]):
    """What is read with one period."""

    def __init__(self, period_ns: int, due_ns: int) -> None:
        self.period_ns = period_ns
        self.due_ns = due_ns
        self.members: list[T] = []
        self.was_read = False


class DeviceSchedule(Generic[T]):
    """What is read of one device, by period. Its phase comes from its name, so a restart does not move it.

    The first reading is due at once, all later ones in slots: due times are multiples of the period plus the phase.
    A slot that was missed is counted and left out, never made up for. What is aligned is due at the steps of the wall
    clock instead; all else keeps its times when that clock is set.
    """

    def __init__(
        self, device: str, members: Iterable[tuple[float, T]], now_ns: int, alignment: Alignment | None = None
    ) -> None:
        self._alignment = alignment
        self.overruns = 0
        """Slots that were missed because the link was busy."""
        self._slot = crc32(device.encode()) % SLOTS
        self._groups: dict[int, _Group[T]] = {}
        for period_s, member in members:
            period_ns = round(period_s * 1e9)
            self._groups.setdefault(period_ns, _Group(period_ns, now_ns)).members.append(member)
        self._is_delayed = False
        self.due_ns = now_ns
        """When the device is to be read next, on the monotonic clock."""

    @property
    def shortest_period_ns(self) -> int:
        """The shortest time between two readings."""
        return min(self._groups)

    def take(self, now_ns: int) -> list[T]:
        """What is due now; its groups move on to the next slot. After a delay that is everything."""
        everything, self._is_delayed = self._is_delayed, False
        if len(self._groups) == 1:
            (group,) = self._groups.values()
            due = list(self._taken(group, now_ns, everything=everything))
            self.due_ns = group.due_ns
            return due
        due = []
        for group in self._groups.values():
            if everything or group.due_ns <= now_ns:
                due += self._taken(group, now_ns, everything=everything)
        self.due_ns = self._next_ns()
        return due

    def delay(self, until_ns: int) -> None:
        """Leave a failing device alone until then, whatever its periods; then it is read whole."""
        self._is_delayed = True
        self.due_ns = until_ns

    def exchange(self, gone: Collection[T], members: Iterable[tuple[float, T]]) -> None:
        """Put other members in the place of some. Due times stay; a new period is due with the next one."""
        next_ns = self._next_ns()
        for group in self._groups.values():
            group.members = [member for member in group.members if member not in gone]
        for period_s, member in members:
            period_ns = round(period_s * 1e9)
            self._groups.setdefault(period_ns, _Group(period_ns, next_ns)).members.append(member)
        self._groups = {period_ns: group for period_ns, group in self._groups.items() if group.members}
        if not self._is_delayed:
            self.due_ns = self._next_ns()

    def _next_ns(self) -> int:
        return min([group.due_ns for group in self._groups.values()], default=self.due_ns)

    def _taken(self, group: _Group[T], now_ns: int, *, everything: bool) -> list[T]:
        """The members, where the group is really due; it moves on to its next slot."""
        alignment = self._alignment
        if alignment is not None and group.period_ns == alignment.step_ns:
            is_first = not group.was_read
            group.due_ns, group.was_read = alignment.look_ns(), True
            return group.members if alignment.has_begun() or is_first or everything else []
        period_ns = group.period_ns
        if not everything:
            self.overruns += (now_ns - group.due_ns) // period_ns
        phase_ns = self._slot * min(period_ns, _LONGEST_SPREAD_NS) // SLOTS
        group.due_ns = now_ns + period_ns - (now_ns - phase_ns) % period_ns
        return group.members
