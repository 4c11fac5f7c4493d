"""An outbox without a disk: for tests that script what is taken, acknowledged and refused."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING

from gateway.model import GATEWAY_DEVICE, Batch, Notice
from gateway.outbox.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

RUN = "000042-8c1f9a3e"


class PlainOutbox:
    """Keeps to the contract of the real one, and keeps a record of what was done with each entry."""

    def __init__(self) -> None:
        self.acknowledged: list[Entry] = []
        self.refused: list[tuple[Entry, str]] = []
        self.taken: list[Entry] = []
        """Taken and not decided, oldest first."""
        self._waiting: deque[Entry] = deque()
        self._seqs: Counter[str] = Counter()
        self._filled = asyncio.Event()

    def put(self, item: Batch | Notice, *, history: bool = False) -> Entry:
        """One more batch or notice."""
        device = GATEWAY_DEVICE if isinstance(item, Notice) else item.plan.device
        self._seqs[device] += 1
        entry = Entry(device, RUN, self._seqs[device], item, history)
        self._waiting.append(entry)
        self._filled.set()
        return entry

    async def take(self) -> Entry:
        """The oldest that waits."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        entry = self._waiting.popleft()
        self.taken.append(entry)
        return entry

    def acknowledge(self, entry: Entry) -> None:
        """It is over, well."""
        self.taken.remove(entry)
        self.acknowledged.append(entry)

    def refuse(self, entry: Entry, reason: str) -> None:
        """It is over, badly."""
        self.taken.remove(entry)
        self.refused.append((entry, reason))

    def give_back(self) -> None:
        """What was taken waits again, in front."""
        self._waiting.extendleft(reversed(self.taken))
        self.taken.clear()
        if self._waiting:
            self._filled.set()

    @property
    def events(self) -> Sequence[Notice]:
        """Notices that wait or are under way."""
        return [entry.item for entry in (*self.taken, *self._waiting) if isinstance(entry.item, Notice)]

    @property
    def is_done(self) -> bool:
        """Whether every entry was decided."""
        return not self._waiting and not self.taken
