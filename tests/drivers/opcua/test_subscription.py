"""What is asked of the server, and what is made of its answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from asyncua import ua
from asyncua.ua.uaerrors import BadTimeout

from drivers.opcua.causes import ServerError
from drivers.opcua.config import OpcuaConnection
from drivers.opcua.guard import Guard
from drivers.opcua.session import Session
from drivers.opcua.subscription import MAX_QUEUE, Item, Subscription, _terms, queue_size
from gateway.clock import SystemClock
from gateway.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from conftest import Press

pytestmark = pytest.mark.asyncio(loop_scope="session")


def new_session(url: str, timeout_s: float) -> Session:
    """Not opened yet, without certificates."""
    device = {"tags": {"t": {"address": "i=2258"}}}
    written = {"version": 1, "driver": "opcua", "url": url, "insecure": True, "devices": {"press": device}}
    return Session(url, timeout_s, Guard(OpcuaConnection.model_validate(written), SystemClock()))


@pytest_asyncio.fixture(name="open_session", loop_scope="session")
async def make_session(press: Press) -> AsyncIterator[Session]:
    session = new_session(press.url, 5)
    await session.open()
    yield session
    await session.close()


@pytest.mark.parametrize(
    ("interval_s", "keep_alives", "lifetime"), [(0.5, 10, 120), (0.1, 50, 600), (5.0, 1, 12), (60.0, 1, 3)]
)
async def test_signs_of_life_are_asked_for_every_five_seconds_and_lives_are_short(
    interval_s: float, keep_alives: int, lifetime: int
) -> None:
    """A minute after its gateway lost power, the server may forget it; never sooner than three signs of life."""
    terms = _terms(interval_s)
    assert terms.RequestedPublishingInterval == interval_s * 1000
    assert terms.RequestedMaxKeepAliveCount == keep_alives
    assert terms.RequestedLifetimeCount == lifetime


@pytest.mark.parametrize(
    ("interval_s", "sampling_s", "samples"), [(0.5, 0.5, 21), (0.5, 0.1, 101), (60, 1, 121), (0.5, 0.0001, MAX_QUEUE)]
)
async def test_the_server_is_asked_to_keep_ten_seconds_of_samples(
    interval_s: float, sampling_s: float, samples: int
) -> None:
    """And at least two publishing intervals, within bounds."""
    assert queue_size(interval_s, sampling_s) == samples


async def test_the_server_decides_and_its_promise_is_what_counts(
    press: Press, open_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Revised values, not those asked for."""
    monkeypatch.setattr(press.server.iserver, "max_keep_alive_count", 4)
    subscription = await Subscription.create(open_session, 0.1, SystemClock())
    assert subscription.interval_s == pytest.approx(0.1)
    assert subscription.keep_alive_s == pytest.approx(0.4)


async def test_what_is_not_received_is_not_acknowledged_and_what_is_is(
    press: Press, open_session: Session, settled: Callable[..., Any]
) -> None:
    """The server forgets a notification only after its receipt."""
    subscription = await Subscription.create(open_session, 0.05, SystemClock())
    received: list[int] = []
    subscription.sink = lambda message: received.append(int(message.SequenceNumber))
    await subscription.add([Item(subscription.next_handle(), press.node("Strokes"), 0.05)])
    for number in range(3):
        await press.set("Strokes", number)
        await settled(lambda enough=number: len(received) > enough)

    ours = press.subscriptions[-1]
    await settled(lambda: not ours._not_acknowledged_results)
    assert received == sorted(set(received))


async def test_items_are_made_and_removed_in_parts(press: Press, open_session: Session) -> None:
    """More than one request's worth, one result each, good or not."""
    subscription = await Subscription.create(open_session, 0.05, SystemClock())
    nodes = [press.node("Strokes"), press.node("Nope")] * 120

    results = await subscription.add([Item(subscription.next_handle(), node, 1) for node in nodes])

    assert [result.StatusCode.is_good() for result in results] == [True, False] * 120
    assert len(subscription.items()) == 120
    await subscription.remove(subscription.items())
    assert subscription.items() == []
    assert press.subscriptions[-1].monitored_item_srv._monitored_items == {}


async def test_no_two_items_share_a_handle(open_session: Session) -> None:
    """Not even one of now with one of before."""
    subscription = await Subscription.create(open_session, 0.05, SystemClock())
    assert len({subscription.next_handle() for _ in range(1000)}) == 1000


async def test_a_change_of_items_that_was_cut_short_is_remembered(
    press: Press, open_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows then what the server made of it."""
    subscription = await Subscription.create(open_session, 0.05, SystemClock())

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(open_session, "call", never)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await subscription.add([Item(1, press.node("Strokes"), 1)])
    assert not subscription.is_settled


async def test_an_answer_with_too_few_results_is_the_servers_fault(
    press: Press, open_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values must not slip to other tags."""
    subscription = await Subscription.create(open_session, 0.05, SystemClock())

    async def short(*_: object) -> ua.CreateMonitoredItemsResponse:
        return ua.CreateMonitoredItemsResponse()

    monkeypatch.setattr(open_session, "call", short)
    with pytest.raises(ServerError, match="0 results for 1 items"):
        await subscription.add([Item(1, press.node("Strokes"), 1)])


async def test_a_request_that_the_server_hands_back_is_sent_again(press: Press) -> None:
    """BadTimeout of a waiting request is no fault, and no sign of life; another subscription's is none either."""
    clock = ManualClock()
    answers: list[Any] = [BadTimeout(), ua.PublishResult(SubscriptionId=8), ua.PublishResult(SubscriptionId=7)]
    heard: list[float] = []

    class Server:
        async def call(self, *_: object, **__: object) -> ua.PublishResponse:
            clock.advance(1)
            heard.append(subscription.heard_at)
            if not answers:
                raise ServerError("enough")
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return ua.PublishResponse(Parameters=answer)

    agreed = ua.CreateSubscriptionResult(SubscriptionId=7, RevisedPublishingInterval=500, RevisedMaxKeepAliveCount=10)
    subscription = Subscription(Server(), agreed, clock)  # type: ignore[arg-type]  # a stand-in for the server
    with pytest.raises(ServerError, match="enough"):
        await subscription._publish()

    assert heard == [1.0, 1.0, 1.0, 4.0]
