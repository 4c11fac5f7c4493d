"""The way from the collector to the outbox: each device's own pipeline, and what happens at a reload."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from structlog.testing import capture_logs

from gateway.flow import Flow
from gateway.model import Batch, Counter, DeviceState, DeviceStatus, Notice, Run, Tag
from gateway.outbox.outbox import Outbox
from gateway.state import State
from gateway.testing import ManualClock, sample_batch, sample_device


class Kept(Outbox):
    """An outbox in memory that shows what was put."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(Run(1, "0badcafe", ""), clock, None)
        self.items: list[Batch | Notice] = []

    def put(self, item: Batch | Notice) -> None:
        self.items.append(item)


class Bench:
    def __init__(self, store: State | None = None) -> None:
        self.clock = ManualClock()
        self.outbox = Kept(self.clock)
        self.told: list[DeviceStatus] = []
        self.flow = Flow(self.outbox, self.clock, self.told.append, store)

    def status(self, device: str, state: DeviceState) -> DeviceStatus:
        return DeviceStatus(device, state, self.clock.time_ns, "a reason")


PRESS = sample_device("press", Tag("speed", "a", "uint16", scale=0.1, deadband=1.0))
PUMP = sample_device("pump", Tag("flow", "b", "float32"))


async def test_a_batch_is_processed_and_put() -> None:
    """Scaled, and held back where it hardly changed."""
    bench = Bench()
    bench.flow.carry([PRESS])
    for raw in (1480, 1481, 1500):
        bench.flow.emit(sample_batch(PRESS.plan, [raw], bench.clock.now()))
    assert [item.values for item in bench.outbox.items if isinstance(item, Batch)] == [[148.0], [150.0]]


async def test_a_reload_keeps_the_memory_of_what_it_left_alone() -> None:
    """The deadband of an unchanged device goes on from the value that was sent."""
    bench = Bench()
    bench.flow.carry([PRESS])
    bench.flow.emit(sample_batch(PRESS.plan, [1480], bench.clock.now()))
    bench.flow.carry([PRESS, PUMP])
    bench.flow.emit(sample_batch(PRESS.plan, [1480], bench.clock.now()))
    assert len(bench.outbox.items) == 1


async def test_a_batch_of_a_replaced_plan_is_let_go() -> None:
    """A reading that was under way at the reload was made with the old scaling."""
    bench = Bench()
    changed = sample_device("press", Tag("speed", "a", "uint16", scale=0.01))
    bench.flow.carry([changed])
    bench.flow.emit(sample_batch(PRESS.plan, [1480], bench.clock.now()))
    bench.flow.emit(sample_batch(PUMP.plan, [1.0], bench.clock.now()))
    assert bench.outbox.items == []


async def test_a_change_of_state_is_told_and_logged_for_configured_devices_only() -> None:
    """A late report of a removed device leaves no status behind."""
    bench = Bench()
    bench.flow.carry([PRESS])
    with capture_logs() as lines:
        bench.flow.report(bench.status("press", DeviceState.OFFLINE))
        bench.flow.report(bench.status("press", DeviceState.ONLINE))
        bench.flow.report(bench.status("removed", DeviceState.ONLINE))
    assert [(status.device, status.state) for status in bench.told] == [("press", "offline"), ("press", "online")]
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("device_offline", "warning"),
        ("device_online", "info"),
    ]


async def test_the_summary_counts_the_devices_that_are_online() -> None:
    """For the status line of the service."""
    bench = Bench()
    bench.flow.carry([PRESS, PUMP])
    assert bench.flow.summary() == "0 of 2 devices online"
    bench.flow.report(bench.status("press", DeviceState.ONLINE))
    bench.flow.report(bench.status("pump", DeviceState.DEGRADED))
    assert bench.flow.summary() == "1 of 2 devices online"
    bench.flow.carry([PUMP])
    assert bench.flow.summary() == "0 of 1 devices online"


async def test_silent_devices_have_their_heartbeats_sent() -> None:
    """A snapshot of the last values, with their own times."""
    bench = Bench()
    bench.flow.carry([PRESS])
    bench.flow.emit(sample_batch(PRESS.plan, [1480], bench.clock.now()))
    bench.clock.advance(65.0)
    bench.flow.send_heartbeats()
    snapshot = bench.outbox.items[-1]
    assert isinstance(snapshot, Batch)
    assert snapshot.held is not None
    assert snapshot.held[0].value == 148.0


async def test_failures_are_counted_by_device() -> None:
    """Single failures turn nothing bad, but are not forgotten."""
    bench = Bench()
    for _ in range(3):
        bench.flow.failed("press")
    assert bench.flow.failures == {"press": 3}


async def test_an_outage_of_a_device_is_told_when_it_is_over() -> None:
    """From when it went offline to when it answers again, with the reason and how many readings failed."""
    bench = Bench()
    bench.flow.carry([PRESS, PUMP])
    bench.flow.report(bench.status("press", DeviceState.ONLINE))
    bench.flow.report(bench.status("press", DeviceState.OFFLINE))
    for _ in range(7):
        bench.flow.failed("press")
        bench.clock.advance(1)
    assert bench.outbox.items == []
    bench.flow.report(bench.status("press", DeviceState.DEGRADED))
    bench.flow.report(bench.status("press", DeviceState.ONLINE))
    (notice,) = bench.outbox.items
    assert isinstance(notice, Notice)
    assert notice.topic == "events"
    assert notice.body == {
        "event": "outage",
        "cause": "device",
        "device": "press",
        "from": "2026-11-24T10:15:00.250Z",
        "to": "2026-11-24T10:15:07.250Z",
        "kept": 0,
        "dropped": 7,
        "why": "a reason",
    }


async def test_a_device_that_a_reload_took_away_leaves_no_outage() -> None:
    """It comes back later under its name as if it were new."""
    bench = Bench()
    bench.flow.carry([PRESS, PUMP])
    bench.flow.report(bench.status("press", DeviceState.OFFLINE))
    bench.flow.carry([PUMP])
    bench.flow.carry([PRESS, PUMP])
    bench.flow.report(bench.status("press", DeviceState.ONLINE))
    assert bench.outbox.items == []


LEVEL = sample_device("tank", Tag("level", "a", "float64", swinging_door=1.0))
METER = sample_device("meter", Tag("pulses", "a", "uint8", counter=Counter(256.0, total=True)))


async def test_what_a_swinging_door_holds_back_is_sent_at_a_reload_and_at_the_end() -> None:
    """A point that waits for the next one is lost neither way."""
    bench = Bench()
    for ending in (lambda: bench.flow.carry([]), bench.flow.finish):
        bench.outbox.items.clear()
        bench.flow.carry([LEVEL])
        for level in (0.0, 1.0):
            bench.clock.advance(1.0)
            bench.flow.emit(sample_batch(LEVEL.plan, [level], bench.clock.now()))
        ending()
        assert [item.values for item in bench.outbox.items if isinstance(item, Batch)] == [[0.0], [1.0]]


async def test_a_repair_of_a_counter_is_an_event_and_makes_the_save_urgent() -> None:
    """The event goes before the batch that shows it; the total is saved before a kill can cost it."""
    bench = Bench()
    bench.flow.carry([METER, PUMP])
    bench.flow.emit(sample_batch(METER.plan, [250], bench.clock.now()))
    assert not bench.flow.urgent
    bench.flow.emit(sample_batch(METER.plan, [4], bench.clock.now()))
    assert bench.flow.urgent
    event, batch = bench.outbox.items[-2:]
    assert isinstance(event, Notice)
    assert event.body["event"] == "counter_rollover"
    assert isinstance(batch, Batch)
    assert batch.values == [4, 260]
    bench.flow.save()
    assert not bench.flow.urgent


async def test_totals_are_kept_in_the_store_of_the_gateway(tmp_path: Path) -> None:
    """A killed gateway goes on from the last flush, and from the meter."""
    for reading, total in ((250, 250), (4, 260), (9, 265)):
        state = State.open(tmp_path)
        bench = Bench(state)
        bench.flow.carry([METER])
        bench.flow.emit(sample_batch(METER.plan, [reading], bench.clock.now()))
        batch = bench.outbox.items[-1]
        assert isinstance(batch, Batch)
        assert batch.values == [reading, total]
        bench.flow.save()
        state.close()


async def test_a_reload_keeps_the_total_of_a_meter_whose_tag_changed() -> None:
    """Only the description is another: a new plan, the same meter."""
    bench = Bench(State(Path("/nowhere")))
    bench.flow.carry([METER])
    bench.flow.emit(sample_batch(METER.plan, [250], bench.clock.now()))
    bench.flow.emit(sample_batch(METER.plan, [4], bench.clock.now()))
    changed = sample_device("meter", replace(METER.plan.tags[0], description="gas"))
    bench.flow.carry([changed])
    bench.flow.emit(sample_batch(changed.plan, [5], bench.clock.now()))
    batch = bench.outbox.items[-1]
    assert isinstance(batch, Batch)
    assert batch.values == [5, 261]
