"""Where the core calls a driver: whatever it does wrong comes out as a fault of its own link."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import structlog

from gateway.driver import DriverError, LinkError

if TYPE_CHECKING:
    from collections.abc import Awaitable

log = structlog.get_logger()

T = TypeVar("T")

OPEN_LIMIT_S = 30.0
"""A driver has its own, shorter limit for opening; this one catches a driver that hangs."""


async def guarded(call: Awaitable[T], limit_s: float | None, doing: str) -> T:
    """Await a driver's call for at most `limit_s` (None: for ever).

    Raises:
        DriverError: as the driver says it; LinkError where it hangs or fails in a way that is not in its contract.
    """
    try:
        async with asyncio.timeout(limit_s):
            return await call
    except DriverError:
        raise
    except Exception as error:
        raise defect(error, doing) from error


def defect(error: Exception, doing: str) -> LinkError:
    """The fault of the link that stands for what a driver must not raise; a TimeoutError says that it hung."""
    if isinstance(error, TimeoutError):
        return LinkError(f"{doing} hung; the link is opened anew")
    log.error("driver_defect", doing=doing, exc_info=error)
    return LinkError(f"{doing} failed with {error!r}, a defect of the driver; the link is opened anew")
