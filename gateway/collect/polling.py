"""One polled connection: its devices read in their slots, one request at a time, each failure told, none contagious."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from gateway.collect.acquisition import Acquisition, Asked, PolledDevice
from gateway.collect.health import DeviceHealth
from gateway.collect.link import Link
from gateway.driver import DriverError, LinkError, NoReply

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.clock import Clock
    from gateway.collect.outlet import Outlet
    from gateway.driver import Device, PollingDriver, Request


class PollingConnection:
    """Runs one polling driver. `apply` changes devices while it runs; an unchanged one keeps its slots and counts."""

    def __init__(self, driver: PollingDriver, devices: Sequence[Device], clock: Clock, outlet: Outlet) -> None:
        self._driver = driver
        self._clock = clock
        self._outlet = outlet
        self._link = Link(driver, clock)
        self._polled: dict[str, PolledDevice] = {}
        self._changed = asyncio.Event()
        self.apply(devices)

    def apply(self, devices: Sequence[Device]) -> None:
        """Poll these devices from now on, without touching the link."""
        requests = self._driver.requests(devices)
        self._polled = {device.name: self._keep_or_make(device, requests) for device in devices}
        self._changed.set()

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            while True:
                await self._wait_until_due()
                for polled in self._due():
                    await self._acquire(polled)
        finally:
            await self._link.close()

    def late_s(self) -> float:
        """How long the device that waits longest has been due, s; what a watchdog looks at."""
        earliest = min((polled.schedule.due_ns for polled in self._polled.values()), default=None)
        return 0.0 if earliest is None else (self._clock.now().monotonic - earliest) / 1e9

    def _keep_or_make(self, device: Device, requests: Iterable[Request]) -> PolledDevice:
        known = self._polled.get(device.name)
        if known is not None and known.device == device:
            return known
        own = [request for request in requests if request.device == device.name]
        health = DeviceHealth(device.plan, self._outlet.report)
        return PolledDevice(device, own, health, self._clock.now().monotonic)

    async def _wait_until_due(self) -> None:
        self._changed.clear()
        earliest = min(polled.schedule.due_ns for polled in self._polled.values())
        delay_s = (earliest - self._clock.now().monotonic) / 1e9
        if delay_s <= 0:
            await asyncio.sleep(0)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await self._changed.wait()

    def _due(self) -> list[PolledDevice]:
        now_ns = self._clock.now().monotonic
        due = [polled for polled in self._polled.values() if polled.schedule.due_ns <= now_ns]
        return sorted(due, key=lambda polled: polled.schedule.due_ns)

    async def _acquire(self, polled: PolledDevice) -> None:
        """Read what is due of one device and emit it as one batch.

        A request that fails often is asked last, so that it never hides the others: silence counts against the whole
        device only where nothing of it answers.
        """
        acquisition = Acquisition(polled.device.plan, self._clock)
        for asked in sorted(polled.schedule.take(acquisition.begun_ns), key=lambda asked: asked.failures):
            if asked.skip_until_ns > acquisition.begun_ns:
                continue
            try:
                reply = await self._link.read(asked.request, polled.device.timing)
            except DriverError as error:
                acquisition.failed(asked, error)
                self._outlet.failed(polled.device.name)
                if isinstance(error, LinkError) or (isinstance(error, NoReply) and not acquisition.answers):
                    break
            else:
                acquisition.answered(asked, reply)
        self._judge(polled, acquisition)
        self._emit(polled, acquisition)

    def _judge(self, polled: PolledDevice, acquisition: Acquisition) -> None:
        if acquisition.answers:
            polled.silences = 0
            polled.backoff.succeeded()
            for asked, error in acquisition.failures:
                self._judge_request(polled, acquisition, asked, error)
        elif acquisition.failures:
            self._judge_silence(polled, acquisition, acquisition.failures[0][1])

    def _judge_request(self, polled: PolledDevice, acquisition: Acquisition, asked: Asked, error: DriverError) -> None:
        """The device answers, this request does not: only its tags suffer, and it is asked less often."""
        if asked.failures < polled.device.timing.bad_after:
            return
        asked.skip_until_ns = acquisition.begun_ns + round(asked.backoff.failed() * 1e9)
        if not asked.is_bad:
            acquisition.mark_bad(asked, error.quality)

    def _judge_silence(self, polled: PolledDevice, acquisition: Acquisition, error: DriverError) -> None:
        """Nothing answered: after `bad_after` times all tags are BAD, and the device is asked less often."""
        polled.silences += 1
        if polled.silences < polled.device.timing.bad_after:
            return
        polled.schedule.delay(self._next_try_ns(polled))
        if polled.silences == polled.device.timing.bad_after:
            for asked in polled.asked:
                acquisition.mark_bad(asked, error.quality)

    def _next_try_ns(self, polled: PolledDevice) -> int:
        """With the link when the link is at fault, so that both patiences do not add up."""
        if self._link.is_left_alone:
            return round(self._link.next_try_s * 1e9)
        return self._clock.now().monotonic + round(polled.backoff.failed() * 1e9)

    def _emit(self, polled: PolledDevice, acquisition: Acquisition) -> None:
        batch = acquisition.batch
        if batch.is_empty:
            return
        polled.health.saw(batch, acquisition.reason)
        self._outlet.emit(batch)
