"""The link goes bad between a gateway and a broker that is well: rows N1 to N5."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING

import pytest

from tests.faults.uplink.rig import DEVICES, WINDOW, Load, Rig, percentile

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.conftest import Mosquitto
    from tests.faults.uplink.proxy import FaultProxy
    from tests.faults.uplink.rig import Oracle

    Note = Callable[[str, object], None]
    Rigs = Callable[[int, Load], AbstractAsyncContextManager[Rig]]

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]

QUICK = {"tick_s": 0.1, "keepalive_s": 2, "ack_timeout_s": 4.0, "connect_timeout_s": 2.0}
"""A keep-alive of 2 s instead of 15, and all else in proportion."""


def load(*, campaign: bool) -> Load:
    """The row's own load, or one that shows the same in seconds."""
    return Load() if campaign else Load(period_s=0.5, haste=10.0, settings=QUICK)


async def test_n1_a_broker_that_is_away_costs_nothing(
    mosquitto: Mosquitto, oracle: Oracle, rigs: Rigs, note: Note, *, campaign: bool
) -> None:
    """Spill, reconnect, live first: connected within 12 s, live data on time, history at ten times the rate."""
    chosen = load(campaign=campaign)
    async with rigs(mosquitto.port, chosen) as rig:
        await rig.connected()
        await asyncio.sleep(1)
        mosquitto.stop()
        await asyncio.sleep(600 if campaign else 3)
        assert rig.outbox.counters.waiting_on_disk > 0, "nothing was spilled"
        backlog = rig.waiting
        mosquitto.start()
        note("connected after", f"{await rig.connected(12):.1f} s")
        back = time.time()
        await rig.until(lambda: rig.outbox.counters.waiting_on_disk == 0, 120, "drained")
        await rig.until(lambda: oracle.delays_s(since=back + 1), 20, "live data")
        assert percentile(oracle.delays_s(since=back + 1), 0.95) < 2
        note("live delay p95 while draining", f"{percentile(oracle.delays_s(since=back + 1), 0.95):.3f} s")
        note("history drained at", f"{oracle.rate('/history'):.0f} of {backlog} messages a second")
        note("came twice", oracle.doubled)
        if campaign:
            assert oracle.rate("/history") >= 10 * DEVICES / chosen.period_s, f"{backlog} were drained"
        await rig.drained()
        await rig.until(lambda: not oracle.lost(rig), 20, "all arrived")
        oracle.judge(rig, WINDOW)


async def test_n2_a_link_that_went_dark_is_noticed(
    oracle: Oracle, proxy: FaultProxy, rigs: Rigs, note: Note, *, campaign: bool
) -> None:
    """Nothing is refused and nothing answers: the half-open link is found by its silence, and nothing is lost."""
    async with rigs(proxy.port, load(campaign=campaign)) as rig:
        await rig.connected()
        await asyncio.sleep(1)
        proxy.weather.is_dark = True
        noticed_s = await rig.until(lambda: not rig.publisher.state.connected, 30, "noticed")
        note("noticed after", f"{noticed_s:.1f} s")
        assert noticed_s <= (25 if campaign else 25 * 2 / 15 + 2)
        await asyncio.sleep(600 - noticed_s if campaign else 1)
        proxy.reset()
        proxy.weather.is_dark = False
        assert await rig.connected(30) <= 12
        await rig.drained(120)
        await rig.until(lambda: not oracle.lost(rig), 20, "all arrived")
        oracle.judge(rig, 2 * WINDOW)


async def test_n3_a_link_that_is_reset_resends_one_window(
    oracle: Oracle, proxy: FaultProxy, rigs: Rigs, note: Note, *, campaign: bool
) -> None:
    """RST at random, over and over: each costs at most the 16 messages that were under way."""
    times = 200 if campaign else 5
    proxy.weather.delay_s = 0.1  # so that something is always under way
    async with rigs(proxy.port, Load(period_s=0.2, haste=20.0, settings=QUICK)) as rig:
        for _ in range(times):
            await rig.connected()
            await asyncio.sleep(random.uniform(0, 0.6))  # noqa: S311 - chance, not a secret
            before, sessions = oracle.doubled, rig.publisher.state.reconnects
            proxy.reset()
            await rig.until(lambda sessions=sessions: rig.publisher.state.reconnects > sessions, 20, "a new session")
            assert oracle.doubled - before <= WINDOW
        await rig.connected()
        await rig.drained(120)
        await rig.until(lambda: not oracle.lost(rig), 20, "all arrived")
        assert rig.publisher.state.reconnects >= times
        note("came twice", f"{oracle.doubled} after {times} resets")
        oracle.judge(rig, times * WINDOW)


async def test_n4_a_long_thin_link_keeps_its_session(
    oracle: Oracle, proxy: FaultProxy, rigs: Rigs, note: Note, *, campaign: bool
) -> None:
    """Half a second there and back, one chunk in twenty lost once: no reconnects, and the values arrive in time."""
    proxy.weather.delay_s, proxy.weather.loss, proxy.weather.again_s = 0.25, 0.05, 0.7
    async with rigs(proxy.port, Load()) as rig:
        await rig.connected()
        await asyncio.sleep(3600 if campaign else 4)
        assert rig.publisher.state.reconnects <= 1
        await rig.drained()
        await rig.until(lambda: not oracle.lost(rig), 20, "all arrived")
        delays = sorted(oracle.delays_s() + oracle.delays_s("/history"))
        note("delay p95", f"{percentile(delays, 0.95):.2f} s")
        assert percentile(delays, 0.95) < 4
        oracle.judge(rig, WINDOW)


async def test_n5_on_a_slow_link_the_newest_still_flows(
    oracle: Oracle, proxy: FaultProxy, rigs: Rigs, note: Note, *, campaign: bool
) -> None:
    """One kilobyte a second, less than is made: the backlog grows on disk, and what is live is never old."""
    proxy.weather.bytes_per_s = 1000
    async with rigs(proxy.port, Load()) as rig:
        await rig.connected()
        await asyncio.sleep(1800 if campaign else 6)
        assert rig.outbox.counters.waiting_on_disk > 0
        assert rig.publisher.state.reconnects == 0
        live = oracle.delays_s()
        assert live, "nothing live arrived"
        note("live delay p95", f"{percentile(live, 0.95):.1f} s, {len(live)} live batches, {rig.waiting} wait")
        assert percentile(live, 0.95) < 10
        proxy.weather.bytes_per_s = None
        await rig.drained(300)
        await rig.until(lambda: not oracle.lost(rig), 20, "all arrived")
        oracle.judge(rig, WINDOW)
