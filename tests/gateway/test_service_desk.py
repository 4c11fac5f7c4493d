"""Orders are carried out once, told once, and outlive a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import structlog

from gateway.maintenance import FILE, Acknowledgement, Orders, Outage, rewriting
from gateway.model import Quality
from gateway.processing.service import Marker
from gateway.service_desk import Means, ServiceDesk
from gateway.state import State
from gateway.testing import ManualClock, sample_batch, sample_device

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.model import Notice, Stamp

NS = 1_000_000_000


class Acknowledged:
    """Takes acknowledgements, as the alarms do."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None, str]] = []

    def acknowledge(self, device: str, alarm: str | None, by: str, _: Stamp) -> int:
        """Keep it."""
        self.asked.append((device, alarm, by))
        return 1


class Bench:
    """A desk over a folder, and what it does."""

    def __init__(self, state: State, clock: ManualClock | None = None) -> None:
        self.state = state
        self.clock = clock or ManualClock()
        self.service = Marker()
        self.alarms = Acknowledged()
        self.events: list[dict[str, Any]] = []
        means = Means(self.service, self.alarms, self.tell)  # type: ignore[arg-type]  # stands in for the alarms
        self.desk = ServiceDesk(state, self.clock, "boot-1", means)
        self.desk.carry([sample_device("press-12")])

    def tell(self, notice: Notice) -> None:
        """Keep an event."""
        self.events.append(dict(notice.body))

    def take_out(self, what: str = "press-12", hours: int = 2, **changes: Any) -> Outage:
        """Order it by the file."""
        now, until = self.clock.now(), hours * 3600 * NS
        said: dict[str, Any] = {
            "id": f"{what}-{now.monotonic}",
            "what": what,
            "reason": "sensor replaced",
            "by": "anna",
        }
        said |= {"since": now.time, "until": now.time + until, "boot": "boot-1"}
        order = Outage(**said, until_monotonic=now.monotonic + until, **changes)
        with rewriting(self.state.folder) as orders:
            orders[0] = orders[0].with_outage(order)
        return order

    def marked(self) -> bool:
        """Whether a batch of the device is marked."""
        batch = sample_batch(sample_device("press-12").plan, [1.0, True, 3], self.clock.now())
        self.service.mark(batch)
        return Quality.OUT_OF_SERVICE in batch.quality


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path)


@pytest.fixture
def bench(state: State) -> Bench:
    return Bench(state)


async def test_an_order_is_carried_out_and_told_once(bench: Bench) -> None:
    """Who, why, until when."""
    bench.take_out()
    for _ in range(3):
        await bench.desk.look()
    assert bench.marked()
    assert bench.events == [
        {
            "event": "out_of_service",
            "device": "press-12",
            "reason": "sensor replaced",
            "by": "anna",
            "until": "2026-11-24T12:15:00.250Z",
        }
    ]


async def test_an_order_for_a_tag_names_the_tag(bench: Bench) -> None:
    """The others of the device are not touched."""
    bench.take_out("press-12.count")
    await bench.desk.look()
    batch = sample_batch(sample_device("press-12").plan, [1.0, True, 3])
    bench.service.mark(batch)
    assert batch.quality == [Quality.GOOD, Quality.GOOD, Quality.OUT_OF_SERVICE]
    assert (bench.events[0]["device"], bench.events[0]["tag"]) == ("press-12", "count")


async def test_an_order_expires_by_itself(bench: Bench) -> None:
    """Nobody has to remember; the event says why."""
    bench.take_out(hours=2)
    await bench.desk.look()
    bench.clock.advance(2 * 3600 - 1)
    await bench.desk.look()
    assert bench.marked()
    bench.clock.advance(1)
    await bench.desk.look()
    assert not bench.marked()
    assert bench.events[1:] == [{"event": "in_service", "device": "press-12", "why": "expired"}]


async def test_a_clock_that_is_set_does_not_end_an_order(bench: Bench) -> None:
    """It counts by the monotonic clock of its boot."""
    bench.take_out()
    await bench.desk.look()
    bench.clock.step(365 * 86_400)
    await bench.desk.look()
    assert bench.marked()


async def test_who_puts_it_in_service_again_is_told(bench: Bench) -> None:
    """Also where it is not the one who put it out."""
    bench.take_out()
    await bench.desk.look()
    with rewriting(bench.state.folder) as orders:
        orders[0] = orders[0].without_outage("press-12", "bert")
    await bench.desk.look()
    assert not bench.marked()
    assert bench.events[1:] == [{"event": "in_service", "device": "press-12", "why": "ended", "by": "bert"}]


async def test_a_prolonged_order_has_no_end_in_between(bench: Bench) -> None:
    """The new end is told, and the device never was in service."""
    bench.take_out()
    await bench.desk.look()
    bench.clock.advance(60)
    bench.take_out(hours=5)
    await bench.desk.look()
    assert [event["event"] for event in bench.events] == ["out_of_service", "out_of_service"]
    assert bench.marked()


async def test_a_restart_carries_on_and_tells_nothing_twice(bench: Bench, state: State) -> None:
    """The order still holds; its event was told by the run before."""
    bench.take_out()
    await bench.desk.look()
    after = Bench(state, bench.clock)
    await after.desk.look()
    assert after.marked()
    assert after.events == []


async def test_what_ended_while_the_gateway_was_stopped_is_told_at_its_start(bench: Bench, state: State) -> None:
    """The audit has no hole."""
    bench.take_out()
    await bench.desk.look()
    bench.clock.advance(10 * 3600)
    after = Bench(state, bench.clock)
    await after.desk.look()
    assert after.events == [{"event": "in_service", "device": "press-12", "why": "expired"}]


async def test_a_damaged_file_is_told_once_and_the_orders_before_go_on(bench: Bench) -> None:
    """Half a file must not put a machine back into service."""
    bench.take_out()
    await bench.desk.look()
    (bench.state.folder / FILE).write_text("{")
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            await bench.desk.look()
    assert [line["event"] for line in logs] == ["orders_ignored"]
    assert "is damaged" in logs[0]["reason"]
    assert bench.marked()
    assert len(bench.events) == 1


async def test_a_removed_file_ends_all_orders(bench: Bench) -> None:
    """Whoever may write the folder may do that too; it is told."""
    bench.take_out()
    await bench.desk.look()
    (bench.state.folder / FILE).unlink()
    await bench.desk.look()
    assert not bench.marked()
    assert bench.events[1:] == [{"event": "in_service", "device": "press-12", "why": "removed"}]


async def test_a_name_that_nobody_has_is_told_and_kept(bench: Bench) -> None:
    """The device may come with the next reload; a typing mistake is found in the log."""
    bench.take_out("pres-12")
    with structlog.testing.capture_logs() as logs:
        await bench.desk.look()
        await bench.desk.look()
    assert [line["what"] for line in logs if line["event"] == "out_of_service_unknown"] == ["pres-12"]


async def test_an_acknowledgement_is_passed_on_once_also_over_a_restart(bench: Bench, state: State) -> None:
    """An old one must not acknowledge an alarm that begins later."""
    order = Acknowledgement(id="1", what="press-12.oil.hot", by="anna")
    with rewriting(state.folder) as orders:
        orders[0] = Orders().with_acknowledgement(order)
    await bench.desk.look()
    await bench.desk.look()
    assert bench.alarms.asked == [("press-12", "oil.hot", "anna")]
    after = Bench(state, bench.clock)
    await after.desk.look()
    assert after.alarms.asked == []


async def test_all_alarms_of_a_device_can_be_acknowledged(bench: Bench, state: State) -> None:
    """By its name alone."""
    with rewriting(state.folder) as orders:
        orders[0] = Orders().with_acknowledgement(Acknowledgement(id="1", what="press-12", by="anna"))
    await bench.desk.look()
    assert bench.alarms.asked == [("press-12", None, "anna")]
