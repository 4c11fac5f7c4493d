"""The gaps that are counted and not told yet, merged while nobody listens: their number stays bounded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from gateway.model import Gap
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.outbox.entry import Entry

_NEAR_NS: Final = 60_000_000_000
"""Two gaps of one device and reason that lie nearer to each other than this are told as one."""

_MOST_APART: Final = 1000
"""With more gaps than this, all of one device and reason are told as one, however far apart."""

_log = structlog.get_logger()


class GapLedger:
    """Every gap is in here until the notice that tells of it is acknowledged or on disk.

    A gap may hang on an entry: on the notice that tells of it, or on a batch whose place on disk was given up while it
    was under way. It is forgotten when that entry is safe, and waits to be told when that entry is lost.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], list[Gap]] = {}
        self._hanging: dict[Entry, Gap] = {}
        self.changed = False
        """It differs from what was last written to disk; whoever writes it resets this."""
        self.lost = 0
        """Entries that `lose` was told of."""

    @property
    def is_waiting(self) -> bool:
        """Whether there is something to tell."""
        return bool(self._waiting)

    def lose(self, entry: Entry, reason: str) -> None:
        """Count a lost entry in a gap, or in the one that hung on it."""
        self.lost += 1
        gap = self._hanging.pop(entry, None) or gap_of(entry, reason)
        if self.add(gap) and gap.reason == reason:
            _log.warning("lost", device=entry.device, seq=entry.seq, reason=reason, code=Code.GAP)

    def lose_all(self, entries: Iterable[Entry], reason: str) -> None:
        """Count several lost entries."""
        for entry in entries:
            self.lose(entry, reason)

    def add(self, gap: Gap) -> bool:
        """Count a gap. Returns whether it begins a new one; otherwise it prolongs one that waits."""
        self.changed = True
        gaps = self._waiting.setdefault((gap.device, gap.reason), [])
        if gaps and (gap.start - gaps[-1].end < _NEAR_NS or self._size() >= _MOST_APART):
            gaps[-1] = joined(gaps[-1], gap)
            return False
        gaps.append(gap)
        return True

    def add_all(self, gaps: Iterable[Gap]) -> None:
        """Count several gaps."""
        for gap in gaps:
            self.add(gap)

    def take(self) -> list[Gap]:
        """All that wait, to be told now; each is to be hung on the notice that tells of it."""
        gaps = [gap for some in self._waiting.values() for gap in some]
        self._waiting.clear()
        return gaps

    def hang(self, gap: Gap, entry: Entry) -> None:
        """Let the fate of an entry decide on a gap."""
        self._hanging[entry] = gap

    def settle(self, entry: Entry) -> None:
        """An entry is acknowledged or on disk: the gap that hung on it is forgotten, where there was one."""
        if self._hanging.pop(entry, None) is not None:
            self.changed = True

    def all(self) -> tuple[Gap, ...]:
        """What must not be forgotten."""
        return (*self._hanging.values(), *(gap for some in self._waiting.values() for gap in some))

    def _size(self) -> int:
        return sum(map(len, self._waiting.values()))


def gap_of(entry: Entry, reason: str) -> Gap:
    """The gap of one lost entry."""
    time = entry.item.stamp.time
    return Gap(entry.device, time, time, 1, reason)


def joined(gap: Gap, other: Gap) -> Gap:
    """Two gaps of one device and reason as one."""
    count = None if gap.count is None or other.count is None else gap.count + other.count
    return replace(gap, start=min(gap.start, other.start), end=max(gap.end, other.end), count=count)
