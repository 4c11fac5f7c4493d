"""One window of a virtual device at work: from the samples of its source to the values of its tags."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from msgspec import ValidationError, convert, to_builtins

from gateway.config.derived import GOOD_PERCENT
from gateway.config.span import Span
from gateway.model import Quality
from gateway.processing.derived.window import KeptWindow, WindowOverTime

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model import Stamp, Value
    from gateway.processing.counters import Store
    from gateway.processing.derived.table import LatestValues
    from gateway.processing.derived.virtual import VirtualWindow
    from gateway.processing.derived.window import Closed

_ROUNDING = 1e-9
"""Percent that may be missing to 100 by rounding alone."""


class Made(NamedTuple):
    """What one window that is over has made."""

    device: str
    stamp: Stamp
    cells: list[tuple[int, Value | None, Quality]]
    """Position in the plan of the device, value, quality."""


class Summing:
    """Sums one source up.

    Args:
        device: the virtual device.
        window: what was written of the window.
        table: where the source stands.
    """

    def __init__(self, device: str, window: VirtualWindow, table: LatestValues) -> None:
        self.device = device
        self.window = window
        self._key = f"derived/{device}/{window.name}/window"
        self.place = table.index[window.config.source]
        """Where its source stands in the table."""
        states = tuple(window.config.states.values())
        self._over_time = WindowOverTime(Span.of(window.config.window, window.config.timezone), states)

    @property
    def made_of(self) -> tuple[object, ...]:
        """What its sums are of: they are of use to no other window."""
        config = self.window.config
        return config.source, config.window, config.timezone, tuple(config.states.values())

    def take_over(self, before: Summing) -> None:
        """Go on with the window that an earlier one of the same words has open."""
        self._over_time = before._over_time

    def restore(self, store: Store) -> None:
        """Go on with the window that the store knows, if it is one of these very words."""
        known = store.get(self._key) if self.window.config.persist else None
        if isinstance(known, dict) and known.get("made_of") == repr(self.made_of):
            with suppress(ValidationError):
                kept = convert(known.get("window"), KeptWindow)
                if kept.sums.states == tuple(self.window.config.states.values()):
                    self._over_time.resume(kept)

    def save(self, store: Store) -> None:
        """Put the open window into the store, where that was asked for."""
        kept = self._over_time.keep() if self.window.config.persist else None
        if kept is not None:
            store.put(self._key, {"made_of": repr(self.made_of), "window": to_builtins(kept)})

    def sample(self, value: Value | None, quality: Quality, stamp: Stamp, offset_ns: int) -> list[Made]:
        """A sample of the source; see `WindowOverTime.sample`."""
        return self._made(self._over_time.sample(value, quality, stamp, offset_ns))

    def tick(self, stamp: Stamp) -> list[Made]:
        """Time passes without a sample."""
        return self._made(self._over_time.tick(stamp))

    def _made(self, closed: Iterable[Closed]) -> list[Made]:
        return [Made(self.device, one.stamp, list(self._cells(one))) for one in closed]

    def _cells(self, closed: Closed) -> Iterable[tuple[int, Value | None, Quality]]:
        common = self._quality(closed)
        for position, take in self.window.takes:
            if take.take == GOOD_PERCENT:
                yield position, closed.sums.good_percent, Quality.GOOD
                continue
            value = None if common.value.startswith("bad") else closed.sums.made(take.take, take.state)
            yield position, value, common if value is not None else self._why_none(closed, common)

    def _quality(self, closed: Closed) -> Quality:
        """How far the values of a window can be trusted; the strongest reason against them."""
        sums = closed.sums
        if not sums.good_ns and not sums.count:
            return sums.bad or Quality.NOT_AVAILABLE
        if closed.stepped:
            return Quality.CLOCK
        if sums.good_percent >= self.window.config.good_from_percent - _ROUNDING:
            return Quality.GOOD
        return Quality.RESTART if closed.entered_late else sums.uncertain or Quality.STALE

    @staticmethod
    def _why_none(closed: Closed, common: Quality) -> Quality:
        """Why a take has no value: nothing GOOD at all, a text that has no sum, or no sample to take it from."""
        if common.value.startswith("bad"):
            return common
        return Quality.CONFIG if closed.sums.text else Quality.NOT_AVAILABLE
