"""What is done when a device answers that it will not: isolate the points that it lacks, or ask it less.

- It lacks points: the request is halved until they stand alone; these are asked again now and then.
- It lacks points, perhaps: the same at the third time in a row if a smaller request is answered, else as for "not now".
- It lacks the table: no request of this table until the link is opened again. Where one was answered before, it is the
  points that it lacks.
- Not now: counted as a failure of this request, so that it is asked less often.

Halving takes at most a tenth of the link's time beside the readings that are due anyway, and goes on with the next of
these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.collect.isolation import FIRST_ASKED_AGAIN_NS, LAST_ASKED_AGAIN_NS
from gateway.collect.probes import ProbeBudget
from gateway.driver import DeviceRefused, DriverError, Refusal

if TYPE_CHECKING:
    from gateway.clock import Clock
    from gateway.collect.acquisition import Acquisition, Asked, PolledDevice
    from gateway.collect.isolation import Isolation
    from gateway.collect.link import Link
    from gateway.driver import DeviceTiming, Reply, Request

TIMES_BEFORE_HALVING: Final = 3
"""In a row, where the device does not say whether the points are at fault: most such faults pass."""


class Refusing:
    """Deals with the refusals on one link."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._budget = ProbeBudget(clock.now().monotonic)

    async def read(self, request: Request, timing: DeviceTiming) -> Reply:
        """Read a half; what it takes counts as probing.

        Raises:
            DriverError: as the link says it.
        """
        begun_ns = self._clock.now().monotonic
        try:
            return await self._link.read(request, timing)
        finally:
            self._budget.spend(self._clock.now().monotonic - begun_ns)

    async def refused(
        self, polled: PolledDevice, acquisition: Acquisition, asked: Asked, error: DeviceRefused
    ) -> list[Asked]:
        """Take note of a refusal; returns what to ask at once in the place of the request."""
        isolation = polled.isolation
        if isolation is None or asked.request.span is None:
            acquisition.failed(asked, error)
        elif error.refusal is Refusal.TABLE and not _has_answered(polled, asked.request.span.table):
            self._shut_table(polled, acquisition, asked.request.span.table, error)
        elif await self._lacks_points(polled, isolation, asked, error):
            return self._parted(polled, isolation, acquisition, asked, error)
        else:
            acquisition.failed(asked, error)
        return []

    async def answered(self, polled: PolledDevice, asked: Asked) -> None:
        """Take note that a half was answered, or points that had been refused before."""
        isolation = polled.isolation
        whole = None if isolation is None else isolation.answered(asked)
        if isolation is None or whole is None:
            return
        try:
            await self.read(whole, polled.device.timing)
        except DeviceRefused:
            isolation.refused_whole(whole)
        except DriverError:
            return  # the next reading of the whole tells

    async def _lacks_points(
        self, polled: PolledDevice, isolation: Isolation, asked: Asked, error: DeviceRefused
    ) -> bool:
        """Whether it is the points that the device refuses; of a half that is known already."""
        if error.refusal is Refusal.FOR_NOW:
            return False
        if error.refusal is not Refusal.PERHAPS_POINTS or asked.split is not None or asked.stands_alone:
            return True
        if asked.failures + 1 < TIMES_BEFORE_HALVING or not self._budget.allows(self._clock.now().monotonic):
            return False
        return await self._smaller_is_answered(polled, isolation, asked.request)

    async def _smaller_is_answered(self, polled: PolledDevice, isolation: Isolation, request: Request) -> bool:
        """Both halves, then those of the first one, and so on: one answer, and the device itself is well."""
        halves = isolation.smaller(request)
        while halves:
            for half in halves:
                try:
                    await self.read(half, polled.device.timing)
                except DeviceRefused:
                    continue
                except DriverError:
                    return False
                return True
            halves = isolation.smaller(halves[0])
        return False

    def _parted(
        self, polled: PolledDevice, isolation: Isolation, acquisition: Acquisition, asked: Asked, error: DeviceRefused
    ) -> list[Asked]:
        parts = [] if asked.stands_alone else isolation.parts(asked)
        if not parts:
            isolation.alone(asked, error)
            self._shut(polled, acquisition, asked, error, acquisition.begun_ns + _rest_ns(asked))
            return []
        polled.part(asked, parts)
        return parts if self._budget.allows(self._clock.now().monotonic) else []

    def _shut_table(self, polled: PolledDevice, acquisition: Acquisition, table: str, error: DeviceRefused) -> None:
        for asked in polled.asked:
            if asked.request.span is not None and asked.request.span.table == table:
                self._shut(polled, acquisition, asked, error)

    def _shut(
        self,
        polled: PolledDevice,
        acquisition: Acquisition,
        asked: Asked,
        error: DeviceRefused,
        until_ns: float = float("inf"),
    ) -> None:
        polled.shut_until_opened(asked, self._link.openings, until_ns)
        acquisition.refused(asked, error)


def _rest_ns(asked: Asked) -> int:
    """How long points that stand alone are not asked, by how often they were refused before."""
    return min(FIRST_ASKED_AGAIN_NS << min(asked.failures, 6), LAST_ASKED_AGAIN_NS)


def _has_answered(polled: PolledDevice, table: str) -> bool:
    return any(
        asked.has_answered
        for asked in polled.asked
        if asked.request.span is not None and asked.request.span.table == table
    )
