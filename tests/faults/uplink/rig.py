"""An uplink under load: outbox, spool and publisher of the gateway, fed with counters, and an oracle at the broker.

The load is that of ten devices with twenty tags each. Every value is the number of its batch, so a wrong one shows.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from gateway.clock.system import SystemClock
from gateway.config.schema import OutboxConfig
from gateway.model import Run, Tag
from gateway.outbox.outbox import Outbox
from gateway.outbox.room import Room
from gateway.outbox.spool import Spool
from gateway.publish.contract import About
from gateway.publish.failover import Failover
from gateway.publish.json import JsonEncoder
from gateway.publish.publisher import Publisher
from gateway.publish.settings import BrokerSettings
from gateway.publish.topics import Topics
from gateway.testing import sample_batch, sample_plan
from tests.conftest import Subscriber

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DEVICES, TAGS = 10, 20
WINDOW = 16
RUN = Run(1, "5eed", "boot")


@dataclass
class Load:
    """What is fed, and how the gateway behaves."""

    period_s: float = 1.0
    """Of each device: ten batches in this time."""
    haste: float = 1.0
    """The pauses between two sessions are divided by this."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Fields of the broker's settings."""


class Rig:
    """One gateway's uplink; an async context manager.

    Args:
        folder: for the spool.
        port: of the broker, or of a proxy before it.
        load: what is fed.
    """

    def __init__(self, folder: Path, port: int, load: Load) -> None:
        self._load = load
        clock = SystemClock()
        self._plans = [
            sample_plan(f"machine-{number}", *(Tag(f"count_{tag}", f"holding:{tag}", "uint32") for tag in range(TAGS)))
            for number in range(DEVICES)
        ]
        self._clock = clock
        self.spool = Spool.open(folder / "spool", clock, Room.of(OutboxConfig()))
        self.outbox = Outbox(RUN, clock, self.spool)
        settings = replace(BrokerSettings("127.0.0.1", port, "bench-1"), **load.settings)
        self.pauses_s: list[float] = []
        self.publisher = Publisher(
            Failover([settings], clock),
            JsonEncoder(Topics(["acme"], "bench-1")),
            self.outbox,
            clock,
            About("0", str(RUN), ""),
            jitter=self._jitter,
        )
        self.made = 0
        """Batches that each device has made."""
        self._is_feeding = True
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        works = [self.outbox.run(), self.publisher.run(), self._feed()]
        self._tasks = [asyncio.create_task(work) for work in works]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.outbox.close()

    async def until(self, condition: Callable[[], object], within_s: float = 30.0, what: str = "") -> float:
        """Wait for a condition, with a deadline. Returns how long it took, s."""
        begun_s = time.monotonic()
        while not condition():
            assert time.monotonic() - begun_s < within_s, f"not within {within_s} s: {what}; {self.publisher.state}"
            await asyncio.sleep(0.02)
        return time.monotonic() - begun_s

    async def connected(self, within_s: float = 30.0) -> float:
        """Wait for a session. Returns how long it took, s."""
        return await self.until(lambda: self.publisher.state.connected, within_s, "connected")

    async def drained(self, within_s: float = 60.0) -> None:
        """Feed no more, and wait until nothing waits."""
        self._is_feeding = False
        await self.until(lambda: self.waiting == 0, within_s, "drained")

    @property
    def waiting(self) -> int:
        """What waits in memory and on disk."""
        counters = self.outbox.counters
        return counters.waiting_in_memory + counters.waiting_on_disk

    @property
    def is_task_alive(self) -> bool:
        """Whether nothing of the uplink has ended."""
        return not any(task.done() for task in self._tasks[:2])

    def _jitter(self, low_s: float, high_s: float) -> float:
        self.pauses_s.append(random.uniform(low_s, high_s) / self._load.haste)  # noqa: S311 - chance, not a secret
        return self.pauses_s[-1]

    async def _feed(self) -> None:
        while True:
            await asyncio.sleep(self._load.period_s)
            if self._is_feeding:
                self.made += 1
                for plan in self._plans:
                    self.outbox.put(sample_batch(plan, [self.made] * TAGS, self._clock.now()))


@dataclass(frozen=True)
class Arrival:
    """One message as it arrived."""

    at: float
    """UTC, s since 1970."""
    topic: str
    payload: bytes


class Oracle(Subscriber):
    """Stores all that arrives at the broker, with its time, and judges it."""

    def __init__(self, port: int) -> None:
        self.arrivals: list[Arrival] = []
        super().__init__(port)
        self._client.on_message = lambda _client, _userdata, m: self.arrivals.append(
            Arrival(time.time(), m.topic, m.payload)
        )

    @property
    def batches(self) -> list[dict[str, Any]]:
        """All batches, in order of arrival."""
        return [json.loads(one.payload) for one in list(self.arrivals) if one.topic.endswith(("/data", "/history"))]

    def lost(self, rig: Rig) -> set[tuple[str, int]]:
        """What was made and never arrived. No gap record excuses it: none is due as long as disk and memory suffice."""
        arrived = {(batch["device"], batch["seq"]) for batch in self.batches}
        made = {(f"machine-{device}", seq) for device in range(DEVICES) for seq in range(1, rig.made + 1)}
        return made - arrived

    @property
    def doubled(self) -> int:
        """How many batches arrived more often than once, parts apart."""
        names = Counter((b["device"], b["seq"], tuple(b.get("part", ()))) for b in self.batches)
        return sum(count - 1 for count in names.values())

    @property
    def wrong(self) -> list[dict[str, Any]]:
        """Batches with a value that is not theirs."""
        return [batch for batch in self.batches if any(value != batch["seq"] for value in batch["values"].values())]

    def delays_s(self, ending: str = "/data", since: float = 0.0) -> list[float]:
        """From the making of a live batch to its arrival, sorted, s."""
        live = [one for one in list(self.arrivals) if one.topic.endswith(ending) and one.at >= since]
        return sorted(one.at - _made_at(one.payload) for one in live)

    def rate(self, ending: str) -> float:
        """Messages a second between the first and the last of these; 0 where there are none."""
        times = [one.at for one in list(self.arrivals) if one.topic.endswith(ending)]
        return len(times) / max(0.001, times[-1] - times[0]) if times else 0.0

    def judge(self, rig: Rig, doubled: int) -> None:
        """What every row demands: nothing lost, nothing wrong, few twice, the uplink alive."""
        assert self.lost(rig) == set()
        assert self.wrong == []
        assert self.doubled <= doubled, f"{self.doubled} batches came twice"
        assert rig.is_task_alive


def percentile(sorted_values: list[float], share: float) -> float:
    """The value below which this share lies."""
    assert sorted_values
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def _made_at(payload: bytes) -> float:
    return datetime.fromisoformat(json.loads(payload)["time"]).timestamp()
