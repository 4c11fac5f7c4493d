"""What is live: entries in memory, waiting to be sent or on their way, until they are acknowledged or on disk."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.model import Notice
from gateway.outbox.entry import weight

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.outbox.entry import Entry


@dataclass(slots=True, eq=False)
class _Slot:
    entry: Entry
    since: float
    """When it was put, s of the monotonic clock."""
    weight: int
    order: int
    taken: bool = False
    acknowledged: bool = False
    spilling: bool = False
    """It is being written to disk."""
    ordinal: int | None = None
    """Where it is on disk."""


class Window:
    """Notices go before batches; within each, first come, first served. The oldest batches are dropped for room."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._count = 0
        self._notices: deque[_Slot] = deque()
        self._batches: deque[_Slot] = deque()
        self._taken: dict[Entry, _Slot] = {}
        self._spilling: list[_Slot] = []

    def __len__(self) -> int:
        """How many entries are in memory and not on disk."""
        untouched = len(self._notices) + len(self._batches)
        return untouched + len(self._spilling) + sum(not s.spilling and s.ordinal is None for s in self._taken.values())

    @property
    def oldest_since(self) -> float | None:
        """When the oldest entry was put that is not on disk; None where there is none. In s of the monotonic clock."""
        firsts = [queue[0] for queue in (self._notices, self._batches) if queue]
        waiting = [slot.since for slot in (*firsts, *self._spilling) if not slot.acknowledged]
        waiting += [slot.since for slot in self._taken.values() if slot.ordinal is None]
        return min(waiting, default=None)

    def add(self, entry: Entry, now: float) -> list[Entry]:
        """Take an entry in. Returns the entries that had to be dropped for it, oldest first."""
        slot = _Slot(entry, now, weight(entry.item), self._count)
        self._count += 1
        self._bytes += slot.weight
        (self._notices if isinstance(entry.item, Notice) else self._batches).append(slot)
        dropped = []
        while self._bytes > self._most_bytes and (self._batches or self._notices):
            oldest = (self._batches or self._notices).popleft()
            self._bytes -= oldest.weight
            dropped.append(oldest.entry)
        return dropped

    def take(self) -> Entry | None:
        """The next to be sent; None where there is none."""
        queue = self._notices or self._batches
        if not queue:
            return None
        slot = queue.popleft()
        slot.taken = True
        self._taken[slot.entry] = slot
        return slot.entry

    def acknowledge(self, entry: Entry) -> tuple[bool, int | None]:
        """An entry is delivered. Returns whether it was under way, and its ordinal where it is on disk."""
        slot = self._taken.pop(entry, None)
        if slot is None:
            return False, None
        slot.acknowledged = True
        if not slot.spilling and slot.ordinal is None:
            self._bytes -= slot.weight
        return True, slot.ordinal

    def give_back(self) -> list[tuple[int, Entry]]:
        """What was taken is to be taken again, in order. Returns what is on disk, and will come from there."""
        slots = sorted(self._taken.values(), key=_order)
        self._taken.clear()
        for slot in slots:
            slot.taken = False
        self._put_back([slot for slot in slots if slot.ordinal is None and not slot.spilling])
        return [(slot.ordinal, slot.entry) for slot in slots if slot.ordinal is not None]

    def begin_spill(self, before: float) -> list[Entry]:
        """What was put at `before` or earlier and is not on disk, in order. `end_spill` must follow."""
        slots = [slot for slot in self._taken.values() if slot.since <= before and slot.ordinal is None]
        for queue in (self._notices, self._batches):
            while queue and queue[0].since <= before:
                slots.append(queue.popleft())
        self._spilling = sorted(slots, key=_order)
        for slot in self._spilling:
            slot.spilling = True
        return [slot.entry for slot in self._spilling]

    def end_spill(self, ordinals: Mapping[Entry, int]) -> tuple[list[int], dict[int, Entry]]:
        """The entries of `begin_spill` are on disk under these ordinals; those without one cannot be kept and are gone.

        Returns the ordinals of those that were acknowledged meanwhile, and those that are under way by their ordinals.
        """
        acknowledged, under_way = [], {}
        for slot in self._spilling:
            slot.spilling = False
            slot.ordinal = ordinals.get(slot.entry)
            self._bytes -= slot.weight
            if slot.ordinal is None:
                self._taken.pop(slot.entry, None)
            elif slot.acknowledged:
                acknowledged.append(slot.ordinal)
            elif slot.taken:
                under_way[slot.ordinal] = slot.entry
        self._spilling = []
        return acknowledged, under_way

    def abandon_spill(self) -> None:
        """The entries of `begin_spill` are not on disk: they wait in memory as before."""
        slots, self._spilling = self._spilling, []
        for slot in slots:
            slot.spilling = False
            if slot.acknowledged:
                self._bytes -= slot.weight
        self._put_back([slot for slot in slots if not slot.taken and not slot.acknowledged])

    def _put_back(self, slots: list[_Slot]) -> None:
        """Back into the queues, each at its place: what was put before the others is sent before them."""
        for slot in reversed(slots):
            (self._notices if isinstance(slot.entry.item, Notice) else self._batches).appendleft(slot)
        if slots:
            self._notices = deque(sorted(self._notices, key=_order))
            self._batches = deque(sorted(self._batches, key=_order))


def _order(slot: _Slot) -> int:
    return slot.order
