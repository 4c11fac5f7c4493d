"""Whether a device is online, degraded or offline, read off the batches that pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import ABSENT, DeviceState, DeviceStatus, Level, Quality

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.model import Batch, Plan


class DeviceHealth:
    """The state of one device. Every change is reported once; so is a new reason for the same state."""

    def __init__(self, plan: Plan, report: Callable[[DeviceStatus], None]) -> None:
        self._plan = plan
        self._report = report
        self._bad: set[int] = set()
        self._all_good = [Quality.GOOD] * len(plan.tags)
        self._told: tuple[DeviceState, str] | None = None

    def saw(self, batch: Batch, reason: str = "") -> None:
        """Take note of a batch; `reason` says why its BAD tags are bad, in a technician's words."""
        self._note_bad_tags(batch)
        state = self._state()
        told = (state, "" if state is DeviceState.ONLINE else reason or self._reason_told())
        if told != self._told:
            self._told = told
            self._report(DeviceStatus(self._plan.device, state, batch.stamp.time, told[1]))

    def _note_bad_tags(self, batch: Batch) -> None:
        if not self._bad and batch.quality == self._all_good:
            return
        for position, (value, quality) in enumerate(zip(batch.values, batch.quality, strict=True)):
            if value is ABSENT:
                continue
            if quality.level is Level.BAD:
                self._bad.add(position)
            elif self._bad:
                self._bad.discard(position)

    def _state(self) -> DeviceState:
        if not self._bad:
            return DeviceState.ONLINE
        return DeviceState.OFFLINE if len(self._bad) == len(self._plan.tags) else DeviceState.DEGRADED

    def _reason_told(self) -> str:
        if self._told is not None and self._told[1]:
            return self._told[1]
        return "bad: " + ", ".join(self._plan.tags[position].name for position in sorted(self._bad)[:5])
