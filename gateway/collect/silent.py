"""When a silent device is asked again, so that the others on its link hardly notice.

A question that nobody answers holds up a link for a whole time-out. After the first back-off of a device

- each try is one question, the smallest one, without a repetition;
- all tries together take at most a tenth of the link's time;
- a try waits for a stretch in which no other device is due. Where there is none for long, it is made all the same, but
  so seldom that of the periods of any other device less than one in 20 gets longer by more than a fifth.

Where no device answers there is nobody to spare, and only the back-off counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.collect.probes import SHARE

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.collect.acquisition import PolledDevice

_NOTICED_SHARE: Final = 0.1
"""Of its period: what a device may be late without being held up. Half of a fifth, since other delays add to it."""
_PERIODS_BETWEEN: Final = 60
"""Periods of a device that is held up from one time to the next. Each makes two of them longer at most: that in which
the link was taken, and the next one, for which a queue has formed."""


class SilentDevices:
    """Decides for one link."""

    def __init__(self) -> None:
        self._free_from_ns = 0.0
        self._waits_since_ns: dict[str, int] = {}

    def admits(self, polled: PolledDevice, everybody: Collection[PolledDevice], now_ns: int) -> bool:
        """Whether to ask this device now. A silent one that has to wait is put off."""
        answering = [other for other in everybody if not other.is_silent]
        if not polled.is_silent or not answering:
            return True
        since_ns = self._waits_since_ns.setdefault(polled.device.name, now_ns)
        cost_ns = polled.device.timing.timeout_s * 1e9
        next_due_ns = min(other.schedule.due_ns for other in answering)
        is_free = now_ns >= self._free_from_ns and self._waits_longest(polled, everybody)
        if is_free and (now_ns + cost_ns <= next_due_ns or now_ns >= since_ns + _patience_ns(answering, cost_ns)):
            del self._waits_since_ns[polled.device.name]
            return True
        polled.schedule.delay(round(max(self._free_from_ns, next_due_ns, now_ns)))
        return False

    def _waits_longest(self, polled: PolledDevice, everybody: Collection[PolledDevice]) -> bool:
        """Whether this one is next among those that wait; whoever is not silent any more has left the queue."""
        silent = {other.device.name for other in everybody if other.is_silent}
        self._waits_since_ns = {name: since for name, since in self._waits_since_ns.items() if name in silent}
        return self._waits_since_ns[polled.device.name] == min(self._waits_since_ns.values())

    def asked(self, begun_ns: int, now_ns: int) -> None:
        """A silent device was asked, from then until now."""
        self._free_from_ns = begun_ns + (now_ns - begun_ns) / SHARE


def _patience_ns(answering: Collection[PolledDevice], cost_ns: float) -> float:
    """How long to wait for a stretch that is free: not at all where nobody is held up by more than a fifth."""
    shortest_ns = (other.schedule.shortest_period_ns for other in answering)
    held_up_ns = [period_ns for period_ns in shortest_ns if _NOTICED_SHARE * period_ns < cost_ns]
    return _PERIODS_BETWEEN * max(held_up_ns, default=0)
