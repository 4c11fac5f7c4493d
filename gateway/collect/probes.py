"""How much of a link's time may go to questions whose answers nobody waits for."""

from __future__ import annotations

from typing import Final

SHARE: Final = 0.1
"""Of the link's time."""

_BURST_NS: Final = 1_000_000_000
"""What may be saved up: a search on a fast link is over at once, and a slow one is never held up longer than this."""


class ProbeBudget:
    """Time to probe that grows with the clock and shrinks by what is spent."""

    def __init__(self, now_ns: int) -> None:
        self._left_ns = float(_BURST_NS)
        self._seen_ns = now_ns

    def allows(self, now_ns: int) -> bool:
        """Whether there is time left."""
        grown_ns = self._left_ns + SHARE * (now_ns - self._seen_ns)
        self._left_ns, self._seen_ns = min(grown_ns, _BURST_NS), now_ns
        return self._left_ns > 0

    def spend(self, spent_ns: int) -> None:
        """Take off what a probe took. The last one may overdraw; the next has to wait for that much longer."""
        self._left_ns -= spent_ns
