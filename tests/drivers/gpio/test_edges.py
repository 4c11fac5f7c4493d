from __future__ import annotations

import asyncio
import threading
import time

from drivers.gpio.edges import KEPT, Edge, Edges
from gateway.testing import ManualClock

STAMP = ManualClock().now()


def edge(position: int) -> Edge:
    return Edge("press", position, level=True, stamp=STAMP)


async def test_edges_of_another_thread_wake_the_loop_and_keep_their_order() -> None:
    """A task that waits gets all edges of a thread that fires ten thousand, each once and in order."""
    edges = Edges()

    def fire() -> None:
        for n in range(KEPT):
            edges.put(edge(n))

    thread = threading.Thread(target=fire)
    thread.start()
    got: list[int] = []
    async with asyncio.timeout(10):
        while len(got) < KEPT:
            await edges.wait(10)
            got += [each.position for each in edges.take()]
    thread.join()
    assert got == list(range(KEPT))


async def test_without_edges_the_wait_ends_after_its_limit() -> None:
    """A limit of zero, of less, and of a few milliseconds."""
    edges = Edges()
    for limit_s in (-1.0, 0.0, 0.005):
        await asyncio.wait_for(edges.wait(limit_s), 10)
    assert edges.take() == []


async def test_a_storm_is_bounded_and_drops_the_oldest() -> None:
    """A loop that does not come round for a while holds no more than the limit, the latest ones."""
    edges = Edges()
    for n in range(KEPT + 5):
        edges.put(edge(n))
    assert [each.position for each in edges.take()] == list(range(5, KEPT + 5))


def test_an_edge_after_the_end_of_the_loop_raises_nothing() -> None:
    """The library's thread outlives the loop at the end of the program; an error would kill the thread."""

    async def make() -> Edges:
        return Edges()

    edges = asyncio.run(make())
    edges.put(edge(1))
    assert len(edges.take()) == 1


async def test_waiting_costs_no_busy_loop() -> None:
    """A taken inbox is quiet: the next wait really waits."""
    edges = Edges()
    edges.put(edge(1))
    await edges.wait(10)
    edges.take()
    begin = time.monotonic()
    await edges.wait(0.05)
    assert time.monotonic() - begin >= 0.04
