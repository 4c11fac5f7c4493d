"""The outbox as the publisher sees it: each entry with the truest time that is known when it is sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gateway.model import Batch, ClockState, Quality

if TYPE_CHECKING:
    from gateway.clock import Clock
    from gateway.clock.watch import ClockWatch
    from gateway.model import Held, Notice
    from gateway.outbox.entry import Entry
    from gateway.publish.ports import EntryQueue

_HOLD_CHECK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """What is done with entries from before the first synchronisation of this boot."""

    hold_s: float = 0.0
    """How long the synchronisation is waited for before anything is sent, counted from the making of the queue."""
    lowers_quality: bool = False
    """Good values without a synchronised clock are sent as UNCERTAIN, clock."""


class Restamped:
    """Hands out copies of the outbox' entries, re-stamped where they are of this boot and its offset is known.

    The entries in the outbox stay as they were taken: what is given back is re-stamped anew when it is sent again.

    Args:
        outbox: what is under it.
        clock: measures how long is held.
        watch: knows the true times.
        settings: from the configuration.
    """

    def __init__(self, outbox: EntryQueue, clock: Clock, watch: ClockWatch, settings: ClockSettings) -> None:
        self._outbox = outbox
        self._clock = clock
        self._watch = watch
        self._settings = settings
        self._hold_until_s = clock.monotonic_s() + settings.hold_s
        self._originals: dict[Entry, Entry] = {}

    def put(self, item: Batch | Notice) -> object:
        """One more batch or notice to be sent."""
        return self._outbox.put(item)

    async def take(self) -> Entry:
        """The next entry to be sent; waits also while all is held for the synchronisation."""
        while self._holds():  # noqa: ASYNC110 - a clock that is set is no event
            await asyncio.sleep(_HOLD_CHECK_S)
        entry = await self._outbox.take()
        sent = self._judged(self._restamped(entry))
        if sent is not entry:
            self._originals[sent] = entry
        return sent

    def acknowledge(self, entry: Entry) -> None:
        """The broker has it: forget it."""
        self._outbox.acknowledge(self._originals.pop(entry, entry))

    def refuse(self, entry: Entry, reason: str) -> None:
        """The broker will never have it: forget it, and record the gap."""
        self._outbox.refuse(self._originals.pop(entry, entry), reason)

    def give_back(self) -> None:
        """All that was taken and neither acknowledged nor refused is to be sent again."""
        self._originals.clear()
        self._outbox.give_back()

    def _holds(self) -> bool:
        return self._watch.correction is None and self._clock.monotonic_s() < self._hold_until_s

    def _restamped(self, entry: Entry) -> Entry:
        stamp = self._watch.restamped(entry.run, entry.item.stamp)
        if stamp is entry.item.stamp:
            return entry
        if isinstance(entry.item, Batch):
            held = _shifted(entry.item.held, stamp.time - entry.item.stamp.time)
            return replace(entry, item=replace(entry.item, stamp=stamp, held=held))
        return replace(entry, item=replace(entry.item, stamp=stamp))

    def _judged(self, entry: Entry) -> Entry:
        """Lower the quality of what is still without a true time, where the configuration says so."""
        batch = entry.item
        if not self._settings.lowers_quality or not isinstance(batch, Batch):
            return entry
        if batch.stamp.clock is not ClockState.FREE_RUNNING:
            return entry
        quality: list[Quality] = [Quality.CLOCK if one is Quality.GOOD else one for one in batch.quality]
        held = {position: _lowered(one) for position, one in (batch.held or {}).items()}
        return replace(entry, item=replace(batch, quality=quality, held=held or None))


def _shifted(held: dict[int, Held] | None, by_ns: int) -> dict[int, Held] | None:
    return None if held is None else {p: one._replace(time=one.time + by_ns) for p, one in held.items()}


def _lowered(held: Held) -> Held:
    return held._replace(quality=Quality.CLOCK) if held.quality is Quality.GOOD else held
