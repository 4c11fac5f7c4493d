"""What a formula remembers from one evaluation to the next: one object for each call of such a function in its text."""

from __future__ import annotations

from collections import deque
from math import fsum, isfinite
from typing import Final, Protocol

_NS_PER_S: Final = 1_000_000_000

MOST_SAMPLES: Final = 4096
"""A moving average holds at most so many samples; of more frequent ones the newest count."""


class Memory(Protocol):
    """The state of one call."""

    @property
    def unsure(self) -> bool:
        """Its value rests on less than it says: what it tells of may have been before the first step."""
        ...

    def step(self, value: float, now_ns: int) -> float:
        """Take the argument's value at an instant of the monotonic clock and return the call's."""
        ...

    def interrupt(self) -> None:
        """The argument is not known from now on, until the next `step`."""
        ...


class Previous:
    """`previous(x)`: the value at the evaluation before this one; at the first one the value itself, unsure."""

    def __init__(self) -> None:
        self.unsure = True
        self._last: float | None = None

    def step(self, value: float, now_ns: int) -> float:  # noqa: ARG002 - all memories are stepped alike
        """The value before."""
        last, self._last = self._last, value
        self.unsure = last is None
        return value if last is None else last

    def interrupt(self) -> None:
        """The last value that was known stays the previous one."""


class SecondsSince:
    """`seconds_since(condition)`: 0 while it holds, then the time since it last held.

    As long as it never held: the time since the first evaluation, unsure.
    """

    def __init__(self) -> None:
        self.unsure = True
        self._since_ns: int | None = None

    def step(self, value: float, now_ns: int) -> float:
        """Seconds."""
        if value:
            self.unsure = False
        if value or self._since_ns is None:
            self._since_ns = now_ns
        return (now_ns - self._since_ns) / _NS_PER_S

    def interrupt(self) -> None:
        """Time goes on."""


class Integral:
    """`integral(x, per="h")`: the sum of value x time. A value holds until the next one comes.

    Between an interruption and the next value nothing is added. `total` may be set, to go on from an earlier run.
    """

    unsure = False

    def __init__(self, per_s: float) -> None:
        self.total = 0.0
        self._per_ns = per_s * _NS_PER_S
        self._held: tuple[float, int] | None = None

    def step(self, value: float, now_ns: int) -> float:
        """The total so far; the value itself counts from now on."""
        if self._held is not None:
            held, since_ns = self._held
            total = self.total + held * (max(0, now_ns - since_ns) / self._per_ns)
            if not isfinite(total):
                raise OverflowError("the integral is too large")
            self.total = total
        self._held = (value, now_ns)
        return self.total

    def interrupt(self) -> None:
        """Nothing is added until the next value."""
        self._held = None


class MovingAverage:
    """`moving_average(x, seconds)`: the mean of the samples of the last seconds, this one included."""

    unsure = False

    def __init__(self, seconds: float) -> None:
        self._span_ns = round(seconds * _NS_PER_S)
        self._samples: deque[tuple[int, float]] = deque(maxlen=MOST_SAMPLES)

    def step(self, value: float, now_ns: int) -> float:
        """The mean; a sample that is exactly `seconds` old no longer counts."""
        samples = self._samples
        samples.append((now_ns, value))
        while samples[0][0] <= now_ns - self._span_ns:
            samples.popleft()
        return fsum(sample for _, sample in samples) / len(samples)

    def interrupt(self) -> None:
        """The samples before count as long as they are young enough."""
