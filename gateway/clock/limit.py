"""A time-out for calls that come one after the other, such as the requests on a link.

`asyncio.timeout` arms a timer for each call and takes it down again. Here one timer lies in wait and looks, when it
fires, whether the call that runs then has outstayed its own limit: a call that returns in time costs no timer.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class TimeLimit:
    """Used as `with limit.of(timeout_s): await ...`; one call at a time, in one event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._fires_at = math.inf
        self._wanted_s = 0.0
        self._ends_at = math.inf
        self._cancelling = 0
        self._expired = False

    def of(self, limit_s: float) -> Self:
        """Limit what runs inside the `with` to `limit_s`.

        Raises:
            TimeoutError: from the `with`, when the limit is reached.
        """
        self._wanted_s = limit_s
        return self

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelling, self._expired = task, task.cancelling(), False
        loop = task.get_loop()
        if loop is not self._loop:
            self._loop, self._timer, self._fires_at = loop, None, math.inf
        self._ends_at = loop.time() + self._wanted_s
        if self._ends_at < self._fires_at:
            self._arm(loop, self._ends_at)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ends_at = math.inf
        task, self._task = self._task, None
        if self._expired and task is not None:
            self._expired = False
            if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def _arm(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._fires_at = at
        self._timer = loop.call_at(at, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer, self._fires_at = None, math.inf
        if self._task is None:
            return
        if self._ends_at > loop.time():
            self._arm(loop, self._ends_at)
        else:
            self._expired = True
            self._task.cancel()
