from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.publish.window import Window
from gateway.testing import ManualClock


def link(window: Window, clock: ManualClock, size: int, bytes_per_s: float, messages: int) -> int:
    """Carry messages over a link of a known speed; gives the most bytes that were under way."""
    under_way, most = 0, 0
    for _ in range(messages):
        while window.has_room:
            window.sent(size)
            under_way += 1
        most = max(most, under_way * size)
        clock.advance(size / bytes_per_s)
        window.acknowledged(size)
        under_way -= 1
    for _ in range(under_way):
        clock.advance(size / bytes_per_s)
        window.acknowledged(size)
    return most


@pytest.mark.parametrize("messages", [1, 2, 16])
def test_no_more_messages_are_under_way_than_allowed(clock: ManualClock, messages: int) -> None:
    """The window is the most that can arrive twice."""
    window = Window(messages, clock)
    for _ in range(messages):
        assert window.has_room
        window.sent(1000)
    assert not window.has_room
    window.acknowledged(1000)
    assert window.has_room


def test_a_slow_link_has_less_under_way(clock: ManualClock) -> None:
    """At 2 kB/s no more than five seconds' worth, 10 kB and a message, waits in the buffers of modems."""
    window = Window(16, clock)
    link(window, clock, 4000, 2000, 10)
    assert link(window, clock, 4000, 2000, 10) <= 14_000


def test_a_fast_link_has_the_whole_window_under_way(clock: ManualClock) -> None:
    """Bytes do not count where they arrive at once."""
    window = Window(16, clock)
    assert link(window, clock, 4000, 10e6, 100) == 16 * 4000


def test_a_link_that_became_fast_is_noticed(clock: ManualClock) -> None:
    """Old measurements fade: after a slow hour the window opens again within a minute of traffic."""
    window = Window(16, clock)
    link(window, clock, 4000, 1000, 900)
    link(window, clock, 4000, 1e6, 3000)
    assert link(window, clock, 4000, 1e6, 100) == 16 * 4000


def test_idle_time_does_not_make_a_link_look_slow(clock: ManualClock) -> None:
    """One message a minute over a fast link is not a throughput of a message a minute."""
    window = Window(16, clock)
    for _ in range(10):
        link(window, clock, 1000, 1e6, 1)
        clock.advance(60)
    assert link(window, clock, 1000, 1e6, 50) == 16_000


@given(st.lists(st.tuples(st.integers(1, 10**6), st.floats(0, 100)), max_size=50), st.integers(1, 20))
def test_one_message_may_always_be_under_way(steps: list[tuple[int, float]], messages: int) -> None:
    """Whatever was measured, an idle link takes a message of any size: nothing can get stuck."""
    clock = ManualClock()
    window = Window(messages, clock)
    for size, pause_s in steps:
        assert window.has_room
        window.sent(size)
        clock.advance(pause_s)
        window.acknowledged(size)
    assert window.under_way == 0
    assert window.has_room
