"""The broker refuses, is slow, is small or forgets: rows N7 to N13."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from itertools import pairwise
from math import log2
from typing import TYPE_CHECKING

import pytest

from gateway.outbox.counters import Durability
from gateway.publish.courier import MAX_PARKED
from tests.faults.uplink.rig import DEVICES, WINDOW, Load, Oracle, Rig
from tests.gateway.publish.scripted_broker import (
    MAXIMUM_PACKET_SIZE,
    NO_ANSWER,
    RECEIVE_MAXIMUM,
    Answer,
    Publish,
    ScriptedBroker,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    Rigs = Callable[[int, Load], AbstractAsyncContextManager[Rig]]

pytestmark = pytest.mark.slow

QUICK = {"tick_s": 0.1, "retry_s": 0.05, "connect_timeout_s": 2.0}
TAKEN_OVER = 0x8E


@pytest.fixture
async def broker() -> AsyncIterator[ScriptedBroker]:
    """Answers as the test says."""
    async with ScriptedBroker() as broker:
        yield broker


def seqs(broker: ScriptedBroker, device: str) -> list[int]:
    """The numbers of a device's batches in the order in which they came."""
    found = [publish for publish in broker.published if publish.topic.startswith(f"acme/{device}/")]
    return [
        int(publish.payload.split(b'"seq":')[1].split(b",")[0]) for publish in found if b'"seq":' in publish.payload
    ]


@pytest.mark.parametrize(("code", "words"), [(0x86, "does not accept the user name"), (0x87, "does not allow")])
async def test_n7_a_refused_connect_is_not_repeated_soon(
    broker: ScriptedBroker, rigs: Rigs, code: int, words: str, *, campaign: bool
) -> None:
    """At least ten seconds between attempts, and the status names broker and reason."""
    broker.connack.code = code
    haste = 1.0 if campaign else 100.0
    async with rigs(broker.port, Load(haste=haste, settings=QUICK)) as rig:
        came = []
        for number in range(1, 4):
            await rig.until(lambda number=number: len(broker.connects) >= number, 70, "the next attempt")
            came.append(time.monotonic())
        assert min(later - earlier for earlier, later in pairwise(came)) >= 10 / haste
        assert all(pause_s >= 10 / haste for pause_s in rig.pauses_s)
        assert rig.publisher.state.reason.startswith(f"broker 127.0.0.1:{broker.port} {words}")
        assert rig.is_task_alive


async def test_n8_a_denied_topic_harms_only_itself(broker: ScriptedBroker, rigs: Rigs, *, campaign: bool) -> None:
    """0x87 on one device's topic: its batches are set aside, all of them and no others; the others are on time."""
    broker.answer = lambda publish: 0x87 if "machine-3/" in publish.topic else 0x00
    async with rigs(broker.port, Load(period_s=1.0 if campaign else 0.2, settings=QUICK)) as rig:
        await rig.connected()
        await asyncio.sleep(60 if campaign else 2)
        await rig.drained()
        made, counters = rig.made, rig.outbox.counters
        assert counters.refused == made
        for device in range(DEVICES):
            if device != 3:
                assert seqs(broker, f"machine-{device}") == list(range(1, made + 1))
        (event,) = [publish for publish in broker.published if b'"event":"messages_refused"' in publish.payload]
        assert b"machine-3/data" in event.payload
        assert b"look at the broker's access list" in event.payload


async def test_n9_a_used_up_quota_is_waited_for(broker: ScriptedBroker, rigs: Rigs, *, campaign: bool) -> None:
    """0x97 for five minutes: few attempts, and each batch is taken once and only once."""
    duration_s = 300 if campaign else 2
    begun, taken = time.monotonic(), Counter[bytes]()

    def answer(publish: Publish) -> int:
        if time.monotonic() - begun < duration_s:
            return 0x97
        taken[publish.payload] += 1
        return 0x00

    broker.answer = answer
    async with rigs(broker.port, Load(period_s=1.0 if campaign else 0.2, settings=QUICK)) as rig:
        await rig.until(lambda: time.monotonic() - begun > duration_s, duration_s + 10, "the quota is back")
        attempts = len(broker.published)
        await rig.drained(120)
        data = {payload: count for payload, count in taken.items() if b'"seq":' in payload}
        assert max(data.values()) == 1, "a batch was taken twice"
        assert len([payload for payload in data if b'"device":"machine' in payload and b'"values"' in payload]) == (
            rig.made * DEVICES
        )
        each = 4 + log2(1 + duration_s / QUICK["retry_s"]) + duration_s / 60
        assert attempts < min(MAX_PARKED + WINDOW, rig.made * DEVICES + 1) * each, f"in {duration_s} s"
        assert rig.publisher.state.reconnects == 0


@pytest.mark.mosquitto
async def test_n10_a_small_broker_gets_small_messages(tmp_path: Path, rigs: Rigs, *, campaign: bool) -> None:
    """Packets of 1 KiB, one under way: mosquitto never hangs up, and all arrives in parts."""
    from tests.conftest import MOSQUITTO, Mosquitto  # noqa: PLC0415 - with this broker's own limits

    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    (tmp_path / "broker").mkdir()
    small = Mosquitto(tmp_path / "broker", "max_packet_size 1024", "max_inflight_messages 1")
    small.start()
    oracle = Oracle(small.port)
    try:
        async with rigs(small.port, Load(period_s=0.3, settings=QUICK)) as rig:
            await asyncio.sleep(60 if campaign else 2)
            await rig.drained()
            await rig.until(lambda: not oracle.lost(rig), 20, "all arrived")
            assert rig.publisher.state.reconnects == 0
            assert max(len(one.payload) + len(one.topic) for one in oracle.arrivals) <= 1024
            oracle.judge(rig, 0)
    finally:
        oracle.close()
        small.stop()


async def test_n10_a_small_broker_never_gets_more_than_it_allows(broker: ScriptedBroker, rigs: Rigs) -> None:
    """As the broker counts it: one message without answer, no packet beyond its limit."""
    broker.connack.properties = {RECEIVE_MAXIMUM: 1, MAXIMUM_PACKET_SIZE: 1024}

    def answer(publish: Publish) -> Answer:
        asyncio.get_running_loop().call_later(0.005, broker.acknowledge, publish)
        return NO_ANSWER

    broker.answer = answer
    async with rigs(broker.port, Load(period_s=0.1, settings=QUICK)) as rig:
        await rig.until(lambda: rig.made >= 5, 20, "made")
        await rig.drained()
        assert broker.most_unanswered == 1
        assert max(publish.size for publish in broker.published) <= 1024
        assert rig.publisher.state.reconnects == 0


async def test_n11_a_broker_that_never_acknowledges_is_left(
    broker: ScriptedBroker, rigs: Rigs, *, campaign: bool
) -> None:
    """The session ends after the time for acknowledgements, what was sent is on disk, and the next session begins."""
    broker.answer = lambda _publish: NO_ANSWER
    load = Load() if campaign else Load(haste=10, settings={**QUICK, "ack_timeout_s": 1.5})
    async with rigs(broker.port, load) as rig:
        await rig.connected()
        begun = time.monotonic()
        await rig.until(lambda: len(broker.connects) == 2, 40, "the next session")
        assert time.monotonic() - begun <= (35 if campaign else 10)
        await rig.until(lambda: rig.outbox.counters.waiting_on_disk >= WINDOW, 20, "spooled")
        assert rig.outbox.durability == Durability(True)
        broker.answer = lambda _publish: 0x00
        await rig.drained(120)
        for device in range(DEVICES):
            assert set(seqs(broker, f"machine-{device}")) == set(range(1, rig.made + 1))


async def test_n12_two_gateways_with_one_client_id_leave_each_other_in_peace(
    broker: ScriptedBroker, rigs: Rigs, *, campaign: bool
) -> None:
    """0x8E: a minute's pause, and the status says that the id exists twice."""
    haste = 1.0 if campaign else 100.0
    async with rigs(broker.port, Load(haste=haste, settings=QUICK)) as rig:
        await rig.connected()
        broker.disconnect(TAKEN_OVER)
        await rig.until(lambda: rig.pauses_s, 20, "the end")
        assert rig.pauses_s == [60 / haste]
        assert "serves another client with the id 'bench-1'" in rig.publisher.state.reason
        assert "look for a second gateway" in rig.publisher.state.reason
        if campaign:
            await rig.until(lambda: len(broker.connects) == 2, 70, "the next session")


@pytest.mark.mosquitto
async def test_n12_at_a_real_broker_two_gateways_with_one_id_do_not_storm_it(
    tmp_path: Path, rigs: Rigs, mosquitto: object, *, campaign: bool
) -> None:
    """Mosquitto throws out the first of two, again and again: they must not take turns for ever."""
    port = mosquitto.port
    haste = 1.0 if campaign else 50.0
    load = Load(haste=haste, settings=QUICK)
    async with rigs(port, load) as first, rigs(port, load) as second:
        await asyncio.sleep(180 if campaign else 3)
        sessions = first.publisher.state.reconnects + second.publisher.state.reconnects
        assert sessions <= (12 if campaign else 3 * haste / 60 * 2 + 10)
        assert any("client with the id 'bench-1'" in rig.publisher.state.reason for rig in (first, second))


@pytest.mark.mosquitto
async def test_n13_what_a_killed_broker_had_acknowledged_is_all_that_is_lost(
    tmp_path: Path, rigs: Rigs, note: Callable[[str, object], None], *, campaign: bool
) -> None:
    """Killed with unsaved state: of ours nothing unacknowledged is dropped; the report shows what only it held."""
    from tests.gateway.publish.conftest import MOSQUITTO, Mosquitto  # noqa: PLC0415 - this one can be killed

    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    (tmp_path / "broker").mkdir()
    broker = Mosquitto(tmp_path / "broker", "allow_anonymous true", "autosave_interval 0")
    broker.start()
    oracle = Oracle(broker.port)
    try:
        async with rigs(broker.port, Load(period_s=0.2, haste=10.0, settings=QUICK)) as rig:
            for _ in range(20 if campaign else 2):
                await rig.connected()
                await asyncio.sleep(0.5)
                broker.kill()
                await rig.until(lambda: not rig.publisher.state.connected, 20, "noticed")
                broker.start()
            await rig.connected()
            await rig.drained()
            counters = rig.outbox.counters
            assert counters.acknowledged >= rig.made * DEVICES, "something unacknowledged was forgotten"
            assert counters.refused == counters.dropped == 0
            note("acknowledged batches that only the broker held", len(oracle.lost(rig)))
            assert oracle.wrong == []
    finally:
        oracle.close()
        broker.stop()
