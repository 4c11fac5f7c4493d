"""All alarms of the gateway: what is told, what is listed, what outlives a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drivers.sim.config import SimDevice
from gateway.clock.watch import ClockWatch
from gateway.driver import Device
from gateway.model import ABSENT, Batch, Cell, ClockState, Quality, Tag
from gateway.processing.alarm_memory import KEY, AlarmMemory
from gateway.processing.alarms import ActiveAlarm, Alarms
from gateway.processing.states import AlarmSeverity
from gateway.state import State
from gateway.testing import SAMPLE_TIME, ManualClock, sample_device

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gateway.model import Notice

HOT = {"above": 80.0, "severity": "high", "text": "Oil hot"}
JAM = {"bit": "jam", "ends": "when_acknowledged"}
TAGS: dict[str, Any] = {
    "oil": {"address": "analog", "alarms": {"hot": HOT}},
    "word": {"address": "counter", "bits": {"2": "jam"}, "alarms": {"jam": JAM}},
    "plain": {"address": "counter"},
}


def device(name: str = "press", tags: dict[str, Any] = TAGS) -> Device:
    """A device of these tags."""
    config = SimDevice.model_validate({"tags": tags})
    made = sample_device(name, *(Tag(tag, "-", "float") for tag in tags))
    return Device(name, config, made.plan, made.timing)


class Bench:
    """The alarms of one gateway, and what they tell."""

    def __init__(self, state: State, clock: ManualClock | None = None, boot: str = "boot-1") -> None:
        self.clock = clock or ManualClock()
        self.watch = ClockWatch(self.clock, frozenset())
        self.memory = AlarmMemory(state, boot)
        self.alarms = Alarms(self.watch, self.memory, self)
        self.events: list[dict[str, Any]] = []
        self.lists: list[tuple[str, list[ActiveAlarm]]] = []
        self.device = device()
        self.carry(self.device)

    def carry(self, *devices: Device) -> None:
        """Watch these."""
        self.alarms.carry(devices, self.clock.now())

    def tell_event(self, notice: Notice) -> None:
        """Keep it."""
        assert notice.topic == "events"
        self.events.append(dict(notice.body))

    def tell_alarms(self, device: str, active: Sequence[ActiveAlarm]) -> None:
        """Keep it."""
        self.lists.append((device, list(active)))

    def see(self, *values: Cell, quality: Quality = Quality.GOOD, after_s: float = 1.0) -> None:
        """A second passes, and a batch comes."""
        self.clock.advance(after_s)
        plan = self.device.plan
        self.alarms.see(Batch(plan, list(values), [quality] * len(values), self.clock.now()))

    @property
    def active(self) -> list[str]:
        """The ids in the list that was told last."""
        return [alarm.id for alarm in self.lists[-1][1]]


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path)


@pytest.fixture
def bench(state: State) -> Bench:
    return Bench(state)


def test_a_device_begins_with_an_empty_list(bench: Bench) -> None:
    """A display that subscribes later knows that there is nothing, and not that nobody tells."""
    assert bench.lists == [("press", [])]


def test_begin_and_end_are_told_with_all_that_a_reader_needs(bench: Bench) -> None:
    """Device, tag, id, severity, text, value; the end also says how long it lasted."""
    bench.see(81.5, 0, 1)
    bench.see(79.0, 0, 2, after_s=42)
    head = {"device": "press", "tag": "oil", "alarm": "oil.hot", "severity": "high", "text": "Oil hot"}
    assert bench.events == [
        {"event": "alarm_begin", **head, "value": 81.5},
        {"event": "alarm_end", **head, "value": 79.0, "lasted_s": 42.0},
    ]


def test_the_list_holds_what_is_active_and_is_told_on_each_change_only(bench: Bench) -> None:
    """Three batches above the limit are one change."""
    for _ in range(3):
        bench.see(81, 4, 1)
    bench.see(70, 4, 1)
    assert [[alarm.id for alarm in told] for _, told in bench.lists] == [[], ["oil.hot", "word.jam"], ["word.jam"]]
    since = SAMPLE_TIME + 1_000_000_000
    assert bench.lists[1][1][0] == ActiveAlarm("oil.hot", AlarmSeverity.HIGH, since, "Oil hot", False, False)


def test_an_absent_cell_says_nothing(bench: Bench) -> None:
    """What is not in the batch has not changed."""
    bench.see(81, ABSENT, ABSENT)
    bench.see(ABSENT, 4, ABSENT)
    assert bench.active == ["oil.hot", "word.jam"]


def test_a_device_without_alarms_costs_one_look(bench: Bench) -> None:
    """Its batches are not even opened."""
    plain = device("plain", {"x": {"address": "counter"}})
    bench.carry(bench.device, plain)
    bench.alarms.see(Batch(plain.plan, None, None, bench.clock.now()))  # type: ignore[arg-type]  # never looked at
    assert bench.lists == [("press", [])]


def test_an_acknowledgement_names_who(bench: Bench) -> None:
    """The latched alarm ends by it; the other goes on, acknowledged."""
    bench.see(81, 4, 1)
    bench.see(81, 0, 1)
    assert bench.alarms.acknowledge("press", None, "anna", bench.clock.now()) == 2
    told = [(event["event"], event["alarm"], event.get("by")) for event in bench.events[2:]]
    assert told == [("alarm_acknowledged", "oil.hot", "anna"), ("alarm_end", "word.jam", "anna")]
    assert [(alarm.id, alarm.acknowledged) for alarm in bench.lists[-1][1]] == [("oil.hot", True)]


@pytest.mark.parametrize(("device_name", "alarm"), [("nobody", None), ("press", "oil.cold"), ("press", "word.jam")])
def test_an_acknowledgement_of_nothing_is_nothing(bench: Bench, device_name: str, alarm: str | None) -> None:
    """A wrong name, or an alarm that is not active."""
    bench.see(81, 0, 1)
    told = len(bench.events)
    assert bench.alarms.acknowledge(device_name, alarm, "anna", bench.clock.now()) == 0
    assert len(bench.events) == told


def test_out_of_service_hides_an_alarm_and_back_in_service_it_shows(bench: Bench) -> None:
    """Whoever works on the machine is not called by it; what is true afterwards is told."""
    bench.see(81, 0, 1)
    bench.see(81, 0, 1, quality=Quality.OUT_OF_SERVICE)
    assert bench.active == []
    bench.see(81, 0, 1)
    assert bench.active == ["oil.hot"]
    assert [event["event"] for event in bench.events] == ["alarm_begin"]


def test_a_delay_ends_without_a_batch(bench: Bench) -> None:
    """The beat of the gateway is enough."""
    bench.device = device(tags={"oil": {"address": "analog", "alarms": {"hot": {**HOT, "delay_s": 5}}}})
    bench.carry(bench.device)
    bench.see(81)
    bench.clock.advance(5)
    bench.alarms.tick(bench.clock.now())
    assert bench.active == ["oil.hot"]


def test_a_value_beyond_what_json_readers_hold_is_told_as_text(bench: Bench) -> None:
    """As in the data."""
    bench.see(0, 2**60 + 4, 1)
    assert bench.events[0]["value"] == str(2**60 + 4)


def test_a_reload_keeps_what_is_active_and_ends_what_is_gone(bench: Bench) -> None:
    """A changed limit is no new alarm; a removed one has an end, told as such."""
    bench.see(81, 4, 1)
    changed = {"oil": {"address": "analog", "alarms": {"hot": {**HOT, "text": "Oil very hot"}}}}
    bench.device = device(tags=changed)
    bench.carry(bench.device)
    assert [(event["event"], event["alarm"], event.get("reason")) for event in bench.events[2:]] == [
        ("alarm_end", "word.jam", "removed")
    ]
    assert [alarm.text for alarm in bench.lists[-1][1]] == ["Oil very hot"]
    bench.see(70.0)
    assert bench.events[-1]["lasted_s"] == 1.0


def test_a_device_that_is_gone_ends_its_alarms(bench: Bench) -> None:
    """And is forgotten."""
    bench.see(81, 0, 1)
    bench.carry()
    assert [event.get("reason") for event in bench.events] == [None, "removed"]


def test_a_device_whose_alarms_are_gone_has_an_empty_list(bench: Bench) -> None:
    """What the broker holds must not stay behind."""
    bench.see(81, 0, 1)
    bench.carry(device(tags={"oil": {"address": "analog"}}))
    assert bench.lists[-1] == ("press", [])


def test_active_alarms_outlive_a_restart(bench: Bench, state: State) -> None:
    """Same id, same beginning; one that is over by now ends with its whole length."""
    bench.see(81, 4, 1)
    bench.clock.advance(100)
    after = Bench(state, bench.clock)
    assert [(alarm.id, alarm.since) for alarm in after.lists[0][1]] == [
        ("oil.hot", SAMPLE_TIME + 10**9),
        ("word.jam", SAMPLE_TIME + 10**9),
    ]
    after.see(70, 0, 1, after_s=0)
    assert [(event["event"], event["alarm"], event["lasted_s"]) for event in after.events] == [
        ("alarm_end", "oil.hot", 100.0)
    ]
    assert after.active == ["word.jam"]


def test_an_acknowledgement_outlives_a_restart(bench: Bench, state: State) -> None:
    """Nobody has to acknowledge twice."""
    bench.see(0, 4, 1)
    bench.alarms.acknowledge("press", "word.jam", "anna", bench.clock.now())
    after = Bench(state, bench.clock)
    after.see(0, 0, 1)
    assert [event["event"] for event in after.events] == ["alarm_end"]


def test_after_a_reboot_an_alarm_keeps_its_wall_time(bench: Bench, state: State) -> None:
    """The monotonic clock began anew, and this clock is still in 1970: the beginning is what was kept."""
    bench.see(0, 4, 1)
    rebooted = Bench(state, ManualClock(0, ClockState.FREE_RUNNING), boot="boot-2")
    assert [alarm.since for alarm in rebooted.lists[0][1]] == [SAMPLE_TIME + 10**9]
    rebooted.clock.time_ns, rebooted.clock.state = SAMPLE_TIME + 61 * 10**9, ClockState.SYNCED
    rebooted.watch.look()
    rebooted.alarms.clock_stepped()
    assert [alarm.since for alarm in rebooted.lists[-1][1]] == [SAMPLE_TIME + 10**9]
    rebooted.see(0, 0, 1, after_s=0)
    rebooted.alarms.acknowledge("press", None, "anna", rebooted.clock.now())
    assert rebooted.events[-1]["lasted_s"] == 60.0


def test_a_clock_that_is_set_moves_the_beginning_and_no_length(bench: Bench) -> None:
    """An alarm of two minutes stays one when the clock jumps by an hour."""
    bench.see(81, 0, 1)
    bench.clock.step(3600)
    bench.watch.look()
    bench.alarms.clock_stepped()
    assert bench.lists[-1][1][0].since == SAMPLE_TIME + 3601 * 10**9
    bench.see(70, 0, 1, after_s=120)
    assert bench.events[-1]["lasted_s"] == 120.0


@pytest.mark.parametrize(
    "kept",
    [
        None,
        7,
        [],
        {"press": 3},
        {"press": {"oil.hot": None}},
        {"press": {"oil.hot": {}}},
        {"press": {"oil.hot": {"began": "x"}}},
        {"press": {"oil.hot": {"began": None, "since": 1, "boot": "boot-1"}}},
    ],
)
def test_whatever_was_kept_the_alarms_start(state: State, kept: Any) -> None:
    """A state of another release or a damaged one costs the memory, not the gateway."""
    state.put(KEY, kept)
    assert Bench(state).lists == [("press", [])]


def test_the_state_is_touched_only_when_something_changed(bench: Bench, state: State) -> None:
    """A quiet gateway writes nothing to its card."""
    bench.memory.changed = False
    bench.see(70, 0, 1)
    bench.alarms.tick(bench.clock.now())
    assert not bench.memory.changed
    bench.see(81, 0, 1)
    assert bench.memory.changed
