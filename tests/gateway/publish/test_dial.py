from __future__ import annotations

import asyncio
import threading

import pytest

from gateway.publish.dial import Dialler, StillDialling


@pytest.fixture(autouse=True)
def _no_thread_of_another_test() -> None:
    """Threads of the tests before have ended."""
    for thread in threading.enumerate():
        if thread.name == "mqtt-dial":
            thread.join(20)


def nothing() -> None:
    """Neither connects nor abandons."""


async def until(condition: threading.Event) -> None:
    """Wait for a thread, with a deadline."""
    assert await asyncio.to_thread(condition.wait, 20)


async def test_the_call_runs_beside_the_loop() -> None:
    """Name look-up and TCP block; the polling goes on meanwhile."""
    threads: list[threading.Thread] = []
    await Dialler().dial(lambda: threads.append(threading.current_thread()), nothing, 20)
    assert threads[0] is not threading.main_thread()
    assert threads[0].daemon, "a look-up that hangs must not hold up the end of the process"


async def test_an_error_comes_out_where_it_is_awaited() -> None:
    """A refused connection is not lost in a thread."""

    def connect() -> None:
        raise ConnectionRefusedError("port closed")

    with pytest.raises(ConnectionRefusedError, match="port closed"):
        await Dialler().dial(connect, nothing, 20)


async def test_a_call_that_hangs_is_left_after_the_time_out() -> None:
    """Neither the loop nor the next step waits for a resolver that does not answer."""
    release = threading.Event()
    with pytest.raises(TimeoutError):
        await Dialler().dial(lambda: release.wait(20), nothing, 0.01)
    release.set()


async def test_there_is_never_more_than_one_thread() -> None:
    """While one look-up hangs no second one is begun, however often it is tried."""
    dialler, release = Dialler(), threading.Event()
    before = threading.active_count()
    with pytest.raises(TimeoutError):
        await dialler.dial(lambda: release.wait(20), nothing, 0.01)
    for _ in range(5):
        with pytest.raises(StillDialling):
            await dialler.dial(nothing, nothing, 20)
    assert threading.active_count() == before + 1
    release.set()


async def test_dialling_goes_on_once_the_hanging_call_is_back() -> None:
    """A resolver that recovers needs no restart."""
    dialler, release, left = Dialler(), threading.Event(), asyncio.Event()
    with pytest.raises(TimeoutError):
        await dialler.dial(lambda: release.wait(20), left.set, 0.01)
    release.set()
    await asyncio.wait_for(left.wait(), 20)
    for _ in range(100):
        await dialler.dial(nothing, nothing, 20)


async def test_a_connection_that_comes_too_late_is_abandoned() -> None:
    """The socket that nobody waits for any more is closed, in the loop."""
    release, abandoned = threading.Event(), asyncio.Event()
    with pytest.raises(TimeoutError):
        await Dialler().dial(lambda: release.wait(20), abandoned.set, 0.01)
    assert not abandoned.is_set()
    release.set()
    await asyncio.wait_for(abandoned.wait(), 20)


async def test_a_failure_that_comes_too_late_is_dropped() -> None:
    """There is nothing to close then, and nobody to tell."""
    release, returned, abandoned = threading.Event(), threading.Event(), asyncio.Event()

    def connect() -> None:
        release.wait(20)
        returned.set()
        raise ConnectionResetError

    with pytest.raises(TimeoutError):
        await Dialler().dial(connect, abandoned.set, 0.01)
    release.set()
    await until(returned)
    await asyncio.sleep(0.05)
    assert not abandoned.is_set()


async def test_a_cancelled_dial_abandons_its_connection() -> None:
    """The daemon may be stopped while it connects."""
    release, abandoned = threading.Event(), asyncio.Event()
    task = asyncio.create_task(Dialler().dial(lambda: release.wait(20), abandoned.set, 20))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()
    await asyncio.wait_for(abandoned.wait(), 20)


def test_a_loop_that_is_gone_takes_nothing_with_it() -> None:
    """A call that returns after the loop was closed ends quietly; an exception in its thread would be a warning."""
    release = threading.Event()

    async def give_up() -> threading.Thread:
        with pytest.raises(TimeoutError):
            await Dialler().dial(lambda: release.wait(20), nothing, 0.01)
        (thread,) = [thread for thread in threading.enumerate() if thread.name == "mqtt-dial"]
        return thread

    thread = asyncio.run(give_up())
    release.set()
    thread.join(20)
    assert not thread.is_alive()
