"""The link of one polled connection: opened when it is needed, left alone while it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.collect.backoff import Backoff
from gateway.collect.boundary import OPEN_LIMIT_S, guarded
from gateway.driver import DriverError, LinkError, NoReply

if TYPE_CHECKING:
    from gateway.clock import Clock
    from gateway.driver import DeviceTiming, PollingDriver, Reply, Request

_HUNG_AFTER_TIMEOUTS = 3.0
_HUNG_MARGIN_S = 2.0


class Link:
    """Owns opening, closing and the patience with one driver; one request at a time."""

    def __init__(self, driver: PollingDriver, clock: Clock) -> None:
        self._driver = driver
        self._clock = clock
        self._backoff = Backoff()
        self._is_open = False
        self._closed_because: LinkError | None = None
        self.next_try_s = 0.0
        """While the link is closed for a fault: when it is opened next, on the monotonic clock."""

    @property
    def is_left_alone(self) -> bool:
        """Whether the link is closed for a fault and waits to be tried again."""
        return not self._is_open and self._clock.monotonic_s() < self.next_try_s

    async def read(self, request: Request, timing: DeviceTiming) -> Reply:
        """One reading, tried again `timing.retries` times where the device keeps silent.

        Raises:
            DriverError: as the driver says it; LinkError at once while the link is left alone.
        """
        silence: NoReply | None = None
        for _ in range(1 + timing.retries):
            try:
                await self._ensure_open()
                return await self._read_once(request, timing)
            except NoReply as error:
                silence = error
            except LinkError as error:
                await self._lost(error)
                raise silence or error from error
        assert silence is not None
        raise silence

    async def close(self) -> None:
        """Close the link; it opens again when something is read."""
        self._is_open = False
        await self._driver.close()

    async def _ensure_open(self) -> None:
        if self._is_open:
            return
        if self._closed_because is not None and self.is_left_alone:
            raise self._closed_because
        await guarded(self._driver.open(), OPEN_LIMIT_S, "opening")
        self._is_open = True

    async def _read_once(self, request: Request, timing: DeviceTiming) -> Reply:
        limit_s = timing.timeout_s * _HUNG_AFTER_TIMEOUTS + _HUNG_MARGIN_S
        try:
            reply = await guarded(self._driver.read(request), limit_s, f"reading {request.device}")
        except (NoReply, LinkError):
            raise
        except DriverError:
            self._answered()
            raise
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
