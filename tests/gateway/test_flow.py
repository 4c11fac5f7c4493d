"""The way from the collector to the outbox: each device's own pipeline, and what happens at a reload."""

from __future__ import annotations

from structlog.testing import capture_logs

from gateway.flow import Flow
from gateway.model import Batch, DeviceState, DeviceStatus, Notice, Run, Tag
from gateway.outbox.outbox import Outbox
from gateway.testing import ManualClock, sample_batch, sample_device


class Kept(Outbox):
    """An outbox in memory that shows what was put."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(Run(1, "0badcafe", ""), clock, None)
        self.items: list[Batch | Notice] = []

    def put(self, item: Batch | Notice) -> None:
        self.items.append(item)


class Bench:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.outbox = Kept(self.clock)
        self.told: list[DeviceStatus] = []
        self.flow = Flow(self.outbox, self.clock, self.told.append)

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
