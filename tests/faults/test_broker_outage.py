"""The broker goes away under 200 readings a second: all that was read arrives, proved by (device, run, seq)."""

from __future__ import annotations

import time
from datetime import datetime
from signal import SIGKILL
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.conftest import Gateway, Mosquitto, Subscriber

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]

DEVICES = 10
TAGS = 20
OUTAGE_S = 60.0
WINDOW = 16
"""Messages under way at most: as many may arrive twice after a link is lost."""

LOST_AT_A_KILL_S = 2.0
"""What is younger may be lost with the process: one second until it is written, and the write itself."""


def plant() -> str:
    """Ten simulated devices of twenty counters, each read once a second: 200 readings a second."""
    lines = ["version: 1", "driver: sim", "defaults: {period_s: 1}", "devices:"]
    for device in range(DEVICES):
        lines += [f"  machine-{device}:", "    tags:"]
        lines += [f"      count_{tag}: {{address: counter}}" for tag in range(TAGS)]
    return "\n".join(lines) + "\n"


@pytest.fixture
def gateway(mosquitto: Mosquitto, gateways: Callable[[str], Gateway]) -> Gateway:
    gateway = gateways(mosquitto.url)
    gateway.write("connections/plant.yaml", plant())
    return gateway


def wait_for(subscriber: Subscriber, batches: int, within_s: float) -> None:
    """Wait until so many more batches have arrived."""
    wanted = len(subscriber.payloads()) + batches
    deadline_s = time.monotonic() + within_s
    while len(subscriber.payloads()) < wanted:
        assert time.monotonic() < deadline_s, f"{len(subscriber.payloads())} of {wanted} batches within {within_s} s"
        time.sleep(0.1)


def runs_of(batches: Iterable[dict[str, Any]]) -> list[str]:
    """The runs, in their order."""
    return sorted({batch["run"] for batch in batches})


def holes(subscriber: Subscriber, run: str) -> list[str]:
    """Devices whose seqs of this run are not 1, 2, 3, ... without a hole."""
    seqs: dict[str, set[int]] = {}
    for device, of, seq in subscriber.names():
        if of == run:
            seqs.setdefault(device, set()).add(seq)
    return [device for device, known in seqs.items() if known != set(range(1, max(known) + 1))]


def doubled(subscriber: Subscriber) -> int:
    """How many batches arrived more than once."""
    return sum(count - 1 for count in subscriber.names().values())


def assert_no_value_is_wrong(subscriber: Subscriber) -> None:
    """A counter counts its own readings, so in each run and device the value is the seq."""
    for batch in subscriber.payloads():
        wrong = {tag: value for tag, value in batch["values"].items() if value != batch["seq"]}
        assert not wrong, f"{batch['device']} {batch['run']} {batch['seq']}: {wrong}"
        assert len(batch["values"]) == TAGS


def test_n1_a_stopped_broker_loses_nothing_and_doubles_at_most_one_window(
    mosquitto: Mosquitto, subscriber: Subscriber, gateway: Gateway
) -> None:
    """A minute without broker: everything read meanwhile comes as history, behind live data, and no hole remains."""
    gateway.start()
    wait_for(subscriber, 5 * DEVICES, within_s=30)
    mosquitto.stop()
    time.sleep(OUTAGE_S)
    mosquitto.start()
    wait_for(subscriber, int(OUTAGE_S) * DEVICES, within_s=60)
    (run,) = runs_of(subscriber.payloads())
    wait_until(lambda: not holes(subscriber, run), 60, "history without a hole")
    assert gateway.stop() == 0
    wait_for_quiet(subscriber)
    assert holes(subscriber, run) == []
    assert doubled(subscriber) <= WINDOW
    assert_no_value_is_wrong(subscriber)
    history = [batch for batch in subscriber.payloads("/history") if batch["history"]]
    assert len(history) >= (OUTAGE_S - 10) * DEVICES
    assert subscriber.payloads("/gaps") == []


def test_a_gateway_killed_in_the_outage_loses_only_the_last_two_seconds(
    mosquitto: Mosquitto, subscriber: Subscriber, gateway: Gateway
) -> None:
    """Kill -9 while the broker is away: what lay on disk arrives later, and a gap record tells of the rest."""
    gateway.start()
    wait_for(subscriber, 5 * DEVICES, within_s=30)
    mosquitto.stop()
    time.sleep(OUTAGE_S / 2)
    killed_at = time.time()
    gateway.signal(SIGKILL)
    gateway.kill()
    gateway.start()
    time.sleep(OUTAGE_S / 2)
    mosquitto.start()
    wait_until(lambda: len(runs_of(subscriber.payloads())) == len(("killed", "restarted")), 60, "both runs")
    first, second = runs_of(subscriber.payloads())
    wait_for(subscriber, int(OUTAGE_S - 10) * DEVICES, within_s=60)
    wait_until(lambda: not holes(subscriber, first) and not holes(subscriber, second), 60, "history without a hole")
    assert gateway.stop() == 0
    wait_for_quiet(subscriber)
    assert doubled(subscriber) <= WINDOW
    assert_no_value_is_wrong(subscriber)
    for device in range(DEVICES):
        times = [b["time"] for b in subscriber.payloads() if b["run"] == first and b["device"] == f"machine-{device}"]
        newest = datetime.fromisoformat(max(times)).timestamp()
        assert killed_at - newest <= LOST_AT_A_KILL_S + 1.0, "one period more, since a device is read once a second"
    (gap,) = subscriber.payloads("/gaps")
    assert gap["reason"] == "crash"


def wait_for_quiet(subscriber: Subscriber) -> None:
    """Wait until nothing has arrived for a second."""
    before = -1
    while before != len(subscriber.messages):
        before = len(subscriber.messages)
        time.sleep(1.0)
