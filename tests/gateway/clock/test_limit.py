from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
import uvloop

from gateway.clock.limit import TimeLimit

SHORT_S = 0.02
LONG_S = 30.0


async def test_a_call_that_outstays_its_limit_ends_in_a_time_out() -> None:
    """As with asyncio.timeout; the task goes on as if nothing had been."""
    limit = TimeLimit()
    with pytest.raises(TimeoutError), limit.of(SHORT_S):
        await asyncio.sleep(LONG_S)
    await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_call_that_returns_in_time_leaves_nothing_behind() -> None:
    """Not even where the timer of an earlier call fires during a later one."""
    limit = TimeLimit()
    for _ in range(10):
        with limit.of(SHORT_S):
            await asyncio.sleep(SHORT_S / 4)
    with limit.of(LONG_S):
        await asyncio.sleep(3 * SHORT_S)


async def test_a_shorter_limit_after_a_longer_one_is_kept() -> None:
    """The timer that lies in wait for the first would come much too late."""
    limit = TimeLimit()
    with limit.of(LONG_S):
        await asyncio.sleep(0)
    begun_s = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError), limit.of(SHORT_S):
        await asyncio.sleep(LONG_S)
    assert asyncio.get_running_loop().time() - begun_s < LONG_S / 2


async def test_a_cancelled_task_is_cancelled_and_not_timed_out() -> None:
    """Whoever stops the gateway must not be told of a slow device."""
    limit = TimeLimit()
    inside = asyncio.Event()

    async def call() -> None:
        with limit.of(LONG_S):
            inside.set()
            await asyncio.sleep(LONG_S)

    task = asyncio.create_task(call())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_call_comes_out_as_it_is() -> None:
    """Nothing of it is taken for a time-out."""
    with pytest.raises(KeyError), TimeLimit().of(LONG_S):
        raise KeyError("x")


def test_it_serves_another_loop_after_the_first_one_has_ended() -> None:
    """Both loops that the gateway can run in; a timer of the old one is not waited for."""
    limit = TimeLimit()

    async def late() -> bool:
        with suppress(TimeoutError), limit.of(SHORT_S):
            await asyncio.sleep(LONG_S)
            return False
        return True

    assert asyncio.run(late())
    assert uvloop.run(late())
    assert uvloop.run(late())
