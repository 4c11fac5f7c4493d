"""One `listen`: nodes looked up, monitored items made, notifications turned into batches, until it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from asyncua import ua

from drivers.opcua.causes import ServerError
from drivers.opcua.convert import Reading, age_ns, reading_of
from drivers.opcua.feed import Feed
from drivers.opcua.point import Point, points_of
from drivers.opcua.status import name_of, quality_of, samples_lost
from drivers.opcua.subscription import Item
from drivers.opcua.watchdog import CHECK_S, Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from drivers.opcua.session import Session
    from drivers.opcua.subscription import Subscription
    from gateway.clock import Clock
    from gateway.driver import Device
    from gateway.model import Batch, Stamp

FIRST_RETRY_S: Final = 5.0
"""After this, nodes are looked for again that the server did not have: a starting server grows them one by one."""

LAST_RETRY_S: Final = 60.0
"""Each further look waits twice as long, up to this: a program download can bring a node back at any time."""

_log = structlog.get_logger()


class Listening:
    """The tags of one set of devices, at one session."""

    def __init__(
        self,
        session: Session,
        subscription: Subscription,
        devices: Sequence[Device],
        emit: Callable[[Batch], None],
        clock: Clock,
    ) -> None:
        self._session = session
        self._subscription = subscription
        self._clock = clock
        self._watchdog = Watchdog(session, subscription, clock)
        self._feeds = [Feed(device.plan, emit) for device in devices]
        self._points = [point for feed in self._feeds for point in points_of(feed)]
        self._by_handle: dict[int, Point] = {}
        self._samples_lost = 0
        self._retry_s = FIRST_RETRY_S
        self._retry_at = clock.monotonic_s() + self._retry_s

    async def run(self) -> None:
        """Emit batches until something ends it.

        Raises:
            OSError, ua.UaError: the session is lost.
        """
        outdated = self._subscription.items()
        self._subscription.sink = self._take
        try:
            await self._watch(self._points)
            await self._subscription.remove(outdated)
            await self._session.fault_within(2 * self._subscription.interval_s + 1)
            await self._read_silent()
            await self._stay()
        finally:
            self._subscription.sink = None

    async def _stay(self) -> None:
        while True:
            await self._session.fault_within(CHECK_S)
            await self._watchdog.check()
            await self._retry()
            self._report_lost_samples()

    async def _watch(self, points: Iterable[Point]) -> None:
        """Find the nodes of these tags by the server's namespaces of now, and ask to be told of them."""
        namespaces = await self._session.namespaces()
        known = [point for point in points if self._locate(point, namespaces)]
        results = await self._subscription.add([self._item(point) for point in known])
        for point, result in zip(known, results, strict=True):
            self._agree(point, result)
        self._flush(self._clock.now())

    def _locate(self, point: Point, namespaces: Sequence[str]) -> bool:
        unknown = point.locate(namespaces)
        if unknown is not None:
            point.refuse(unknown, self._clock.now().monotonic)
        return unknown is None

    def _item(self, point: Point) -> Item:
        """Noted before the request is sent, since a notification can overtake its answer."""
        assert point.node is not None
        point.handle = self._subscription.next_handle()
        self._by_handle[point.handle] = point
        return Item(point.handle, point.node, point.tag.period_s)

    def _agree(self, point: Point, result: ua.MonitoredItemCreateResult) -> None:
        if result.StatusCode.is_good():
            point.item_id = result.MonitoredItemId
            return
        code = result.StatusCode.value
        point.refuse(Reading(None, quality_of(code), name_of(code)), self._clock.now().monotonic)

    async def _read_silent(self) -> None:
        """Read the tags whose present value the server did not send by itself."""
        silent = {point: point.node for point in self._points if point.is_silent and point.node is not None}
        values = await self._session.read(list(silent.values()))
        stamp = self._clock.now()
        for point, value in zip(silent, values, strict=True):
            if point.is_silent:
                point.put(reading_of(value, point.tag.type), stamp.monotonic)
        self._flush(stamp)

    async def _retry(self) -> None:
        """Look again for nodes that were not there, or are there no longer."""
        if self._clock.monotonic_s() < self._retry_at:
            return
        self._retry_s = min(2 * self._retry_s, LAST_RETRY_S)
        self._retry_at = self._clock.monotonic_s() + self._retry_s
        again = [point for point in self._points if point.must_be_watched_anew]
        if again:
            await self._subscription.remove([self._forget(point) for point in again if point.item_id is not None])
            await self._watch(again)

    def _forget(self, point: Point) -> int:
        """Let go of the monitored item of a node that went; the server's id of it."""
        assert point.item_id is not None
        assert point.handle is not None
        item_id, point.item_id = point.item_id, None
        del self._by_handle[point.handle]
        return item_id

    def _take(self, message: ua.NotificationMessage) -> None:
        """What one publish response brought: one batch a device, more only where a tag changed more than once."""
        stamp = self._clock.now()
        for data in message.NotificationData:
            if isinstance(data, ua.DataChangeNotification):
                self._take_changes(data.MonitoredItems, message.PublishTime, stamp)
            elif isinstance(data, ua.StatusChangeNotification):
                raise ServerError(f"the server has ended the subscription with {name_of(data.Status.value)}.")
        self._flush(stamp)

    def _take_changes(self, changes: Iterable[ua.MonitoredItemNotification], published: datetime, stamp: Stamp) -> None:
        for change in changes:
            point = self._by_handle.get(change.ClientHandle)
            if point is None:
                continue
            age = age_ns(change.Value, published, 2 * (self._subscription.interval_s + point.tag.period_s))
            point.put(reading_of(change.Value, point.tag.type), stamp.monotonic - age)
            if change.Value.StatusCode is not None and samples_lost(change.Value.StatusCode.value):
                self._samples_lost += 1

    def _flush(self, stamp: Stamp) -> None:
        for feed in self._feeds:
            feed.flush(stamp)

    def _report_lost_samples(self) -> None:
        if self._samples_lost:
            _log.warning(
                "server lost samples",
                url=self._session.url,
                times=self._samples_lost,
                look_at="a longer period_s of its tags, or a shorter publishing_interval_ms",
            )
            self._samples_lost = 0
