"""The simulation of a simulation: nothing has to run, but it can end."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from drivers.sim.config import Plug

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from drivers.sim.config import SimConnection


@asynccontextmanager
async def simulate(config: SimConnection) -> AsyncIterator[SimConnection]:
    """Yield the configuration as it is. Once the context ends its devices are gone, as with any other driver."""
    plug = Plug()
    try:
        yield config.plugged_into(plug)
    finally:
        plug.pull()
