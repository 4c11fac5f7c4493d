"""Real programs for tests: a mosquitto of one's own, and the gateway as a process."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as mqtt
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIBMODBUS_SERVER = Path(__file__).parent / "drivers" / "modbus" / "libmodbus_server.c"
LIBMODBUS_HEADER = Path("/usr/include/modbus/modbus.h")
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "edge-gateway-tests"
"""What tests fetch once, outside the repository."""

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
"""Which of several processes of pytest this is; empty where there is one."""


def npm_package(package: str) -> Path:
    """The folder `node_modules` with a package such as `jsmodbus@5.0.0`, fetched by npm where it is not there yet."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip(f"node and npm are not installed: {package} cannot run")
    folder = CACHE / package.replace("@", "-")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", package]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
            if done.returncode != 0:
                pytest.skip(f"npm could not install {package}: {(done.stderr.strip() or 'no reason').splitlines()[-1]}")
            (folder / "complete").touch()
    return folder / "node_modules"


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as finder:
        finder.bind(("127.0.0.1", 0))
        port: int = finder.getsockname()[1]
        return port


def wait_until(condition: Callable[[], object], within_s: float, what: str) -> None:
    """Wait for a condition, with a deadline that a loaded machine keeps."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {within_s} s: {what}"
        time.sleep(0.02)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Mosquitto:
    """A mosquitto on one port of loopback that keeps its sessions over a restart."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            "\n".join(
                [
                    f"listener {self.port} 127.0.0.1",
                    "allow_anonymous true",
                    "persistence true",
                    f"persistence_location {folder}/",
                    "max_queued_messages 0",
                    "user root" if os.geteuid() == 0 else "",
                    *lines,
                ]
            )
            + "\n"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "mosquitto.log"

    def start(self) -> None:
        """Start and wait until it listens."""
        assert MOSQUITTO is not None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)], stdout=log, stderr=log)
        wait_until(lambda: _listens(self.port), 10, "mosquitto listens")

    def stop(self) -> None:
        """Stop in good order; sessions are saved."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running broker."""
    yield from _running_mosquitto(tmp_path / "mosquitto")


@pytest.fixture
def other_mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A second running broker."""
    yield from _running_mosquitto(tmp_path / "other_mosquitto")


def _running_mosquitto(folder: Path) -> Iterator[Mosquitto]:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    folder.mkdir()
    broker = Mosquitto(folder)
    broker.start()
    yield broker
    broker.stop()


class Subscriber:
    """Keeps every message at QoS 1, also those sent while it or the broker was away."""

    def __init__(self, port: int) -> None:
        self.messages: list[tuple[str, bytes, bool]] = []
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id="oracle", clean_session=False, reconnect_on_failure=True
        )
        self._client.reconnect_delay_set(0.2, 0.5)
        self._subscribed = False
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_subscribe = lambda *_: setattr(self, "_subscribed", True)
        self._client.on_message = lambda _client, _userdata, m: self.messages.append((m.topic, m.payload, m.retain))
        self._client.connect("127.0.0.1", port, keepalive=5)
        self._client.loop_start()
        wait_until(lambda: self._subscribed, 10, "the subscription is acknowledged")

    def payloads(self, *endings: str) -> list[dict[str, Any]]:
        """The JSON of all messages whose topic ends so, in order of arrival; `/data` and `/history` unless said."""
        wanted = endings or ("/data", "/history")
        return [json.loads(payload) for topic, payload, _ in list(self.messages) if topic.endswith(wanted) and payload]

    def names(self) -> Counter[tuple[str, str, int]]:
        """How often each (device, run, seq) arrived."""
        return Counter((batch["device"], batch["run"], batch["seq"]) for batch in self.payloads())

    def close(self) -> None:
        """Disconnect. The thread closes the socket, unless it is told to end before it came to that."""
        self._client.disconnect()
        wait_until(lambda: self._client.socket() is None, 10, "the subscriber's socket is closed")
        self._client.loop_stop()
        # The pair of sockets by which paho wakes its thread would wait for the garbage collector, which then warns.
        self._client._reset_sockets(sockpair_only=True)


@pytest.fixture
def subscriber(mosquitto: Mosquitto) -> Iterator[Subscriber]:
    """A subscriber to everything at the broker."""
    subscriber = Subscriber(mosquitto.port)
    yield subscriber
    subscriber.close()


class Gateway:
    """`edge-gateway run` as a process, with a folder for its files and one for its state."""

    def __init__(self, folder: Path, broker_url: str) -> None:
        self.folder = folder / "config"
        self.state = folder / "state"
        self.log = folder / "gateway.log"
        (self.folder / "connections").mkdir(parents=True)
        self.write("gateway.yaml", GATEWAY_YAML.format(url=broker_url))
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, name: str, text: str) -> None:
        """Write one file of the configuration."""
        (self.folder / name).write_text(text)

    def start(self, **environment: str) -> None:
        """Start the process; it is not waited for."""
        command = [sys.executable, "-m", "gateway.cli", "run", str(self.folder), "--state", str(self.state)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--log", "json"], stdout=log, stderr=log, env={**os.environ, **environment}
            )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self, within_s: float = 10.0) -> int:
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        assert self.process is not None
        code = self.process.wait(within_s)
        self.process = None
        return code

    def kill(self) -> None:
        """SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def logged(self) -> list[dict[str, Any]]:
        """The log lines so far."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{")]


GATEWAY_YAML = """\
version: 1
gateway:
  id: bench-1
  location: {{enterprise: acme, site: ehv}}
broker:
  url: {url}
"""


@pytest.fixture
def gateways(tmp_path: Path) -> Iterator[Callable[[str], Gateway]]:
    """Makes gateways by broker URL, and kills what still runs at the end."""
    with ExitStack() as stack:

        def make(broker_url: str) -> Gateway:
            folder = tmp_path / f"gateway-{len(made)}"
            folder.mkdir()
            gateway = Gateway(folder, broker_url)
            made.append(gateway)
            stack.callback(gateway.kill)
            return gateway

        made: list[Gateway] = []
        yield make


@pytest.fixture
def libmodbus_server(tmp_path: Path) -> Path:
    """A server made with libmodbus, compiled here and now."""
    if shutil.which("gcc") is None or not LIBMODBUS_HEADER.exists():
        pytest.skip("gcc or libmodbus is not installed (apt-get install gcc libmodbus-dev)")
    program = tmp_path / "libmodbus_server"
    command = ["gcc", "-Wall", "-Werror", "-o", program, LIBMODBUS_SERVER, "-lmodbus"]
    subprocess.run(command, check=True, timeout=60)
    return program


@pytest.fixture
def libmodbus_port(libmodbus_server: Path) -> Iterator[int]:
    """The TCP port on which it serves."""
    with subprocess.Popen([libmodbus_server], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.kill()
