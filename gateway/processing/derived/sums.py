"""What is summed up of one window, sample by sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite, sqrt
from typing import TYPE_CHECKING, Final

from gateway.model import Level, Quality, Value

if TYPE_CHECKING:
    from collections.abc import Callable

_NS: Final = 1_000_000_000


@dataclass(slots=True)
class Sums:
    """One window from its begin on. Durations are of the monotonic clock, in ns. It is kept between runs as it is."""

    states: tuple[Value, ...] = ()
    """Values whose times are summed up."""
    count: int = 0
    """GOOD samples."""
    total: float = 0.0
    mean: float = 0.0
    squares: float = 0.0
    """Sum of the squared distances from the mean, by Welford's method."""
    least: float | None = None
    most: float | None = None
    last: Value | None = None
    good_ns: int = 0
    other_ns: int = 0
    """Time in which the source was not GOOD, or the window was not looked at."""
    weighted: float = 0.0
    """Value x seconds of the GOOD time."""
    in_state_ns: list[int] = field(default_factory=list)
    uncertain: Quality | None = None
    """The newest quality between GOOD and BAD."""
    bad: Quality | None = None
    """The newest quality that is BAD."""
    text: bool = False
    """A GOOD value was a text, which has no sum."""

    def __post_init__(self) -> None:
        self.in_state_ns = self.in_state_ns or [0] * len(self.states)

    def begin_with(self, value: Value) -> None:
        """The value that holds at the begin of the window: it is a least, most and last one, and no sample."""
        self.last = value
        number = as_number(value)
        if number is not None:
            self.least = self.most = number

    def sample(self, value: Value | None, quality: Quality) -> None:
        """One sample inside the window."""
        if quality is not Quality.GOOD or value is None:
            self._doubt(quality)
            return
        self.count += 1
        self.last = value
        number = as_number(value)
        if number is None:
            self.text = True
            return
        self.total += number
        distance = number - self.mean
        self.mean += distance / self.count
        self.squares += distance * (number - self.mean)
        self.least = number if self.least is None else min(self.least, number)
        self.most = number if self.most is None else max(self.most, number)

    def hold(self, value: Value | None, quality: Quality, time_ns: int) -> None:
        """A value held for this long."""
        if quality is not Quality.GOOD or value is None:
            self._doubt(quality)
            self.other_ns += time_ns
            return
        self.good_ns += time_ns
        for position, state in enumerate(self.states):
            if value == state:
                self.in_state_ns[position] += time_ns
        number = as_number(value)
        if number is None:
            self.text = True
        else:
            self.weighted += number * (time_ns / _NS)

    @property
    def good_percent(self) -> float:
        """The GOOD part of the window."""
        whole = self.good_ns + self.other_ns
        return 100.0 * self.good_ns / whole if whole else 0.0

    def made(self, take: str, state: Value | None) -> Value | None:
        """What a take makes of the window; None where there is no answer."""
        if take == "time_in_state":
            return self.in_state_ns[self.states.index(state)] / _NS if state is not None else None
        if take in {"count", "last"}:
            return self.count if take == "count" else self.last
        number = None if self.text else _NUMBERS[take](self)
        return number if number is not None and isfinite(number) else None

    def _doubt(self, quality: Quality) -> None:
        if quality.level is Level.BAD:
            self.bad = quality
        elif quality is not Quality.GOOD:
            self.uncertain = quality


def as_number(value: Value) -> float | None:
    """A value as a float, true as 1; None for a text, and for a whole number that no float can hold."""
    try:
        return None if isinstance(value, str) else float(value)
    except OverflowError:
        return None


_NUMBERS: Final[dict[str, Callable[[Sums], float | None]]] = {
    "mean": lambda sums: sums.mean if sums.count else None,
    "min": lambda sums: sums.least,
    "max": lambda sums: sums.most,
    "sum": lambda sums: sums.total,
    "standard_deviation": lambda sums: sqrt(sums.squares / sums.count) if sums.count else None,
    "time_weighted_mean": lambda sums: sums.weighted / (sums.good_ns / _NS) if sums.good_ns else None,
}
"""The takes that need numbers. The deviation is that of the samples themselves (divided by their count)."""
