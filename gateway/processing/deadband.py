"""Deadbands: what hardly differs from the last value sent is held back."""

from __future__ import annotations

from operator import sub
from typing import TYPE_CHECKING, Final

from gateway.model import ABSENT, Quality
from gateway.processing.columns import Column, is_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.model import Batch, Cell, Plan, Tag

_NS: Final = 1_000_000_000
_PERCENT: Final = 100.0


class Deadbands:
    """Remembers what was last sent of the tags that have a deadband.

    A change of the quality is always sent, and so is the first value after the start and after BAD. BAD itself is sent
    once.
    """

    def __init__(self, plan: Plan) -> None:
        tags = [(position, tag) for position, tag in enumerate(plan.tags) if _has_deadband(tag)]
        self.positions = [position for position, _ in tags]
        self._column = Column(self.positions, len(plan.tags))
        self._all = range(len(tags))
        self._sent: list[Cell] = [ABSENT] * len(tags)
        self._sent_quality: list[Quality | None] = [None] * len(tags)
        self._highest = [tag.deadband or 0.0 for _, tag in tags]
        self._lowest = [-width for width in self._highest]
        self._percents = _limits(tags, lambda tag: tag.deadband_percent)
        self._intervals = [(at, round(s * _NS)) for at, s in _limits(tags, lambda tag: tag.max_interval_s)]
        self._sent_at = [0] * len(tags)

    def hold_back(self, batch: Batch) -> None:
        """Make absent what is not worth sending, and remember the rest as sent."""
        held_back = self._within(batch)
        if held_back and self._intervals:
            held_back = self._not_overdue(held_back, batch.stamp.monotonic)
        for at in held_back:
            batch.values[self.positions[at]] = ABSENT
        batch.whole = batch.whole and not held_back
        self.note_sent(batch)

    def note_sent(self, batch: Batch) -> None:
        """Remember what is in the batch as sent."""
        values, quality = self._column.of(batch.values), self._column.of(batch.quality)
        if batch.whole:
            self._sent, self._sent_quality = list(values), list(quality)
        else:
            rows = zip(values, quality, strict=True)
            was = zip(self._sent, self._sent_quality, strict=True)
            now = [before if new[0] is ABSENT else new for new, before in zip(rows, was, strict=True)]
            self._sent, self._sent_quality = [cell for cell, _ in now], [q for _, q in now]
        self._note_percents()
        for at, _ in self._intervals:
            if values[at] is not ABSENT:
                self._sent_at[at] = batch.stamp.monotonic

    def forget(self, positions: set[int]) -> None:
        """Send the next value of these tags, whatever it is."""
        for at, position in enumerate(self.positions):
            if position in positions:
                self._sent_quality[at] = None

    def _within(self, batch: Batch) -> list[int]:
        values, quality = self._column.of(batch.values), self._column.of(batch.quality)
        if quality == self._sent_quality:
            try:
                return self._within_all(values)
            except (TypeError, OverflowError):
                pass
        return [at for at, value in enumerate(values) if self._is_within(at, value, quality[at])]

    def _within_all(self, values: Sequence[Cell]) -> list[int]:
        """All in one go.

        Raises:
            TypeError, OverflowError: one of them is no number, or too large for a float.
        """
        differences = map(sub, values, self._sent)
        rows = zip(self._all, self._lowest, differences, self._highest, strict=True)
        return [at for at, low, difference, high in rows if low <= difference <= high]

    def _is_within(self, at: int, value: Cell, quality: Quality) -> bool:
        if value is ABSENT or quality is not self._sent_quality[at]:
            return False
        return not self._differs(at, value)

    def _differs(self, at: int, value: Cell) -> bool:
        sent = self._sent[at]
        if not isinstance(value, int | float) or not isinstance(sent, int | float):
            return value != sent
        try:
            return not self._lowest[at] <= value - sent <= self._highest[at]
        except OverflowError:
            return value != sent

    def _not_overdue(self, held_back: Sequence[int], now: int) -> list[int]:
        overdue = {at for at, interval in self._intervals if now - self._sent_at[at] >= interval}
        return [at for at in held_back if at not in overdue]

    def _note_percents(self) -> None:
        for at, percent in self._percents:
            sent = self._sent[at]
            self._highest[at] = _width(sent, percent)
            self._lowest[at] = -self._highest[at]


def _has_deadband(tag: Tag) -> bool:
    return tag.swinging_door is None and (tag.deadband is not None or tag.deadband_percent is not None)


def _limits(tags: Sequence[tuple[int, Tag]], of: Callable[[Tag], float | None]) -> list[tuple[int, float]]:
    limits = [(at, of(tag)) for at, (_, tag) in enumerate(tags)]
    return [(at, limit) for at, limit in limits if limit is not None]


def _width(sent: Cell, percent: float) -> float:
    if not is_number(sent):
        return 0.0
    try:
        return abs(sent) * percent / _PERCENT
    except OverflowError:
        return 0.0
