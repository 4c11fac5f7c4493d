"""Modbus: processor time of driver and processing beside bare pymodbus and libmodbus in C; jitter, requests, memory.

100 connections of one device with 100 registers each. Processor times are of a closed loop: each connection asks again
as soon as it is answered, so that no waiting is measured. They are taken by windows, in turns, and the least of each
counts, since a machine is never quiet. Jitter is that of the real period of 1 s, 10 000 values a second, on one core.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import structlog
import uvloop

from drivers.modbus.connection import ModbusConnection
from drivers.modbus.cost import NETWORK
from drivers.modbus.plan import requests_of
from gateway.collect.plan import devices_of
from tests.bench.figures import Figure
from tests.bench.modbus_readers import (
    CONNECTIONS,
    REGISTERS,
    bare_clients,
    bare_us,
    libmodbus_us,
    product,
    product_us,
    server,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pymodbus.client import AsyncModbusTcpClient

    from gateway.model import Batch

ROUNDS: Final = 3
REQUESTS: Final = 10_000
PERIOD_S: Final = 1.0
JITTER_S: Final = 12.0

_MOST_STILL: Final = 1.6
_MOST_CHANGING: Final = 2.5
_MOST_JITTER_MS: Final = 20.0
_MOST_KB_A_TAG: Final = 1.0


def measure() -> list[Figure]:
    """All figures; the ratios are promised, the rest tells of this machine."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with server("still") as still, server("changing") as changing, TemporaryDirectory() as folder:
        return [
            *_memory(),
            *_processor(still, changing, Path(folder)),
            *_requests(),
            *_jitter(still),
        ]


def _processor(still: int, changing: int, folder: Path) -> list[Figure]:
    taken: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        taken["bare"].append(uvloop.run(bare_us(still, REQUESTS)))
        taken["still"].append(uvloop.run(product_us(still, REQUESTS)))
        taken["changing"].append(uvloop.run(product_us(changing, REQUESTS)))
        taken["scaled"].append(uvloop.run(product_us(changing, REQUESTS, scale=0.1)))
        taken["c"].append(libmodbus_us(still, REQUESTS, folder))
        gc.collect()
    us = {name: min(values) for name, values in taken.items()}
    return [
        Figure("CPU a request, libmodbus in C", us["c"], "us", note="reads, and does nothing with it"),
        Figure("CPU a request, bare pymodbus", us["bare"], "us", note="custom response, uvloop"),
        Figure("CPU a request, nothing changes", us["still"], "us", note="driver and processing"),
        Figure("CPU a request, all changes", us["changing"], "us", note="driver and processing"),
        Figure("CPU a request, all changes, all scaled", us["scaled"], "us", note="driver and processing"),
        Figure("CPU a value, nothing changes", us["still"] / REGISTERS, "us"),
        Figure("CPU a value, all changes", us["changing"] / REGISTERS, "us"),
        Figure("to bare pymodbus, nothing changes", us["still"] / us["bare"], "ratio", _MOST_STILL),
        Figure("to bare pymodbus, all changes", us["changing"] / us["bare"], "ratio", _MOST_CHANGING),
        Figure("to libmodbus in C, nothing changes", us["still"] / us["c"], "ratio"),
    ]


def _requests() -> list[Figure]:
    """The plans of 50 scattered register maps, held against all ways to cut each of them."""
    random = Random(4711)  # noqa: S311 - the same maps in every run
    planned = optimum = 0.0
    for _ in range(50):
        numbers = sorted(random.sample(range(400), 10))
        tags = {f"t{number}": {"address": f"holding:{number}"} for number in numbers}
        file = {"version": 1, "driver": "modbus", "host": "plc", "devices": {"m": {"max_gap": 124, "tags": tags}}}
        (device,) = devices_of(ModbusConnection.model_validate(file))
        planned += sum(NETWORK.of(request.detail.data_bytes) for request in requests_of(device, NETWORK))
        optimum += _by_trying_all(numbers)
    return [Figure("bytes a cycle to the optimum", planned / optimum, "ratio", 1.0, note="50 maps, all ways tried")]


def _by_trying_all(numbers: Sequence[int]) -> float:
    best = float("inf")
    for cuts in range(1 << (len(numbers) - 1)):
        runs = [[numbers[0], numbers[0]]]
        for at, number in enumerate(numbers[1:]):
            if cuts >> at & 1:
                runs.append([number, number])
            runs[-1][1] = number
        if all(last - first < 125 for first, last in runs):
            best = min(best, sum(NETWORK.of(2 * (last - first + 1)) for first, last in runs))
    return best


def _jitter(port: int) -> list[Figure]:
    """How far periods are from 1 s, the whole process on one core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        ours = sorted(uvloop.run(_product_jitter_ms(port)))
        bare = sorted(uvloop.run(_bare_jitter_ms(port)))
    finally:
        os.sched_setaffinity(0, cores)
    rate = f"{CONNECTIONS * REGISTERS / PERIOD_S:.0f} values a second on one core"
    return [
        Figure("jitter of the period, p50", ours[len(ours) // 2], "ms", note=rate),
        Figure("jitter of the period, p99", ours[len(ours) * 99 // 100], "ms", _MOST_JITTER_MS, note=rate),
        Figure("jitter of the period, p99, bare pymodbus", bare[len(bare) * 99 // 100], "ms", note="asyncio.sleep"),
    ]


async def _product_jitter_ms(port: int) -> list[float]:
    times: dict[str, list[int]] = defaultdict(list)

    def seen(batch: Batch) -> None:
        times[batch.plan.device].append(batch.stamp.monotonic)

    tasks = [asyncio.create_task(one.run()) for one in product(port, seen, PERIOD_S)]
    await asyncio.sleep(JITTER_S)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # The first reading is due at once, and only the later ones in slots.
    return [_off_ms(before, after) for seen_at in times.values() for before, after in pairwise(seen_at[1:])]


async def _bare_jitter_ms(port: int) -> list[float]:
    off: list[float] = []
    loop = asyncio.get_running_loop()
    begun_s = loop.time()

    async def read(number: int, client: AsyncModbusTcpClient) -> None:
        phase_s = number / CONNECTIONS
        before = 0
        for turn in range(1, round(JITTER_S)):
            await asyncio.sleep(begun_s + phase_s + turn * PERIOD_S - loop.time())
            await client.read_holding_registers(0, count=REGISTERS, device_id=1)
            now = round(loop.time() * 1e9)
            if before:
                off.append(_off_ms(before, now))
            before = now

    clients = await bare_clients(port)
    await asyncio.gather(*(read(number, client) for number, client in enumerate(clients)))
    for client in clients:
        client.close()
    return off


def _off_ms(before_ns: int, after_ns: int) -> float:
    return abs((after_ns - before_ns) / 1e6 - PERIOD_S * 1000)


def _memory() -> list[Figure]:
    """What 10 000 tags take: configuration, plans, driver and processing."""
    kept = product(1, lambda _: None, connections=1)
    gc.collect()
    before_kb = _resident_kb()
    kept += product(1, lambda _: None)
    gc.collect()
    grown_kb = _resident_kb() - before_kb
    return [Figure("memory a tag", grown_kb / (CONNECTIONS * REGISTERS), "KB", _MOST_KB_A_TAG, note="10 000 tags")]


def _resident_kb() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1])
