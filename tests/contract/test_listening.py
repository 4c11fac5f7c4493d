"""What every listening driver does while it listens."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from gateway.collect.plan import devices_of
from gateway.model import ABSENT, Level, columns_of
from tests.contract.conftest import assert_cell, of_first_tags

if TYPE_CHECKING:
    from gateway.model import Batch
    from tests.contract.conftest import Subject


def check(batch: Batch) -> None:
    """Hold one batch to what the core relies on."""
    length = len(batch.plan.tags)
    assert len(batch.values) == len(batch.quality) == length
    assert batch.offsets is None or len(batch.offsets) == length
    assert batch.source_times is None or len(batch.source_times) == length
    assert not batch.is_empty
    for tag, value, quality in columns_of(batch):
        assert_cell(tag, value, quality)


async def test_the_first_batch_of_each_device_holds_every_tag(listener: Subject) -> None:
    """Whoever comes after it may wait for changes alone; the simulator plays every tag, so all are GOOD."""
    async with listener.spec.simulate(listener.config) as config, listener.opened(config) as driver:
        devices = devices_of(config)
        async with listener.listening(driver, devices) as listening:
            for device in devices:
                first = next(batch for batch in listening.batches if batch.plan.device == device.name)
                assert first.plan is device.plan
                assert ABSENT not in first.values
                assert {quality.level for quality in first.quality} == {Level.GOOD}
                check(first)


async def test_changes_follow(listener: Subject) -> None:
    """After the first batches more come, each whole, of its device's plan, and none from before the first."""
    async with listener.spec.simulate(listener.config) as config, listener.opened(config) as driver:
        devices = devices_of(config)
        plans = {device.name: device.plan for device in devices}
        async with listener.listening(driver, devices) as listening:
            more = len(listening.batches) + 3
            await listening.until(lambda: len(listening.batches) >= more)
        for batch in listening.batches:
            assert batch.plan is plans[batch.plan.device]
            check(batch)


async def test_a_cancelled_listening_stops_within_a_second(listener: Subject) -> None:
    """At once, after a moment, and in full swing; nothing is emitted after its end."""
    async with listener.spec.simulate(listener.config) as config, listener.opened(config) as driver:
        for steps in (0, 1, 5, 200):
            batches: list[Batch] = []
            task = asyncio.create_task(driver.listen(devices_of(config), batches.append))
            for _ in range(steps):
                await asyncio.sleep(0.001)
            task.cancel()
            _, late = await asyncio.wait([task], timeout=1.0)
            assert not late
            assert task.cancelled()
            count = len(batches)
            await asyncio.sleep(0.3)
            assert len(batches) == count


async def test_listening_again_with_other_devices_works_on_the_open_link(listener: Subject) -> None:
    """After a reload: all tags, then one of each device, then all; each time the first batches are whole."""
    async with listener.spec.simulate(listener.config) as config, listener.opened(config) as driver:
        for asked in (config, of_first_tags(config), config):
            devices = devices_of(asked)
            async with listener.listening(driver, devices) as listening:
                for device in devices:
                    first = next(batch for batch in listening.batches if batch.plan.device == device.name)
                    assert first.plan is device.plan
                    assert ABSENT not in first.values


async def test_the_time_of_a_tag_never_runs_backwards(listener: Subject) -> None:
    """The stamp less or plus the offset of each tag only grows from batch to batch, on the monotonic clock."""
    async with listener.spec.simulate(listener.config) as config, listener.opened(config) as driver:
        async with listener.listening(driver, devices_of(config)) as listening:
            more = len(listening.batches) + 5
            await listening.until(lambda: len(listening.batches) >= more)
        times: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
        for batch in listening.batches:
            offsets = batch.offsets or [0] * len(batch.values)
            for position, value in enumerate(batch.values):
                if value is not ABSENT:
                    times[batch.plan.device, position].append(batch.stamp.monotonic + offsets[position] * 1e6)
        for series in times.values():
            rounding_ns = 1e6
            assert all(later >= earlier - rounding_ns for earlier, later in pairwise(series))
