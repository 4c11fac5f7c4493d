"""What an outage costs the disk, how fast its readings come back, and how soon a gateway with a full spool is live.

The load is 1000 values a second: ten simulated devices of a hundred tags, through the real program and mosquitto. What
it wrote is what the kernel says (/proc/PID/io). A day on disk is extrapolated from one hour, made at full speed. The
outage-free minutes are ten in `make campaign` and a few seconds here.
"""

from __future__ import annotations

import struct
import sys
import time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from gateway.cli.logs import configure_logs
from gateway.clock import SystemClock
from gateway.model import Plan, Stamp, Tag
from gateway.outbox.entry import Entry
from gateway.outbox.room import Room
from gateway.outbox.spool import Spool
from gateway.publish.json import JsonEncoder
from gateway.publish.topics import Topics
from gateway.signals import analog
from gateway.testing import sample_batch
from tests.bench.figures import Figure
from tests.conftest import Gateway, Mosquitto, Subscriber, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.model import Cell

DEVICES = 10
TAGS = 100
QUIET_S = 20.0
OUTAGE_S = 30.0
HOUR_S = 3600
BACKLOG = 20_000
"""Batches of a hundred values: 2 million values, as after 33 minutes without a broker."""

MANY = 1_000_000
GROUP = 2000
"""Batches in one record of a spool that is made for a bench."""

RUN = "000001-8c1f9a3e"

DAY_BOUND_GB = 2.0
WRITTEN_BOUND = 1.5
DRAIN_BOUND = 50_000
DELAY_BOUND_S = 2.0
START_BOUND_S = 2.0
FLAT_MB = 5.0


class Arrival(NamedTuple):
    """One message of a device."""

    at: float
    """UTC, s."""
    is_history: bool
    payload: bytes


class Listener(Subscriber):
    """A subscriber that notes when messages of devices arrive."""

    def __init__(self, port: int) -> None:
        self.arrivals: list[Arrival] = []
        super().__init__(port)
        self._client.on_message = lambda _client, _userdata, m: self._note(m.topic, m.payload)

    def _note(self, topic: str, payload: bytes) -> None:
        if topic.endswith(("/data", "/history")):
            self.arrivals.append(Arrival(time.time(), topic.endswith("/history"), payload))

    def live(self) -> list[Arrival]:
        """Those that did not wait on disk."""
        return [arrival for arrival in list(self.arrivals) if not arrival.is_history]

    def history(self) -> list[Arrival]:
        """Those that did."""
        return [arrival for arrival in list(self.arrivals) if arrival.is_history]


def measure() -> list[Figure]:
    """Writes with and without a broker, a day's size, draining, and the start with a million batches."""
    configure_logs(quiet=True)
    return [*_writes(), *_day(), *_draining(), *_start()]


def _writes() -> list[Figure]:
    with _bench() as (broker, listener, gateway):
        gateway.start()
        wait_until(lambda: len(listener.live()) >= 3 * DEVICES, 30, "live values")
        before = written_bytes(gateway)
        _tell(f"{QUIET_S:.0f} s with a broker")
        time.sleep(QUIET_S)
        quiet = written_bytes(gateway) - before
        payload = sum(len(arrival.payload) for arrival in listener.live()) / len(listener.live())
        broker.stop()
        time.sleep(2.0)
        before = written_bytes(gateway)
        _tell(f"{OUTAGE_S:.0f} s without one")
        time.sleep(OUTAGE_S)
        ratio = (written_bytes(gateway) - before) / (payload * DEVICES * OUTAGE_S)
    return [
        Figure("written while the broker answers", quiet, "B", 0, note=f"{QUIET_S:.0f} s of 1000 values/s"),
        Figure("written in an outage, to payload", ratio, "ratio", WRITTEN_BOUND, note="as JSON"),
    ]


def _day() -> list[Figure]:
    """An hour at one commit a second, times 24."""
    _tell("an hour of batches, at full speed")
    plans = [plan(f"machine-{number}", TAGS) for number in range(DEVICES)]
    encoder, payload = JsonEncoder(Topics(["acme"], "bench-1")), 0
    with TemporaryDirectory() as folder, _spool(Path(folder)) as spool:
        before = written_bytes()
        begun = time.perf_counter()
        for second in range(HOUR_S):
            entries = [entry(one, second + 1, second) for one in plans]
            if second % 100 == 0:
                payload += 100 * sum(len(encoder.encode(one, 10**6)[0].payload) for one in entries)
            spool.write([spool.encode(entries)])
        took = time.perf_counter() - begun
        size, written = spool.bytes_on_disk, written_bytes() - before
    return [
        Figure("24 h at 1000 values/s on disk", 24 * size / 1e9, "GB", DAY_BOUND_GB, note="24 times one hour"),
        Figure("written for that hour, to payload", written / payload, "ratio", WRITTEN_BOUND, note="page by page"),
        Figure("spilling, one sync a second of data", HOUR_S * DEVICES * TAGS / took, "values/s"),
    ]


def _draining() -> list[Figure]:
    by_default = _drained("")
    unhindered = _drained("outbox: {replay_rate: 1.0e9}\n")
    return [
        Figure("draining", by_default.rate, "values/s", DRAIN_BOUND, at_least=True),
        Figure("live delay p95 meanwhile", by_default.delay_s, "s", DELAY_BOUND_S),
        Figure("growth of memory meanwhile", by_default.growth_mb, "MB", FLAT_MB),
        Figure("draining, replay_rate out of the way", unhindered.rate, "values/s"),
        Figure("live delay p95 then", unhindered.delay_s, "s", DELAY_BOUND_S),
        Figure("growth of memory then", unhindered.growth_mb, "MB", FLAT_MB),
        Figure("memory at most", unhindered.rss_mb, "MB RSS"),
        Figure("CPU, start and live data included", unhindered.cpu_us, "us/value"),
    ]


class Drained(NamedTuple):
    """How a backlog was drained behind live data."""

    rate: float
    """Values a second."""
    delay_s: float
    """Of live data, 95th percentile."""
    growth_mb: float
    rss_mb: float
    cpu_us: float
    """For a value."""


def _drained(settings: str) -> Drained:
    with _bench(settings) as (_, listener, gateway):
        fill(gateway.state / "spool", BACKLOG, TAGS)
        _tell(f"draining {BACKLOG * TAGS / 1e6:.0f} million values")
        gateway.start()
        wait_until(lambda: len(listener.history()) > BACKLOG // 10, 60, "history")
        begun, first, rss = time.time(), len(listener.history()), [rss_mb(gateway)]
        while len(listener.history()) < BACKLOG:
            assert time.time() - begun < 300, f"{len(listener.history())} of {BACKLOG}"
            time.sleep(0.25)
            rss.append(rss_mb(gateway))
        history = listener.history()
        rate = TAGS * (BACKLOG - first) / (history[BACKLOG - 1].at - begun)
        delays = [_delay_s(arrival) for arrival in listener.live() if arrival.at < history[-1].at]
        cpu_us = 1e6 * cpu_s(gateway) / (BACKLOG * TAGS)
    return Drained(rate, quantiles(delays, n=20)[-1], max(rss) - rss[0], max(rss), cpu_us)


def _start() -> list[Figure]:
    with _bench() as (_, listener, gateway):
        fill(gateway.state / "spool", MANY, 2)
        size = sum(file.stat().st_size for file in (gateway.state / "spool").iterdir())
        _tell("starting with a million batches")
        begun = time.time()
        gateway.start()
        wait_until(listener.live, 60, "a live value")
        first_s = listener.live()[0].at - begun
        rss = rss_mb(gateway)
    return [
        Figure("start with 1 million batches to first live value", first_s, "s", START_BOUND_S),
        Figure("their size on disk", size / 1e6, "MB"),
        Figure("memory after that start", rss, "MB RSS"),
    ]


@contextmanager
def _bench(more: str = "") -> Iterator[tuple[Mosquitto, Listener, Gateway]]:
    """A broker, somebody who listens, and a gateway that is not started yet."""
    with TemporaryDirectory() as folder:
        broker = Mosquitto(Path(folder), "persistence false", "max_inflight_messages 1000")
        broker.start()
        listener = Listener(broker.port)
        gateway = Gateway(Path(folder), broker.url)
        gateway.write("gateway.yaml", (gateway.folder / "gateway.yaml").read_text() + more)
        gateway.write("connections/plant.yaml", _plant())
        try:
            yield broker, listener, gateway
        finally:
            gateway.kill()
            listener.close()
            broker.stop()


def _plant() -> str:
    tags = "\n".join(f"      temperature_{tag}: {{address: analog, unit: Cel}}" for tag in range(TAGS))
    devices = "\n".join(f"  machine-{device}:\n    tags:\n{tags}" for device in range(DEVICES))
    return f"version: 1\ndriver: sim\ndefaults: {{period_s: 1}}\ndevices:\n{devices}\n"


@contextmanager
def _spool(folder: Path) -> Iterator[Spool]:
    spool = Spool.open(folder, SystemClock(), Room(100 * 10**9))
    yield spool
    spool.close(clean=True)


def fill(folder: Path, batches: int, tags: int) -> None:
    """Make the spool of an outage: so many batches of ten devices, in the order of their times."""
    folder.mkdir(parents=True)
    plans = [plan(f"past-{number}", tags) for number in range(DEVICES)]
    with _spool(folder) as spool:
        for begin in range(0, batches, GROUP):
            numbers = range(begin, min(begin + GROUP, batches))
            spool.write(
                [spool.encode([entry(plans[at % DEVICES], 1 + at // DEVICES, at // DEVICES) for at in numbers])]
            )


def plan(device: str, tags: int) -> Plan:
    """So many temperatures."""
    return Plan(
        device, tuple(Tag(f"temperature_{at}", f"holding:{2 * at}", "float32", unit="Cel") for at in range(tags))
    )


def entry(of: Plan, seq: int, second: int) -> Entry:
    """A batch of plausible 32-bit floats."""
    row: list[Cell] = [_float32(analog(f"{of.device}.{tag.name}", "Cel", None, second)) for tag in of.tags]
    stamp = Stamp(time.time_ns(), time.monotonic_ns(), SystemClock().now().clock)
    return Entry(of.device, RUN, seq, sample_batch(of, row, stamp), history=False)


def _float32(value: float) -> float:
    narrow: float = struct.unpack("f", struct.pack("f", value))[0]
    return narrow


def _delay_s(arrival: Arrival) -> float:
    """From the reading to its arrival."""
    told: str = msgspec.json.decode(arrival.payload)["time"]
    return arrival.at - datetime.fromisoformat(told).timestamp()


def written_bytes(gateway: Gateway | None = None) -> int:
    """What a gateway, or else this process, has made the kernel write to disks."""
    return int(_io(gateway)["write_bytes"])


def _io(gateway: Gateway | None) -> dict[str, str]:
    text = Path(f"/proc/{_pid(gateway)}/io").read_text(encoding="ascii")
    return dict(line.split(": ") for line in text.splitlines())


def rss_mb(gateway: Gateway) -> float:
    """Resident memory."""
    status = Path(f"/proc/{_pid(gateway)}/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def cpu_s(gateway: Gateway) -> float:
    """Time on processors."""
    fields = Path(f"/proc/{_pid(gateway)}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _pid(gateway: Gateway | None) -> str:
    return "self" if gateway is None or gateway.process is None else str(gateway.process.pid)


def _tell(what: str) -> None:
    sys.stderr.write(f"  {what} ...\n")
