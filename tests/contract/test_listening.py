"""What every listening driver does while it listens."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from gateway.collect.plan import devices_of
from gateway.driver import ListeningDriver
from gateway.model import ABSENT, Level, columns_of

if TYPE_CHECKING:
    from gateway.connection import ConnectionConfig
    from gateway.driver import Device
    from gateway.model import Batch
    from tests.contract.conftest import Listening, Subject

KIND = ListeningDriver

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_first_batch_of_each_device_holds_every_tag(subject: Subject, played: ConnectionConfig) -> None:
    """Whoever comes after it may wait for changes alone; the simulator plays every tag, so all are GOOD."""
    async with subject.opened(played) as driver, subject.listening(driver, devices_of(played)) as listening:
        for device in listening.devices:
            first = _first(listening, device)
            assert first.plan is device.plan
            assert ABSENT not in first.values
            assert {quality.level for quality in first.quality} == {Level.GOOD}


async def test_changes_follow(subject: Subject, played: ConnectionConfig) -> None:
    """After the first batches more come, each whole and of its device's plan; no tag's time runs backwards."""
    async with subject.opened(played) as driver, subject.listening(driver, devices_of(played)) as listening:
        more = len(listening.batches) + 3
        await listening.until(lambda: len(listening.batches) >= more)
    plans = {device.name: device.plan for device in listening.devices}
    times: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    for batch in listening.batches:
        assert batch.plan is plans[batch.plan.device]
        _check(subject, batch)
        for position, offset_ms in enumerate(batch.offsets or [0] * len(batch.values)):
            if batch.values[position] is not ABSENT:
                times[batch.plan.device, position].append(batch.stamp.monotonic / 1e6 + offset_ms)
    rounding_ms = 1
    assert all(later >= earlier - rounding_ms for series in times.values() for earlier, later in pairwise(series))


async def test_a_cancelled_listening_stops_within_a_second(subject: Subject, played: ConnectionConfig) -> None:
    """At once, after a moment, and in full swing; nothing is emitted after its end."""
    async with subject.opened(played) as driver:
        for moment_s in (0.0, 0.001, 0.02, 0.3):
            batches: list[Batch] = []
            task = asyncio.create_task(driver.listen(devices_of(played), batches.append))
            await asyncio.sleep(moment_s)
            task.cancel()
            _, late = await asyncio.wait([task], timeout=1.0)
            assert not late
            assert task.cancelled()
            count = len(batches)
            await asyncio.sleep(0.2)
            assert len(batches) == count


async def test_listening_again_with_other_devices_works_on_the_open_link(
    subject: Subject, played: ConnectionConfig
) -> None:
    """After a reload: all tags, then one of each device, then all; each time the first batches are whole."""
    async with subject.opened(played) as driver:
        for asked in (played, subject.some_tags(played), played):
            async with subject.listening(driver, devices_of(asked)) as listening:
                for device in listening.devices:
                    assert _first(listening, device).plan is device.plan
                    assert ABSENT not in _first(listening, device).values


def _first(listening: Listening, device: Device) -> Batch:
    return next(batch for batch in listening.batches if batch.plan.device == device.name)


def _check(subject: Subject, batch: Batch) -> None:
    length = len(batch.plan.tags)
    assert len(batch.values) == len(batch.quality) == length
    assert batch.offsets is None or len(batch.offsets) == length
    assert batch.source_times is None or len(batch.source_times) == length
    assert not batch.is_empty
    for tag, value, quality in columns_of(batch):
        subject.check(tag, value, quality)
