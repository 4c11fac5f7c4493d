"""One alarm through its life: begins after a delay, ends with hysteresis and after a delay, latched until acknowledged.

A value without trust moves nothing: while a tag is BAD, or out of service, its alarms stand still. None begins, none
ends, and a delay that was running begins anew with the next value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.model import Level, Quality

if TYPE_CHECKING:
    from gateway.model import Cell
    from gateway.processing.states import Alarm


class Turn(StrEnum):
    """What becomes of an alarm."""

    BEGIN = "alarm_begin"
    ACKNOWLEDGED = "alarm_acknowledged"
    END = "alarm_end"


@dataclass(slots=True)
class AlarmState:
    """Where one alarm stands. Times are monotonic, ns, unless said otherwise."""

    alarm: Alarm
    is_active: bool = False
    acknowledged: bool = False
    since: int | None = 0
    """When it became active; None where that was in an earlier boot."""
    began: int = 0
    """When it became active in an earlier boot: UTC, ns since 1970."""
    is_met: bool = False
    """Whether the last trusted value called for it, with hysteresis."""
    out_of_service: bool = False
    """The tag is under maintenance: the alarm is not shown."""
    value: Cell = None
    """The last trusted value."""
    _turning_since: int | None = None
    """Since when the condition differs from the alarm."""

    def see(self, value: Cell, quality: Quality, at: int) -> Turn | None:
        """Take note of a value; returns what becomes of the alarm."""
        self.out_of_service = quality is Quality.OUT_OF_SERVICE
        met = None if self.out_of_service or quality.level is Level.BAD else self._condition(value)
        if met is None:
            self._turning_since = None
            return None
        self.value = value
        self.is_met = met
        if met is self.is_active:
            self._turning_since = None
            return None
        if self._turning_since is None:
            self._turning_since = at
        return self.tick(at)

    def tick(self, at: int) -> Turn | None:
        """Let time pass without a new value; returns what becomes of the alarm."""
        if self._turning_since is None or at - self._turning_since < self._delay:
            return None
        if not self.is_active:
            return self._begin(at)
        return self._end() if self.acknowledged or not self.alarm.latching else None

    def acknowledge(self, at: int) -> Turn | None:
        """Somebody has seen it. A latched alarm whose cause is over ends at once, others when theirs is."""
        if not self.is_active or self.acknowledged:
            return None
        self.acknowledged = True
        return self.tick(at) or Turn.ACKNOWLEDGED

    @property
    def is_over(self) -> bool:
        """Whether its cause is gone, and it is active only because it latches or an off-delay runs."""
        return self.is_active and not self.is_met

    def resume(self, since: int | None, began: int, *, acknowledged: bool) -> None:
        """It was active before a restart; the next value decides, with hysteresis, whether it still is."""
        self.is_active = self.is_met = True
        self.since, self.began, self.acknowledged = since, began, acknowledged

    @property
    def _delay(self) -> int:
        return self.alarm.off_delay_ns if self.is_active else self.alarm.delay_ns

    def _begin(self, at: int) -> Turn:
        self.is_active, self.acknowledged, self.since, self._turning_since = True, False, at, None
        return Turn.BEGIN

    def _end(self) -> Turn:
        self.is_active, self._turning_since = False, None
        return Turn.END

    def _condition(self, value: Cell) -> bool | None:
        """Whether a value calls for the alarm; None where it says nothing about it."""
        alarm = self.alarm
        if value is None or value != value:  # noqa: PLR0124 - NaN, which no comparison orders
            return None
        if alarm.equals is not None:
            return value == alarm.equals
        if not isinstance(value, int | float):
            return None
        if alarm.bit is not None:
            return bool(int(value) >> alarm.bit & 1) if value == value // 1 else None
        slack = alarm.hysteresis if self.is_met else 0.0
        if alarm.above is not None:
            return value > alarm.above - slack
        assert alarm.below is not None
        return value < alarm.below + slack
