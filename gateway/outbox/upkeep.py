"""What the outbox asks of its disk: spill what is late, load history ahead, move the cursor. In a thread of its own."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from gateway.model import Notice
from gateway.outbox.cursor import Cursor
from gateway.outbox.gaps import gap_of
from gateway.outbox.spill import prepare
from gateway.outbox.spool import SpoolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.clock import Clock
    from gateway.model import Gap
    from gateway.outbox.catalog import Segment
    from gateway.outbox.entry import Entry
    from gateway.outbox.gaps import GapLedger
    from gateway.outbox.history import History
    from gateway.outbox.spill import Spill
    from gateway.outbox.spool import Spool
    from gateway.outbox.window import Window

_COMMIT_INTERVAL_S: Final = 0.75
"""Most between two spills: with 1 s before a spill and the disk's own time, an entry is on disk within 2 s."""

_SAVE_INTERVAL_S: Final = 1.0
"""Between two moves of the cursor: how much history may be sent twice after a crash."""

_TOUCH_INTERVAL_S: Final = 300.0
"""Between two notes on disk that the gateway runs: 3 MB a day on a card that writes 12 KB each time."""

_AGE_INTERVAL_S: Final = 60.0
"""Between two looks for what is too old."""

_Result = TypeVar("_Result")


class Contents(NamedTuple):
    """All that an outbox holds in memory."""

    window: Window
    history: History
    ledger: GapLedger


class Upkeep:
    """Keeps window and history in step with the spool. All methods run in the loop, one at a time."""

    def __init__(self, spool: Spool, clock: Clock, contents: Contents) -> None:
        self._spool = spool
        self._clock = clock
        self._window, self._history, self._ledger = contents
        self.spill_after_s = 1.0
        """Unacknowledged for longer, an entry goes to disk."""
        self._spill_at = 0.0
        self._save_at = 0.0
        self._touch_at = clock.monotonic_s() + _TOUCH_INTERVAL_S
        self._age_at = 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self.spilled = 0
        """Entries written to disk since the start."""
        self.dropped = 0
        """Entries dropped from disk to make room since the start."""
        self.damaged = 0
        """Entries that could not be read back since the start."""

    @property
    def due_at(self) -> float:
        """When the next spill is due, s of the monotonic clock; infinite where there is none to come."""
        oldest = self._window.oldest_since
        if oldest is None or self._spool.is_blocked:
            return inf
        return max(oldest + self.spill_after_s, self._spill_at)

    async def tend(self) -> None:
        """One round of all that is due now."""
        now = self._clock.monotonic_s()
        if now >= self.due_at:
            self._spill_at = now + min(_COMMIT_INTERVAL_S, _COMMIT_INTERVAL_S * self.spill_after_s)
            await self._spill(now - self.spill_after_s)
        self._resume()
        if now >= self._age_at:
            self._age_at = now + _AGE_INTERVAL_S
            await self._drop_outdated()
        await self._load()
        if now >= self._save_at:
            self._save_at = now + _SAVE_INTERVAL_S
            await self._save()
        if now >= self._touch_at:
            self._touch_at = now + _TOUCH_INTERVAL_S
            await self._in_thread(self._spool.touch)

    async def close(self) -> bool:
        """Bring all that waits to disk, move the cursor and close the spool. Returns whether all of it is."""
        self._spool.try_now()
        await self._spill(inf)
        await self._save()
        clean = not len(self._window) and self._spool.failure is None
        await self._in_thread(lambda: self._spool.close(clean=clean))
        return clean

    def shut(self) -> None:
        """Let the thread end; it is not waited for."""
        self._thread.shutdown(wait=False)

    def lose_all(self, entries: Iterable[Entry], reason: str = "spool_full") -> None:
        """Entries were dropped from disk while under way, and not delivered. Of notices there is another copy."""
        batches = [entry for entry in entries if not isinstance(entry.item, Notice)]
        self._ledger.lose_all(batches, reason)

    def _resume(self) -> None:
        """Go on where an earlier run left off, once the folder was opened; no cursor may be written before."""
        found = self._spool.take_found()
        if found is not None:
            self._ledger.add_all(found.gaps)
            self._history.resume(found.settled)

    async def _spill(self, before: float) -> None:
        """Write what was put at `before` or earlier as one group."""
        entries = self._window.begin_spill(before)
        written = False
        try:
            spill = await self._in_thread(lambda: prepare(self._spool, entries))
            for segment in spill.crowded_out:
                await self._drop(segment, "spool_full")
            first = await self._in_thread(lambda: self._spool.write(spill.groups)) if spill.groups else 0
            written = True
        except SpoolError:
            return
        finally:
            if not written:
                self._window.abandon_spill()
        self._is_on_disk(spill, first)

    def _is_on_disk(self, spill: Spill, first: int) -> None:
        ordinals = {entry: first + position for position, entry in enumerate(spill.fit)}
        acknowledged, under_way = self._window.end_spill(ordinals)
        for ordinal in acknowledged:
            self._history.settle(ordinal)
        self._history.hold(under_way)
        for entry in spill.fit:
            self._ledger.settle(entry)
        self._ledger.lose_all(spill.unfit, "refused")
        self.spilled += len(spill.fit)

    async def _drop_outdated(self) -> None:
        if self._spool.room.max_age_ns is not None:
            with suppress(SpoolError):
                for segment in await self._in_thread(self._spool.outdated):
                    await self._drop(segment, "too_old")

    async def _drop(self, segment: Segment, reason: str) -> None:
        """Drop the oldest segment; what it still held is counted in gaps."""
        self._resume()
        end = self._spool.end_of(segment)
        fates = self._history.begin_drop()
        under_way = [entry for entry in self._history.under_way(end) if not isinstance(entry.item, Notice)]
        for entry in under_way:
            self._ledger.hang(gap_of(entry, reason), entry)
        cursor = self._cursor()
        try:
            lost = await self._in_thread(lambda: self._spool.drop(segment, fates, cursor, reason))
            self._count(lost.gaps)
            self._keep_in_memory(lost.notices)
        finally:
            if self._spool.first_ordinal < end:
                for entry in under_way:
                    self._ledger.settle(entry)
            self.lose_all(self._history.end_drop(self._spool.first_ordinal), reason)

    def _keep_in_memory(self, notices: Iterable[Entry]) -> None:
        """Notices that no disk had room for wait as live ones, under their names."""
        for entry in notices:
            dropped = self._window.add(replace(entry, history=False), self._clock.monotonic_s())
            self._ledger.lose_all(dropped, "memory_full")

    async def _load(self) -> None:
        """Load history ahead, as far as it is wanted."""
        while self._history.wants_more and self._history.read_to < self._spool.next_ordinal:
            loaded = await self._in_thread(self._spool.read)
            if loaded is None:
                return
            self._count(self._history.load(loaded))

    async def _save(self) -> None:
        """Move the cursor where there is something to note; where the disk failed, see whether it is well again."""
        history, ledger, spool = self._history, self._ledger, self._spool
        worth_a_try = spool.failure is not None and not spool.is_blocked
        if history.changed or ledger.changed or history.cursor > spool.first_ordinal or worth_a_try:
            cursor = self._cursor()
            history.changed = ledger.changed = False
            with suppress(SpoolError):
                await self._in_thread(lambda: spool.save(cursor))
            if spool.failure is not None:
                history.changed = ledger.changed = True

    def _cursor(self) -> Cursor:
        self._resume()
        return Cursor(self._history.cursor, gaps=self._ledger.all(), settled=self._history.settled)

    def _count(self, gaps: list[Gap]) -> None:
        self._ledger.add_all(gaps)
        damaged = sum(gap.count or 0 for gap in gaps if gap.reason == "disk_error")
        self.damaged += damaged
        self.dropped += sum(gap.count or 0 for gap in gaps) - damaged

    async def _in_thread(self, function: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)
