"""A gateway as a process, on a disk that fails on demand, and the books of what it made and what arrived."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Gateway, Mosquitto, Subscriber, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

DEVICES = 10
TAGS = 20
SOURCE = Path(__file__).parent / "faulty_disk.c"


def plant(period_s: float) -> str:
    """Ten devices of one counter and nineteen plausible numbers, which do not compress well."""
    tags = [
        "      count: {address: counter}",
        *(f"      t{at}: {{address: analog, unit: Cel}}" for at in range(1, TAGS)),
    ]
    lines = [f"  machine-{device}:\n    tags:\n" + "\n".join(tags) for device in range(DEVICES)]
    return f"version: 1\ndriver: sim\ndefaults: {{period_s: {period_s}}}\ndevices:\n" + "\n".join(lines) + "\n"


class Books:
    """What arrived, and what the gap records say of the rest; the counter of each device counts its batches."""

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber = subscriber

    def missing(self) -> Counter[str]:
        """By device: the seqs that were made and have not arrived."""
        newest: dict[tuple[str, str], int] = {}
        heard = Counter[tuple[str, str]]()
        for device, run, seq in self._subscriber.names():
            newest[device, run] = max(seq, newest.get((device, run), 0))
            heard[device, run] += 1
        missing = Counter[str]()
        for (device, run), last in newest.items():
            missing[device] += last - heard[device, run]
        return +missing

    def told(self) -> Counter[str]:
        """By device: how many batches the gap records count."""
        told = Counter[str]()
        seen = {(gap["run"], gap["seq"]): gap for gap in self._subscriber.payloads("/gaps")}
        for gap in seen.values():
            told[gap["device"]] += gap["count"] or 0
        return +told

    def doubled(self) -> int:
        """How many batches came more than once."""
        return sum(count - 1 for count in self._subscriber.names().values())

    def delays_s(self, since: float) -> list[float]:
        """Of live batches that were read after `since` (UTC, s), from the reading to its arrival."""
        live = [(at, self.seconds(batch["time"])) for at, batch in self._live()]
        return [at - read for at, read in live if read >= since]

    @staticmethod
    def seconds(text: str) -> float:
        """A time of a message, UTC in s."""
        return datetime.fromisoformat(text).timestamp()

    def assert_right(self) -> None:
        """No value is wrong, and what is missing was told, device by device."""
        for batch in self._subscriber.payloads():
            assert batch["values"]["count"] == batch["seq"], batch
        assert self.missing() == self.told()

    def _live(self) -> list[tuple[float, dict[str, str]]]:
        live = [(at, topic, payload) for at, topic, payload in self._subscriber.arrivals if topic.endswith("/data")]
        return [(at, json.loads(payload)) for at, _, payload in live]


class TimedSubscriber(Subscriber):
    """It also notes when each message came."""

    def __init__(self, port: int) -> None:
        self.arrivals: list[tuple[float, str, bytes]] = []
        super().__init__(port)
        keep = self._client.on_message

        def note(client: object, userdata: object, message: object) -> None:
            self.arrivals.append((time.time(), message.topic, message.payload))
            keep(client, userdata, message)

        self._client.on_message = note


class Status:
    """What systemd would hear."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.setblocking(False)
        self.newest = ""

    def text(self) -> str:
        """The newest status line."""
        while True:
            try:
                lines = self._socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return self.newest
            self.newest = next((line[7:] for line in lines if line.startswith("STATUS=")), self.newest)

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()


class Rig:
    """A gateway with a broker, a subscriber and its books, whose spool lies on a disk that can be made to fail."""

    def __init__(self, folder: Path, library: Path) -> None:
        self.broker = Mosquitto(folder)
        self.broker.start()
        self.subscriber = TimedSubscriber(self.broker.port)
        self.books = Books(self.subscriber)
        self.gateway = Gateway(folder, self.broker.url)
        self.status = Status(folder / "notify")
        self._library = library
        self._switch = folder / "switch"

    @property
    def spool(self) -> Path:
        """The folder that fails."""
        return self.gateway.state / "spool"

    def configure(self, period_s: float = 1.0, outbox: str = "{}") -> None:
        """Write the files."""
        yaml = self.gateway.folder / "gateway.yaml"
        self.gateway.write("gateway.yaml", yaml.read_text() + f"outbox: {outbox}\n")
        self.gateway.write("connections/plant.yaml", plant(period_s))

    def start(self) -> None:
        """Start the gateway, over the library that makes its disk fail."""
        self.gateway.start(
            LD_PRELOAD=str(self._library),
            FAULTY_FOLDER=str(self.spool),
            FAULTY_SWITCH=str(self._switch),
            NOTIFY_SOCKET=self.status.path,
        )

    def fail(self, error: int, operations: str, delay_ms: int = 0) -> None:
        """From now on these operations fail, or are slow."""
        ready = self._switch.with_suffix(".new")
        ready.write_text(f"{error} {delay_ms} {operations}")
        ready.replace(self._switch)

    def heal(self) -> None:
        """The disk is well."""
        self._switch.unlink()

    def wait_for_batches(self, more: int, within_s: float = 30) -> None:
        """Wait until so many more live batches have arrived."""
        wanted = len(self.subscriber.payloads("/data")) + more
        wait_until(lambda: len(self.subscriber.payloads("/data")) >= wanted, within_s, f"{more} more live batches")

    def wait_for_all(self, within_s: float = 60) -> None:
        """Wait until something new has arrived, and all that was made before it, or was told."""
        self.wait_for_batches(DEVICES)
        wait_until(lambda: self.books.missing() == self.books.told(), within_s, "all that is missing is told")

    def close(self) -> None:
        """End all."""
        self.gateway.kill()
        self.subscriber.close()
        self.broker.stop()
        self.status.close()


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes a disk fail, compiled here and now."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed (apt-get install gcc libc6-dev)")
    built = tmp_path_factory.mktemp("faulty") / "faulty_disk.so"
    command = ["gcc", "-shared", "-fPIC", "-Wall", "-Werror", "-O1", "-o", built, SOURCE, "-ldl"]
    subprocess.run(command, check=True, timeout=60)
    return built


@pytest.fixture
def rig(tmp_path: Path, library: Path) -> Iterator[Rig]:
    """Everything in its place, nothing started but the broker."""
    rig = Rig(tmp_path, library)
    yield rig
    rig.close()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A real file system of 1 MB, away from pytest's folders: what a killed run leaves disturbs no later one."""
    place = Path(mkdtemp(prefix="edge-gateway-disk-"))
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=False).returncode
    ):
        place.rmdir()
        pytest.skip("mounting a small tmpfs is not permitted here")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)
    place.rmdir()
