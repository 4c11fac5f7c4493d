"""A publisher under test, and the brokers that it talks to."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from gateway.publish.contract import About
from gateway.publish.failover import Failover
from gateway.publish.json import JsonEncoder
from gateway.publish.publisher import Publisher
from gateway.publish.settings import BrokerSettings
from gateway.publish.topics import Topics
from gateway.testing import ManualClock, sample_batch, sample_plan
from tests.gateway.publish.plain_outbox import RUN, PlainOutbox
from tests.gateway.publish.scripted_broker import ScriptedBroker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
WITHIN_S = 20.0


@dataclass
class Pauses:
    """Stands in for chance and time between two sessions: draws the middle, waits hardly at all, keeps a record."""

    drawn: list[tuple[float, float]] = field(default_factory=list)
    slept_s: list[float] = field(default_factory=list)

    def jitter(self, low_s: float, high_s: float) -> float:
        """The middle of the two."""
        self.drawn.append((low_s, high_s))
        return (low_s + high_s) / 2

    async def sleep(self, pause_s: float) -> None:
        """Next to nothing."""
        self.slept_s.append(pause_s)
        await asyncio.sleep(0.01)


@dataclass
class Desk:
    """A publisher at work, and what is around it."""

    publisher: Publisher
    outbox: PlainOutbox
    encoder: JsonEncoder
    pauses: Pauses
    task: asyncio.Task[None]

    def put(self, device: str, count: int = 1, **options: bool) -> None:
        """Batches of one device."""
        plan = sample_plan(device)
        for number in range(count):
            self.outbox.put(sample_batch(plan, [20.5, True, number]), **options)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition, with a deadline that a loaded machine keeps."""
        deadline_s = time.monotonic() + WITHIN_S
        while not condition():
            assert not self.task.done(), "the publisher ended"
            assert time.monotonic() < deadline_s, f"not within {WITHIN_S} s; {self.publisher.state}"
            await asyncio.sleep(0.005)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that the test moves."""
    return ManualClock()


@pytest.fixture
def encoder() -> JsonEncoder:
    """An encoder of the gateway `gw-1` in `acme/ehv`."""
    return JsonEncoder(Topics(["acme", "ehv"], "gw-1"))


@pytest.fixture
def publishing(clock: ManualClock, encoder: JsonEncoder) -> Callable[..., AbstractAsyncContextManager[Desk]]:
    """Runs a publisher to one or several ports of loopback; keywords are fields of its settings."""

    @asynccontextmanager
    async def run(*ports: int, outbox: PlainOutbox | None = None, **options: Any) -> AsyncIterator[Desk]:
        quick = BrokerSettings("127.0.0.1", 0, "gw-1", tick_s=0.02, retry_s=0.01, keepalive_s=5, look_s=0.02)
        queue = PlainOutbox() if outbox is None else outbox
        pauses = Pauses()
        publisher = Publisher(
            Failover([replace(quick, port=port, **options) for port in ports], clock),
            encoder,
            queue,
            clock,
            About("0.1.0", RUN, "5e1f"),
            sleep=pauses.sleep,
            jitter=pauses.jitter,
        )
        task = asyncio.create_task(publisher.run())
        try:
            yield Desk(publisher, queue, encoder, pauses, task)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return run


@pytest.fixture
async def broker() -> AsyncIterator[ScriptedBroker]:
    """A broker that does what the test says."""
    async with ScriptedBroker() as broker:
        yield broker


class Mosquitto:
    """Debian's broker on a port of its own, with a folder for its files."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = _free_port()
        self._config = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        user = ["user root"] if os.geteuid() == 0 else []
        persistence = ["persistence true", f"persistence_location {folder}/", "max_queued_messages 0"]
        self._config.write_text("\n".join([f"listener {self.port} 127.0.0.1", *user, *persistence, *lines]) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it listens."""
        assert MOSQUITTO is not None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)], stdout=log, stderr=log)
        deadline_s = time.monotonic() + WITHIN_S
        while not _listens(self.port):
            assert time.monotonic() < deadline_s, self._log.read_text()
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop in good order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(WITHIN_S)
            self._process = None

    def kill(self) -> None:
        """Stop as at a power cut."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(WITHIN_S)
            self._process = None


@pytest.fixture
def mosquittos(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    """Starts brokers with these lines in their configuration, `allow_anonymous true` if there are none."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    started: list[Mosquitto] = []

    def start(*lines: str) -> Mosquitto:
        folder = tmp_path / f"mosquitto-{len(started)}"
        folder.mkdir()
        broker = Mosquitto(folder, *(lines or ("allow_anonymous true",)))
        started.append(broker)
        broker.start()
        return broker

    yield start
    for broker in started:
        broker.stop()


@pytest.fixture
def free_port() -> int:
    """A port of loopback that nobody listens on."""
    return _free_port()


def _free_port() -> int:
    with socket.socket() as finder:
        finder.bind(("127.0.0.1", 0))
        port: int = finder.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
