"""A gateway's uplink, a broker between, and somebody who stores what comes."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.uplink.rig import Load, Rig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

CONSUMERS = Path(__file__).parents[2] / "config" / "consumers"


@pytest.fixture
def uplink(tmp_path: Path) -> Callable[[int], AbstractAsyncContextManager[Rig]]:
    """An uplink of ten devices to a broker's port, five times as fast as usual."""

    @asynccontextmanager
    async def make(port: int) -> AsyncIterator[Rig]:
        load = Load(period_s=0.2, haste=20.0, settings={"tick_s": 0.1})
        async with Rig(tmp_path, port, load) as rig:
            yield rig

    return make
