"""One connection whose driver listens: restarted when it fails, its devices BAD when it keeps failing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from gateway.collect.backoff import Backoff
from gateway.collect.boundary import OPEN_LIMIT_S, guarded
from gateway.collect.health import DeviceHealth
from gateway.driver import DriverError, LinkError
from gateway.model import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.clock import Clock
    from gateway.collect.outlet import Outlet
    from gateway.driver import Device, ListeningDriver

log = structlog.get_logger()


class ListeningConnection:
    """Runs one listening driver. `apply` changes devices while the link stays open."""

    def __init__(
        self, name: str, driver: ListeningDriver, devices: Sequence[Device], clock: Clock, outlet: Outlet
    ) -> None:
        self._name = name
        self._driver = driver
        self._clock = clock
        self._outlet = outlet
        self._backoff = Backoff()
        self._reason_told = ""
        self._health: dict[str, DeviceHealth] = {}
        self._listening: asyncio.Task[None] | None = None
        self.apply(devices)

    def apply(self, devices: Sequence[Device]) -> None:
        """Listen to these devices from now on, without touching the link."""
        self._devices = list(devices)
        self._health = {device.name: DeviceHealth(device.plan, self._outlet.report) for device in devices}
        if self._listening is not None:
            self._listening.cancel()

    async def run(self) -> None:
        """Listen until cancelled; after a fault the link is opened anew."""
        while True:
            try:
                await guarded(self._driver.open(), OPEN_LIMIT_S, "opening")
                await self._listen_through_changes()
            except DriverError as error:
                delay_s = self._failed(error)
            finally:
                await self._driver.close()
            await asyncio.sleep(delay_s)

    def late_s(self) -> float:
        """A listener is never late: its own watchdog ends a session that went silent."""
        return 0.0

    async def _listen_through_changes(self) -> None:
        """Listen, and begin anew with other devices whenever `apply` cancels the listening task."""
        while True:
            listening = asyncio.create_task(self._listen())
            self._listening = listening
            try:
                await asyncio.wait([listening])
            finally:
                self._listening = None
                listening.cancel()
                await asyncio.wait([listening])
            if not listening.cancelled():
                listening.result()
                raise LinkError("the driver stopped listening")

    async def _listen(self) -> None:
        await guarded(self._driver.listen(self._devices, self._emit), None, "listening")

    def _emit(self, batch: Batch) -> None:
        self._backoff.succeeded()
        self._reason_told = ""
        health = self._health.get(batch.plan.device)
        if health is not None:
            health.saw(batch)
            self._outlet.emit(batch)

    def _failed(self, error: DriverError) -> float:
        delay_s = self._backoff.failed()
        self._tell(error.told)
        for device in self._devices:
            self._outlet.failed(device.name)
            if self._backoff.failures == device.timing.bad_after:
                self._tell_bad(device, error)
        return delay_s

    def _tell(self, reason: str) -> None:
        """One line a cause: a server that is down for a week does not fill the log."""
        tell = log.debug if reason == self._reason_told else log.warning
        self._reason_told = reason
        tell("connection_lost", connection=self._name, failures=self._backoff.failures, reason=reason)

    def _tell_bad(self, device: Device, error: DriverError) -> None:
        batch = Batch.bad(device.plan, range(len(device.plan.tags)), error.quality, self._clock.now())
        self._health[device.name].saw(batch, error.told)
        self._outlet.emit(batch)
