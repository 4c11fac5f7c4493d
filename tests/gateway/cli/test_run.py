"""The daemon as a process, against a real broker: what it publishes, how it stops, reloads and fails."""

from __future__ import annotations

import json
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import GATEWAY_YAML, Subscriber, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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
"""

TWO_MACHINES = """\
version: 1
driver: sim
defaults: {period_s: 0.2}
devices:
  machine:
    tags:
      count: {address: counter}
  other:
    tags:
      level: {address: analog, unit: bar, range: [0, 10]}
"""

BROKEN = """\
version: 1
driver: sim
devices:
  broken:
    tags:
      count: {adress: counter}
"""


@pytest.fixture
def gateway(mosquitto: Mosquitto, gateways: Callable[[str], Gateway]) -> Gateway:
    return gateways(mosquitto.url)


def values(subscriber: Subscriber, device: str) -> list[dict[str, Any]]:
    return [batch for batch in subscriber.payloads() if batch["device"] == device]


def retained(subscriber: Subscriber, ending: str) -> dict[str, Any] | None:
    """The newest payload of the topic with this ending; None where there is none or an empty one."""
    payloads = [payload for topic, payload, _ in subscriber.messages if topic.endswith(ending)]
    return json.loads(payloads[-1]) if payloads and payloads[-1] else None


def test_values_status_and_description_reach_the_broker(gateway: Gateway, subscriber: Subscriber) -> None:
    """One device: its values, what its tags are, that it and the gateway are online."""
    gateway.write("connections/plant.yaml", MACHINE)
    gateway.start()
    wait_until(lambda: len(values(subscriber, "machine")) >= 3, 20, "three batches")
    assert [batch["values"] for batch in values(subscriber, "machine")[:3]] == [{"count": n} for n in (1, 2, 3)]
    assert {topic for topic, _, _ in subscriber.messages} >= {
        "acme/ehv/machine/data",
        "acme/ehv/machine/meta",
        "acme/ehv/machine/status",
        "acme/ehv/_gateway/bench-1/status",
    }
    meta = retained(subscriber, "machine/meta")
    assert meta is not None
    assert meta["plan"] == values(subscriber, "machine")[0]["plan"]
    assert (meta["driver"], meta["connection"]) == ("sim", "plant")
    status = retained(subscriber, "machine/status")
    assert status is not None
    assert status["state"] == "online"


def test_sigterm_ends_in_good_order(gateway: Gateway, subscriber: Subscriber) -> None:
    """Within ten seconds: all that was read is out, the status says offline, the exit code is 0."""
    gateway.write("connections/plant.yaml", MACHINE)
    gateway.start()
    wait_until(lambda: len(values(subscriber, "machine")) >= 3, 20, "three batches")
    assert gateway.stop(within_s=10) == 0
    wait_until(lambda: (retained(subscriber, "bench-1/status") or {}).get("state") == "offline", 5, "offline")
    seqs = [batch["seq"] for batch in values(subscriber, "machine")]
    assert seqs == list(range(1, len(seqs) + 1))
    assert not [path for path in (gateway.state / "spool").rglob("*.seg") if path.stat().st_size > 4096]


def test_a_second_start_counts_its_run(gateway: Gateway, subscriber: Subscriber) -> None:
    """Runs are ordered, so (device, run, seq) stays unlike any other for ever."""
    gateway.write("connections/plant.yaml", MACHINE)
    for count in (1, 2):
        gateway.start()
        wait_until(lambda count=count: len({b["run"] for b in values(subscriber, "machine")}) == count, 20, "a run")
        gateway.stop()
    assert [run[:6] for run in sorted({b["run"] for b in values(subscriber, "machine")})] == ["000001", "000002"]


def test_one_broken_file_of_three_disables_itself_only(gateway: Gateway, subscriber: Subscriber) -> None:
    """The others collect, and the log names file, line and column."""
    gateway.write("connections/a.yaml", MACHINE)
    gateway.write("connections/b.yaml", BROKEN)
    gateway.write("connections/c.yaml", TWO_MACHINES.replace("machine:", "second:").replace("other:", "third:"))
    gateway.start()
    wait_until(lambda: {b["device"] for b in subscriber.payloads()} == {"machine", "second", "third"}, 20, "all three")
    problems = [line["problem"] for line in gateway.logged() if "problem" in line]
    assert problems == ["connections/b.yaml:6:15: unknown key 'adress' (did you mean 'address'?) [E-CFG-020]"]


def test_reload_adds_a_device_while_the_other_misses_no_reading(gateway: Gateway, subscriber: Subscriber) -> None:
    """SIGHUP with a bad file changes nothing, with a good one the new device appears; the old one reads on."""
    gateway.write("connections/plant.yaml", MACHINE)
    gateway.start()
    wait_until(lambda: len(values(subscriber, "machine")) >= 3, 20, "three batches")
    gateway.write("connections/plant.yaml", BROKEN)
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: any("reload refused" in line["event"] for line in gateway.logged()), 10, "the refusal")
    gateway.write("connections/plant.yaml", TWO_MACHINES)
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: len(values(subscriber, "other")) >= 3, 10, "the new device")
    counts = [batch["values"]["count"] for batch in values(subscriber, "machine")]
    assert counts == list(range(1, len(counts) + 1))
    assert {batch["run"] for batch in subscriber.payloads()} == {values(subscriber, "machine")[0]["run"]}


def test_reload_moves_to_another_broker_and_says_goodbye_to_the_old_one(
    gateway: Gateway, subscriber: Subscriber, other_mosquitto: Mosquitto
) -> None:
    """No restart: the old broker is told offline, the new one has descriptions, states and values without a hole."""
    gateway.write("connections/plant.yaml", MACHINE)
    gateway.start()
    wait_until(lambda: len(values(subscriber, "machine")) >= 3, 20, "three batches")
    other = Subscriber(other_mosquitto.port)
    try:
        gateway.write("gateway.yaml", GATEWAY_YAML.format(url=other_mosquitto.url))
        gateway.signal(signal.SIGHUP)
        wait_until(lambda: len(values(other, "machine")) >= 3, 15, "three batches at the other broker")
        assert (retained(subscriber, "bench-1/status") or {}).get("state") == "offline"
        assert (retained(other, "bench-1/status") or {}).get("state") == "online"
        assert (retained(other, "machine/status") or {}).get("state") == "online"
        assert retained(other, "machine/meta") is not None
        seqs = {batch["seq"] for batch in [*values(subscriber, "machine"), *values(other, "machine")]}
        assert seqs == set(range(1, max(seqs) + 1))
    finally:
        other.close()


def test_reload_clears_what_was_retained_of_a_removed_device(gateway: Gateway, subscriber: Subscriber) -> None:
    """A device that is gone leaves no status behind that says online."""
    gateway.write("connections/plant.yaml", TWO_MACHINES)
    gateway.start()
    wait_until(lambda: retained(subscriber, "other/status") is not None, 20, "its status")
    gateway.write("connections/plant.yaml", MACHINE)
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: retained(subscriber, "other/status") is None, 10, "the cleared status")
    wait_until(lambda: retained(subscriber, "other/meta") is None, 10, "the cleared description")


def test_a_broker_that_refuses_the_connection_is_named(gateways: Callable[[str], Gateway]) -> None:
    """Nothing listens there: the gateway runs on, and says where it knocked."""
    port = free_port()
    gateway = gateways(f"mqtt://127.0.0.1:{port}")
    gateway.write("connections/plant.yaml", MACHINE)
    gateway.start()
    wait_until(lambda: any(line["event"].startswith("broker_") for line in gateway.logged()), 20, "the line")
    (reason, *_) = [line["reason"] for line in gateway.logged() if line["event"].startswith("broker_")]
    why = "refused the connection: is the broker running, and is the port right? [E-UP-001]"
    assert reason == f"broker 127.0.0.1:{port} {why}"
    assert gateway.stop() == 0


def test_an_unreachable_plc_is_bad_and_named(gateway: Gateway, subscriber: Subscriber) -> None:
    """Its tags are BAD with the reason, its status is offline and says what to look at; nothing is a traceback."""
    port = free_port()
    gateway.write(
        "connections/plc.yaml",
        f"version: 1\ndriver: modbus\nhost: 127.0.0.1\nport: {port}\ndefaults: {{period_s: 0.2}}\n"
        'devices:\n  plc:\n    tags:\n      level: {address: "holding:0"}\n',
    )
    gateway.start()
    wait_until(lambda: values(subscriber, "plc"), 20, "a batch")
    batch = values(subscriber, "plc")[0]
    assert batch["values"] == {}
    assert "bad:no_reply" in (batch.get("device_quality"), batch.get("quality", {}).get("level"))
    status = retained(subscriber, "plc/status")
    assert status is not None
    assert status["state"] == "offline"
    assert status["reason"] == (
        f"cannot connect to 127.0.0.1:{port}: it refuses the connection: check that Modbus is switched on there "
        "and on this port, that this machine is allowed in, and that other programs leave it a free connection "
        "[E-FLD-001]"
    )
    assert "Traceback" not in gateway.log.read_text()


def test_an_unusable_gateway_yaml_ends_with_78(gateway: Gateway) -> None:
    """The unit is not restarted; the text says what is wrong and how to see all of it."""
    gateway.write("gateway.yaml", "version: 1\ngateway: {id: bench-1}\nbroker: {ur: mqtt://127.0.0.1}\n")
    gateway.start()
    assert gateway.process is not None
    assert gateway.process.wait(20) == 78
    problems = [line["problem"] for line in gateway.logged() if "problem" in line]
    assert "gateway.yaml:3:10: unknown key 'ur' (did you mean 'url'?) [E-CFG-020]" in problems


def test_a_second_gateway_on_the_same_state_is_refused(gateway: Gateway, subscriber: Subscriber) -> None:
    """Two programs never write one spool."""
    gateway.write("connections/plant.yaml", MACHINE)
    gateway.start()
    wait_until(lambda: values(subscriber, "machine"), 20, "a batch")
    first = gateway.process
    gateway.start()
    assert gateway.process is not None
    assert gateway.process.wait(20) == 1
    gateway.process = first
    assert any("another gateway" in line.get("reason", "") for line in gateway.logged())


class TestSystemd:
    """What the unit sees."""

    @pytest.fixture
    def systemd(self, tmp_path: Path) -> Iterator[socket.socket]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(str(tmp_path / "notify"))
            listener.settimeout(20)
            yield listener

    @staticmethod
    def hears(systemd: socket.socket, beginning: str, within_s: float = 20) -> str:
        deadline_s = time.monotonic() + within_s
        while time.monotonic() < deadline_s:
            message = systemd.recv(4096).decode()
            if message.startswith(beginning):
                return message
        raise AssertionError(f"no {beginning} within {within_s} s")

    def test_a_state_folder_that_cannot_be_used_is_told_and_the_live_flow_goes_on(
        self, gateway: Gateway, subscriber: Subscriber, systemd: socket.socket, tmp_path: Path
    ) -> None:
        """No disk is no reason to stop: values arrive, and the status says that nothing is durable, and why."""
        (tmp_path / "a file").touch()
        gateway.state = tmp_path / "a file" / "state"
        gateway.write("connections/plant.yaml", MACHINE)
        gateway.start(NOTIFY_SOCKET=str(tmp_path / "notify"))
        status = self.hears(systemd, "STATUS=1 of 1")
        assert "durability: none, " in status
        assert "Not a directory" in status
        wait_until(lambda: len(values(subscriber, "machine")) >= 3, 20, "three batches")
        assert gateway.stop() == 0

    def test_ready_status_watchdog_reload_and_stop_are_told(
        self, gateway: Gateway, systemd: socket.socket, tmp_path: Path
    ) -> None:
        """The whole life of a unit of type notify."""
        gateway.write("connections/plant.yaml", MACHINE)
        gateway.start(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="4000000")
        self.hears(systemd, "READY=1")
        assert "1 of 1 devices online; broker connected" in self.hears(systemd, "STATUS=1 of 1")
        self.hears(systemd, "WATCHDOG=1")
        gateway.signal(signal.SIGHUP)
        assert "MONOTONIC_USEC=" in self.hears(systemd, "RELOADING=1")
        self.hears(systemd, "READY=1")
        gateway.signal(signal.SIGTERM)
        self.hears(systemd, "STOPPING=1")
