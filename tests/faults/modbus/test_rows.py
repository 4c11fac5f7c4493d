"""Rows of the fault campaign on the field side of Modbus: links that fail, lie, or come too late."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from drivers.modbus.connection import ModbusConnection
from drivers.modbus.driver import ModbusDriver
from gateway.clock import SystemClock
from gateway.collect.plan import devices_of
from gateway.collect.polling import PollingConnection
from gateway.driver import DriverError, LinkError
from gateway.model import ABSENT, Batch, Level
from gateway.testing import Collected, eventually
from tests.drivers.modbus.bus_units import Asked as AskedOnBus
from tests.drivers.modbus.bus_units import BusBench, behind_a_converter, on_a_terminal
from tests.drivers.modbus.conftest import Bench, connection_of, running_plc
from tests.time_lapse import LapseClock, run_in_time_lapse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from tests.drivers.modbus.bus_units import Units
    from tests.drivers.modbus.conftest import Asked, Plc

LIE = 0xDEAD
"""What a faulty device puts into what must not be believed."""
GRACE_S = 0.004
"""What bytes take through a pseudo-terminal, on a busy machine too."""
DEAD = 7


@asynccontextmanager
async def polled(config: ModbusConnection, clock: Any) -> AsyncIterator[tuple[PollingConnection, Collected]]:
    """A connection that is polled as the gateway does it."""
    collected = Collected()
    connection = PollingConnection(ModbusDriver(config, clock), devices_of(config), clock, collected)
    task = asyncio.create_task(connection.run())
    try:
        yield connection, collected
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def levels(batches: list[Batch], device: str = "meter") -> list[Level]:
    """How far the first tag of a device could be trusted, batch by batch."""
    of_device = [batch for batch in batches if batch.plan.device == device]
    return [batch.quality[0].level for batch in of_device if batch.values[0] is not ABSENT]


def meter_on(port: int, **timing: float) -> ModbusConnection:
    """One meter of one register that holds its own address, 100."""
    meter = {"unit_id": 17, "tags": {"t": {"address": "holding:100"}}, **timing}
    return connection_of(port=port, devices={"meter": meter})


def test_p1_plc_that_refuses_is_bad_and_comes_back(*, campaign: bool) -> None:
    """Nobody listens for a while: BAD after two polls, and GOOD at most 12 s after somebody listens again."""
    refused_s = 600.0 if campaign else 60.0

    async def row() -> None:
        async with running_plc() as plc:
            loop = asyncio.get_running_loop()
            async with polled(meter_on(plc.port), LapseClock()) as (_, collected):
                await asyncio.sleep(3)
                assert levels(collected.batches)[-1] is Level.GOOD
                plc.server.close()
                await plc.end()
                stopped_s = loop.time()
                await asyncio.sleep(10)
                (bad,) = [batch for batch in collected.batches if batch.quality[0].level is Level.BAD]
                assert bad.stamp.monotonic / 1e9 - stopped_s <= 2 * 1.0 + 1.0 + 1.0
                await asyncio.sleep(refused_s)
                again = await asyncio.start_server(plc.serve, "127.0.0.1", plc.port)
                came_back_s = loop.time()
                await asyncio.sleep(13)
                first = next(b for b in collected.batches if b.stamp.monotonic / 1e9 > came_back_s)
                assert (first.values, first.quality[0].level) == ([100], Level.GOOD)
                assert first.stamp.monotonic / 1e9 - came_back_s <= 12
            again.close()
            await plc.end()

    run_in_time_lapse(row(), GRACE_S)


def test_p2_plc_that_never_answers_harms_nobody_else(*, campaign: bool) -> None:
    """It accepts and keeps silent: BAD, while a PLC on another connection keeps its period (p99 within 100 ms)."""
    period_s, for_s = 1.0, 600.0 if campaign else 100.0

    async def row() -> tuple[Collected, Collected]:
        async with running_plc() as dumb, running_plc() as well:
            dumb.answer = lambda asked: []
            silent, honest = meter_on(dumb.port), meter_on(well.port)
            async with polled(silent, LapseClock()) as (_, bad), polled(honest, LapseClock()) as (_, good):
                await asyncio.sleep(for_s)
            return bad, good

    bad, good = run_in_time_lapse(row(), GRACE_S / 3)
    assert levels(bad.batches) == [Level.BAD]
    assert set(levels(good.batches)) == {Level.GOOD}
    times = [batch.stamp.monotonic / 1e9 for batch in good.batches]
    late = sorted(abs(after - before - period_s) for before, after in pairwise(times[1:]))
    assert late[int(0.99 * len(late)) - 1] < 0.1


def test_p3_late_rtu_reply_is_discarded(*, campaign: bool) -> None:
    """Replies late by one to three time-outs, on a bus with two units: no wrong value among all requests."""
    wanted, chance = 10_000 if campaign else 250, random.Random(3)  # noqa: S311 - drawn lots, no secrets

    def answer(asked: AskedOnBus) -> list[tuple[float, bytes]]:
        if chance.random() < 0.5:
            return [(0.0, asked.reply())]
        return [(chance.uniform(1.0, 3.0) * 0.1, asked.reply())]

    async def row() -> tuple[int, int]:
        right = 0
        async with on_a_terminal() as units:
            bench = BusBench(units)
            await bench.driver.open()
            units.answer = answer
            while len(units.asked) < wanted:
                unit, address = chance.choice([1, 2]), chance.choice([100, 200, 300])
                try:
                    value = await bench.value(f"impatient_{unit}", address)
                except DriverError:
                    await asyncio.sleep(0.05)
                else:
                    assert value == 1000 * unit + address
                    right += 1
            await bench.driver.close()
            return right, bench.counts["stray_frames"]

    right, strays = run_in_time_lapse(row(), 0.002)
    assert right > wanted / 10
    assert strays > wanted / 10


def wrong(asked: Asked, chance: random.Random) -> list[bytes]:
    """A reply with the wrong transaction, the wrong unit, or one that was swapped with another's."""
    lie = [LIE] * asked.count
    kinds = [
        [asked.reply(*lie, transaction=(asked.transaction + 40_000) % 65_000)],
        [asked.reply(*lie, unit=asked.unit + 1)],
        [asked.reply(*lie, transaction=0)],
        [asked.reply(*lie, transaction=asked.transaction - 1), asked.reply()],
    ]
    return chance.choice(kinds)


async def ask_often(bench: Bench, requests: int, chance: random.Random) -> int:
    """Read registers in any order; whatever is read holds its own address. Returns how many were read."""
    right = 0
    for _ in range(requests):
        address = chance.choice([100, 200, 300])
        try:
            values = (await bench.read("impatient", address)).values
        except LinkError:
            await bench.driver.open()
        except DriverError:
            pass
        else:
            assert list(values) == [address]
            right += 1
    return right


async def test_p4_wrong_transaction_unit_and_order_are_rejected_and_counted(*, campaign: bool) -> None:
    """No wrong value; each is counted, and the next honest reply is read."""
    requests, chance = 5000 if campaign else 100, random.Random(4)  # noqa: S311 - drawn lots, no secrets
    async with running_plc() as plc:
        bench = Bench(plc)
        await bench.driver.open()
        plc.answer = lambda asked: wrong(asked, chance)
        await ask_often(bench, requests, chance)
        sent = len(plc.asked)
        await bench.recovers()
        counts = bench.driver.counters()
        assert counts["stray_frames"] + counts["wrong_replies"] >= 0.95 * sent
        await bench.driver.close()


def damaged(asked: Asked, chance: random.Random) -> list[bytes]:
    """A reply that is short, long, garbage, split or merged with a stray."""
    right, lie = asked.reply(), asked.reply(*[LIE] * asked.count, transaction=(asked.transaction + 9) % 65_000)
    cut = chance.randrange(1, len(right))
    kinds = [
        [right[:cut]],
        [asked.reply(LIE, LIE)],
        [chance.randbytes(chance.randrange(1, 300))],
        [right[:cut], right[cut:]],
        [lie + right],
        [right + lie],
        [right],
    ]
    return chance.choice(kinds)


async def test_p5_damaged_frames_are_rejected_or_put_together(*, campaign: bool) -> None:
    """Short, long, garbage, split and merged: what is read is right, and the next honest reply is read."""
    requests, chance = 5000 if campaign else 100, random.Random(5)  # noqa: S311 - drawn lots, no secrets
    async with running_plc() as plc:
        bench = Bench(plc)
        await bench.driver.open()
        plc.answer = lambda asked: damaged(asked, chance)
        assert await ask_often(bench, requests, chance) > 0
        await bench.recovers()
        await bench.driver.close()


def ten_units(port: int | str, period_s: float) -> ModbusConnection:
    """Ten units of ten registers on one bus at 9600 baud, with a time-out of 1 s."""
    tags = {f"t{n}": {"address": f"holding:{n}"} for n in range(10)}
    devices = {f"unit-{unit}": {"unit_id": unit, "tags": tags} for unit in range(1, 11)}
    file = {"version": 1, "driver": "modbus", "port": port, "baudrate": 9600, "parity": "none"}
    reach = {"transport": "rtu"} if isinstance(port, str) else {"transport": "rtu_over_tcp", "host": "127.0.0.1"}
    defaults = {"period_s": period_s, "timeout_s": 1.0}
    return ModbusConnection.model_validate({**file, **reach, "defaults": defaults, "devices": devices})


@pytest.mark.parametrize(("bus", "period_s"), [(on_a_terminal, 5.0), (behind_a_converter, 1.0)])
def test_p7_one_dead_unit_among_ten_leaves_the_others_their_periods(
    bus: Callable[[], AbstractAsyncContextManager[Units]], period_s: float, *, campaign: bool
) -> None:
    """On a bus that is as slow as 9600 baud: p95 of the other nine within a fifth, after the dead unit's back-off."""
    for_s = 600.0 if campaign else 110.0 + 20 * period_s
    backed_off_s = 15.0

    def answer(asked: AskedOnBus) -> list[tuple[float, bytes]]:
        on_the_wire_s = (8 + 5 + 2 * asked.count) * 11 / 9600
        return [] if asked.unit == DEAD else [(on_the_wire_s + 0.01, asked.reply())]

    async def row() -> tuple[Collected, list[int]]:
        async with bus() as units:
            units.answer = answer
            async with polled(ten_units(units.port, period_s), LapseClock()) as (_, collected):
                await asyncio.sleep(backed_off_s)
                before = len(units.asked)
                await asyncio.sleep(for_s)
                return collected, [asked.unit for asked in units.asked[before:]]

    collected, asked = run_in_time_lapse(row(), GRACE_S if bus is on_a_terminal else GRACE_S / 3)
    assert asked.count(DEAD) * 1.0 <= 0.1 * for_s + 1
    for unit in set(range(1, 11)) - {DEAD}:
        times = [b.stamp.monotonic / 1e9 for b in collected.batches if b.plan.device == f"unit-{unit}"]
        periods = sorted(b - a for a, b in pairwise(t for t in times if t - times[0] > backed_off_s))
        assert len(periods) >= 0.85 * for_s / period_s - 1
        assert periods[int(0.95 * len(periods))] <= 1.2 * period_s


async def test_p10_plc_that_drops_the_connection_never_sees_two(*, campaign: bool) -> None:
    """After each reply it hangs up: it is connected anew each time, and never has more than one socket open."""
    drops, most = 500 if campaign else 100, 0

    async with running_plc() as plc:

        def answer(asked: Asked) -> list[bytes]:
            nonlocal most
            most = max(most, len(open_sockets(plc)))
            return [asked.reply(), b""]

        plc.answer = answer
        config = meter_on(plc.port, period_s=0.001, timeout_s=5.0)
        driver = ModbusDriver(config, SystemClock())
        (request,) = driver.requests(devices_of(config))
        for _ in range(drops):
            await driver.open()
            assert list((await driver.read(request)).values) == [100]
            with suppress(LinkError):
                await driver.read(request)
        await driver.close()
        await eventually(lambda: not open_sockets(plc))
        assert driver.counters()["connects"] == drops
    assert most == 1


def open_sockets(plc: Plc) -> list[asyncio.StreamWriter]:
    """Connections that the PLC has not seen the end of."""
    return [writer for task, writer in plc._serving.items() if not task.done()]
