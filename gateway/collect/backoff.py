"""How long to leave a failing link or device alone."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Backoff:
    """Delays that double with each failure up to a cap, each drawn at random below its step (full jitter).

    The first failure is tried again at once, since most are a single lost packet or a restarted PLC.
    """

    def __init__(
        self, first_s: float = 0.5, cap_s: float = 10.0, jitter: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._first_s = first_s
        self._cap_s = cap_s
        self._jitter = jitter
        self.failures = 0
        """Failures in a row."""

    def failed(self) -> float:
        """Count one more failure and draw the delay before the next try, s."""
        self.failures += 1
        if self.failures == 1:
            return 0.0
        step_s = self._first_s * 2.0 ** min(self.failures - 2, 16)
        return self._jitter(0.0, min(self._cap_s, step_s))

    def succeeded(self) -> None:
        """Begin anew."""
        self.failures = 0
