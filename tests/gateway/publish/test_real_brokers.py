from __future__ import annotations

import asyncio
import json
import socket
import subprocess
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from amqtt.broker import Broker as Amqtt
from structlog.testing import capture_logs

from gateway.publish.message import Message
from tests.gateway.publish import schemas

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.gateway.publish.conftest import Desk, Mosquitto

    Publishing = Callable[..., AbstractAsyncContextManager[Desk]]
    Mosquittos = Callable[..., Mosquitto]

pytestmark = pytest.mark.mosquitto

STATUS = "acme/ehv/_gateway/gw-1/status"
META = Message("acme/ehv/press-12/meta", b'{"v":1}', retain=True)
BOTH = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


class Subscriber:
    """`mosquitto_sub` with a lasting session: keeps what is published while the broker restarts."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.messages: list[tuple[str, bytes, bool]] = []
        self._process = process
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            self.messages.append((told["topic"], told["payload"].encode(), bool(told["retain"])))

    def of(self, ending: str) -> list[dict[str, Any]]:
        """The messages whose topic ends so, held against their schema."""
        return [schemas.check(topic, payload) for topic, payload, _ in self.messages if topic.endswith(ending)]

    async def close(self) -> None:
        """Stop at once: without a broker it would not hear a polite request."""
        self._process.kill()
        await self._process.wait()
        await self._reader


@asynccontextmanager
async def subscribed(port: int) -> AsyncIterator[Subscriber]:
    """A subscriber to everything, once its subscription stands."""
    command = ["mosquitto_sub", "-p", str(port), "-h", "127.0.0.1", "-t", "#", "-q", "1", "-F", "%j"]
    process = await asyncio.create_subprocess_exec(
        *command, "-i", "oracle", "-c", "-V", "mqttv311", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    subscriber = Subscriber(process)
    try:
        await _announce(port, subscriber)
        yield subscriber
    finally:
        await subscriber.close()


async def _announce(port: int, subscriber: Subscriber) -> None:
    """Publish until it arrives: then the subscription stands."""
    for _ in range(200):
        publish = ["mosquitto_pub", "-p", str(port), "-h", "127.0.0.1", "-t", "probe", "-m", "probe"]
        await (await asyncio.create_subprocess_exec(*publish)).wait()
        if subscriber.messages:
            return
    pytest.fail("the subscription never stood")


def retained(port: int, *options: str) -> dict[str, bytes]:
    """What the broker holds."""
    command = ["mosquitto_sub", "-p", str(port), "-h", "127.0.0.1", "-t", "acme/#", "--retained-only", "-W", "1"]
    lines = subprocess.run([*command, "-F", "%j", *options], stdout=subprocess.PIPE, check=False).stdout.splitlines()
    return {told["topic"]: told["payload"].encode() for told in map(json.loads, lines)}


@BOTH
async def test_values_arrive_at_a_real_broker(mosquittos: Mosquittos, publishing: Publishing, protocol: str) -> None:
    """Every batch is there, by its name, and retained messages are held."""
    broker = mosquittos()
    async with subscribed(broker.port) as subscriber, publishing(broker.port, protocol=protocol) as desk:
        desk.publisher.retain(META)
        desk.put("press-12", 200)
        await desk.until(lambda: desk.outbox.is_done)
        await desk.until(lambda: len(subscriber.of("/data")) == 200)
        assert [told["seq"] for told in subscriber.of("/data")] == list(range(1, 201))
        held = await asyncio.to_thread(retained, broker.port)
    assert held[META.topic] == META.payload
    assert schemas.check(STATUS, held[STATUS])["state"] == "online"


@BOTH
async def test_a_gateway_that_vanishes_is_offline(
    mosquittos: Mosquittos, publishing: Publishing, protocol: str
) -> None:
    """The broker publishes the last will when the socket breaks; the gateway is back online with the next session."""
    broker = mosquittos()
    async with subscribed(broker.port) as subscriber, publishing(broker.port, protocol=protocol) as desk:
        await desk.until(lambda: desk.publisher.state.acknowledged == 1)
        assert desk.publisher._courier is not None
        sock = desk.publisher._courier._session._socket()
        assert sock is not None
        sock.shutdown(socket.SHUT_RDWR)
        await desk.until(lambda: [told["state"] for told in subscriber.of(STATUS)] == ["online", "offline", "online"])
        assert subscriber.of(STATUS)[1]["reason"] == "connection lost"


@BOTH
async def test_a_clean_stop_leaves_offline_behind(
    mosquittos: Mosquittos, publishing: Publishing, protocol: str
) -> None:
    """A retained `stopped`, and no last will after it."""
    broker = mosquittos()
    async with subscribed(broker.port) as subscriber, publishing(broker.port, protocol=protocol) as desk:
        await desk.until(lambda: desk.publisher.state.acknowledged == 1)
        await desk.publisher.close(10)
        held = await asyncio.to_thread(retained, broker.port)
        states = [(told["state"], told["reason"]) for told in subscriber.of(STATUS)]
    assert schemas.check(STATUS, held[STATUS])["reason"] == "stopped"
    assert states == [("online", ""), ("offline", "stopped")]


@BOTH
@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_a_broker_that_restarts_loses_nothing(
    mosquittos: Mosquittos, publishing: Publishing, protocol: str, end: str
) -> None:
    """By (device, run, seq): all is acknowledged, and at most one window is sent twice.

    A broker that is killed forgets its subscribers' sessions; one that is stopped keeps them, and all is there.
    """
    broker = mosquittos()
    async with subscribed(broker.port) as subscriber, publishing(broker.port, protocol=protocol) as desk:
        desk.put("press-12", 1000)
        await desk.until(lambda: len(desk.outbox.acknowledged) > 300)
        getattr(broker, end)()
        await desk.until(lambda: not desk.publisher.state.connected)
        desk.put("press-12", 100)
        broker.start()
        await desk.until(lambda: desk.outbox.is_done)
        state = desk.publisher.state
        assert state.reconnects == 1
        assert len({entry.seq for entry in desk.outbox.acknowledged}) == len(desk.outbox.acknowledged) == 1100
        assert state.sent - 2 <= 1100 + 16
        if end == "stop":
            await desk.until(lambda: len({told["seq"] for told in subscriber.of("/data")}) == 1100)
        counts = Counter(told["seq"] for told in subscriber.of("/data"))
    assert sum(counts.values()) - len(counts) <= 16


@BOTH
async def test_a_wrong_password_is_told_and_not_repeated_soon(
    mosquittos: Mosquittos, publishing: Publishing, tmp_path: Path, protocol: str
) -> None:
    """The pause is drawn from ten seconds to a minute; the right password gets in."""
    users = tmp_path / "users"
    make = ["mosquitto_passwd", "-c", "-b", str(users), "anna", "right"]
    assert await (await asyncio.create_subprocess_exec(*make)).wait() == 0
    broker = mosquittos("allow_anonymous false", f"password_file {users}")
    async with publishing(broker.port, protocol=protocol, username="anna", password="wrong") as desk:  # noqa: S106 - made up for this test
        await desk.until(lambda: len(desk.pauses.slept_s) == 2)
        assert desk.pauses.drawn == [(10, 60)] * 2
        assert "user 'anna'" in desk.publisher.state.reason
        assert "look at user name and password" in desk.publisher.state.reason
    async with publishing(broker.port, protocol=protocol, username="anna", password="right") as desk:  # noqa: S106 - made up for this test
        await desk.until(lambda: desk.publisher.state.connected)


async def test_a_topic_that_the_access_list_denies_harms_only_itself(
    mosquittos: Mosquittos, publishing: Publishing, tmp_path: Path
) -> None:
    """0x87 from a real broker: three tries, then refused with its reason; all else arrives."""
    rules = tmp_path / "rules"
    rules.write_text(
        "topic readwrite acme/ehv/press-13/#\ntopic readwrite acme/ehv/_gateway/#\ntopic readwrite probe\n"
    )
    broker = mosquittos("allow_anonymous true", f"acl_file {rules}")
    async with publishing(broker.port) as desk:
        desk.put("press-12", 5)
        desk.put("press-13", 50)
        await desk.until(lambda: desk.outbox.is_done)
        assert {entry.device for entry, _ in desk.outbox.refused} == {"press-12"}
        assert len(desk.outbox.refused) == 5
        assert Counter(entry.device for entry in desk.outbox.acknowledged) == {"press-13": 50, "_gateway": 1}
        assert "look at the broker's access list" in desk.outbox.refused[0][1]


async def test_a_stolen_client_id_is_told(mosquittos: Mosquittos, publishing: Publishing) -> None:
    """The text names the id, also with a broker that throws the first client out without 0x8E, as mosquitto 2.0.11."""
    broker = mosquittos()
    with capture_logs() as logs:
        async with publishing(broker.port) as first:
            await first.until(lambda: first.publisher.state.connected)
            async with publishing(broker.port) as second:
                await second.until(lambda: second.publisher.state.connected)
                await first.until(lambda: first.pauses.slept_s)
    ends = [log for log in logs if log["event"] in {"broker_lost", "broker_taken_over"}]
    assert "another client with the id 'gw-1'" in ends[0]["reason"]


@BOTH
async def test_a_message_beyond_the_brokers_limit_is_found(
    mosquittos: Mosquittos, publishing: Publishing, protocol: str
) -> None:
    """`max_packet_size`: announced to MQTT 5 and kept to; in 3.1.1 the broker hangs up until the culprit is out."""
    broker = mosquittos("allow_anonymous true", "max_packet_size 2000")
    async with publishing(broker.port, protocol=protocol) as desk:
        desk.put("press-12", 5)
        desk.publisher.retain(Message(META.topic, b"x" * 3000, retain=True))
        desk.put("press-12", 5)
        await desk.until(lambda: desk.outbox.is_done)
        assert len(desk.outbox.acknowledged) == 10
        assert (desk.publisher.state.reconnects > 0) == (protocol == "3.1.1")


async def test_an_answer_that_no_standard_knows_does_not_stop_the_rest(
    mosquittos: Mosquittos, publishing: Publishing
) -> None:
    """Mosquitto's `message_size_limit` answers 0x95, which is none of PUBACK's codes and cannot be decoded."""
    broker = mosquittos("allow_anonymous true", "message_size_limit 1000")
    async with publishing(broker.port) as desk:
        desk.publisher.retain(Message(META.topic, b"x" * 3000, retain=True))
        desk.put("press-12", 40)
        await desk.until(lambda: desk.outbox.is_done)
        assert len(desk.outbox.acknowledged) == 40


@asynccontextmanager
async def amqtt_on(port: int) -> AsyncIterator[None]:
    """The embeddable broker; it knows MQTT 3.1.1 only."""
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    broker = Amqtt(config)
    await broker.start()
    try:
        yield
    finally:
        await broker.shutdown()


async def test_a_broker_of_the_older_protocol_alone_is_served(publishing: Publishing, free_port: int) -> None:
    """Amqtt has its own ideas of almost everything; every batch gets there all the same."""
    async with amqtt_on(free_port), publishing(free_port, protocol="3.1.1") as desk:
        desk.publisher.retain(META)
        desk.put("press-12", 100)
        await desk.until(lambda: desk.outbox.is_done)
        assert desk.publisher.state.reconnects == 0
        await desk.publisher.close(10)


async def test_a_broker_without_mqtt_5_is_told_what_to_set(publishing: Publishing, free_port: int) -> None:
    """The text names the key and its value."""
    async with amqtt_on(free_port), publishing(free_port, connect_timeout_s=1) as desk:
        await desk.until(lambda: desk.pauses.slept_s)
        assert 'set `protocol: "3.1.1"`' in desk.publisher.state.reason
