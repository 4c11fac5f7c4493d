"""Finds the points that a device refuses, by halving what it refused until they stand alone.

    refused whole -> halves -> ... -> one point, refused: it stands alone from now on -> both halves answered: it is
    what lies between them, or there were too many at once; no request reads across this place from now on

When every half has been asked, the device is planned anew with what was learned: the neighbours are in as few
requests as before, only not in one with what is refused. The halves are real readings, so their tags lose no value
meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.collect.acquisition import Asked
from gateway.driver import Cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.collect.learned import Learned, Lessons
    from gateway.driver import Device, DriverError, IsolatingDriver, Request

FIRST_ASKED_AGAIN_NS: Final = 60_000_000_000
LAST_ASKED_AGAIN_NS: Final = 3_600_000_000_000
"""Points that stand alone are asked again after a minute, then after twice as long each time up to an hour, and each
time that the link is opened."""


class Split:
    """One refused request, two halves in its place."""

    def __init__(self, whole: Request, cut: Cut, inside: Split | None) -> None:
        self.whole = whole
        self.cut = cut
        """Where the second half begins."""
        self.inside = inside
        """The split that `whole` is a half of."""
        self.answered = 0
        """Halves that were answered."""
        self.parted = 0
        """Halves that were refused and parted again."""
        self.has_alone = False
        """A point in it stands alone."""

    @property
    def is_too_much(self) -> bool:
        """Whether each half was too much by itself, with no point at fault: the device gives fewer at once."""
        return self.parted == 2 and not self.has_alone  # noqa: PLR2004 - both halves


class Isolation:
    """The search in one device, and what it has found."""

    def __init__(self, device: Device, driver: IsolatingDriver, learned: Learned) -> None:
        self._device = device
        self._driver = driver
        self._learned = learned
        self._lessons: Lessons = learned.of(device)
        self._open: set[Asked] = set()
        self._splits: list[Split] = []
        self._is_news = False

    def requests(self) -> Sequence[Request]:
        """The requests that read the device, none of them across what it refuses."""
        return self._driver.requests_apart(self._device, self._lessons.cuts)

    def stands_alone(self, request: Request) -> bool:
        """Whether this request is for points that the device was found to lack."""
        return request.span in self._lessons.refused

    def smaller(self, request: Request) -> Sequence[Request]:
        """Halves of a request; none where it cannot be parted."""
        return self._driver.halves(request)

    def parts(self, asked: Asked) -> list[Asked]:
        """What is asked in the place of a refused request; nothing where it cannot be parted."""
        halves = self._driver.halves(asked.request)
        if not halves:
            return []
        second = halves[1].span
        assert second is not None
        if asked.split is not None:
            asked.split.parted += 1
        split = Split(asked.request, Cut(second.table, second.first), asked.split)
        self._splits.append(split)
        parts = [Asked(half, split) for half in halves]
        self._open.discard(asked)
        self._open.update(parts)
        return parts

    def answered(self, asked: Asked) -> Request | None:
        """A half was answered, or points that had been refused before.

        Returns:
            A request to ask once more, and to tell `refused_whole` of: both its halves were answered.
        """
        split, asked.split, asked.is_watched = asked.split, None, False
        span = asked.request.span
        if span in self._lessons.refused:
            self._lessons.mended(span)
            self._is_news = True
        if split is None:
            return None
        self._open.discard(asked)
        split.answered += 1
        self._is_news = True
        return split.whole if split.answered == 2 else None  # noqa: PLR2004 - both halves

    def refused_whole(self, whole: Request) -> None:
        """Each half is answered, both together are refused again: it is what lies between, or there are too many."""
        self._lessons.cuts |= {split.cut for split in self._splits if split.whole is whole}

    def alone(self, asked: Asked, error: DriverError) -> None:
        """A request that cannot be parted was refused."""
        span, split = asked.request.span, asked.split
        assert span is not None
        while split is not None:
            split.has_alone, split = True, split.inside
        asked.split = None
        self._open.discard(asked)
        if span not in self._lessons.refused:
            self._lessons.refuse(span, str(error))
            self._is_news = True

    def concludes(self) -> bool:
        """Whether a search has come to its end since this was last asked; then what it found is remembered."""
        if self._open or not self._is_news:
            return False
        self._is_news = False
        self._lessons.cuts |= {split.cut for split in self._splits if split.is_too_much}
        self._splits.clear()
        self._learned.keep(self._device, self._lessons)
        return True
