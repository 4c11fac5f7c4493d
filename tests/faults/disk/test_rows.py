"""Rows D1 to D3 and D5 to D9 of the fault campaign: disks that are full, broken, read-only, slow, foreign or missing.

The real program over a disk that fails on demand. The same faults at every single operation, with power cuts between
them, are in tests/gateway/outbox: D1 and D5 in test_room.py and test_small_disk.py, D2 and D3 in test_disk_faults.py,
D6 in test_slow_disk.py, D7 in test_damage.py, and all of them mixed in test_crashes.py. D4 is in test_d4_damage.py.
"""

from __future__ import annotations

import os
import time
from errno import EIO, EROFS
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

import pytest

from gateway.outbox.stock import Stock
from tests.conftest import wait_until

if TYPE_CHECKING:
    from tests.faults.disk.conftest import Rig

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]

DEVICES = 10
WINDOW = 16
PERIOD_S = 0.1
"""In the short forms ten times the load, so that a tenth of the time tells as much."""


def written_bytes(rig: Rig) -> int:
    """What the gateway has made the kernel write to disks (proc(5))."""
    assert rig.gateway.process is not None
    lines = Path(f"/proc/{rig.gateway.process.pid}/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


def assert_alive(rig: Rig) -> None:
    """It was never started again, and ends in good order."""
    assert rig.gateway.process is not None
    assert rig.gateway.process.poll() is None
    assert rig.gateway.stop() == 0


def assert_live(rig: Rig) -> None:
    """What is read arrives at once, whatever waits on disk; first comes what waited in memory while the disk failed."""
    wait_until(lambda: min(rig.books.delays_s(time.time() - 1.0), default=9.0) < 0.5, 60, "live batches")
    back = time.time()
    wait_until(lambda: len(rig.books.delays_s(back)) >= 20 * DEVICES, 60, "live batches")
    assert quantiles(rig.books.delays_s(back), n=20)[-1] < 2.0


def logged(rig: Rig, event: str) -> int:
    """How many lines of the log tell of this."""
    return sum(line["event"] == event for line in rig.gateway.logged())


def test_d1_a_full_disk_drops_the_oldest_and_counts_them(rig: Rig, small_disk: Path, campaign: bool) -> None:  # noqa: FBT001 - a fixture
    """The broker is away until the disk has been full for a while: the process lives, and each lost batch is told."""
    if not campaign:
        pytest.skip("at full length only; tests/gateway/outbox/test_small_disk.py fills a real disk in a second")
    rig.gateway.state = small_disk / "state"
    rig.configure(PERIOD_S, "{keep_free_mb: 0}")
    rig.start()
    rig.wait_for_batches(5 * DEVICES)
    with (small_disk / "filler").open("wb", buffering=0) as filler:
        disk = os.statvfs(small_disk)
        filler.write(bytes(disk.f_bavail * disk.f_frsize - 170_000))
    rig.broker.stop()
    wait_until(lambda: logged(rig, "spool_full") >= 30, 600, "the disk is full")
    rig.broker.start()
    assert_live(rig)
    rig.wait_for_all()
    rig.books.assert_right()
    assert rig.books.told().total() > 0
    assert set(rig.books.told()) <= {f"machine-{number}" for number in range(DEVICES)}, "no loss of unknown devices"
    assert rig.books.doubled() <= WINDOW
    assert_alive(rig)


@pytest.mark.parametrize(
    ("error", "operations"),
    [(EIO, "s"), (EIO, "w"), (EROFS, "wsorut")],
    ids=["d2_sync", "d2_write", "d3_read_only"],
)
def test_d2_d3_a_disk_that_fails_leaves_the_live_flow_alone(
    rig: Rig,
    error: int,
    operations: str,
    campaign: bool,  # noqa: FBT001 - a fixture
) -> None:
    """It says so and claims nothing durable; no file that failed is written again; well again, it is used again.

    The short form ends while the disk fails: it is tried again only after 30 s.
    """
    if not campaign and operations != "s":
        pytest.skip("at full length only")
    rig.configure(PERIOD_S)
    rig.start()
    rig.wait_for_batches(5 * DEVICES)
    rig.broker.stop()
    wait_until(lambda: any(rig.spool.glob("*.spool")), 20, "something is on disk")
    rig.fail(error, operations)
    wait_until(lambda: "durability: none" in rig.status.text(), 10, "the status tells")
    assert "cannot be written" in rig.status.text()
    before = {file.name: file.read_bytes() for file in rig.spool.glob("*.spool")}
    rig.broker.start()
    assert_live(rig)
    if campaign:
        rig.broker.stop()
        time.sleep(5)
        rig.heal()
        healed = time.monotonic()
        wait_until(lambda: "durability" not in rig.status.text(), 60, "it recovers")
        assert time.monotonic() - healed <= 60
        for name, content in before.items():
            file = rig.spool / name
            assert not file.exists() or file.read_bytes() == content, "written again after it had failed"
        rig.broker.start()
    rig.wait_for_all(90)
    rig.books.assert_right()
    assert rig.books.told().total() == 0, "memory held all of it"
    assert_alive(rig) if campaign else rig.gateway.kill()


def test_d5_the_cap_is_kept(rig: Rig, campaign: bool) -> None:  # noqa: FBT001 - a fixture
    """With 1 MB allowed, the spool is never more than 1 MB larger, and what was dropped is told exactly."""
    if not campaign:
        pytest.skip("at full length only; tests/gateway/outbox/test_room.py keeps the cap to the byte")
    rig.configure(PERIOD_S, "{max_mb: 1, keep_free_mb: 0}")
    rig.start()
    rig.wait_for_batches(5 * DEVICES)
    rig.broker.stop()
    largest = 0
    deadline = time.monotonic() + 180
    while logged(rig, "spool_full") < 5 and time.monotonic() < deadline:
        time.sleep(0.2)
        largest = max(largest, sum(file.stat().st_size for file in rig.spool.glob("*.spool")))
    assert logged(rig, "spool_full") >= 5
    assert largest <= 2_000_000
    rig.broker.start()
    rig.wait_for_all()
    rig.books.assert_right()
    assert rig.books.told().total() > 0
    assert_alive(rig)


def test_d6_a_sync_of_two_seconds_costs_no_poll(rig: Rig, campaign: bool) -> None:  # noqa: FBT001 - a fixture
    """Periods keep to their slots while every sync takes 2 s, and the status says what that means."""
    if not campaign:
        pytest.skip("at full length only; tests/gateway/outbox/test_slow_disk.py stops the disk altogether")
    rig.configure()
    rig.start()
    rig.wait_for_batches(5 * DEVICES)
    rig.fail(0, "s", delay_ms=2000)
    rig.broker.stop()
    begun = time.time()
    wait_until(lambda: "the disk of the spool is slow" in rig.status.text(), 30, "the status tells")
    time.sleep(120)
    ended = time.time()
    rig.heal()
    rig.broker.start()
    rig.wait_for_all()
    rig.books.assert_right()
    times: dict[str, list[float]] = {}
    for batch in rig.subscriber.payloads():
        at = rig.books.seconds(batch["time"])
        if begun <= at <= ended:
            times.setdefault(batch["device"], []).append(at)
    jitter = [abs(b - a - 1.0) for of in times.values() for a, b in pairwise(sorted(of))]
    assert len(jitter) > 20 * DEVICES
    assert quantiles(jitter, n=100)[-1] < 0.1
    assert_alive(rig)


def test_d7_files_of_a_newer_format_are_kept_aside(rig: Rig) -> None:
    """After a downgrade: it starts, works, leaves them to the byte, and says that they are there."""
    rig.spool.mkdir(parents=True)
    newer = rig.spool / "00000900-000000001000-0.v2.spool"
    newer.write_bytes(b"\x89EDGESP\n of tomorrow")
    rig.configure()
    rig.start()
    rig.wait_for_batches(2 * DEVICES)
    assert logged(rig, "spool_of_another_format") == 1
    rig.broker.stop()
    wait_until(lambda: any(rig.spool.glob("*.v1.spool")), 20, "something is on disk")
    rig.broker.start()
    rig.wait_for_all()
    assert_alive(rig)
    assert newer.read_bytes() == b"\x89EDGESP\n of tomorrow"
    assert Stock(rig.spool).aside == [newer.name]
    rig.books.assert_right()


def test_d8_without_a_state_folder_it_starts_all_the_same(rig: Rig) -> None:
    """The partition is lost, and a file lies where it was: all is in memory, the status says so, values flow."""
    rig.gateway.state.write_text("no folder")
    rig.gateway.state /= "state"
    rig.configure()
    rig.start()
    rig.wait_for_batches(3 * DEVICES)
    wait_until(lambda: "durability: none" in rig.status.text(), 10, "the status tells")
    assert_alive(rig)
    rig.books.assert_right()


def test_d9_a_healthy_day_writes_next_to_nothing(rig: Rig, campaign: bool) -> None:  # noqa: FBT001 - a fixture
    """200 readings a second and a broker that answers: not a byte in the short form, and 20 MB a day in ten minutes."""
    rig.configure(1.0 if campaign else PERIOD_S)
    rig.start()
    rig.wait_for_batches(5 * DEVICES)
    before, seconds = written_bytes(rig), 600.0 if campaign else 3.0
    time.sleep(seconds)
    written = written_bytes(rig) - before
    assert written * 86_400 / seconds <= 20_000_000 if campaign else written == 0
    assert Stock(rig.spool).size == 0
    assert_alive(rig)
    rig.books.assert_right()


def test_d9_ten_minutes_of_1000_values_a_second_write_nothing(rig: Rig, campaign: bool) -> None:  # noqa: FBT001 - a fixture
    """Not one byte of readings: what is written is the state of the gateway, 64 KB at most."""
    if not campaign:
        pytest.skip("at full length only; the bench `outbox` watches some seconds")
    rig.configure(0.2)
    rig.start()
    rig.wait_for_batches(5 * DEVICES)
    before = written_bytes(rig)
    time.sleep(600)
    assert written_bytes(rig) - before <= 65_536
    assert Stock(rig.spool).size == 0
    rig.books.assert_right()
    assert_alive(rig)


def test_d9_an_outage_costs_at_most_one_and_a_half_times_its_payload(rig: Rig, campaign: bool) -> None:  # noqa: FBT001 - a fixture
    """As the kernel counts it, page by page, against the JSON that would have been sent."""
    if not campaign:
        pytest.skip("at full length only; the bench `outbox` measures some seconds")
    rig.configure()
    rig.start()
    rig.wait_for_batches(5 * DEVICES)
    payload = len(next(payload for topic, payload, _ in rig.subscriber.messages if topic.endswith("/data")))
    rig.broker.stop()
    time.sleep(5)
    before = written_bytes(rig)
    time.sleep(600)
    assert written_bytes(rig) - before <= 1.5 * payload * DEVICES * 600
    rig.broker.start()
    rig.wait_for_all(120)
    rig.books.assert_right()
    assert_alive(rig)
