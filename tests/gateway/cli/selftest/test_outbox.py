"""The self-test as a customer runs it: a real broker, a gateway of its own, a cut link and a kill."""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from gateway.cli import selftest
from gateway.cli.selftest import child, outbox, trial
from gateway.cli.selftest.cable import Cable
from gateway.cli.selftest.verdict import Evidence
from gateway.config.broker_url import broker_address
from tests.conftest import Mosquitto, Subscriber, free_port

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    selftest.add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["selftest", "outbox", *arguments])
    code: int = args.main(args)
    return code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration whose broker is nowhere."""
    (tmp_path / "connections").mkdir()
    location = "{enterprise: acme, site: ehv, area: hall-2, line: presses}"
    url = f"mqtt://127.0.0.1:{free_port()}"
    text = f"version: 1\ngateway:\n  id: hall-1\n  location: {location}\nbroker: {{url: '{url}'}}\n"
    (tmp_path / "gateway.yaml").write_text(text)
    return tmp_path


class Forgetful(Evidence):
    """Evidence that misses one batch in fifty: as a gateway that loses them would look."""

    def take(self, topic: str, payload: bytes) -> None:
        if b'"seq":50,' not in payload:
            super().take(topic, payload)


@pytest.mark.mosquitto
@pytest.mark.slow
def test_nothing_is_lost_and_a_loss_would_be_seen(
    mosquitto: Mosquitto,
    subscriber: Subscriber,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One trial, heard by two witnesses: the honest one finds it good; one that misses a seq calls it not good."""
    monkeypatch.setattr(trial, "_LIVE_S", 0.5)
    monkeypatch.setattr(trial, "_CUT_S", 2.5)
    forgetful = Forgetful()

    class Both(Evidence):
        def take(self, topic: str, payload: bytes) -> None:
            super().take(topic, payload)
            forgetful.take(topic, payload)

        def verdict(self, lives: Any, seconds: float) -> Any:
            self.doubted = forgetful.verdict(lives, seconds)
            assert self.doubted.lost == len(child.PLANS)
            assert not self.doubted.good
            return super().verdict(lives, seconds)

    monkeypatch.setattr(outbox, "Evidence", Both)
    assert run(str(folder), "--broker", mosquitto.url, "--json", "--spool", str(folder)) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["good"]
    assert told["lost"] == told["wrong"] == 0
    assert told["arrived"] + told["lost_young"] >= told["put"]
    assert told["history"] > 0
    prefix = "acme/ehv/hall-2/presses/_gateway/hall-1/selftest/"
    assert all(topic.startswith(prefix) for topic, _, _ in subscriber.messages)
    assert subscriber.messages[-1][1] == b"", "nothing retained is left behind"
    assert sorted(path.name for path in folder.iterdir()) == ["connections", "gateway.yaml", "mosquitto"]


def test_a_broker_that_is_not_there_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, in one line."""
    assert run(str(folder)) == 1
    assert "cannot be reached" in capsys.readouterr().err


def test_a_bad_configuration_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, with what names the mistakes."""
    assert run(str(tmp_path)) == 2
    assert "edge-gateway check" in capsys.readouterr().err


def test_a_bad_url_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, before anything is started."""
    assert run(str(folder), "--broker", "http://broker") == 2
    assert "--broker: " in capsys.readouterr().err


def test_the_real_gateway_is_left_alone(folder: Path) -> None:
    """Another client id, other topics, no connection to the field; the configured broker and its credentials."""
    configuration = child.configuration_of(folder, None)
    assert configuration is not None
    assert configuration.gateway.gateway.id == "hall-1-selftest"
    assert configuration.connections == ()
    topics = outbox._topics(configuration)
    assert topics.data("machine-0") == "acme/ehv/hall-2/presses/_gateway/hall-1/selftest/machine-0/data"
    assert configuration.gateway.publish.encoder == "json"


def test_a_look_up_of_the_broker_ends_at_the_cable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its name and port only: certificates are still checked against that name."""
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_: asked.append(args))
    child._lead_through(4711, broker_address("mqtts://broker.acme.example:8883"))
    socket.getaddrinfo("broker.acme.example", 8883)
    socket.getaddrinfo("broker.acme.example", 443)
    socket.getaddrinfo("ntp.acme.example", 8883)
    assert asked == [("127.0.0.1", 4711), ("broker.acme.example", 443), ("ntp.acme.example", 8883)]


async def test_a_pulled_cable_ends_what_is_connected() -> None:
    """And refuses what comes; plugged in, it passes bytes both ways again."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        echo = threading.Thread(target=_echo, args=(server,), daemon=True)
        echo.start()
        async with Cable(*server.getsockname()[:2]) as cable:
            reader, writer = await _dial(cable)
            writer.write(b"one")
            assert await reader.readexactly(3) == b"one"
            await cable.pull()
            assert await _ends(reader)
            writer.close()
            reader, writer = await _dial(cable)
            assert await _ends(reader)
            writer.close()
            cable.plug()
            reader, writer = await _dial(cable)
            writer.write(b"two")
            assert await reader.readexactly(3) == b"two"
            writer.close()


async def _dial(cable: Cable) -> Any:
    return await asyncio.open_connection("127.0.0.1", cable.port)


async def _ends(reader: Any) -> bool:
    try:
        return bool(await reader.read() == b"")
    except ConnectionResetError:
        return True


def _echo(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection:
        try:
            while data := connection.recv(100):
                connection.sendall(data)
        except OSError:
            pass
