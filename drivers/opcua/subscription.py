"""One subscription with its publish loop, kept as long as its session."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.uaerrors import BadTimeout

from drivers.opcua.causes import ServerError
from drivers.opcua.client import SESSION_TIMEOUT_S
from drivers.opcua.session import NODES_A_REQUEST, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.clock import Clock

KEEP_ALIVE_S: Final = 5.0
"""Asked of the server: the longest time without a sign of life."""

QUEUE_S: Final = 10.0
"""A server keeps the samples of this long for a gateway that does not ask, such as while a link stutters."""

NOTIFICATIONS_A_MESSAGE: Final = 5000
"""Bounds one answer to some 200 kB."""

MAX_QUEUE: Final = 10_000
"""Samples of one tag."""


@dataclass(frozen=True, slots=True)
class Item:
    """One node to be told of."""

    handle: int
    """Stands in the notifications; unlike any other of this subscription."""
    node: ua.NodeId
    sampling_s: float


class Subscription:
    """Asks the server again and again for what has changed, one request at a time.

    So nothing piles up here: what is not asked for waits in the server's queues, which are bounded.
    """

    def __init__(self, session: Session, agreed: ua.CreateSubscriptionResult, clock: Clock) -> None:
        self.sink: Callable[[ua.NotificationMessage], None] | None = None
        """Is given what has changed; None drops it."""
        self.interval_s = agreed.RevisedPublishingInterval / 1000
        self.keep_alive_s = self.interval_s * agreed.RevisedMaxKeepAliveCount
        """The server promises a sign of life this often."""
        self.heard_at = clock.monotonic_s()
        self.is_settled = True
        """False while, and after, a change of items was cut short: then nobody knows of what the server tells."""
        self._session = session
        self._id = agreed.SubscriptionId
        self._clock = clock
        self._handle = 0
        self._item_ids: set[int] = set()

    @classmethod
    async def create(cls, session: Session, interval_s: float, clock: Clock) -> Subscription:
        """Make the subscription and start asking. The server decides the interval and the signs of life.

        Raises:
            OSError, ua.UaError: as `Session.call`.
        """
        request = ua.CreateSubscriptionRequest()
        request.Parameters = _terms(interval_s)
        response = await session.call(request, ua.CreateSubscriptionResponse)
        subscription = cls(session, response.Parameters, clock)
        session.spawn(subscription._publish())
        return subscription

    def next_handle(self) -> int:
        """A handle that no item of this subscription had before."""
        self._handle += 1
        return self._handle

    def items(self) -> list[int]:
        """The server's ids of all items that it tells of."""
        return list(self._item_ids)

    async def add(self, items: Sequence[Item]) -> list[ua.MonitoredItemCreateResult]:
        """Ask to be told of these nodes; one result each. The present values follow by themselves.

        Raises:
            OSError, ua.UaError: as `Session.call`.
        """
        self.is_settled = False
        results: list[ua.MonitoredItemCreateResult] = []
        for first in range(0, len(items), NODES_A_REQUEST):
            results += await self._add_some(items[first : first + NODES_A_REQUEST])
        self._item_ids |= {result.MonitoredItemId for result in results if result.StatusCode.is_good()}
        self.is_settled = True
        return results

    async def remove(self, item_ids: Sequence[int]) -> None:
        """Be told of these no more. Ids that the server does not know are nothing to worry about.

        Raises:
            OSError, ua.UaError: as `Session.call`.
        """
        self.is_settled = False
        for first in range(0, len(item_ids), NODES_A_REQUEST):
            request = ua.DeleteMonitoredItemsRequest()
            request.Parameters.SubscriptionId = self._id
            request.Parameters.MonitoredItemIds = list(item_ids[first : first + NODES_A_REQUEST])
            await self._session.call(request, ua.DeleteMonitoredItemsResponse)
        self._item_ids -= set(item_ids)
        self.is_settled = True

    async def _add_some(self, items: Sequence[Item]) -> list[ua.MonitoredItemCreateResult]:
        request = ua.CreateMonitoredItemsRequest()
        request.Parameters.SubscriptionId = self._id
        request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
        request.Parameters.ItemsToCreate = [self._wish(item) for item in items]
        response = await self._session.call(request, ua.CreateMonitoredItemsResponse)
        if len(response.Results) != len(items):
            raise ServerError(f"the server answered {len(response.Results)} results for {len(items)} items.")
        return response.Results

    def _wish(self, item: Item) -> ua.MonitoredItemCreateRequest:
        parameters = ua.MonitoringParameters()
        parameters.ClientHandle = item.handle
        parameters.SamplingInterval = item.sampling_s * 1000
        parameters.QueueSize = queue_size(self.interval_s, item.sampling_s)
        parameters.DiscardOldest = True
        wish = ua.MonitoredItemCreateRequest()
        wish.ItemToMonitor = ua.ReadValueId(item.node, AttributeIds.Value)
        wish.MonitoringMode = ua.MonitoringMode.Reporting
        wish.RequestedParameters = parameters
        return wish

    async def _publish(self) -> None:
        request = ua.PublishRequest()
        while True:
            result = await self._publish_once(request)
            if result.SubscriptionId == self._id:
                self._hear(result.NotificationMessage)
            request = _acknowledgement(result)

    def _hear(self, message: ua.NotificationMessage) -> None:
        self.heard_at = self._clock.monotonic_s()
        if self.sink is not None and message.NotificationData:
            self.sink(message)

    async def _publish_once(self, request: ua.PublishRequest) -> ua.PublishResult:
        try:
            response = await self._session.call(request, ua.PublishResponse, timeout_s=0)
            result: ua.PublishResult = response.Parameters
        except BadTimeout:  # the server hands a request back that waited too long for it
            result = ua.PublishResult()
        return result


def queue_size(interval_s: float, sampling_s: float) -> int:
    """How many samples of a tag the server is asked to keep."""
    return min(MAX_QUEUE, 1 + ceil(max(QUEUE_S, 2 * interval_s) / sampling_s))


def _terms(interval_s: float) -> ua.CreateSubscriptionParameters:
    """Short lives: a subscription whose gateway has lost its power must not stay for long."""
    keep_alives = max(1, int(KEEP_ALIVE_S / interval_s))
    terms = ua.CreateSubscriptionParameters()
    terms.RequestedPublishingInterval = interval_s * 1000
    terms.RequestedMaxKeepAliveCount = keep_alives
    terms.RequestedLifetimeCount = max(3 * keep_alives, ceil(SESSION_TIMEOUT_S / interval_s))
    terms.MaxNotificationsPerPublish = NOTIFICATIONS_A_MESSAGE
    terms.PublishingEnabled = True
    return terms


def _acknowledgement(result: ua.PublishResult) -> ua.PublishRequest:
    """The next request; it tells the server that it may forget what has arrived. Signs of life need no receipt."""
    request = ua.PublishRequest()
    if result.NotificationMessage.NotificationData:
        receipt = ua.SubscriptionAcknowledgement(result.SubscriptionId, result.NotificationMessage.SequenceNumber)
        request.Parameters.SubscriptionAcknowledgements = [receipt]
    return request
