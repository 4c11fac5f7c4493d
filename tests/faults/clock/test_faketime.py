"""The daemon itself, as a process, started in 1970 under libfaketime; then its clock is set."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import wait_until
from tests.faults.clock.conftest import PLANT, seconds, without_hole

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Gateway, Mosquitto, Subscriber

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
KERNEL = Path(__file__).parent / "adjtimex.c"


class FakedClock:
    """The wall clock of one process, and what its kernel says of it. The monotonic clock stays real."""

    def __init__(self, folder: Path) -> None:
        self._offset, self._synced = folder / "offset", folder / "synced"
        kernel = folder / "adjtimex.so"
        compiled = subprocess.run(["gcc", "-shared", "-fPIC", "-o", kernel, KERNEL], check=False)
        if compiled.returncode != 0:
            pytest.skip("gcc is not installed (apt-get install gcc libc6-dev)")
        self.environment = {
            "LD_PRELOAD": f"{kernel}:{LIBRARIES[0]}",
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "SYNCED_FILE": str(self._synced),
        }

    def start_in_1970(self) -> None:
        """Ten minutes past the epoch."""
        self._offset.write_text(f"-{int(time.time()) - 600}\n")

    def set_right(self) -> None:
        """What timesyncd does: set the clock, then tell the kernel that it is right."""
        self._offset.write_text("+0\n")
        self._synced.touch()


@pytest.fixture
def faked(tmp_path: Path) -> FakedClock:
    if not LIBRARIES:
        pytest.skip("libfaketime is not installed (apt-get install faketime)")
    return FakedClock(tmp_path)


def test_c1_a_daemon_started_in_1970_delivers_true_times_once_its_clock_is_set(
    mosquitto: Mosquitto, subscriber: Subscriber, gateways: Callable[[str], Gateway], faked: FakedClock
) -> None:
    """Nothing goes out while the year is 1970; then all of it, each row within 1 s of its true time, none missing."""
    gateway = gateways(mosquitto.url)
    with (gateway.folder / "gateway.yaml").open("a") as file:
        file.write("clock: {before_sync: hold}\n")
    gateway.write("connections/plant.yaml", PLANT.format(period_s=0.5))
    faked.start_in_1970()
    begun = time.time()
    gateway.start(**faked.environment)
    wait_until(lambda: [line for line in gateway.logged() if line["event"] == "ready"], 30, "the gateway is ready")
    ready = time.time()
    time.sleep(4)
    assert subscriber.payloads() == []
    assert any(line["timestamp"].startswith("1970-01-01T00:1") for line in gateway.logged()), "the clock is faked"
    faked.set_right()
    wait_until(lambda: [b for b in subscriber.payloads() if b["clock"] == "synced"], 30, "a row with a true clock")
    wait_until(lambda: without_hole(subscriber.payloads()), 30, "no row is missing")
    assert gateway.stop() == 0
    batches = sorted(subscriber.payloads(), key=lambda batch: int(batch["seq"]))
    corrected = [batch for batch in batches if batch["clock"] == "corrected"]
    assert len(corrected) >= 6
    assert begun - 1 <= seconds(batches[0]) <= ready + 1
    for batch in batches:
        expected = seconds(batches[0]) + (batch["seq"] - 1) * 0.5
        assert abs(seconds(batch) - expected) <= 1, f"{batch['seq']} of {len(batches)}"
    assert [event["event"] for event in subscriber.payloads("/events") if event["event"].startswith("clock_")]
