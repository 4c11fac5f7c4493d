from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.publish.endings import SessionEnd, SessionLost, TakenOver
from gateway.publish.settings import BrokerSettings
from gateway.publish.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.gateway.publish.conftest import Desk
    from tests.gateway.publish.scripted_broker import ScriptedBroker

    Publishing = Callable[..., AbstractAsyncContextManager[Desk]]

SETTINGS = BrokerSettings("broker", 1883, "gw-1")
CLOSED = SessionLost("hung up", is_silent_close=True)
BROKEN = SessionLost("reset")


def kinds(*ends: tuple[SessionEnd, float]) -> list[type[SessionEnd]]:
    turns = Turns()
    return [type(turns.judged(end, lasted_s, SETTINGS)) for end, lasted_s in ends]


def test_three_short_sessions_that_the_broker_closed_are_a_take_over() -> None:
    """From then on each one is, until a session holds for a minute."""
    assert kinds(*[(CLOSED, 3)] * 4, (CLOSED, 61), (CLOSED, 3), (CLOSED, 3)) == [
        *[SessionLost] * 2,
        *[TakenOver] * 2,
        *[SessionLost] * 2,
        TakenOver,
    ]


def test_a_link_that_breaks_is_no_take_over() -> None:
    """However often; it neither counts nor clears."""
    assert kinds(*[(BROKEN, 1)] * 9) == [SessionLost] * 9
    assert kinds((CLOSED, 1), (BROKEN, 1), (CLOSED, 1), (BROKEN, 1), (CLOSED, 1))[-1] is TakenOver


def test_the_text_says_what_to_look_for() -> None:
    """Nothing came from the broker, so it is said as what is most likely."""
    turns = Turns()
    for _ in range(3):
        end = turns.judged(CLOSED, 1, SETTINGS)
    assert str(end).startswith("broker broker:1883 hung up 3 times soon after the session began; most likely")
    assert "another client with the id 'gw-1'" in str(end)


async def test_a_broker_that_hangs_up_politely_again_and_again_is_given_a_minute(
    broker: ScriptedBroker, publishing: Publishing
) -> None:
    """Closed in good order, unlike a reset, as the kernel knows it."""
    async with publishing(broker.port) as desk:
        for number in range(1, 5):
            await desk.until(lambda number=number: desk.publisher.state.acknowledged >= number)
            for peer in tuple(broker._peers):
                peer.say_goodbye(None)
            await desk.until(lambda number=number: len(desk.pauses.drawn) == number)
        assert desk.pauses.drawn == [(0, 10), (0, 10), (60, 60), (60, 60)]
