"""An event loop in which waiting takes no time: where nothing happens, its clock jumps to the next timer.

Real input and output work as ever. What the machine itself takes still counts, so a busy machine makes things late by
what it is busy, and not by what a test waits for.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.model import ClockState, Stamp

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


_LONG_S = 0.2
_PATIENCE = 15
"""Before a long jump, which may end in a time-out, bytes get so many times longer to come."""


class _Selector(selectors.EpollSelector):
    """Waits for `grace_s`, and then adds to the clock what it was told to wait beyond that."""

    def __init__(self, grace_s: float) -> None:
        super().__init__()
        self._grace_s = grace_s
        self.skipped_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        """As its base; only input and output are really waited for."""
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        begun = time.monotonic()
        grace_s = self._grace_s * (_PATIENCE if timeout > _LONG_S else 1)
        events = super().select(min(timeout, grace_s))
        if not events:
            self.skipped_s += max(0.0, timeout - (time.monotonic() - begun))
        return events


class TimeLapseLoop(asyncio.SelectorEventLoop):
    """The loop."""

    def __init__(self, grace_s: float) -> None:
        self._skipping = _Selector(grace_s)
        super().__init__(self._skipping)

    def time(self) -> float:
        """Monotonic time, s, with all that was skipped."""
        return super().time() + self._skipping.skipped_s


class LapseClock:
    """The gateway's clocks, driven by the loop."""

    def now(self) -> Stamp:
        """This instant on both clocks."""
        now_ns = round(self.monotonic_s() * 1e9)
        return Stamp(1_795_515_300_000_000_000 + now_ns, now_ns, ClockState.SYNCED)

    def monotonic_s(self) -> float:
        """The loop's time."""
        return asyncio.get_event_loop().time()


def run_in_time_lapse(coroutine: Coroutine[Any, Any, T], grace_s: float = 0.0) -> T:
    """Run a coroutine to its end, without waiting for anything but input and output.

    Args:
        coroutine: what to run.
        grace_s: how long to wait really before the clock jumps, where bytes are on their way through a terminal or a
            socket; 0 where nothing comes from outside.
    """
    with asyncio.Runner(loop_factory=partial(TimeLapseLoop, grace_s)) as runner:
        return runner.run(coroutine)
