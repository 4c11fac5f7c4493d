"""When each device is due: absolute slots on the monotonic clock, so that no period drifts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterable

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


class DeviceSchedule(Generic[T]):
    """What is read of one device, by period. Its phase comes from its name, so a restart does not move it.

    The first reading is due at once, all later ones in slots: due times are multiples of the period plus the phase.
    A slot that was missed is counted and left out, never made up for.
    """

    def __init__(self, device: str, members: Iterable[tuple[float, T]], now_ns: int) -> None:
        self.overruns = 0
        """Slots that were missed because the link was busy."""
        self._slot = crc32(device.encode()) % SLOTS
        self._groups: dict[int, _Group[T]] = {}
        for period_s, member in members:
            period_ns = round(period_s * 1e9)
            self._groups.setdefault(period_ns, _Group(period_ns, now_ns)).members.append(member)
        self._delayed_until_ns: int | None = None

    @property
    def due_ns(self) -> int:
        """When the device is to be read next, on the monotonic clock."""
        if self._delayed_until_ns is not None:
            return self._delayed_until_ns
        return min(group.due_ns for group in self._groups.values())

    def take(self, now_ns: int) -> list[T]:
        """What is due now; its groups move on to the next slot. After a delay that is everything."""
        everything = self._delayed_until_ns is not None
        self._delayed_until_ns = None
        due: list[T] = []
        for group in self._groups.values():
            if everything or group.due_ns <= now_ns:
                due += group.members
                if not everything:
                    self.overruns += (now_ns - group.due_ns) // group.period_ns
                self._move_on(group, now_ns)
        return due

    def delay(self, until_ns: int) -> None:
        """Leave a failing device alone until then, whatever its periods; then it is read whole."""
        self._delayed_until_ns = until_ns

    def _move_on(self, group: _Group[T], now_ns: int) -> None:
        phase_ns = self._slot * min(group.period_ns, _LONGEST_SPREAD_NS) // SLOTS
        group.due_ns = ((now_ns - phase_ns) // group.period_ns + 1) * group.period_ns + phase_ns
