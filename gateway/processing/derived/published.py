"""Which time was published already, so that no window is ever published twice, whatever the wall clock does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_ERAS: Final = 16
"""Stretches of time that are remembered: one more each time the clock is set to where nothing was published yet."""


class Published:
    """Stretches of unbroken time, UTC in ns, the newest last."""

    def __init__(self, eras: Iterable[tuple[int, int]] = ()) -> None:
        self._eras = list(eras)[-MOST_ERAS:]

    @property
    def eras(self) -> list[tuple[int, int]]:
        """All of them, to be kept."""
        return list(self._eras)

    def add(self, start: int, end: int) -> None:
        """A window from `start` to `end` is published."""
        if self._eras and self._eras[-1][0] <= start <= self._eras[-1][1]:
            self._eras[-1] = (self._eras[-1][0], max(end, self._eras[-1][1]))
        else:
            self._eras.append((start, end))
        del self._eras[:-MOST_ERAS]

    def holds(self, end: int) -> bool:
        """Whether a window that ends here was published."""
        return any(first < end <= last for first, last in self._eras)

    def end_behind(self, end: int) -> int:
        """Where the stretch ends in which a window that ends here was published."""
        return next(last for first, last in self._eras if first < end <= last)
