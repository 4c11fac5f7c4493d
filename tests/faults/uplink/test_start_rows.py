"""The uplink begins while the network is not there, and many begin at once: rows N6 and N14."""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from gateway.clock.system import SystemClock
from gateway.publish.contract import About
from gateway.publish.endings import SessionLost
from gateway.publish.failover import Failover
from gateway.publish.json import JsonEncoder
from gateway.publish.publisher import Publisher
from gateway.publish.settings import BrokerSettings
from gateway.publish.topics import Topics
from tests.conftest import wait_until
from tests.faults.uplink.rig import Load, Rig, percentile
from tests.gateway.publish.plain_outbox import RUN, PlainOutbox
from tests.gateway.publish.scripted_broker import ScriptedBroker

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from typing import Any

    from tests.conftest import Gateway, Mosquitto
    from tests.faults.uplink.rig import Oracle

    Rigs = Callable[[int, Load], AbstractAsyncContextManager[Rig]]

pytestmark = pytest.mark.slow

PLANT = "version: 1\ndriver: sim\ndevices:\n  machine-0:\n    tags:\n      count: {address: counter}\n"


def test_n6_a_gateway_without_names_starts_and_collects(gateways: Callable[[str], Gateway], *, campaign: bool) -> None:
    """READY within 5 s, if the machine has nothing else to do, though no name resolves; what is read goes to disk."""
    gateway = gateways("mqtt://broker.invalid")
    gateway.write("connections/plant.yaml", PLANT)
    gateway.start()
    wait_until(lambda: any(line["event"] == "ready" for line in gateway.logged()), 5 if campaign else 30, "ready")
    wait_until(lambda: any((gateway.state / "spool").glob("*")), 20, "spooled")
    wait_until(lambda: "cannot be resolved" in gateway.log.read_text(), 20, "the cause is told")
    assert gateway.stop() == 0


@pytest.mark.mosquitto
async def test_n6_the_broker_is_found_when_names_are_back(
    mosquitto: Mosquitto, oracle: Oracle, rigs: Rigs, monkeypatch: pytest.MonkeyPatch, *, campaign: bool
) -> None:
    """DNS is dead for five minutes: connected within 12 s after it, and all that was made meanwhile arrives."""
    look_up, is_dead = socket.getaddrinfo, True

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        if is_dead and host == "broker.example":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return look_up("127.0.0.1" if host == "broker.example" else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    load = Load(haste=1.0 if campaign else 10.0, period_s=1.0 if campaign else 0.3, settings={"host": "broker.example"})
    async with rigs(mosquitto.port, load) as rig:
        await asyncio.sleep(300 if campaign else 2)
        assert not rig.publisher.state.connected
        assert "the name cannot be resolved" in rig.publisher.state.reason
        is_dead = False
        assert await rig.connected() <= 12
        await rig.drained(120)
        await rig.until(lambda: not oracle.lost(rig), 20, "all arrived")
        oracle.judge(rig, 0)


def test_n14_pauses_after_a_lost_link_are_spread_over_ten_seconds() -> None:
    """Of a thousand gateways the middle nine hundred come at least 8 s apart."""
    pauses = sorted(random.uniform(*SessionLost.pause_s) for _ in range(1000))  # noqa: S311 - chance, not a secret
    assert percentile(pauses, 0.95) - percentile(pauses, 0.05) >= 8


async def test_n14_many_gateways_come_back_one_by_one(*, campaign: bool) -> None:
    """The broker restarts under a thousand gateways: their connects are spread, the middle nine tenths over 8 s."""
    count, haste = (1000, 1.0) if campaign else (60, 5.0)
    loop = asyncio.get_running_loop()
    came: list[float] = []

    class Timed(ScriptedBroker):
        """Notes when each connection comes."""

        async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came.append(loop.time())
            await super()._serve(reader, writer)

    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(Timed())
        tasks = [asyncio.create_task(_gateway(broker.port, number, haste).run()) for number in range(count)]
        stack.callback(lambda: [task.cancel() for task in tasks])
        await broker.until(lambda: len(broker.connects) == count, 120)
        came.clear()
        broker.hang_up()
        await broker.until(lambda: len(came) >= count, 120)
        assert percentile(sorted(came), 0.95) - percentile(sorted(came), 0.05) >= 8 / haste * (1 if campaign else 0.8)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _gateway(port: int, number: int, haste: float) -> Publisher:
    clock = SystemClock()
    settings = BrokerSettings("127.0.0.1", port, f"gateway-{number}")
    encoder = JsonEncoder(Topics(["acme"], f"gateway-{number}"))
    return Publisher(
        Failover([settings], clock),
        encoder,
        PlainOutbox(),
        clock,
        About("0", RUN, ""),
        jitter=lambda low_s, high_s: random.uniform(low_s, high_s) / haste,  # noqa: S311 - chance, not a secret
    )
