"""The self-test's own subscriber, against a real broker and against one that misbehaves."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from gateway.cli.selftest.listener import WitnessError, _length, listening
from gateway.publish.settings import BrokerSettings
from gateway.testing import eventually
from tests.conftest import Mosquitto, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

Heard = list[tuple[str, bytes]]


def settings(port: int, **more: str) -> BrokerSettings:
    return BrokerSettings("127.0.0.1", port, "witness", connect_timeout_s=2.0, **more)  # type: ignore[arg-type]  # by field


async def publish(port: int, topic: str, payload: bytes, *options: str) -> None:
    command = ["mosquitto_pub", "-p", str(port), "-t", topic, "-s", *options]
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE)
    await process.communicate(payload)
    assert process.returncode == 0


@pytest.mark.mosquitto
async def test_it_hears_what_matches(mosquitto: Mosquitto) -> None:
    """At QoS 0 and 1, long and empty payloads, and nothing else."""
    heard: Heard = []
    async with listening(settings(mosquitto.port), "a/#", lambda *message: heard.append(message)):
        await publish(mosquitto.port, "b/c", b"not this")
        await publish(mosquitto.port, "a/b", b"x" * 70_000, "-q", "1")
        await publish(mosquitto.port, "a/é", b"one", "-q", "0")
        await eventually(lambda: len(heard) == 2)
    assert heard == [("a/b", b"x" * 70_000), ("a/é", b"one")]


@pytest.mark.mosquitto
async def test_it_keeps_up_with_many(mosquitto: Mosquitto) -> None:
    """Two thousand at QoS 1: each acknowledged, each once."""
    heard: Heard = []
    async with listening(settings(mosquitto.port), "a", lambda *message: heard.append(message)):
        command = ["mosquitto_pub", "-p", str(mosquitto.port), "-t", "a", "-q", "1", "-l"]
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE)
        await process.communicate(b"".join(b"%d\n" % number for number in range(2000)))
        await eventually(lambda: len(heard) >= 2000)
    assert [int(payload) for _, payload in heard] == list(range(2000))


@pytest.mark.mosquitto
async def test_it_clears_what_the_broker_holds(mosquitto: Mosquitto) -> None:
    """Nothing of a self-test stays behind."""
    await publish(mosquitto.port, "a/status", b"online", "-r", "-q", "1")
    heard: Heard = []
    async with listening(settings(mosquitto.port), "a/#", lambda *message: heard.append(message)) as listener:
        await eventually(lambda: heard == [("a/status", b"online")])
        listener.clear("a/status")
        await eventually(lambda: len(heard) == 2)
    later: Heard = []
    async with listening(settings(mosquitto.port), "a/#", lambda *message: later.append(message)):
        await publish(mosquitto.port, "a/end", b"end", "-q", "1")
        await eventually(lambda: later)
    assert later == [("a/end", b"end")]


@pytest.mark.mosquitto
async def test_wrong_credentials_are_told(tmp_path: Path) -> None:
    """In the words of who must mend it; right ones are let in."""
    (tmp_path / "passwords").write_text("press:$7$101$invalid$invalid\n")
    broker = Mosquitto(tmp_path, f"password_file {tmp_path}/passwords", "allow_anonymous false")
    broker.start()
    with pytest.raises(WitnessError, match=r"it does not let this client in|refuses the user name"):
        async with listening(settings(broker.port, username="press", password="wrong"), "a", print):  # noqa: S106 - no secret
            pass
    broker.stop()


async def test_a_broker_that_is_not_there_is_told() -> None:
    """With where it was looked for."""
    port = free_port()
    with pytest.raises(WitnessError, match=f"broker 127.0.0.1:{port} cannot be reached"):
        async with listening(settings(port), "a", print):
            pass


@asynccontextmanager
async def broker_that_says(*answers: bytes) -> AsyncIterator[int]:
    """A server that gives these answers, one for each packet that it gets, then ends."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.read(1000)
            writer.write(answer)
            await writer.drain()
        await reader.read(1000) if not answers else None
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ((b"\x20\x02\x00\x01",), "it does not speak MQTT 3.1.1"),
        ((b"\x20\x02\x00\x05",), "it does not let this client in"),
        ((b"\x20\x02\x00\x63",), "code 99"),
        ((b"\x48\x02OK",), "its answer is not MQTT"),
        ((b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x80"), "does not allow a to be read"),
        ((b"\x20\x02\x00\x00", b"\x90\x03"), "ended the witness's session"),
    ],
)
async def test_each_refusal_has_its_words(answers: tuple[bytes, ...], told: str) -> None:
    """Protocol, credentials, access list, or a server that is no broker."""
    async with broker_that_says(*answers) as port:
        with pytest.raises(WitnessError, match=told):
            async with listening(settings(port), "a", print):
                pass


@pytest.mark.parametrize(
    ("size", "data"),
    [(0, b"\x00"), (127, b"\x7f"), (128, b"\x80\x01"), (16_383, b"\xff\x7f"), (2_097_152, b"\x80\x80\x80\x01")],
)
def test_lengths_are_those_of_the_standard(size: int, data: bytes) -> None:
    """The examples of MQTT 3.1.1, table 2.4."""
    assert _length(size) == data
