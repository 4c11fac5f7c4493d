"""The only queue between field and broker. It runs in the loop; `Upkeep` asks the disk in a thread of its own."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Final

import structlog

from gateway.model import GATEWAY_DEVICE, ClockState, Notice
from gateway.outbox.counters import Counters, Durability
from gateway.outbox.entry import Entry
from gateway.outbox.gaps import GapLedger, gap_of
from gateway.outbox.history import History
from gateway.outbox.outages import ALL_DEVICES, Cause, Outages, Tally, unclean_end
from gateway.outbox.pace import Pace
from gateway.outbox.room import MB, Room
from gateway.outbox.upkeep import Contents, Upkeep
from gateway.outbox.wear import Wear
from gateway.outbox.window import Window
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from gateway.clock import Clock
    from gateway.config.schema import OutboxConfig
    from gateway.model import Batch, Run
    from gateway.outbox.spool import Spool

_LATE_S: Final = 1.0
"""An entry that is this much older than `spill_after_s` and neither acknowledged nor on disk is not safe: say so."""

_TELL_INTERVAL_S: Final = 10.0
"""Between two rounds of gap records, so that a long overflow does not become a flood of its own."""

_CARD_TB: Final = 16.0
"""A card of 32 GB at 512 program/erase cycles, the rating of a card for continuous recording (WD Purple SC QD101)."""

_IDLE_S: Final = 1.0
_CLOSE_S: Final = 5.0

_log = structlog.get_logger()


class Outbox:
    """Holds every batch and notice until the broker has acknowledged it.

    Live: in memory, and never on disk where it is acknowledged within `spill_after_s`. Later: on disk, and sent from
    there as history, behind all that is live. Call `run` as a task, and all other methods from the same loop.
    """

    def __init__(  # noqa: PLR0913 - three parts and three settings, those by keyword only
        self,
        run: Run,
        clock: Clock,
        spool: Spool | None,
        *,
        spill_after_s: float = 1.0,
        memory_mb: float = 32,
        replay_rate: float | None = None,
    ) -> None:
        """Begin with what the spool holds.

        Args:
            run: names what is put.
            clock: ages go by its monotonic time.
            spool: None keeps all in memory; `durability` says so.
            spill_after_s: unacknowledged for longer, an entry goes to disk.
            memory_mb: most that waits in memory, about, in MB; then the oldest batches are dropped and a gap is told.
            replay_rate: messages of history a second; None is 20 times the live rate, at least 600.
        """
        self._run = str(run)
        self._clock = clock
        self._spool = spool
        self._since = clock.now().time
        self._seqs: dict[str, int] = {}
        contents = Contents(Window(round(memory_mb * MB)), History(), GapLedger())
        self._window, self._history, self._ledger = contents
        self._upkeep = None if spool is None else Upkeep(spool, clock, contents)
        self._pace = Pace(None)
        self._wear = Wear(_CARD_TB, clock.monotonic_s())
        self._outages = Outages(clock)
        self._outages.begin(Cause.BROKER, ALL_DEVICES, "not connected since the start", Tally(0, 0))
        self._broker_is_away = True
        self._tell_at = 0.0
        self._put = self._acknowledged = self._refused = 0
        self._something_to_take = asyncio.Event()
        self._something_to_do = asyncio.Event()
        self._tending: asyncio.Future[None] | None = None
        self._go_by(spill_after_s, replay_rate)

    def apply(self, config: OutboxConfig) -> None:
        """Go by these settings from now on. A bound that shrinks is kept from the next spill on."""
        if self._spool is not None:
            self._spool.room = Room.of(config)
        self._wear.endurance_tb = config.card_endurance_tb
        self._go_by(config.spill_after_s, config.replay_rate)

    def put(self, item: Batch | Notice) -> None:
        """Take an item in and name it. Wakes `take`."""
        self._put += 1
        self._enter(self._named(item))

    async def take(self) -> Entry:
        """The next to be sent: notices, then live batches, then history at its pace. Waits for one.

        What was taken is to be acknowledged, refused or given back. May be cancelled at any time.
        """
        while True:
            self._tell_gaps()
            entry = self._window.take()
            if entry is not None:
                return entry
            wait_s = self._history_wait_s()
            if wait_s == 0:
                return self._take_history()
            self._something_to_take.clear()
            await _wait(self._something_to_take, wait_s)

    def acknowledge(self, entry: Entry) -> None:
        """The broker has it; it is forgotten. Nothing happens for an entry that is not under way."""
        if self._finish(entry):
            self._acknowledged += 1
            if self._broker_is_away:
                self._broker_is_back()

    def refuse(self, entry: Entry, reason: str) -> None:
        """The broker will never take it; it is forgotten, and counted in a gap.

        Args:
            entry: under way; nothing happens for another.
            reason: for the log.
        """
        if not self._finish(entry):
            return
        self._refused += 1
        # A notice is only logged: the record of a refused record would be refused in its turn, for ever.
        if isinstance(entry.item, Notice) or self._ledger.add(gap_of(entry, "refused")):
            _log.warning("refused_by_broker", device=entry.device, seq=entry.seq, reason=reason)

    def give_back(self) -> None:
        """The link is lost: what was taken and not acknowledged is to be taken again, in order.

        What went to disk meanwhile comes back from there, as history.
        """
        lost = [entry for ordinal, entry in self._window.give_back() if not self._history.release(ordinal, entry)]
        lost += self._history.give_back()
        if self._upkeep is not None:
            self._upkeep.lose_all(lost)
        self._something_to_take.set()
        self._broker_is_away = True
        self._outages.begin(Cause.BROKER, ALL_DEVICES, "the session ended", self._tally())

    def explain_outage(self, why: str) -> None:
        """Say why the broker is away, for the record of the outage; nothing happens where it is not."""
        self._outages.explain(Cause.BROKER, ALL_DEVICES, why)

    async def run(self) -> None:
        """Keep what waits safe and history ready, for ever. Cancel it before `close`."""
        while True:
            self._something_to_do.clear()
            self._tending = asyncio.ensure_future(self._tend_whatever_happens())
            # What the thread has begun cannot be cancelled: `close` waits for it.
            await asyncio.shield(self._tending)
            await _wait(self._something_to_do, self._idle_s())

    async def tend(self) -> None:
        """One round of what `run` does."""
        self._pace.measure(self._put, self._clock.monotonic_s())
        if self._upkeep is not None:
            await self._upkeep.tend()
            self._watch_disk()
        self._watch_clock()
        if self._history.is_ready or self._ledger.is_waiting:
            self._something_to_take.set()

    async def close(self) -> None:
        """Bring everything unacknowledged to disk and close the files.

        Takes 5 s at most. What a stuck disk has not taken by then is lost; the next start tells a gap.
        """
        if self._upkeep is None:
            return
        clean = False
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                clean = await self._close(self._upkeep)
        if not clean:
            _log.error("outbox_not_saved", in_memory=len(self._window), cause=self.durability.cause, code=Code.DISK)
        self._upkeep.shut()

    @property
    def durability(self) -> Durability:
        """Whether what waits would survive a power cut now."""
        if self._spool is None:
            return Durability(False, "no spool: what the broker has not acknowledged is in memory only", self._since)
        if self._spool.failure is not None:
            return Durability(False, self._spool.failure.cause, self._spool.failure.since)
        oldest = self._window.oldest_since
        late_s = 0.0 if oldest is None else self._clock.monotonic_s() - oldest - self._late_s
        if late_s > 0:
            return Durability(False, "the disk of the spool is slow", self._clock.now().time - round(late_s * 1e9))
        return Durability(True)

    @property
    def counters(self) -> Counters:
        """How much went through, and how much waits."""
        spool, upkeep, history = self._spool, self._upkeep, self._history
        unread = spool.next_ordinal - max(history.read_to, spool.first_ordinal) if spool else 0
        return Counters(
            put=self._put,
            acknowledged=self._acknowledged,
            refused=self._refused,
            spilled=upkeep.spilled if upkeep else 0,
            dropped=self._lost(),
            damaged=upkeep.damaged if upkeep else 0,
            waiting_in_memory=len(self._window),
            waiting_on_disk=len(history) + unread - history.settled_early,
            spool_bytes=spool.bytes_on_disk if spool else 0,
            bytes_written=spool.bytes_written if spool else 0,
            bytes_a_day=self._wear.bytes_a_day,
            card_life_years=self._wear.card_life_years,
            segments_aside=spool.segments_aside if spool else 0,
        )

    def _go_by(self, spill_after_s: float, replay_rate: float | None) -> None:
        self._late_s = spill_after_s + _LATE_S
        self._pace.fixed = replay_rate
        if self._upkeep is not None:
            self._upkeep.spill_after_s = spill_after_s
        self._something_to_do.set()

    def _named(self, item: Batch | Notice) -> Entry:
        device = GATEWAY_DEVICE if isinstance(item, Notice) else item.plan.device
        seq = self._seqs[device] = self._seqs.get(device, 0) + 1
        return Entry(device, self._run, seq, item, history=False)

    def _enter(self, entry: Entry) -> None:
        dropped = self._window.add(entry, self._clock.monotonic_s())
        self._ledger.lose_all(dropped, "memory_full")
        self._something_to_take.set()

    def _broker_is_back(self) -> None:
        self._broker_is_away = False
        self._end_outage(Cause.BROKER, shortest_s=self._late_s - _LATE_S)

    def _watch_disk(self) -> None:
        assert self._spool is not None
        self._wear.note(self._spool.bytes_written, self._clock.monotonic_s())
        found, self._spool.unclean_end = self._spool.unclean_end, None
        if found is not None:
            kept = self._spool.next_ordinal - self._spool.first_ordinal
            self._tell_outage(unclean_end(found, kept, self._clock.now()))
        if self._spool.failure is None:
            self._end_outage(Cause.DISK)
        else:
            self._outages.begin(Cause.DISK, ALL_DEVICES, self._spool.failure.cause, self._tally())

    def _watch_clock(self) -> None:
        if self._clock.now().clock is ClockState.FREE_RUNNING:
            self._outages.begin(Cause.CLOCK, ALL_DEVICES, "time synchronisation has not set the clock", self._tally())
        else:
            self._end_outage(Cause.CLOCK)

    def _end_outage(self, cause: Cause, shortest_s: float = 0.0) -> None:
        notice = self._outages.end(cause, ALL_DEVICES, self._tally(), shortest_s=shortest_s)
        if notice is not None:
            self._tell_outage(notice)

    def _tell_outage(self, notice: Notice) -> None:
        self.put(notice)

    def _tally(self) -> Tally:
        batches = sum(self._seqs.values()) - self._seqs.get(GATEWAY_DEVICE, 0)
        return Tally(batches, self._lost())

    def _lost(self) -> int:
        return self._ledger.lost + (self._upkeep.dropped if self._upkeep else 0)

    def _tell_gaps(self) -> None:
        """Put the gaps that wait as notices. `take` calls it: somebody listens."""
        now = self._clock.monotonic_s()
        if self._ledger.is_waiting and now >= self._tell_at:
            self._tell_at = now + _TELL_INTERVAL_S
            for gap in self._ledger.take():
                entry = self._named(gap.notice(self._clock.now()))
                self._ledger.hang(gap, entry)
                self._enter(entry)

    def _history_wait_s(self) -> float | None:
        """How long the next entry of history has to wait; None where there is none."""
        return self._pace.wait_s(self._clock.monotonic_s()) if self._history.is_ready else None

    def _take_history(self) -> Entry:
        self._pace.sent(self._clock.monotonic_s())
        entry = self._history.take()
        if self._history.wants_more:
            self._something_to_do.set()
        return entry

    def _finish(self, entry: Entry) -> bool:
        """Forget an entry. Returns whether it was under way."""
        if entry.history:
            under_way = self._history.acknowledge(entry)
        else:
            under_way, ordinal = self._window.acknowledge(entry)
            if ordinal is not None:
                self._history.settle(ordinal)
                self._something_to_take.set()
        if under_way:
            self._ledger.settle(entry)
        return under_way

    def _idle_s(self) -> float:
        due_at = inf if self._upkeep is None else self._upkeep.due_at
        return min(max(due_at - self._clock.monotonic_s(), 0.01), _IDLE_S)

    async def _tend_whatever_happens(self) -> None:
        try:
            await self.tend()
        except Exception:  # noqa: BLE001 - a fault at the disk must not end the live flow
            _log.exception("outbox_fault")
            await asyncio.sleep(_IDLE_S)

    async def _close(self, upkeep: Upkeep) -> bool:
        if self._tending is not None:
            await asyncio.wait([self._tending])
        return await upkeep.close()


async def _wait(event: asyncio.Event, most_s: float | None) -> None:
    """Wait for an event, or for some time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(most_s):
            await event.wait()
