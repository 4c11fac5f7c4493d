"""Which of several brokers is served: the preferred one, or the next that can be had.

The rule, in full:

1. The list is in order of preference. What fails is followed by the next in the list, a second later at most; after the
   last one comes the first again, with the pause that the failure asks for.
2. A session that held for a minute was a success: when it ends, the list is begun anew from the first broker.
3. From a lesser broker the session goes back no sooner than after 10 minutes, and only when a better one takes a
   connection. Each time that the better one then does not hold, this wait doubles, to 4 hours at most; it is forgotten
   when the first broker has held for an hour. So nothing flaps, and what is home again stays there.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

from gateway.publish.dial import Dialler, StillDialling
from gateway.publish.endings import SessionEnd, TakenOver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.clock import Clock
    from gateway.publish.settings import BrokerSettings

HELD_S: Final = 60.0
RETURN_AFTER_S: Final = 600.0
MOST_RETURN_AFTER_S: Final = 4 * 3600.0
AT_HOME_S: Final = 3600.0

_NEXT_PAUSE_S: Final = (0.0, 1.0)
_PROBE_TIMEOUT_S: Final = 10.0


class Failover:
    """Chooses the broker of each session.

    Args:
        brokers: at least one, the preferred one first.
        clock: ages of sessions go by its monotonic time.
    """

    def __init__(self, brokers: Sequence[BrokerSettings], clock: Clock) -> None:
        self._brokers = tuple(brokers)
        self._clock = clock
        self._index = 0
        self._began_s: float | None = None
        self._return_after_s = RETURN_AFTER_S
        self._is_returning = False
        self._dialler = Dialler()

    @property
    def current(self) -> BrokerSettings:
        """The broker of this session, or of the next attempt."""
        return self._brokers[self._index]

    @property
    def is_first(self) -> bool:
        """Whether this is the preferred one."""
        return self._index == 0

    def began(self) -> None:
        """A session was established."""
        self._began_s = self._clock.monotonic_s()
        if self._is_returning and not self.is_first:
            self._return_after_s = min(MOST_RETURN_AFTER_S, 2 * self._return_after_s)
            self._is_returning = False

    def ended(self, end: SessionEnd) -> tuple[float, float]:
        """A session or an attempt is over: choose the next broker. Gives the limits of the pause before it, s."""
        lasted_s = self._lasted_s()
        self._began_s = None
        if self.is_first and lasted_s >= AT_HOME_S:
            self._return_after_s, self._is_returning = RETURN_AFTER_S, False
        self._index = 0 if lasted_s >= HELD_S else (self._index + 1) % len(self._brokers)
        return end.pause_s if self.is_first or isinstance(end, TakenOver) else _NEXT_PAUSE_S

    async def better(self) -> BrokerSettings | None:
        """A broker further up the list that takes connections, if it is time to go back to one."""
        if self.is_first or self._lasted_s() < self._return_after_s:
            return None
        for broker in self._brokers[: self._index]:
            if await self._answers(broker):
                return broker
        self._began_s = self._clock.monotonic_s()  # look again after the same wait
        return None

    def go_to(self, broker: BrokerSettings) -> None:
        """The session moves to a better broker: it was ended for that, and not by a failure."""
        self._index = self._brokers.index(broker)
        self._began_s = None
        self._is_returning = True

    def _lasted_s(self) -> float:
        return 0.0 if self._began_s is None else self._clock.monotonic_s() - self._began_s

    async def _answers(self, broker: BrokerSettings) -> bool:
        def connect() -> None:
            socket.create_connection((broker.host, broker.port), _PROBE_TIMEOUT_S).close()

        try:
            await self._dialler.dial(connect, _nothing, _PROBE_TIMEOUT_S)
        except (OSError, StillDialling):
            return False
        return True


def _nothing() -> None:
    """A probe that comes too late has closed its socket itself."""
