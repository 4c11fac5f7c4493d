from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from gateway.publish.endings import SessionEnd, SessionLost, SessionRefused, TakenOver
from gateway.publish.failover import MOST_RETURN_AFTER_S, Failover
from gateway.publish.settings import BrokerSettings
from tests.gateway.publish.scripted_broker import ScriptedBroker

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from gateway.testing import ManualClock
    from tests.gateway.publish.conftest import Desk

    Publishing = Callable[..., AbstractAsyncContextManager[Desk]]

LOST = SessionLost("gone")
SOON_S = (0.0, 1.0)


@pytest.fixture
def brokers(clock: ManualClock) -> Failover:
    """Three brokers; nobody listens at any of them."""
    return Failover([BrokerSettings(name, 1, "gw-1") for name in "abc"], clock)


def served(brokers: Failover, clock: ManualClock, seconds: float, end: SessionEnd = LOST) -> tuple[float, float]:
    """A session of so many seconds with the current broker."""
    brokers.began()
    clock.advance(seconds)
    return brokers.ended(end)


def test_what_fails_is_followed_by_the_next_at_once(brokers: Failover) -> None:
    """The next one within a second; after the last comes the first, with the pause that the failure asks for."""
    tried, pauses_s = [], []
    for _ in range(4):
        tried.append(brokers.current.host)
        pauses_s.append(brokers.ended(SessionRefused("no")))
    assert tried == ["a", "b", "c", "a"]
    assert pauses_s == [SOON_S, SOON_S, (10.0, 60.0), SOON_S]


def test_one_broker_alone_keeps_the_pauses(clock: ManualClock) -> None:
    """Without a list nothing changes: lost is 0 to 10 s, refused 10 to 60 s."""
    alone = Failover([BrokerSettings("a", 1, "gw-1")], clock)
    assert alone.ended(LOST) == (0.0, 10.0)
    assert alone.ended(SessionRefused("no")) == (10.0, 60.0)
    assert alone.current.host == "a"


def test_a_session_that_held_begins_the_list_anew(brokers: Failover, clock: ManualClock) -> None:
    """A broker that restarts is tried first again, whichever it was."""
    assert served(brokers, clock, 61) == (0.0, 10.0)
    assert brokers.current.host == "a"
    brokers.ended(LOST)
    served(brokers, clock, 61)
    assert brokers.current.host == "a"


def test_a_broker_that_drops_every_session_does_not_hold_up_the_others(brokers: Failover, clock: ManualClock) -> None:
    """A session of seconds is a failure."""
    assert served(brokers, clock, 5) == SOON_S
    assert brokers.current.host == "b"


def test_a_stolen_client_id_waits_its_minute_at_every_broker(brokers: Failover) -> None:
    """Two gateways with one id would otherwise chase each other around the list."""
    assert brokers.ended(TakenOver("twice")) == (60.0, 60.0)


async def test_home_is_looked_for_after_ten_minutes(clock: ManualClock, free_port: int) -> None:
    """Not sooner, and only if it takes a connection; else again after the same wait."""
    brokers = Failover([BrokerSettings("127.0.0.1", port, "gw-1") for port in (free_port, 1)], clock)
    brokers.ended(LOST)
    brokers.began()
    clock.advance(600)
    assert await brokers.better() is None, "nobody listens there"
    with socket.create_server(("127.0.0.1", free_port)):
        clock.advance(599)
        assert await brokers.better() is None, "the next look is ten minutes later"
        clock.advance(1)
        better = await brokers.better()
        assert better is not None
        assert better.port == free_port


async def test_a_home_that_does_not_hold_is_looked_for_less_and_less(clock: ManualClock) -> None:
    """Each vain return doubles the wait, to four hours at most; an hour at home forgets it."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as home:
        home_port = home.getsockname()[1]
        brokers = Failover([BrokerSettings("127.0.0.1", port, "gw-1") for port in (home_port, 1)], clock)
        waits = []
        brokers.ended(LOST)
        for _ in range(7):
            brokers.began()
            waited = 0.0
            while (better := await brokers.better()) is None:
                clock.advance(300)
                waited += 300
            waits.append(waited)
            brokers.go_to(better)
            served(brokers, clock, 3)
        assert waits[:5] == [600, 1200, 2400, 4800, 9600]
        assert waits[-1] == MOST_RETURN_AFTER_S
        brokers.go_to(better)
        served(brokers, clock, 3601)
        brokers.ended(LOST)
        brokers.began()
        clock.advance(600)
        assert await brokers.better() is not None


async def test_the_second_broker_serves_while_the_first_is_away(
    publishing: Publishing, clock: ManualClock, free_port: int
) -> None:
    """All arrives there; the state says that it is not the preferred one."""
    async with ScriptedBroker() as second, publishing(free_port, second.port) as desk:
        desk.put("press-12", 20)
        await desk.until(lambda: desk.outbox.is_done)
        state = desk.publisher.state
        assert (state.broker, state.is_preferred) == (f"127.0.0.1:{second.port}", False)


async def test_the_session_goes_home_in_good_order(publishing: Publishing, clock: ManualClock) -> None:
    """What is under way arrives first, the lesser broker is told offline and why, and nothing comes twice."""
    async with ScriptedBroker() as first, ScriptedBroker() as second:
        await first.stop()
        async with publishing(first.port, second.port, keepalive_s=3600) as desk:
            desk.put("press-12", 20)
            await desk.until(lambda: desk.outbox.is_done)
            await first.restart()
            clock.advance(600)
            await desk.until(lambda: first.connects and desk.publisher.state.connected)
            desk.put("press-12", 5)
            await desk.until(lambda: desk.outbox.is_done)
            assert second.goodbyes == [0]
            assert b'"state":"offline"' in second.published[-1].payload
            assert f"moved to 127.0.0.1:{first.port}".encode() in second.published[-1].payload
            both = [publish.payload for publish in (*second.published, *first.published)]
            data = [payload for payload in both if b"press-12" in payload]
            assert len(data) == len(set(data)) == 25
            assert desk.publisher.state.is_preferred
