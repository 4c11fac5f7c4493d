"""Silence, measured with a clock that stands still."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from drivers.opcua.causes import ServerError
from drivers.opcua.watchdog import Watchdog
from gateway.testing import ManualClock


class Server:
    """Counts how often its state is read."""

    def __init__(self) -> None:
        self.reads = 0
        self.error: Exception | None = None

    async def read(self, nodes: list[Any]) -> list[Any]:
        self.reads += 1
        assert [(node.NamespaceIndex, node.Identifier) for node in nodes] == [(0, 2259)]
        if self.error:
            raise self.error
        return []


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def watchdog(server: Server, clock: ManualClock) -> Watchdog:
    subscription = SimpleNamespace(heard_at=clock.monotonic_s(), keep_alive_s=5.0)
    return Watchdog(server, subscription, clock)  # type: ignore[arg-type]  # stand-ins


@pytest.mark.parametrize(("silent_s", "reads"), [(0, 0), (2, 0), (2.1, 1), (15, 1)])
async def test_the_state_is_read_only_where_nothing_came_for_two_seconds(
    watchdog: Watchdog, server: Server, clock: ManualClock, silent_s: float, reads: int
) -> None:
    """Values that flow are proof enough."""
    clock.advance(silent_s)
    await watchdog.check()
    assert server.reads == reads


async def test_three_signs_of_life_that_stay_away_are_the_end(watchdog: Watchdog, clock: ManualClock) -> None:
    """Though the server answers everything else."""
    clock.advance(15.1)
    with pytest.raises(ServerError, match=r"nothing came for 15 s, though the server promised .* every 5 s"):
        await watchdog.check()


async def test_a_state_that_cannot_be_read_is_the_end(watchdog: Watchdog, server: Server, clock: ManualClock) -> None:
    """Long before the signs of life run out."""
    server.error = TimeoutError()
    clock.advance(3)
    with pytest.raises(TimeoutError):
        await watchdog.check()


async def test_a_wall_clock_that_is_set_changes_nothing(watchdog: Watchdog, server: Server, clock: ManualClock) -> None:
    """Silence is measured on the monotonic clock."""
    clock.step(86_400)
    await watchdog.check()
    assert server.reads == 0
