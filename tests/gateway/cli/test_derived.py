"""Derived tags of the daemon against a real broker: published, described, reloaded, kept over a restart."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import Subscriber, wait_until
from tests.gateway.publish.schemas import check

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Gateway, Mosquitto

pytestmark = pytest.mark.mosquitto

MACHINE = """\
version: 1
driver: sim
defaults: {period_s: 0.2}
devices:
  machine:
    tags:
      count: {address: counter}
      level: {address: analog, unit: bar, range: [0, 10], deadband: 5}
"""

DERIVED = """\
version: 1
devices:
  hall:
    description: what the hall adds up to
    tags:
      double: {inputs: {n: machine.count}, value: n * 2, type: int64}
      litres: {inputs: {l: machine.level}, value: 'integral(l, per="s")', unit: L, persist: true}
      loaded: {inputs: {l: machine.level}, value: l > 0, alarms: {loaded: {equals: true}}}
    windows:
      second: {source: machine.level, window: 1s, take: [count, max]}
"""


@pytest.fixture
def gateway(mosquitto: Mosquitto, gateways: Callable[[str], Gateway]) -> Gateway:
    made = gateways(mosquitto.url)
    made.write("connections/machine.yaml", MACHINE)
    made.write("derived.yaml", DERIVED)
    return made


def batches(subscriber: Subscriber, tag: str) -> list[dict[str, Any]]:
    return [batch for batch in subscriber.payloads("hall/data") if tag in batch["values"]]


def test_derived_tags_are_published_as_any_other(gateway: Gateway, subscriber: Subscriber) -> None:
    """With the time of their source, their own numbering, a description, a state, their alarms, and windows."""
    gateway.start()
    wait_until(lambda: len(batches(subscriber, "second_count")) > 2, 20, "windows")
    read = {batch["time"]: batch["values"]["count"] for batch in subscriber.payloads("machine/data")}
    pairs = [(read[b["time"]], b["values"]["double"]) for b in batches(subscriber, "double") if b["time"] in read]
    assert len(pairs) > 3
    assert all(double == 2 * count for count, double in pairs)
    window = batches(subscriber, "second_count")[1]
    assert window["time"].endswith(".000Z")
    assert 3 <= window["values"]["second_count"] <= 6
    assert window["values"]["second_good_percent"] == 100.0
    numbers = [batch["seq"] for batch in subscriber.payloads("hall/data")]
    assert numbers == list(range(1, len(numbers) + 1))
    meta = subscriber.payloads("hall/meta")[-1]
    assert (meta["driver"], meta["description"]) == ("derived", "what the hall adds up to")
    assert meta["tags"]["double"]["address"] == "n * 2"
    assert meta["tags"]["double"]["parameters"] == {"n": "machine.count"}
    assert meta["tags"]["second_max"]["unit"] == "bar"
    assert meta["tags"]["second_max"]["parameters"] == {"take": "max", "window": "1s"}
    assert subscriber.payloads("hall/status")[-1]["state"] == "online"
    wait_until(lambda: subscriber.payloads("hall/alarms"), 10, "the list of active alarms")
    for topic, payload, _ in list(subscriber.messages):
        if "/hall/" in topic and payload:
            check(topic, payload)


def test_a_reload_takes_over_derived_tags_and_keeps_their_memory(gateway: Gateway, subscriber: Subscriber) -> None:
    """A new tag appears, what was there goes on; a removed file takes its devices off the broker."""
    gateway.start()
    wait_until(lambda: len(batches(subscriber, "litres")) > 3, 20, "an integral")
    before = batches(subscriber, "litres")[-1]["values"]["litres"]
    gateway.write(
        "derived.yaml",
        DERIVED.replace("    windows:", "      half: {inputs: {n: machine.count}, value: n / 2}\n    windows:"),
    )
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: batches(subscriber, "half"), 20, "the new tag")
    assert batches(subscriber, "half")[0]["values"]["litres"] >= before
    gateway.write("derived.yaml", DERIVED.replace("hall:", "yard:"))
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: subscriber.payloads("yard/data"), 20, "the renamed device")


def test_an_integral_that_persists_goes_on_after_a_restart(gateway: Gateway, subscriber: Subscriber) -> None:
    """It is saved when the gateway stops."""
    gateway.start()
    wait_until(lambda: len(batches(subscriber, "litres")) > 3, 20, "an integral")
    assert gateway.stop() == 0
    before = batches(subscriber, "litres")[-1]["values"]["litres"]
    assert before > 0
    seen = len(batches(subscriber, "litres"))
    gateway.start()
    wait_until(lambda: len(batches(subscriber, "litres")) > seen, 20, "the integral again")
    assert batches(subscriber, "litres")[seen]["values"]["litres"] >= before


def test_a_mistake_in_derived_yaml_costs_the_derived_tags_only(gateway: Gateway, subscriber: Subscriber) -> None:
    """The machine is read all the same, and the log names the mistake."""
    gateway.write("derived.yaml", DERIVED.replace("n * 2", "n.real"))
    gateway.start()
    wait_until(lambda: subscriber.payloads("machine/data"), 20, "the machine")
    assert subscriber.payloads("hall/data") == []
    assert any("a '.' behind a name" in json.dumps(line) for line in gateway.logged())
