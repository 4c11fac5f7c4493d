"""How fast history may go out behind live data."""

from __future__ import annotations

from typing import Final

_LEAST_RATE: Final = 600.0
"""60 000 values a second, where a batch has a hundred."""
_LIVE_RATES: Final = 20.0
_BURST_S: Final = 0.1
"""What was not used of the rate is kept this long: a loop that wakes late sends what it owes."""
_AVERAGE_S: Final = 10.0


class Pace:
    """A rate of messages. All times are of the monotonic clock, in s."""

    def __init__(self, rate: float | None) -> None:
        """Keep to `rate` messages a second; None: 20 times the live rate of the last seconds, at least 600."""
        self.fixed = rate
        """The rate that is kept to; None follows the live rate."""
        self._live_rate = 0.0
        self._live_count = 0
        self._measured_at: float | None = None
        self._next_at = 0.0

    @property
    def rate(self) -> float:
        """Messages of history a second."""
        return max(_LEAST_RATE, _LIVE_RATES * self._live_rate) if self.fixed is None else self.fixed

    def measure(self, live_count: int, now: float) -> None:
        """Take note of how many live messages there were since the gateway began."""
        if self._measured_at is not None and now > self._measured_at:
            passed = now - self._measured_at
            share = min(1.0, passed / _AVERAGE_S)
            self._live_rate += share * ((live_count - self._live_count) / passed - self._live_rate)
        self._live_count, self._measured_at = live_count, now

    def wait_s(self, now: float) -> float:
        """How long the next message has to wait; 0 where it may go now."""
        return max(0.0, self._next_at - now)

    def sent(self, now: float) -> None:
        """One message went out."""
        self._next_at = max(self._next_at, now - _BURST_S) + 1.0 / self.rate
