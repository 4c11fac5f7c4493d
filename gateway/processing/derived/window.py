"""One window after the other of one source, and what the wall clock may do meanwhile.

Which window a sample belongs to is told by the wall clock, how long a value held by the monotonic one. A window closes
when a sample from behind its end comes, or the source is silent, `GRACE_NS` after its end.

- A sample whose window is closed is late: it counts as the value that holds from now on, and in no window.
- The clock is set forward out of a window: the window is cut short there, and those that were skipped are not made.
- The clock is set back: times that were published already are not published again. What is sampled in them belongs to
  one window that ends where unpublished time begins.
- Every window in which the clock was set by more than a second is UNCERTAIN, clock.
- A window that outlives the process counts the time in between as not GOOD. Windows that came and went meanwhile are
  not made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.model import Quality, Stamp
from gateway.processing.derived.published import Published
from gateway.processing.derived.sums import Sums

if TYPE_CHECKING:
    from gateway.config.span import Span
    from gateway.model import Value

GRACE_NS: Final = 2_000_000_000
"""Samples of a server that reports every second may come so late."""

STEP_NS: Final = 1_000_000_000
"""A clock that is steered (RFC 5905, 0.5 ms a second at most) moves less between two samples."""


class Closed(NamedTuple):
    """A window that is over."""

    stamp: Stamp
    """Its end, or the moment at which the clock was set out of it."""
    sums: Sums
    stepped: bool
    """The clock was set in it."""
    entered_late: bool
    """It had begun before it was looked at."""


@dataclass(frozen=True, slots=True)
class KeptWindow:
    """An open window as it is kept between two runs. Times on the wall clock, UTC in ns."""

    start: int
    end: int
    until: int
    """Up to here it is summed up."""
    sums: Sums
    published: list[tuple[int, int]]


class WindowOverTime:
    """The open window of one source.

    Args:
        span: how time is cut.
        states: values whose times are summed up.
    """

    def __init__(self, span: Span, states: tuple[Value, ...] = ()) -> None:
        self._span = span
        self._states = states
        self._published = Published()
        self._sums = Sums(states)
        self._start = self._end = 0
        self._since = 0
        """Up to here, on the monotonic clock, the held value is summed up."""
        self._seen = 0
        """The newest stamp, on the monotonic clock."""
        self._less: int | None = None
        """Wall clock less monotonic clock; None until the first stamp."""
        self._held: tuple[Value | None, Quality] = (None, Quality.NOT_AVAILABLE)
        self._stepped = self._entered_late = False
        self._kept: KeptWindow | None = None

    def keep(self) -> KeptWindow | None:
        """What is to be kept; None where nothing was seen yet."""
        if self._less is None:
            return self._kept
        self._sum_up_to(self._seen)
        until = self._since + self._less
        return KeptWindow(self._start, self._end, until, self._sums, self._published.eras)

    def resume(self, kept: KeptWindow) -> None:
        """Go on with the window of an earlier run, as soon as it is known what time it is."""
        self._kept = kept

    def sample(self, value: Value | None, quality: Quality, stamp: Stamp, offset_ns: int = 0) -> list[Closed]:
        """A sample, `offset_ns` from the stamp of its batch. Returns the windows that are over by it, mostly none."""
        closed = self._follow_clock(stamp)
        time, monotonic = stamp.time + offset_ns, stamp.monotonic + offset_ns
        while time >= self._end:
            closed.append(self._close(stamp))
        self._sum_up_to(monotonic)
        self._held = (value, quality)
        if time >= self._start:
            self._sums.sample(value, quality)
        return closed

    def tick(self, stamp: Stamp) -> list[Closed]:
        """Time passes without a sample."""
        return self._follow_clock(stamp)

    def _follow_clock(self, stamp: Stamp) -> list[Closed]:
        less = stamp.time - stamp.monotonic
        closed: list[Closed] = []
        if self._less is None:
            closed += self._begin(stamp)
        elif abs(less - self._less) > STEP_NS:
            closed += self._step(Stamp(stamp.monotonic + self._less, stamp.monotonic, stamp.clock), stamp)
        self._less, self._seen = less, stamp.monotonic
        while stamp.time >= self._end + GRACE_NS:
            closed.append(self._close(stamp))
        return closed

    def _begin(self, stamp: Stamp) -> list[Closed]:
        """The first stamp of a run; there may be a window of an earlier one."""
        kept, self._kept = self._kept, None
        if kept is None:
            self._open(stamp.time, stamp.monotonic)
            return []
        self._published = Published(kept.published)
        self._start, self._end, self._sums = kept.start, kept.end, kept.sums
        self._since, self._entered_late = stamp.monotonic, True
        if stamp.time < kept.until - STEP_NS:
            return self._step(Stamp(kept.until, stamp.monotonic, stamp.clock), stamp)
        self._sums.other_ns += max(0, min(stamp.time, self._end) - kept.until)
        if stamp.time < self._end:
            return []
        over = self._finished(Stamp(self._end, stamp.monotonic - (stamp.time - self._end), stamp.clock))
        self._open(stamp.time, stamp.monotonic)
        return [over]

    def _step(self, before: Stamp, after: Stamp) -> list[Closed]:
        """The clock was set: `before` is this instant as the clock would have told it, `after` as it tells it now."""
        closed = []
        while before.time >= self._end:
            closed.append(self._close(before))
        self._sum_up_to(before.monotonic)
        if after.time < self._start and self._published.holds(self._span.around(after.time)[1]):
            self._start = self._span.around(after.time)[0]
        elif not self._start <= after.time < self._end:
            if before.time > self._start:
                closed.append(self._cut_short(before))
            self._open(after.time, after.monotonic)
        self._stepped = True
        return closed

    def _close(self, stamp: Stamp) -> Closed:
        """The window ran to its end; the next one follows without a break."""
        end, at_end = self._end, stamp.monotonic - (stamp.time - self._end)
        self._sum_up_to(at_end)
        closed = self._finished(Stamp(end, at_end, stamp.clock))
        self._open(end, at_end)
        return closed

    def _cut_short(self, stamp: Stamp) -> Closed:
        self._stepped = True
        self._sums.other_ns += self._end - stamp.time
        return self._finished(stamp)

    def _finished(self, stamp: Stamp) -> Closed:
        self._published.add(self._start, self._end)
        return Closed(stamp, self._sums, self._stepped, self._entered_late)

    def _open(self, time: int, monotonic: int) -> None:
        self._start, self._end = self._span.around(time)
        while self._published.holds(self._end):
            self._end = self._span.around(self._published.end_behind(self._end))[1]
        self._sums = Sums(self._states)
        self._sums.other_ns = time - self._start
        self._since = monotonic
        self._entered_late, self._stepped = time > self._start, False
        value, quality = self._held
        if quality is Quality.GOOD and value is not None:
            self._sums.begin_with(value)

    def _sum_up_to(self, monotonic: int) -> None:
        if monotonic > self._since:
            self._sums.hold(*self._held, monotonic - self._since)
            self._since = monotonic
