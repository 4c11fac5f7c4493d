"""Carries entries and retained messages through one session, and acts on the broker's answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import structlog

from gateway.model import Notice
from gateway.publish.judge import NO_SUBSCRIBERS, Verdict, pause_after
from gateway.publish.ports import CannotEncode
from gateway.publish.tray import Item, Parcel, Tray
from gateway.publish.window import Window
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from gateway.outbox.entry import Entry
    from gateway.publish.endings import SessionEnd
    from gateway.publish.memory import Memory
    from gateway.publish.message import Message
    from gateway.publish.ports import Encoder, EntryQueue
    from gateway.publish.session import Session

log = structlog.get_logger()

MAX_BYTES: Final = 65_536
"""Most that topic and payload of one entry's message take, whatever the broker allows: more holds up a slow link."""

MAX_PARKED: Final = 256
"""Messages that wait to be sent again; when there are more, nothing new is taken until some are decided."""


class Courier:
    """Never has more under way than the window; retained messages go before entries.

    Args:
        session: an open session.
        encoder: makes messages of entries.
        outbox: where entries come from.
        memory: what the sessions before this one taught.
    """

    def __init__(self, session: Session, encoder: Encoder, outbox: EntryQueue, memory: Memory) -> None:
        self._session = session
        self._settings = session.settings
        self._clock = memory.clock
        self._encoder = encoder
        self._outbox = outbox
        self._memory = memory
        self._window = Window(min(self._settings.window, session.receive_maximum), memory.clock)
        self._tray = Tray(memory)
        self._took_any = False
        self._under_way: dict[int, Item] = {}
        self._parked: dict[Item, asyncio.TimerHandle] = {}
        self._room = asyncio.Event()
        self._quiet = asyncio.Event()
        self._pump_task: asyncio.Task[None] | None = None
        session.on_answer = self._answered

    async def carry(self) -> SessionEnd:
        """Work until the session is over, and say how it ended."""
        ended = self._session.ended
        self._fill()
        self._pump_task = pump = asyncio.create_task(self._pump())
        outcomes: set[asyncio.Future[Any]] = {pump, ended}
        try:
            await asyncio.wait(outcomes, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done() and not pump.cancelled():
                await pump  # it ends by itself only with a defect, which is raised here
            await asyncio.wait({ended})
        finally:
            self._put_down(pump)
        end = ended.result()
        self._look_for_culprit(end)
        return end

    def announce(self, topic: str) -> None:
        """The retained message of this topic is news."""
        self._tray.announce(topic)
        self._fill()

    async def finish(self, last: Message, deadline_s: float) -> None:
        """Take no more, wait for what is under way, send `last` and say goodbye; hang up where that takes too long."""
        assert self._pump_task is not None
        self._pump_task.cancel()
        loop = asyncio.get_running_loop()
        until_s = loop.time() + deadline_s
        await self._settle(deadline_s / 2)
        self._memory.retained.put(last)
        self.announce(last.topic)
        await self._settle(until_s - loop.time())
        if self._quiet.is_set():
            await self._session.close(max(0.0, until_s - loop.time()))
        self._session.abort()

    async def _settle(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._quiet.wait()
        except TimeoutError:
            log.warning("broker_slow_at_stop", broker=self._settings.where, unacknowledged=len(self._under_way))

    def _put_down(self, pump: asyncio.Task[None]) -> None:
        pump.cancel()
        for handle in self._parked.values():
            handle.cancel()
        self._session.abort()
        self._quiet.set()

    async def _pump(self) -> None:
        while True:
            await self._room.wait()
            self._accept(await self._outbox.take())

    def _accept(self, entry: Entry) -> None:
        limit = self._session.max_bytes
        try:
            messages = self._encoder.encode(entry, MAX_BYTES if limit is None else min(MAX_BYTES, limit))
        except CannotEncode as error:
            self._refuse(entry, str(error))
            return
        except Exception as error:
            log.exception("entry_not_encoded", device=entry.device, seq=entry.seq)
            self._refuse(entry, f"it cannot be encoded: {error!r}")
            return
        if not messages:
            self._outbox.acknowledge(entry)
            return
        parcel = Parcel(entry, len(messages))
        self._tray.add(Item(message, parcel) for message in messages)
        self._fill()

    def _fill(self) -> None:
        """Send while there is room; then open or close the door for entries."""
        item = self._next()
        while item is not None:
            self._send(item)
            item = self._next()
        if self._window.has_room and len(self._parked) < MAX_PARKED:
            self._room.set()
        else:
            self._room.clear()
        if self._under_way or self._tray:
            self._quiet.clear()
        else:
            self._quiet.set()

    def _next(self) -> Item | None:
        if not self._window.has_room:
            return None
        suspicion = self._memory.suspicion
        if suspicion and any(suspicion.falls_on(item.name) for item in self._under_way.values()):
            return None
        return self._tray.next(alone=not self._under_way)

    def _send(self, item: Item) -> None:
        limit = self._session.max_bytes
        if limit is not None and item.message.size > limit:
            self._give_up(item, f"it needs {item.message.size} bytes, and the broker takes packets of {limit}")
            return
        try:
            mid = self._session.publish(item.message)
        except ValueError as error:
            self._give_up(item, f"no broker takes it: {error}")
            return
        self._under_way[mid] = item
        self._window.sent(item.message.size)
        self._memory.counters.sent += 1

    def _answered(self, mid: int, code: int, said: str) -> None:
        item = self._under_way.pop(mid)
        self._window.acknowledged(item.message.size)
        verdict = self._memory.judge.verdict(item.message.topic, code)
        if verdict is Verdict.DELIVERED:
            self._delivered(item, code)
        elif verdict is Verdict.AGAIN:
            self._park(item, code, said)
        else:
            self._give_up(item, _reason(code, said))
        self._fill()

    def _delivered(self, item: Item, code: int) -> None:
        memory = self._memory
        memory.counters.acknowledged += 1
        self._took_any = True
        if item.parcel is None:
            memory.suspicion.settled(item.name)
            memory.retained.arrived(item.message)
        else:
            if code == NO_SUBSCRIBERS and not memory.told_no_subscribers:
                memory.told_no_subscribers = True
                log.warning("nobody_subscribes", broker=self._settings.where, topic=item.message.topic)
            self._tick_off(item.parcel)

    def _tick_off(self, parcel: Parcel) -> None:
        parcel.unanswered -= 1
        if parcel.unanswered == 0 and not parcel.is_over:
            self._memory.suspicion.settled(parcel.name)
            self._memory.told_refused.discard(parcel.entry.device)
            self._outbox.acknowledge(parcel.entry)

    def _park(self, item: Item, code: int, said: str) -> None:
        topic = item.message.topic
        if self._memory.judge.failures(topic) == 1:
            log.warning("broker_refuses_for_now", topic=topic, reason=_reason(code, said), code=Code.MESSAGE_REFUSED)
        # A retained message is another item each time: what its topic went through counts.
        item.refusals = self._memory.judge.failures(topic) if item.parcel is None else item.refusals + 1
        pause_s = pause_after(item.refusals, self._settings.retry_s)
        self._parked[item] = asyncio.get_running_loop().call_later(pause_s, self._again, item)

    def _again(self, item: Item) -> None:
        del self._parked[item]
        if item.parcel is None:
            self._tray.announce(item.message.topic)
        else:
            self._tray.add([item])
        self._fill()

    def _give_up(self, item: Item, reason: str) -> None:
        self._memory.suspicion.settled(item.name)
        if item.parcel is None:
            log.warning("retained_refused", topic=item.message.topic, reason=reason, code=Code.MESSAGE_REFUSED)
        elif not item.parcel.is_over:
            item.parcel.is_over = True
            self._refuse(item.parcel.entry, f"{item.message.topic}: {reason}")

    def _refuse(self, entry: Entry, reason: str) -> None:
        self._memory.counters.refused += 1
        self._outbox.refuse(entry, reason)
        if entry.device in self._memory.told_refused:
            return
        self._memory.told_refused.add(entry.device)
        told = {"broker": self._settings.where, "reason": reason, "code": Code.MESSAGE_REFUSED}
        log.error("broker_refuses_device", device=entry.device, **told)
        if not isinstance(entry.item, Notice):  # an event about refused events would be refused in turn, for ever
            body = {"event": "messages_refused", "device": entry.device, "reason": reason}
            self._outbox.put(Notice("events", body, self._clock.now()))

    def _look_for_culprit(self, end: SessionEnd) -> None:
        names = [item.name for item in self._under_way.values()]
        culprit = self._memory.suspicion.ended(end, names, took_others=self._took_any)
        if culprit is None:
            return
        item = next(item for item in self._under_way.values() if item.name == culprit)
        if item.parcel is None:
            self._memory.retained.withhold(item.message.topic)
        self._give_up(item, f"the broker ends every session over it: {end}")


def _reason(code: int, said: str) -> str:
    words = {
        0x80: "refused without a reason",
        0x83: "refused by the broker's own rules",
        0x87: "not allowed; look at the broker's access list (ACL)",
        0x90: "the topic is not accepted",
        0x91: "the packet id is in use",
        0x97: "a quota is used up; look at the broker's limits",
        0x99: "the payload format is not accepted",
    }.get(code, "refused")
    return f"{words} (0x{code:02X})" + (f", it says: {said}" if said else "")
