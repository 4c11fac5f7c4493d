"""Readings at round times of the wall clock: the quarter hour that a meter is billed by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.clock import Clock

_LOOK_AGAIN_NS: Final = 30_000_000_000
"""The wall clock may be set at any time: it is looked at so often."""


class Alignment:
    """Tells when the wall clock, in UTC, has begun a new step.

    Args:
        clock: both clocks.
        step_s: length of a step, s; steps begin at multiples of it since 1970.
    """

    def __init__(self, clock: Clock, step_s: float) -> None:
        self._clock = clock
        self.step_ns = round(step_s * 1e9)
        self._step = self._present()

    def has_begun(self) -> bool:
        """Whether a new step began since this was last true. A clock that was set back begins none."""
        before, self._step = self._step, self._present()
        return self._step > before

    def look_ns(self) -> int:
        """When to look again, on the monotonic clock: at the next step, if the wall clock runs on as it does."""
        stamp = self._clock.now()
        return stamp.monotonic + min(self.step_ns - stamp.time % self.step_ns, _LOOK_AGAIN_NS)

    def _present(self) -> int:
        return self._clock.now().time // self.step_ns
