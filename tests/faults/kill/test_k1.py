"""Row K1: killed at random under load, again and again. Proved by the sequence numbers that a subscriber heard."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import pytest

from gateway.cli.selftest.cable import Cable

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Gateway, Mosquitto, Subscriber

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]

KILLS = {False: 2, True: 1000}
"""At full length two to three seconds each."""

PERIOD_S = 0.1
DEVICES = 4
WINDOW = 16
YOUNG_S = 2.0
"""What is younger than this at a kill may be lost with the process."""

REPLAY_A_SECOND = 700
"""History that may come twice after a kill: the cursor moves once a second."""

START_S = 5.0
PLANT = "version: 1\ndriver: sim\ndefaults: {period_s: 0.1}\ndevices:\n" + "".join(
    f"  machine-{number}:\n    tags:\n      count: {{address: counter}}\n      level: {{address: analog, unit: m}}\n"
    for number in range(DEVICES)
)


class Outcome(NamedTuple):
    """What a campaign of kills showed."""

    kills: int
    cuts: int
    """Of the link, besides."""
    received: int
    doubled: int
    young_lost: int
    """Batches that were lost, all of them younger than two seconds at a kill."""
    worst_loss_s: float
    """The age at its kill of the oldest that was lost."""
    slowest_start_s: float


class Campaign:
    """Kills a gateway over and over while its link comes and goes."""

    def __init__(self, broker: Mosquitto, subscriber: Subscriber, gateway: Gateway, cable: Cable) -> None:
        self._broker = broker
        self._subscriber = subscriber
        self._gateway = gateway
        self._cable = cable
        self._random = Random(1)  # noqa: S311 - chance for a test, no secret
        self.killed_at: list[float] = []
        """UTC in s; run n is killed at position n - 1."""
        self.ready_at: list[float] = []
        self.cuts = 0
        self.slowest_start_s = 0.0

    async def kill(self, times: int) -> None:
        """Start, let live for a while, kill; the last life ends in good order when all has arrived."""
        for _ in range(times):
            await self._start()
            await asyncio.sleep(self._random.uniform(0.0, 3.0))
            if self._random.random() < 0.5:
                await self._change_link()
                await asyncio.sleep(self._random.uniform(0.0, 3.0))
            self.killed_at.append(time.time())
            self._gateway.kill()
        self._cable.plug()
        await self._start()
        await self._settle()
        assert await asyncio.to_thread(self._gateway.stop) == 0

    async def _start(self) -> None:
        begun = time.monotonic()
        self._gateway.log.unlink(missing_ok=True)
        self._gateway.start()
        while not any(line["event"] == "ready" for line in self._gateway.logged()):
            assert time.monotonic() - begun < 30, "it does not start"
            await asyncio.sleep(0.02)
        self.ready_at.append(time.time())
        self.slowest_start_s = max(self.slowest_start_s, time.monotonic() - begun)

    async def _change_link(self) -> None:
        if self._random.random() < 0.5:
            await self._cable.pull()
            self.cuts += 1
        else:
            self._cable.plug()

    async def _settle(self) -> None:
        """Wait until history has stopped to come for three seconds, behind live data that goes on."""
        deadline = time.monotonic() + 120
        quiet_since, before = time.monotonic(), -1
        while time.monotonic() - quiet_since < 3.0:
            assert time.monotonic() < deadline, "history never ends"
            count = sum(topic.endswith("/history") for topic, _, _ in list(self._subscriber.messages))
            live = any(batch["run"].startswith(f"{len(self.ready_at):06d}") for batch in self._newest())
            if count != before or not live:
                quiet_since, before = time.monotonic(), count
            await asyncio.sleep(0.2)

    def _newest(self) -> list[dict[str, str]]:
        return [json.loads(p) for topic, p, _ in list(self._subscriber.messages)[-50:] if topic.endswith("/data")]


def judged(campaign: Campaign, subscriber: Subscriber) -> Outcome:
    """Hold what arrived against the promises."""
    heard: dict[tuple[int, str], dict[int, float]] = {}
    count = Counter[tuple[str, str, int]]()
    for batch in subscriber.payloads():
        assert batch["values"]["count"] == batch["seq"], "a wrong value"
        run = int(batch["run"].partition("-")[0])
        heard.setdefault((run, batch["device"]), {})[batch["seq"]] = seconds(batch["time"])
        count[batch["device"], batch["run"], batch["seq"]] += 1
    lost_ages = [age for run, killed in enumerate(campaign.killed_at, 1) for age in _lost(heard, campaign, run, killed)]
    last_run = len(campaign.ready_at)
    for device in range(DEVICES):
        seqs = heard[last_run, f"machine-{device}"]
        assert len(seqs) == max(seqs), "lost in a life that ended in good order"
    _assert_each_kill_is_told(campaign, subscriber)
    return Outcome(
        kills=len(campaign.killed_at),
        cuts=campaign.cuts,
        received=len(count),
        doubled=count.total() - len(count),
        young_lost=len(lost_ages),
        worst_loss_s=max(lost_ages, default=0.0),
        slowest_start_s=campaign.slowest_start_s,
    )


def _lost(heard: dict[tuple[int, str], dict[int, float]], campaign: Campaign, run: int, killed: float) -> list[float]:
    """The ages at the kill of what a run made and nobody received, as far as it must have been made."""
    ages: list[float] = []
    for device in range(DEVICES):
        times = heard.get((run, f"machine-{device}"), {})
        made_at = {seq: times[seq] for seq in times}
        first = min(made_at.values(), default=campaign.ready_at[run - 1])
        newest = max(made_at, default=0)
        start = first - PERIOD_S * (min(made_at, default=1) - 1)
        expected = max(newest, int((killed - start) / PERIOD_S))
        ages += [killed - (start + PERIOD_S * (seq - 1)) for seq in range(1, expected + 1) if seq not in made_at]
    return ages


def _assert_each_kill_is_told(campaign: Campaign, subscriber: Subscriber) -> None:
    """By a gap record of reason `crash` that spans it; records that lie near to each other are told as one."""
    spans = [(seconds(g["from"]), seconds(g["to"])) for g in subscriber.payloads("/gaps") if g["reason"] == "crash"]
    for killed in campaign.killed_at:
        assert any(start <= killed + 0.1 and killed - 0.1 <= end for start, end in spans), f"untold: {killed}"


def seconds(text: str) -> float:
    """A time of a message, UTC in s."""
    return datetime.fromisoformat(text).timestamp()


async def killed(
    times: int, mosquitto: Mosquitto, subscriber: Subscriber, gateways: Callable[[str], Gateway]
) -> Outcome:
    """Run a campaign and judge it."""
    async with Cable("127.0.0.1", mosquitto.port) as cable:
        gateway = gateways(f"mqtt://127.0.0.1:{cable.port}")
        gateway.write("connections/plant.yaml", PLANT)
        campaign = Campaign(mosquitto, subscriber, gateway, cable)
        await campaign.kill(times)
    return judged(campaign, subscriber)


async def test_k1_killed_at_random_nothing_older_than_two_seconds_is_lost(
    mosquitto: Mosquitto,
    subscriber: Subscriber,
    gateways: Callable[[str], Gateway],
    campaign: bool,  # noqa: FBT001 - a fixture
    record_property: Callable[[str, object], None],
) -> None:
    """Each kill is told; what was older is all there, with its value; little comes twice.

    At full length, on a machine that does nothing else, each start takes less than 5 s.
    """
    outcome = await killed(KILLS[campaign], mosquitto, subscriber, gateways)
    record_property("outcome", str(outcome))
    assert outcome.worst_loss_s <= YOUNG_S + PERIOD_S
    assert outcome.doubled <= (outcome.kills + outcome.cuts) * WINDOW + outcome.kills * REPLAY_A_SECOND
    assert outcome.slowest_start_s <= START_S or not campaign
