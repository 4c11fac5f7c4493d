"""How much may be under way to the broker at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.clock import Clock

SPAN_S: Final = 5.0
"""At most what the link carries in this time is under way, so that no acknowledgement is overdue on a slow one."""

_MEMORY_S: Final = 10.0


class Window:
    """Counts messages, and bytes against the measured throughput. One message may always be under way.

    The throughput is what was acknowledged in the time in which anything was under way; older times fade out.
    """

    def __init__(self, messages: int, clock: Clock) -> None:
        self.messages = messages
        """Most messages under way."""
        self.under_way = 0
        self._clock = clock
        self._bytes = 0
        self._since_s = 0.0
        self._busy_s = 0.0
        self._acknowledged_bytes = 0.0

    @property
    def has_room(self) -> bool:
        """Whether one more message may be sent."""
        return self.under_way == 0 or (self.under_way < self.messages and self._bytes < self._allowance())

    def sent(self, size: int) -> None:
        """A message of `size` bytes is under way."""
        if self.under_way == 0:
            self._since_s = self._clock.monotonic_s()
        self.under_way += 1
        self._bytes += size

    def acknowledged(self, size: int) -> None:
        """A message of `size` bytes has arrived."""
        now_s = self._clock.monotonic_s()
        self.under_way -= 1
        self._bytes -= size
        self._busy_s += now_s - self._since_s
        self._acknowledged_bytes += size
        self._since_s = now_s
        if self._busy_s > _MEMORY_S:
            self._busy_s /= 2
            self._acknowledged_bytes /= 2

    def _allowance(self) -> float:
        if self._busy_s <= 0.0:
            return float("inf")
        return SPAN_S * self._acknowledged_bytes / self._busy_s
