"""Orders to a gateway that runs, and what a subscriber sees of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gateway.cli.main import main
from tests.conftest import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Gateway, Mosquitto, Subscriber

pytestmark = pytest.mark.mosquitto

A_MOMENT = timedelta(milliseconds=100)
"""Each run reads the two clocks anew, one after the other."""

PLANT = """\
version: 1
driver: sim
defaults: {period_s: 0.2}
devices:
  press-12:
    tags:
      oil: {address: "constant:95.5", unit: °C, alarms: {hot: {above: 80, text: Oil hot}}}
      count: {address: counter}
"""
DERIVED = """\
version: 1
devices:
  hall:
    tags:
      heat: {value: "t * 2", inputs: {t: press-12.oil}, alarms: {high: {above: 100, ends: when_acknowledged}}}
"""


@pytest.fixture
def gateway(mosquitto: Mosquitto, gateways: Callable[[str], Gateway]) -> Gateway:
    gateway = gateways(mosquitto.url)
    gateway.write("connections/plant.yaml", PLANT)
    gateway.write("derived.yaml", DERIVED)
    gateway.start()
    return gateway


def newest(subscriber: Subscriber, ending: str) -> dict[str, Any]:
    """The newest message of a topic; empty before there is one."""
    return [{}, *subscriber.payloads(ending)][-1]


def events(subscriber: Subscriber) -> list[tuple[str, str, str | None]]:
    """Event, device and tag, in order of arrival."""
    return [(e["event"], e["device"], e.get("tag")) for e in subscriber.payloads("/events") if "device" in e]


def test_a_technician_takes_a_tag_out_of_service_and_in_again(
    gateway: Gateway, subscriber: Subscriber, capsys: pytest.CaptureFixture[str]
) -> None:
    """Still read, marked, its alarm quiet; audited with both names. An alarm on a calculated tag works alike."""
    place = ["--config", str(gateway.folder), "--state", str(gateway.state)]
    wait_until(lambda: newest(subscriber, "press-12/alarms").get("alarms"), 30, "the alarm is listed")
    wait_until(lambda: newest(subscriber, "hall/alarms").get("alarms"), 30, "the alarm of the calculated tag is listed")
    out = ["service", "out", "press-12.oil", "--reason", "sensor replaced", "--for", "1h", *place]
    assert main(out) == 0
    marked = {"oil": "uncertain:out_of_service"}
    wait_until(lambda: newest(subscriber, "press-12/data").get("quality") == marked, 30, "values are marked")
    wait_until(lambda: newest(subscriber, "press-12/alarms")["alarms"] == [], 30, "the alarm is quiet")
    assert newest(subscriber, "press-12/data")["values"]["oil"] == 95.5
    wait_until(lambda: newest(subscriber, "hall/alarms")["alarms"] == [], 30, "what rests on it is quiet too")
    assert main(["service", "in", "press-12.oil", *place]) == 0
    wait_until(lambda: "quality" not in newest(subscriber, "press-12/data"), 30, "values are good again")
    wait_until(lambda: newest(subscriber, "press-12/alarms")["alarms"], 30, "the alarm shows again")
    assert main(["acknowledge", "hall", *place]) == 0
    wait_until(lambda: ("alarm_acknowledged", "hall", "heat") in events(subscriber), 30, "it is acknowledged")
    told = events(subscriber)
    assert told.count(("out_of_service", "press-12", "oil")) == 1
    assert told.count(("in_service", "press-12", "oil")) == 1
    assert told.count(("alarm_begin", "press-12", "oil")) == 1
    by = {e.get("by") for e in subscriber.payloads("/events") if e["event"] in {"out_of_service", "in_service"}}
    assert len(by) == 1
    assert gateway.stop() == 0


def test_alarms_outlive_a_kill(gateway: Gateway, subscriber: Subscriber) -> None:
    """Seconds after it began an alarm is on disk: after kill -9 it goes on, with the same beginning, told once."""
    wait_until(lambda: newest(subscriber, "hall/alarms").get("alarms"), 30, "the alarm is listed")
    (before,) = newest(subscriber, "hall/alarms")["alarms"]
    wait_until(lambda: kept(gateway), 30, "the alarm is on disk")
    gateway.kill()
    gateway.start()
    wait_until(lambda: len(subscriber.payloads("hall/alarms")) >= 2, 30, "the list is told again")
    (after,) = newest(subscriber, "hall/alarms")["alarms"]
    assert after["id"] == before["id"]
    assert abs(datetime.fromisoformat(after["since"]) - datetime.fromisoformat(before["since"])) < A_MOMENT
    assert gateway.stop() == 0
    begun = [e for e in subscriber.payloads("/events") if e["event"] == "alarm_begin" and e["device"] == "hall"]
    assert len({(event["run"], event["seq"]) for event in begun}) == 1, "a duplicate has the name of the first"


def kept(gateway: Gateway) -> bool:
    """Whether the state on disk holds the alarm, in the database or in its log."""
    return any(b"heat.high" in file.read_bytes() for file in gateway.state.glob("state.sqlite*"))
