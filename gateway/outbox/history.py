"""What comes back from disk: loaded ahead of need, sent in order, and how far all of it is settled."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from gateway.outbox.entry import weight
from gateway.outbox.ranges import Ranges

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.model import Gap
    from gateway.outbox.entry import Entry
    from gateway.outbox.reader import Loaded

_LOAD_AHEAD_BYTES: Final = 1_000_000
"""With less than this ready, more is loaded: some 200 messages of 100 values."""

_MOST_PIECES: Final = 10_000
"""Of what is settled beyond the cursor, at some 20 bytes each in its file. Beyond it some entries are sent twice."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Which entries waited on disk at one moment."""

    read_to: int
    outstanding: frozenset[int]
    on_their_way: frozenset[int]
    early: Ranges

    def is_waiting(self, ordinal: int) -> bool:
        """Whether an entry is neither acknowledged nor under way."""
        return ordinal not in self.on_their_way and not self.is_settled(ordinal)

    def is_settled(self, ordinal: int) -> bool:
        """Whether an entry is acknowledged, or was found lost."""
        return ordinal not in self.outstanding if ordinal < self.read_to else ordinal in self.early


class History:
    """Entries by their ordinals. All below `read_to` were read; those of them that are not settled are outstanding.

    A live entry that is under way while it goes to disk is held: it is not sent as history before its fate is known.
    """

    def __init__(self) -> None:
        self._ready: deque[tuple[int, Entry]] = deque()
        self._ready_bytes = 0
        self._outstanding: dict[int, None] = {}
        self._taken: dict[Entry, int] = {}
        self._held: dict[int, Entry] = {}
        self._early = Ranges()
        """Settled before they were read."""
        self._dropped_to = 0
        self._drop: Snapshot | None = None
        self._released_meanwhile: dict[int, Entry] = {}
        self.read_to = 0
        self.changed = False
        """It differs from what was last written to disk; whoever writes it resets this."""

    def __len__(self) -> int:
        """How many were read and are not settled."""
        return len(self._outstanding)

    @property
    def is_ready(self) -> bool:
        """Whether one can be taken."""
        while self._ready and self._ready[0][0] not in self._outstanding:
            self._pop()
        return bool(self._ready) and self._drop is None and self._ready[0][0] not in self._held

    @property
    def wants_more(self) -> bool:
        """Whether more should be loaded."""
        return self._ready_bytes < _LOAD_AHEAD_BYTES and self._drop is None

    @property
    def cursor(self) -> int:
        """The first ordinal that is not settled, as far as was read."""
        return next(iter(self._outstanding), self.read_to)

    @property
    def settled(self) -> tuple[tuple[int, int], ...]:
        """What is settled beyond the cursor, as ranges."""
        ends = [*self._outstanding, self.read_to]
        between = [(one + 1, following) for one, following in pairwise(ends) if one + 1 < following]
        return (*between, *self._early.pairs())[:_MOST_PIECES]

    @property
    def settled_early(self) -> int:
        """How many were acknowledged before they were read back."""
        return len(self._early)

    def resume(self, settled: Iterable[tuple[int, int]]) -> None:
        """Take over what an earlier run noted as `settled`; before the first `load`."""
        for start, end in settled:
            self._early.add(start, end)

    def load(self, loaded: Loaded) -> list[Gap]:
        """Take in what was read. Returns the gaps of what could not be read."""
        for ordinal, entry in loaded.entries:
            if ordinal not in self._early:
                self._push(ordinal, entry)
                self._outstanding[ordinal] = None
        lost = [(loss, sum(ordinal not in self._early for ordinal in loss.ordinals)) for loss in loaded.losses]
        self.read_to = loaded.end
        self._early.discard_below(loaded.end)
        return [loss.gap(count) for loss, count in lost if count]

    def take(self) -> Entry:
        """The next to be sent, where `is_ready`."""
        ordinal, entry = self._pop()
        self._taken[entry] = ordinal
        return entry

    def acknowledge(self, entry: Entry) -> bool:
        """An entry is delivered. Returns whether it was under way."""
        ordinal = self._taken.pop(entry, None)
        if ordinal is None:
            return False
        self._outstanding.pop(ordinal, None)
        self.changed = True
        return True

    def hold(self, entries: Mapping[int, Entry]) -> None:
        """Entries went to disk, under these ordinals, while they were under way as live data."""
        self._held.update(entries)

    def settle(self, ordinal: int) -> None:
        """An entry that went out as live data is delivered: it is not to be sent again."""
        self.changed = True
        self._held.pop(ordinal, None)
        if ordinal < self.read_to:
            self._outstanding.pop(ordinal, None)
        elif self._early.pieces < _MOST_PIECES:
            self._early.add(ordinal, ordinal + 1)

    def release(self, ordinal: int, entry: Entry) -> bool:
        """A held entry was not delivered: it is sent as history. Returns whether it is still on disk."""
        self._held.pop(ordinal, None)
        if self._drop is not None:
            self._released_meanwhile[ordinal] = entry
        return ordinal >= self._dropped_to

    def give_back(self) -> list[Entry]:
        """What was taken is to be taken again, in order. Returns what was dropped from disk meanwhile."""
        back = sorted(self._taken.items(), key=_ordinal, reverse=True)
        self._taken.clear()
        for entry, ordinal in back:
            if ordinal >= self._dropped_to:
                self._push(ordinal, entry, first=True)
            if self._drop is not None:
                self._released_meanwhile[ordinal] = entry
        return [entry for entry, ordinal in back if ordinal < self._dropped_to]

    def under_way(self, end: int) -> list[Entry]:
        """The entries below the ordinal `end` that are under way, as history or as live data."""
        live = [entry for ordinal, entry in self._held.items() if ordinal < end]
        return live + [entry for entry, ordinal in self._taken.items() if ordinal < end]

    def begin_drop(self) -> Snapshot:
        """Entries are about to be dropped from disk: none is taken until `end_drop`. Returns which ones wait now."""
        self._drop = Snapshot(
            self.read_to,
            frozenset(self._outstanding),
            frozenset(self._taken.values()).union(self._held),
            Ranges(self._early.pairs()),
        )
        return self._drop

    def end_drop(self, ordinal: int) -> list[Entry]:
        """All below `ordinal` is gone. Returns what `begin_drop` did not count: it was under way, and came back."""
        lost = [entry for one, entry in sorted(self._released_meanwhile.items()) if one < ordinal]
        self._released_meanwhile = {}
        self._drop = None
        while self._ready and self._ready[0][0] < ordinal:
            self._pop()
        self._outstanding = {one: None for one in self._outstanding if one >= ordinal}
        self._early.discard_below(ordinal)
        self._dropped_to = max(self._dropped_to, ordinal)
        self.read_to = max(self.read_to, ordinal)
        return lost

    def _push(self, ordinal: int, entry: Entry, *, first: bool = False) -> None:
        (self._ready.appendleft if first else self._ready.append)((ordinal, entry))
        self._ready_bytes += weight(entry.item)

    def _pop(self) -> tuple[int, Entry]:
        ordinal, entry = self._ready.popleft()
        self._ready_bytes -= weight(entry.item)
        return ordinal, entry


def _ordinal(taken: tuple[Entry, int]) -> int:
    return taken[1]
