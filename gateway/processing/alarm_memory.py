"""What is remembered of active alarms over a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gateway.processing.alarm_state import AlarmState
    from gateway.state import Json, State

KEY: Final = "alarms"
"""Under which it stands in the state."""


class AlarmMemory:
    """Active alarms in the small durable state.

    Args:
        state: where they are kept.
        boot: the kernel's id of this boot; monotonic times of another one mean nothing.
    """

    def __init__(self, state: State, boot: str) -> None:
        self._state = state
        self._boot = boot
        self.changed = False
        """Something began or ended since whoever flushes the state has reset this."""

    def keep(self, states: Mapping[str, Iterable[AlarmState]], began: Callable[[AlarmState], int]) -> None:
        """Remember what is active.

        Args:
            states: all alarms by device.
            began: gives the wall time at which an active one began, UTC in ns.
        """
        active = {d: {s.alarm.id: self._record(s, began(s)) for s in some if s.is_active} for d, some in states.items()}
        kept: dict[str, Json] = {device: dict(alarms) for device, alarms in active.items() if alarms}
        if kept != (self._state.get(KEY) or {}):
            self._state.put(KEY, kept)
            self.changed = True

    def resume(self, device: str, states: Iterable[AlarmState]) -> None:
        """Make active what was active; what is kept in another form than ours is passed over."""
        kept = self._state.get(KEY)
        known = kept.get(device) if isinstance(kept, dict) else None
        for state in states:
            record = known.get(state.alarm.id) if isinstance(known, dict) else None
            if isinstance(record, dict):
                self._resume(state, record)

    def _record(self, state: AlarmState, began: int) -> Json:
        boot = "" if state.since is None else self._boot
        return {"began": began, "since": state.since, "boot": boot, "acknowledged": state.acknowledged}

    def _resume(self, state: AlarmState, record: Mapping[str, Json]) -> None:
        began, since = record.get("began"), record.get("since")
        if not isinstance(began, int):
            return
        same_boot = bool(self._boot) and record.get("boot") == self._boot and isinstance(since, int)
        acknowledged = record.get("acknowledged") is True
        state.resume(since if same_boot and isinstance(since, int) else None, began, acknowledged=acknowledged)
