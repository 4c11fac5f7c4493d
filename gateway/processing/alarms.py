"""All alarms of the gateway: which are active, what is told when one begins and ends, and what outlives a restart.

Delays and ages go by the monotonic clock. The time at which an alarm began is told on the wall clock as it is now, so a
clock that is set moves it along; only of an alarm that began in an earlier boot nothing but its wall time is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from gateway.model import ABSENT, Notice
from gateway.processing.alarm_state import AlarmState, Turn
from gateway.processing.states import alarms_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.clock.watch import ClockWatch
    from gateway.driver import Device
    from gateway.model import Batch, Plan, Stamp, Value
    from gateway.processing.alarm_memory import AlarmMemory
    from gateway.processing.states import AlarmSeverity

_EXACT: Final = 2**53
"""Up to here every whole number is exact in a double, which most JSON readers hold it in (RFC 8259, section 6)."""

_NS_PER_MS: Final = 1_000_000


class ActiveAlarm(NamedTuple):
    """One line of the list that is published."""

    id: str
    severity: AlarmSeverity
    since: int
    """UTC, ns since 1970."""
    text: str
    acknowledged: bool
    over: bool
    """Its cause is gone; it waits to be acknowledged, or for its off-delay."""


class AlarmOutlet(Protocol):
    """Where alarms are told."""

    def tell_event(self, notice: Notice) -> None:
        """An alarm began, was acknowledged or ended."""
        ...

    def tell_alarms(self, device: str, active: Sequence[ActiveAlarm]) -> None:
        """These are the active alarms of a device from now on."""
        ...


@dataclass(slots=True)
class _Watched:
    """The alarms of one device."""

    device: str
    states: list[AlarmState]
    plan: Plan | None = None
    """For which `cells` was made."""
    cells: tuple[tuple[int, AlarmState], ...] = ()
    """Each alarm with the position of its tag."""
    told: Sequence[ActiveAlarm] | None = None


class Alarms:
    """Sees every batch after scaling and validity, before deadbands hold anything back.

    Args:
        watch: knows what a monotonic time is on the wall clock.
        memory: what is active, over a restart.
        outlet: where alarms are told.
    """

    def __init__(self, watch: ClockWatch, memory: AlarmMemory, outlet: AlarmOutlet) -> None:
        self._watch = watch
        self._memory = memory
        self._outlet = outlet
        self._watched: dict[str, _Watched] = {}

    def carry(self, devices: Iterable[Device], stamp: Stamp) -> None:
        """Watch these devices from now on. An alarm of the same id stays as it is, one that is gone ends."""
        before = self._watched
        self._watched = {}
        for device in devices:
            known = before.pop(device.name, None)
            states = [AlarmState(alarm) for name, tag in _tags(device).items() for alarm in alarms_of(name, tag)]
            if states or known:
                self._watched[device.name] = self._taken_over(device.name, states, known)
                self._end_removed(known, {state.alarm.id for state in states}, stamp)
        for gone in before.values():
            self._end_removed(gone, set(), stamp)
        self._keep_and_tell_all()

    def see(self, batch: Batch) -> None:
        """Take note of the values of one batch."""
        watched = self._watched.get(batch.plan.device)
        if watched is None:
            return
        if watched.plan is not batch.plan:
            watched.plan, watched.cells = batch.plan, _cells(batch.plan, watched.states)
        values, quality, offsets = batch.values, batch.quality, batch.offsets
        news = False
        for position, state in watched.cells:
            if values[position] is ABSENT:
                continue
            at = batch.stamp.monotonic + (offsets[position] * _NS_PER_MS if offsets else 0)
            before = (state.out_of_service, state.is_over)
            turn = state.see(values[position], quality[position], at)
            news |= self._tell(watched, state, turn, batch.stamp) or before != (state.out_of_service, state.is_over)
        if news:
            self._keep_and_tell(watched)

    def tick(self, stamp: Stamp) -> None:
        """Let delays run out; to be called about once a second."""
        for watched in self._watched.values():
            turned = [self._tell(watched, state, state.tick(stamp.monotonic), stamp) for state in watched.states]
            if any(turned):
                self._keep_and_tell(watched)

    def acknowledge(self, device: str, alarm: str | None, by: str, stamp: Stamp) -> int:
        """Acknowledge one alarm by its id, or all of a device; returns how many were waiting for it."""
        watched = self._watched.get(device)
        if watched is None:
            return 0
        asked = [state for state in watched.states if alarm in {None, state.alarm.id}]
        told = [self._tell(watched, state, state.acknowledge(stamp.monotonic), stamp, by=by) for state in asked]
        if any(told):
            self._keep_and_tell(watched)
        return sum(told)

    def clock_stepped(self) -> None:
        """The wall clock was set: tell the times of all that is active on the new one."""
        self._keep_and_tell_all()

    def _tell(self, watched: _Watched, state: AlarmState, turn: Turn | None, stamp: Stamp, **more: str) -> bool:
        if turn is None:
            return False
        body = _body(watched.device, state, turn) | more
        if turn is not Turn.BEGIN:
            lasted = stamp.time - state.began if state.since is None else stamp.monotonic - state.since
            body["lasted_s"] = round(max(0, lasted) / 1e9, 3)
        self._outlet.tell_event(Notice("events", body, stamp))
        return True

    def _taken_over(self, device: str, states: list[AlarmState], known: _Watched | None) -> _Watched:
        if known is None:
            self._memory.resume(device, states)
            return _Watched(device, states)
        before = {state.alarm.id: state for state in known.states}
        for position, state in enumerate(states):
            old = before.get(state.alarm.id)
            if old is not None:
                old.alarm = state.alarm
                states[position] = old
        return _Watched(device, states, told=known.told)

    def _end_removed(self, known: _Watched | None, present: set[str], stamp: Stamp) -> None:
        """Tell the end of what was active and stands in the configuration no more."""
        for state in known.states if known else ():
            if state.is_active and state.alarm.id not in present:
                assert known is not None
                self._tell(known, state, Turn.END, stamp, reason="removed")

    def _keep_and_tell_all(self) -> None:
        for watched in self._watched.values():
            self._tell_list(watched)
        self._memory.keep({watched.device: watched.states for watched in self._watched.values()}, self._began)

    def _keep_and_tell(self, watched: _Watched) -> None:
        self._tell_list(watched)
        self._memory.keep({one.device: one.states for one in self._watched.values()}, self._began)

    def _tell_list(self, watched: _Watched) -> None:
        shown = [self._line(state) for state in watched.states if state.is_active and not state.out_of_service]
        if shown != watched.told:
            watched.told = shown
            self._outlet.tell_alarms(watched.device, shown)

    def _line(self, state: AlarmState) -> ActiveAlarm:
        alarm = state.alarm
        return ActiveAlarm(
            alarm.id, alarm.severity, self._began(state), alarm.text, state.acknowledged, over=state.is_over
        )

    def _began(self, state: AlarmState) -> int:
        return state.began if state.since is None else self._watch.wall(state.since)


def _tags(device: Device) -> Mapping[str, Any]:
    tags: Mapping[str, Any] = getattr(device.config, "tags", {})
    return tags


def _cells(plan: Plan, states: Iterable[AlarmState]) -> tuple[tuple[int, AlarmState], ...]:
    positions = plan.positions
    return tuple((positions[state.alarm.tag], state) for state in states if state.alarm.tag in positions)


def _body(device: str, state: AlarmState, turn: Turn) -> dict[str, Value | None]:
    alarm = state.alarm
    return {
        "event": turn.value,
        "device": device,
        "tag": alarm.tag,
        "alarm": alarm.id,
        "severity": alarm.severity.value,
        "text": alarm.text,
        "value": _written(state.value),
    }


def _written(value: object) -> Value | None:
    """A value as JSON readers can hold it."""
    if isinstance(value, int) and not -_EXACT <= value <= _EXACT:
        return str(value)
    return value if isinstance(value, bool | int | float | str) else None
