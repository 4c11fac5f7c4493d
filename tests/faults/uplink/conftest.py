"""A broker, an oracle at it, a proxy before it, and uplinks that send through that."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.faults.uplink.proxy import FaultProxy
from tests.faults.uplink.rig import Load, Oracle, Rig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.conftest import Mosquitto


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Callable[[str, object], None]:
    """Takes down a figure of the row: `pytest -rP` shows it, and --junitxml keeps it."""

    def take_down(name: str, value: object) -> None:
        request.node.user_properties.append((name, value))
        sys.stdout.write(f"{name}: {value}\n")

    return take_down


@pytest.fixture
def oracle(mosquitto: Mosquitto) -> Iterator[Oracle]:
    """Stores all that arrives."""
    oracle = Oracle(mosquitto.port)
    yield oracle
    oracle.close()


@pytest.fixture
async def proxy(mosquitto: Mosquitto) -> AsyncIterator[FaultProxy]:
    """Before mosquitto."""
    async with FaultProxy(mosquitto.port) as proxy:
        yield proxy


@pytest.fixture
def rigs(tmp_path: Path) -> Callable[[int, Load], AbstractAsyncContextManager[Rig]]:
    """Makes uplinks by port and load."""
    made = []

    @asynccontextmanager
    async def make(port: int, load: Load) -> AsyncIterator[Rig]:
        made.append(port)
        folder = tmp_path / f"rig-{len(made)}"
        folder.mkdir()
        async with Rig(folder, port, load) as rig:
            yield rig

    return make
