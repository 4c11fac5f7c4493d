"""All connections together: each on its own, exchanged piece by piece."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest

from gateway.clock import SystemClock
from gateway.collect.collector import Collector
from gateway.collect.plan import devices_of
from gateway.config.schema import Connection
from gateway.connection import ConnectionConfig, DeviceConfig, TagConfig
from gateway.driver import DriverSpec
from gateway.model import DeviceState, Quality
from gateway.testing import Collected, ScriptedDriver, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class BenchTag(TagConfig):
    def data_type(self) -> str:
        return "int"


class BenchDevice(DeviceConfig):
    tags: dict[str, BenchTag]  # type: ignore[assignment]  # narrowed, as each driver does


class BenchConnection(ConnectionConfig):
    host: str = "here"
    devices: dict[str, BenchDevice]  # type: ignore[assignment]  # narrowed, as each driver does


class Drivers:
    """Makes scripted drivers and remembers them by host."""

    built: ClassVar[dict[str, list[ScriptedDriver]]] = {}

    @classmethod
    def build(cls, config: BenchConnection, _clock: object) -> ScriptedDriver:
        if config.host == "defective":
            raise ImportError("No module named 'fieldlib'")
        driver = ScriptedDriver()
        cls.built.setdefault(config.host, []).append(driver)
        return driver


SPEC = DriverSpec("bench", BenchConnection, BenchDevice, BenchTag, "unused:unused", lambda _config: frozenset())


@pytest.fixture(autouse=True)
def _build_scripted_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    Drivers.built = {}
    monkeypatch.setattr("gateway.driver._resolve", lambda _target: Drivers.build)


def connection(name: str, host: str = "here", **devices: str) -> Connection:
    text = {
        device: {"period_s": 0.02, "tags": {tag: {"address": tag} for tag in tags.split()}}
        for device, tags in devices.items()
    }
    config = BenchConnection.model_validate({"version": 1, "driver": "bench", "host": host, "devices": text})
    return Connection(name, Path(f"{name}.yaml"), SPEC, config)


@asynccontextmanager
async def collecting(*connections: Connection) -> AsyncIterator[tuple[Collector, Collected]]:
    collected = Collected()
    collector = Collector(SystemClock(), collected)
    await collector.apply(connections)
    try:
        yield collector, collected
    finally:
        await collector.close()


def devices_seen(collected: Collected) -> set[str]:
    return {batch.plan.device for batch in collected.batches}


async def test_each_connection_collects_on_its_own() -> None:
    """Two connections, two drivers, all devices seen."""
    async with collecting(connection("one", "h1", a="x"), connection("two", "h2", b="y", c="z")) as (_, collected):
        await eventually(lambda: devices_seen(collected) == {"a", "b", "c"})
    assert set(Drivers.built) == {"h1", "h2"}


async def test_a_driver_that_cannot_be_made_harms_its_own_connection_only() -> None:
    """A missing library turns its devices BAD with the reason; the others run."""
    async with collecting(connection("bad", "defective", a="x"), connection("good", "h2", b="y")) as (_, collected):
        await eventually(lambda: {"a", "b"} <= devices_seen(collected))
        bad = [batch for batch in collected.batches if batch.plan.device == "a"]
        offline = [status for status in collected.statuses if status.device == "a"]
    assert bad[0].quality == [Quality.DEVICE_ERROR]
    assert offline[0].state is DeviceState.OFFLINE
    assert "fieldlib" in offline[0].reason


async def test_a_reload_without_change_touches_nothing() -> None:
    """Same files, same drivers, same devices."""
    async with collecting(connection("one", "h1", a="x")) as (collector, collected):
        await eventually(lambda: collected.batches)
        before = collector.devices()
        await collector.apply([connection("one", "h1", a="x")])
        assert collector.devices() == before
        assert len(Drivers.built["h1"]) == 1


async def test_changed_tags_keep_the_link_and_unchanged_devices_keep_their_identity() -> None:
    """Device a stays the same object, device b has its new tag, nothing is opened anew."""
    async with collecting(connection("one", "h1", a="x", b="y")) as (collector, collected):
        await eventually(lambda: devices_seen(collected) == {"a", "b"})
        before = collector.devices()
        await collector.apply([connection("one", "h1", a="x", b="y new")])
        after = collector.devices()
        assert after[0] is before[0]
        assert after[1] is not before[1]
        await eventually(lambda: any(batch.plan is after[1].plan for batch in collected.batches))
        assert Drivers.built["h1"][0].opened == 1


async def test_a_changed_transport_opens_a_new_link_and_closes_the_old_first() -> None:
    """The old driver is closed before the new one exists."""
    async with collecting(connection("one", "h1", a="x")) as (collector, collected):
        await eventually(lambda: collected.batches)
        await collector.apply([connection("one", "elsewhere", a="x")])
        assert not Drivers.built["h1"][0].is_open
        await eventually(lambda: "elsewhere" in Drivers.built and Drivers.built["elsewhere"][0].reads)


async def test_a_removed_connection_is_closed_and_its_devices_are_gone() -> None:
    """What is not configured is not collected."""
    async with collecting(connection("one", "h1", a="x"), connection("two", "h2", b="y")) as (collector, collected):
        await eventually(lambda: devices_seen(collected) == {"a", "b"})
        await collector.apply([connection("two", "h2", b="y")])
        assert [device.name for device in collector.devices()] == ["b"]
        assert not Drivers.built["h1"][0].is_open


async def test_a_connection_without_progress_is_reported_to_the_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fed only while everything due is attempted."""
    monkeypatch.setattr("gateway.collect.collector._STALLED_AFTER_S", 0.05)
    async with collecting(connection("one", "h1", a="x")) as (collector, collected):
        await eventually(lambda: collected.batches)
        assert collector.stalled() == []
        running = collector._running["one"]
        assert running.runner is not None
        monkeypatch.setattr(running.runner, "late_s", lambda: 1.0)
        assert collector.stalled() == ["one"]


def test_device_timing_takes_the_nearest_word() -> None:
    """The device's word beats the connection's defaults, which beat the driver's own."""
    base = connection("one", a="x").config
    config = BenchConnection.model_validate(
        {
            **base.model_dump(),
            "defaults": {"timeout_s": 0.4, "heartbeat_s": 30.0},
            "devices": {"a": {"heartbeat_s": 5.0, "tags": {"x": {"address": "x", "period_s": 0.5}}}},
        }
    )
    (device,) = devices_of(config)
    assert device.timing.timeout_s == 0.4
    assert device.plan.heartbeat_s == 5.0
    assert device.timing.bad_after == 2
    assert device.plan.tags[0].period_s == 0.5
    assert replace(device, name="b").plan is device.plan
