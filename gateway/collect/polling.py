"""One polled connection: its devices read in their slots, one request at a time, each failure told, none contagious."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

from gateway.collect.acquisition import Acquisition, Asked, PolledDevice
from gateway.collect.health import DeviceHealth
from gateway.collect.isolation import Isolation
from gateway.collect.learned import Learned
from gateway.collect.link import Link
from gateway.collect.probes import SHARE
from gateway.collect.refusing import Refusing
from gateway.collect.silent import SilentDevices
from gateway.driver import DeviceRefused, DriverError, IsolatingDriver, LinkError, NoReply, ParallelDriver

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.clock import Clock
    from gateway.collect.outlet import Outlet
    from gateway.driver import Device, DeviceTiming, PollingDriver, Request
    from gateway.model import Stamp


_TIMER_STEP_S = 0.0015
"""uvloop counts in whole milliseconds and rounds: a timer may fire that much too early, to be set again and again."""


_ROUNDS_UNTIL_OTHERS = 16
"""A driver that answers without waiting for anything must not keep the loop from everybody else."""


class PollingConnection:
    """Runs one polling driver. `apply` changes devices while it runs; an unchanged one keeps its slots and counts."""

    def __init__(
        self,
        driver: PollingDriver,
        devices: Sequence[Device],
        clock: Clock,
        outlet: Outlet,
        learned: Learned | None = None,
    ) -> None:
        self._driver = driver
        self._learned = learned or Learned()
        self._clock = clock
        self._outlet = outlet
        self._link = Link(driver, clock)
        self._refusing = Refusing(self._link, clock)
        self._silent = SilentDevices()
        self._parallel = driver.parallel if isinstance(driver, ParallelDriver) else 1
        self._polled: dict[str, PolledDevice] = {}
        self._alarm: asyncio.Future[None] | None = None
        self.apply(devices)

    def apply(self, devices: Sequence[Device]) -> None:
        """Poll these devices from now on, without touching the link."""
        requests = self._driver.requests(devices)
        self._polled = {device.name: self._keep_or_make(device, requests) for device in devices}
        self._ring()

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            for number in count():
                now = self._clock.now()
                due = self._due(now.monotonic)
                if not due:
                    await self._wait_until_due(now.monotonic)
                elif number % _ROUNDS_UNTIL_OTHERS == 0:
                    await asyncio.sleep(0)
                for polled in due:
                    if not polled.is_silent or self._silent.admits(polled, self._polled.values(), now.monotonic):
                        await self._acquire(polled, now)
                        now = self._clock.now() if len(due) > 1 else now
        finally:
            await self._link.close()

    @property
    def overruns(self) -> int:
        """Readings that were left out since the link was busy; a device that was exchanged begins at 0."""
        return sum(polled.schedule.overruns for polled in self._polled.values())

    def late_s(self) -> float:
        """How long the device that waits longest has been due, s; what a watchdog looks at."""
        earliest = min((polled.schedule.due_ns for polled in self._polled.values()), default=None)
        return 0.0 if earliest is None else (self._clock.now().monotonic - earliest) / 1e9

    def _keep_or_make(self, device: Device, requests: Iterable[Request]) -> PolledDevice:
        known = self._polled.get(device.name)
        if known is not None and known.device == device:
            return known
        health = DeviceHealth(device.plan, self._outlet.report)
        if isinstance(self._driver, IsolatingDriver):
            isolation = Isolation(device, self._driver, self._learned)
            return PolledDevice(device, isolation.requests(), health, self._clock, isolation)
        own = [request for request in requests if request.device == device.name]
        return PolledDevice(device, own, health, self._clock)

    async def _wait_until_due(self, now_ns: int) -> None:
        earliest_ns = min([polled.schedule.due_ns for polled in self._polled.values()])
        loop = asyncio.get_running_loop()
        self._alarm = loop.create_future()
        timer = loop.call_later((earliest_ns - now_ns) / 1e9 + _TIMER_STEP_S, self._ring)
        try:
            await self._alarm
        finally:
            timer.cancel()

    def _ring(self) -> None:
        """Wake up, for what is due or because something changed."""
        if self._alarm is not None and not self._alarm.done():
            self._alarm.set_result(None)

    def _due(self, now_ns: int) -> list[PolledDevice]:
        due = [polled for polled in self._polled.values() if polled.schedule.due_ns <= now_ns]
        if len(due) > 1:
            due.sort(key=lambda polled: (polled.is_silent, polled.schedule.due_ns))
        return due

    async def _acquire(self, polled: PolledDevice, now: Stamp) -> None:
        """Read what is due of one device and emit it as one batch.

        A request that fails often is asked last, so that it never hides the others: silence counts against the whole
        device only where nothing of it answers. A silent device is asked the smallest first, and once.
        """
        acquisition = Acquisition(polled.device.plan, self._clock, now)
        if polled.shut:
            polled.link_opened(self._link.openings)
        was_silent, timing = polled.is_silent, polled.patience
        due = polled.schedule.take(acquisition.begun_ns)
        if len(due) > 1:
            due.sort(key=_size if was_silent else _failures)
        if self._parallel > 1 and len(due) > 1 and not was_silent:
            several = min(self._parallel, len(due))
            await asyncio.gather(*(self._ask_all(polled, acquisition, due, timing) for _ in range(several)))
        else:
            await self._ask_all(polled, acquisition, due, timing)
        if was_silent:
            self._silent.asked(acquisition.begun_ns, self._clock.now().monotonic)
        self._judge(polled, acquisition)
        self._emit(polled, acquisition)
        if polled.isolation is not None and polled.isolation.concludes():
            polled.plan_anew(polled.isolation.requests())

    async def _ask_all(
        self, polled: PolledDevice, acquisition: Acquisition, due: list[Asked], timing: DeviceTiming
    ) -> None:
        """Ask one after the other, until nothing is left or there is no use in asking on."""
        while due and not acquisition.is_over:
            asked = due.pop(0)
            if asked.skip_until_ns > acquisition.begun_ns:
                continue
            read = self._link.read if asked.split is None else self._refusing.read
            try:
                reply = await read(asked.request, timing)
            except DeviceRefused as error:
                self._outlet.failed(polled.device.name)
                due[:0] = await self._refusing.refused(polled, acquisition, asked, error)
            except DriverError as error:
                self._failed(polled, acquisition, asked, error)
            else:
                acquisition.answered(asked, reply)
                if asked.is_watched:
                    await self._refusing.answered(polled, asked)

    def _failed(self, polled: PolledDevice, acquisition: Acquisition, asked: Asked, error: DriverError) -> None:
        """Ask no further where the link is at fault, where nothing of the device answers, or where it must rest."""
        before_ns = acquisition.batch.stamp.monotonic
        acquisition.failed(asked, error)
        asked.took_ns = acquisition.batch.stamp.monotonic - before_ns
        self._outlet.failed(polled.device.name)
        is_silence = isinstance(error, NoReply)
        acquisition.is_over = isinstance(error, LinkError) or (is_silence and not acquisition.answers)
        if isinstance(error, NoReply) and error.again_s:
            acquisition.is_over = True
            polled.leave_alone(error.again_s, self._clock.now().monotonic)

    def _judge(self, polled: PolledDevice, acquisition: Acquisition) -> None:
        if acquisition.answers:
            if polled.silences:
                polled.silences = 0
                polled.backoff.succeeded()
            for asked, error in acquisition.failures:
                self._judge_request(polled, acquisition, asked, error)
        elif acquisition.failures:
            self._judge_silence(polled, acquisition, acquisition.failures[0][1])

    def _judge_request(self, polled: PolledDevice, acquisition: Acquisition, asked: Asked, error: DriverError) -> None:
        """The device answers, this request does not: only its tags suffer, and it is asked less often.

        Waiting for it takes at most a tenth of the link's time.
        """
        if asked.failures < polled.device.timing.bad_after:
            return
        rest_ns = max(asked.backoff.failed() * 1e9, asked.took_ns / SHARE)
        asked.skip_until_ns = acquisition.begun_ns + round(rest_ns)
        if not asked.is_bad:
            acquisition.mark_bad(asked, error.quality)

    def _judge_silence(self, polled: PolledDevice, acquisition: Acquisition, error: DriverError) -> None:
        """Nothing answered: after `bad_after` times all tags are BAD, and the device is asked less often."""
        polled.silences += 1
        if polled.silences < polled.device.timing.bad_after:
            return
        polled.schedule.delay(max(self._next_try_ns(polled), polled.alone_until_ns))
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
        if not batch.whole and batch.is_empty:
            return
        polled.health.saw(batch, acquisition.reason)
        self._outlet.emit(batch)


def _failures(asked: Asked) -> int:
    return asked.failures


def _size(asked: Asked) -> tuple[bool, int]:
    """What reading changes comes last."""
    return asked.request.once, len(asked.request.positions)
