"""All connections of a configuration: one supervised task each, exchanged piece by piece at a reload."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from gateway.collect.backoff import Backoff
from gateway.collect.changes import same_link
from gateway.collect.learned import Learned
from gateway.collect.listening import ListeningConnection
from gateway.collect.plan import devices_of
from gateway.collect.polling import PollingConnection
from gateway.driver import CountingDriver, PollingDriver
from gateway.model import Batch, DeviceState, DeviceStatus, Quality
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.clock import Clock
    from gateway.collect.learned import Store
    from gateway.collect.outlet import Outlet
    from gateway.config.schema import Connection
    from gateway.driver import Device, Driver

log = structlog.get_logger()

_STALLED_AFTER_S = 120.0
"""A device due for so long shows that its task hangs: far above the longest time-outs of a full bus."""


@dataclass(slots=True)
class _Running:
    connection: Connection
    devices: Sequence[Device]
    task: asyncio.Task[None]
    runner: PollingConnection | ListeningConnection | None = None
    driver: Driver | None = None


class Collector:
    """Keeps one task a connection alive for ever; a fault in one never reaches another.

    Args:
        clock: where times come from.
        outlet: where batches go.
        store: keeps what was learned of the devices over restarts.
    """

    def __init__(self, clock: Clock, outlet: Outlet, store: Store | None = None) -> None:
        self._store = store
        self._clock = clock
        self._outlet = outlet
        self._running: dict[str, _Running] = {}

    async def apply(self, connections: Iterable[Connection]) -> None:
        """Run these connections: new ones start, missing ones stop, changed ones take over their new devices.

        A link is opened anew only where its transport changed; a device that did not change misses no reading.
        """
        wanted = {connection.name: connection for connection in connections}
        gone = [name for name, running in self._running.items() if not _stays(running.connection, wanted.get(name))]
        await self._stop(gone)
        for connection in wanted.values():
            running = self._running.get(connection.name)
            if running is None:
                self._start(connection)
            elif running.connection.config != connection.config:
                self._change(running, connection)

    async def close(self) -> None:
        """Stop all connections and close their links."""
        await self._stop(list(self._running))

    def devices(self) -> list[Device]:
        """All devices that are collected from now; one that a reload left alone is the same object as before."""
        return [device for running in self._running.values() for device in running.devices]

    def described(self) -> list[tuple[Connection, Device]]:
        """The same devices, each with its connection."""
        return [(running.connection, device) for running in self._running.values() for device in running.devices]

    def counters(self) -> dict[str, dict[str, int]]:
        """What the drivers counted on their links, and readings left out since the link was busy, by connection."""
        return {name: _counted(running) for name, running in self._running.items()}

    def stalled(self) -> list[str]:
        """Names of connections that make no progress; a watchdog is fed only while there are none."""
        return [name for name, running in self._running.items() if _is_stalled(running)]

    def _start(self, connection: Connection) -> None:
        devices = devices_of(connection.config)
        task = asyncio.create_task(self._supervise(connection.name), name=f"connection {connection.name}")
        self._running[connection.name] = _Running(connection, devices, task)

    def _change(self, running: _Running, connection: Connection) -> None:
        running.connection = connection
        running.devices = _carried_over(running.devices, devices_of(connection.config))
        if running.runner is not None:
            running.runner.apply(running.devices)

    async def _stop(self, names: Iterable[str]) -> None:
        tasks = [self._running.pop(name).task for name in names]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _supervise(self, name: str) -> None:
        """Run one connection for ever. What ends it is a defect of a driver: told, and the driver is made anew."""
        backoff = Backoff(first_s=1.0, cap_s=60.0)
        while True:
            try:
                await self._run(name)
            except Exception as error:
                self._tell_bad(self._running[name].devices, error)
                delay_s = max(1.0, backoff.failed())
                log.exception("connection_failed", connection=name, restart_in_s=round(delay_s, 1))
            self._running[name].runner = None
            await asyncio.sleep(delay_s)

    def _tell_bad(self, devices: Sequence[Device], error: Exception) -> None:
        stamp = self._clock.now()
        for device in devices:
            reason = f"the driver cannot run: {error} [{Code.DRIVER_FAULT}]"
            self._outlet.report(DeviceStatus(device.name, DeviceState.OFFLINE, stamp.time, reason))
            self._outlet.emit(Batch.bad(device.plan, range(len(device.plan.tags)), Quality.DEVICE_ERROR, stamp))

    async def _run(self, name: str) -> None:
        running = self._running[name]
        driver = running.connection.spec.build(running.connection.config, self._clock)
        running.driver = driver
        if isinstance(driver, PollingDriver):
            learned = Learned(self._store, running.connection.config.reached_by())
            running.runner = PollingConnection(driver, running.devices, self._clock, self._outlet, learned)
        else:
            running.runner = ListeningConnection(name, driver, running.devices, self._clock, self._outlet)
        await running.runner.run()


def _stays(before: Connection, after: Connection | None) -> bool:
    return after is not None and same_link(before, after)


def _counted(running: _Running) -> dict[str, int]:
    overruns = {"overruns": running.runner.overruns} if isinstance(running.runner, PollingConnection) else {}
    counted = running.driver.counters() if isinstance(running.driver, CountingDriver) else {}
    return {**overruns, **counted}


def _carried_over(before: Iterable[Device], after: Iterable[Device]) -> list[Device]:
    known = {device.name: device for device in before}
    return [known[device.name] if known.get(device.name) == device else device for device in after]


def _is_stalled(running: _Running) -> bool:
    return running.task.done() or (running.runner is not None and running.runner.late_s() > _STALLED_AFTER_S)
