"""The gaps that are counted and not told yet, merged while nobody listens: their number stays bounded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from gateway.model import Gap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.outbox.entry import Entry

_NEAR_NS: Final = 60_000_000_000
"""Two gaps of one device and reason that lie nearer to each other than this are told as one."""

_MOST_APART: Final = 1000
"""With more gaps than this, all of one device and reason are told as one, however far apart."""

_log = structlog.get_logger()


class GapLedger:
    """Every gap is in here until the notice that tells of it is acknowledged or on disk."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], list[Gap]] = {}
        self._told: dict[Entry, Gap] = {}
        self.changed = False
        """It differs from what was last written to disk; whoever writes it resets this."""
        self.lost = 0
        """Entries that `lose` was told of."""

    @property
    def is_waiting(self) -> bool:
        """Whether there is something to tell."""
        return bool(self._waiting)

    def lose(self, entry: Entry, reason: str) -> None:
        """Count a lost entry in a gap. Where it was itself the notice of a gap, that gap waits again."""
        self.lost += 1
        told = self._told.pop(entry, None)
        time = entry.item.stamp.time
        is_new = self.add(told or Gap(entry.device, time, time, 1, reason))
        if is_new and told is None:
            _log.warning("lost", device=entry.device, seq=entry.seq, reason=reason)

    def add(self, gap: Gap) -> bool:
        """Count a gap. Returns whether it begins a new one; otherwise it prolongs one that waits."""
        self.changed = True
        gaps = self._waiting.setdefault((gap.device, gap.reason), [])
        if gaps and (gap.start - gaps[-1].end < _NEAR_NS or self._size() >= _MOST_APART):
            gaps[-1] = _joined(gaps[-1], gap)
            return False
        gaps.append(gap)
        return True

    def add_all(self, gaps: Iterable[Gap]) -> None:
        """Count several gaps."""
        for gap in gaps:
            self.add(gap)

    def take(self) -> list[Gap]:
        """All that wait, to be told now; each is given back by `told`."""
        gaps = [gap for some in self._waiting.values() for gap in some]
        self._waiting.clear()
        return gaps

    def told(self, entry: Entry, gap: Gap) -> None:
        """Note which notice tells of a gap."""
        self._told[entry] = gap

    def settle(self, entry: Entry) -> None:
        """The notice of a gap is acknowledged or on disk; nothing happens for other entries."""
        if self._told.pop(entry, None) is not None:
            self.changed = True

    def all(self) -> tuple[Gap, ...]:
        """What must not be forgotten."""
        return (*self._told.values(), *(gap for some in self._waiting.values() for gap in some))

    def _size(self) -> int:
        return sum(map(len, self._waiting.values()))


def _joined(gap: Gap, other: Gap) -> Gap:
    count = None if gap.count is None or other.count is None else gap.count + other.count
    return replace(gap, start=min(gap.start, other.start), end=max(gap.end, other.end), count=count)
