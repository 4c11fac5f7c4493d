"""CPU of encoding and sending a batch of 100 changed values, against paho publishing a payload that is ready.

Both send to the same mosquitto at QoS 1 with 16 messages under way. paho is used as its manual shows it: with its own
network thread, `loop_start`. The gateway's side is its publisher whole: columns, JSON, window, session and
acknowledgements. CPU is that of this process, so the broker's does not count.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as mqtt

from gateway.clock.system import SystemClock
from gateway.config.schema import Publish, Template
from gateway.model import GATEWAY_DEVICE, Batch, Notice, Tag
from gateway.outbox.entry import Entry
from gateway.publish.contract import About
from gateway.publish.encoders import encoder_of
from gateway.publish.failover import Failover
from gateway.publish.publisher import Publisher
from gateway.publish.settings import BrokerSettings
from gateway.publish.topics import Topics
from gateway.testing import sample_batch, sample_plan
from tests.bench.figures import Figure
from tests.conftest import Mosquitto

if TYPE_CHECKING:
    from collections.abc import Sequence

VALUES = 100
BATCHES = 4000
ROUNDS = 5
WINDOW = 16
RUN = "000042-8c1f9a3e"
PLAN = sample_plan("press-12", *(Tag(f"pressure_{n}", f"holding:{n}", "float32", unit="bar") for n in range(VALUES)))
TOPICS = Topics(["acme", "ehv", "hall-2", "presses"], "bench-1")
LINE = Publish(
    encoder="template",
    template=Template(topic="plant/{{ device }}", payload='{"t": {{ time_ms }}, "v": {{ values | tojson }}}'),
)
BOUND = 3.0


def measure() -> list[Figure]:
    """Each round measures both, one after the other; the median ratio of the rounds counts."""
    with TemporaryDirectory() as folder:
        broker = Mosquitto(Path(folder))
        broker.start()
        try:
            rounds = [(_paho_us(broker.port), *_gateway_us(broker.port)) for _ in range(ROUNDS)]
        finally:
            broker.stop()
    paho, device, tag, template = (_median(column) for column in zip(*rounds, strict=True))
    ratio = _median([row[1] / row[0] for row in rounds])
    return [
        Figure("paho, ready payload", paho, "us CPU", note="per message of the same size"),
        Figure("a batch of 100 values, JSON by device", device, "us CPU"),
        Figure("JSON by device against paho", ratio, "ratio", BOUND, note=f"median of {ROUNDS} rounds"),
        Figure("a value, JSON by tag", tag / VALUES, "us CPU", note="one message a value"),
        Figure("a batch of 100 values, template", template, "us CPU"),
    ]


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _batches(count: int) -> list[Batch]:
    """Every value differs from the one before, as in a batch of changes."""
    return [sample_batch(PLAN, [round(n * 1.1 + number * 0.01, 2) for n in range(VALUES)]) for number in range(count)]


def _paho_us(port: int) -> float:
    payload = encoder_of(Publish(), TOPICS).encode(Entry("press-12", RUN, 1, _batches(1)[0], False), 65_536)[0].payload
    room, done, left = threading.Semaphore(WINDOW), threading.Event(), [BATCHES]

    def on_publish(*_: Any) -> None:
        left[0] -= 1
        room.release()
        if left[0] == 0:
            done.set()

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "paho", protocol=mqtt.MQTTv5)
    client.on_publish = on_publish
    client.connect("127.0.0.1", port)
    client.loop_start()
    before_s = time.process_time()
    for _ in range(BATCHES):
        room.acquire()
        client.publish("acme/ehv/hall-2/presses/press-12/data", payload, qos=1)
    done.wait(60)
    spent_s = time.process_time() - before_s
    client.disconnect()
    client.loop_stop()
    return spent_s / BATCHES * 1e6


def _gateway_us(port: int) -> tuple[float, float, float]:
    by_tag = BATCHES // VALUES * 2
    return (
        asyncio.run(_published_us(port, Publish(), BATCHES)),
        asyncio.run(_published_us(port, Publish(layout="tag"), by_tag)),
        asyncio.run(_published_us(port, LINE, BATCHES // 4)),
    )


async def _published_us(port: int, publish: Publish, count: int) -> float:
    queue, clock = _Queue(_batches(count)), SystemClock()
    brokers = Failover([BrokerSettings("127.0.0.1", port, "bench-1")], clock)
    publisher = Publisher(brokers, encoder_of(publish, TOPICS), queue, clock, About("0", RUN, ""))
    task = asyncio.create_task(publisher.run())
    while not publisher.state.connected:  # noqa: ASYNC110 - before the measuring begins
        await asyncio.sleep(0.01)
    before_s = time.process_time()
    queue.open.set()
    await queue.done.wait()
    spent_s = time.process_time() - before_s
    await publisher.close(5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return spent_s / count * 1e6


class _Queue:
    """Batches that wait, handed out when it is opened: the outbox without its bookkeeping of ages."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        entries = [Entry("press-12", RUN, number, batch, False) for number, batch in enumerate(batches, start=1)]
        self.open, self.done = asyncio.Event(), asyncio.Event()
        self._waiting = deque(entries)
        self._left = len(entries)

    def put(self, item: Batch | Notice) -> object:
        """Events of the publisher."""
        return Entry(GATEWAY_DEVICE, RUN, 1, item, False)

    async def take(self) -> Entry:
        """The next one."""
        await self.open.wait()
        if not self._waiting:
            await asyncio.Event().wait()
        return self._waiting.popleft()

    def acknowledge(self, _entry: Entry) -> None:
        """One less."""
        self._left -= 1
        if self._left == 0:
            self.done.set()

    def refuse(self, _entry: Entry, reason: str) -> None:
        """None is refused."""
        raise AssertionError(reason)

    def give_back(self) -> None:
        """The session ends with the bench."""
