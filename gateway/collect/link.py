"""The link of one polled connection: opened when it is needed, left alone while it fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.clock.limit import TimeLimit
from gateway.collect.backoff import Backoff
from gateway.collect.boundary import OPEN_LIMIT_S, defect, guarded
from gateway.driver import DriverError, LinkError, NoReply

if TYPE_CHECKING:
    from gateway.clock import Clock
    from gateway.driver import DeviceTiming, PollingDriver, Reply, Request

_HUNG_AFTER_TIMEOUTS = 5.0
_HUNG_MARGIN_S = 10.0
"""A driver may ask several times for one reading, and a slow serial line takes seconds for one answer."""


class Link:
    """Owns opening, closing and the patience with one driver."""

    def __init__(self, driver: PollingDriver, clock: Clock) -> None:
        self._driver = driver
        self._clock = clock
        self._backoff = Backoff()
        self._limits: list[TimeLimit] = []
        """Those not in use: as many as there were requests at a time."""
        self._opening = asyncio.Lock()
        self._is_open = False
        self._closed_because: LinkError | None = None
        self.next_try_s = 0.0
        """While the link is closed for a fault: when it is opened next, on the monotonic clock."""
        self.openings = 0
        """How often it was opened."""

    @property
    def is_left_alone(self) -> bool:
        """Whether the link is closed for a fault and waits to be tried again."""
        return not self._is_open and self._clock.monotonic_s() < self.next_try_s

    async def read(self, request: Request, timing: DeviceTiming) -> Reply:
        """One reading, tried again `timing.retries` times where the device keeps silent and reading changes nothing.

        Where it has to be left alone after a silence, it is not tried again here.

        Raises:
            DriverError: as the driver says it; LinkError at once while the link is left alone.
        """
        silence: NoReply | None = None
        left = 1 if request.once else 1 + timing.retries
        while left:
            left -= 1
            opening = 0
            try:
                if not self._is_open:
                    await self._ensure_open()
                opening = self.openings
                return await self._read_once(request, timing)
            except NoReply as error:
                silence = error
                if error.again_s:
                    break
            except LinkError as error:
                if not opening or (self._is_open and opening == self.openings):
                    await self._lost(error)
                raise silence or error from error
        assert silence is not None
        raise silence

    async def close(self) -> None:
        """Close the link; it opens again when something is read."""
        self._is_open = False
        await self._driver.close()

    async def _ensure_open(self) -> None:
        async with self._opening:
            await self._open()

    async def _open(self) -> None:
        """Open, unless another request has done so meanwhile."""
        if self._is_open:
            return
        if self._closed_because is not None and self.is_left_alone:
            raise self._closed_because
        await guarded(self._driver.open(), OPEN_LIMIT_S, "opening")
        self._is_open = True
        self.openings += 1

    async def _read_once(self, request: Request, timing: DeviceTiming) -> Reply:
        limit_s = timing.timeout_s * _HUNG_AFTER_TIMEOUTS + _HUNG_MARGIN_S
        limit = self._limits.pop() if self._limits else TimeLimit()
        try:
            with limit.of(limit_s):
                reply = await self._driver.read(request)
        except (NoReply, LinkError):
            raise
        except DriverError:
            self._answered()
            raise
        except Exception as error:
            raise defect(error, f"reading {request.device}") from error
        finally:
            self._limits.append(limit)
        self._answered()
        return reply

    def _answered(self) -> None:
        self._backoff.succeeded()
        self._closed_because = None

    async def _lost(self, error: LinkError) -> None:
        if error is self._closed_because:
            return
        self._closed_because = error
        self.next_try_s = self._clock.monotonic_s() + self._backoff.failed()
        await self.close()
