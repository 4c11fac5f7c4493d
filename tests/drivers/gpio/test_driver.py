from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import gpiozero  # type: ignore[import-untyped]  # it has no type hints
import pytest
from structlog.testing import capture_logs

from drivers.gpio.driver import GpioDriver
from gateway.collect.plan import devices_of
from gateway.driver import LinkError
from gateway.model import ABSENT, Quality
from gateway.testing import SAMPLE_TIME, ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable

DOOR = {"address": "GPIO17", "pull": "down", "debounce_ms": 10.0}
MARK = {"address": "GPIO27", "pull": "down", "debounce_ms": 0.0}


async def test_the_first_batch_holds_every_contact_at_one_instant(bench: Callable[..., Any]) -> None:
    """What the wires say when listening begins is emitted whole, before any edge, and without waiting for debounce."""
    press = bench({"door": DOOR, "mark": MARK})
    press.wires.drive(17, True)
    async with press.running():
        assert press.seen == [{"door": True, "mark": False}]
        assert press.batches[0].stamp.time == SAMPLE_TIME
        assert press.batches[0].offsets is None


@pytest.mark.parametrize(
    ("pull", "active", "when_low", "when_high"),
    [
        ("up", None, True, False),
        ("down", None, False, True),
        ("up", "high", False, True),
        ("down", "low", True, False),
        ("none", "low", True, False),
        ("none", "high", False, True),
    ],
)
async def test_active_says_which_level_is_true(
    bench: Callable[..., Any], pull: str, active: str | None, *, when_low: bool, when_high: bool
) -> None:
    """Every pull with every active level; without a word the level away from the pull is true."""
    tag = {"address": "GPIO5", "pull": pull, "debounce_ms": 0.0} | ({} if active is None else {"active": active})
    press = bench({"contact": tag})
    press.wires.drive(5, False)
    async with press.running():
        press.wires.drive(5, True)
        await press.until(lambda: len(press.batches) == 2)
    assert press.values("contact") == [when_low, when_high]


async def test_a_pin_without_wire_rests_at_its_pull(bench: Callable[..., Any]) -> None:
    """An open contact to ground with pull up reads false, and so does an open switch to 3.3 V with pull down."""
    press = bench({"up": {"address": "GPIO5"}, "down": {"address": "GPIO6", "pull": "down"}})
    async with press.running():
        assert press.seen == [{"up": False, "down": False}]


async def test_an_edge_carries_its_own_time(bench: Callable[..., Any]) -> None:
    """A debounced change is stamped with the edge, not with the end of the debounce time."""
    press = bench({"door": DOOR})
    async with press.running():
        press.clock.advance(1)
        press.wires.drive(17, True)
        press.clock.advance(0.5)
        await press.until(lambda: len(press.batches) == 2)
    assert press.values("door") == [False, True]
    assert press.batches[1].stamp.time == SAMPLE_TIME + 1_000_000_000


async def test_a_pulse_shorter_than_the_debounce_time_is_not_seen_in_either_direction(
    bench: Callable[..., Any],
) -> None:
    """Nine milliseconds high while low, or low while high, leave the contact as it was; eleven do not."""
    press = bench({"door": DOOR, "mark": MARK})
    async with press.running():
        for level in (True, False):
            _pulse(press, level=level, ms=9)
            press.clock.advance(0.1)
            press.wires.drive(17, level)
            press.clock.advance(0.011)
            await press.until(lambda count=3 - level: len(press.values("door")) == count)
    assert press.values("door") == [False, True, False]


async def test_a_bouncing_contact_is_one_event(bench: Callable[..., Any]) -> None:
    """Twenty bounces of a millisecond and then rest: one change, at the last bounce."""
    press = bench({"door": DOOR})
    async with press.running():
        for _ in range(20):
            _pulse(press, level=True, ms=1)
            press.clock.advance(0.001)
        last_bounce = press.clock.time_ns
        press.wires.drive(17, True)
        press.clock.advance(0.02)
        await press.until(lambda: len(press.batches) == 2)
    assert press.values("door") == [False, True]
    assert press.batches[1].stamp.time == last_bounce


async def test_without_debounce_every_pulse_is_seen_in_its_order(bench: Callable[..., Any]) -> None:
    """Five pulses that all happen before the loop comes round are five changes up and five down; a batch holds one."""
    press = bench({"mark": MARK})
    async with press.running():
        for _ in range(5):
            press.clock.advance(0.001)
            press.wires.drive(27, True)
            press.clock.advance(0.001)
            press.wires.drive(27, False)
        await press.until(lambda: len(press.batches) == 11)
    assert press.values("mark") == [False, *[True, False] * 5]
    times = [batch.stamp.time for batch in press.batches]
    assert times == [SAMPLE_TIME + n * 1_000_000 for n in range(11)]


async def test_contacts_that_change_together_share_a_batch(bench: Callable[..., Any]) -> None:
    """Two pins within one wake-up of the loop are one batch at the later edge; the offset keeps each one's time."""
    press = bench({"mark": MARK, "stop": {"address": "GPIO6", "pull": "down", "debounce_ms": 0.0}, "door": DOOR})
    async with press.running():
        press.wires.drive(27, True)
        press.clock.advance(0.003)
        press.wires.drive(6, True)
        await press.until(lambda: len(press.batches) == 2)
    batch = press.batches[1]
    assert batch.values == [True, True, ABSENT]
    assert batch.stamp.time == SAMPLE_TIME + 3_000_000
    assert batch.offsets == [-3, 0, 0]


@pytest.mark.parametrize("debounce_ms", [0.0, 10.0])
async def test_a_lost_edge_heals_at_the_next_reading(bench: Callable[..., Any], debounce_ms: float) -> None:
    """A level that changed without any edge is found by the reading of the level, with debounce and without."""
    press = bench({"door": DOOR | {"debounce_ms": debounce_ms}})
    async with press.running():
        press.driver._pins._factory.pin(17)._change_state(True)  # a change that calls nobody
        async with asyncio.timeout(10):
            while press.values("door") != [False, True]:
                press.clock.advance(0.005)
                await asyncio.sleep(0.005)


async def test_edges_from_another_thread_arrive(bench: Callable[..., Any]) -> None:
    """The library calls from a thread of its own; all of a thousand pulses arrive, in order."""
    press = bench({"mark": MARK})
    async with press.running():
        thread = threading.Thread(target=_square_wave, args=(press.wires, 27, 1000))
        thread.start()
        await press.until(lambda: len(press.values("mark")) == 2001)
        thread.join()
    assert press.values("mark") == [False, *[True, False] * 1000]


async def test_a_pin_in_use_is_bad_alone_and_heals(bench: Callable[..., Any]) -> None:
    """Another user of one pin makes that tag BAD with the cause; the others live, and once free the pin is taken."""
    press = bench({"door": DOOR, "mark": MARK})
    await press.driver.open()
    other = gpiozero.InputDevice(17, pin_factory=press.driver._pins._factory)
    with capture_logs() as logs:
        async with press.listening():
            assert press.batches[0].values == [None, False]
            assert press.batches[0].quality[0] is Quality.NOT_AVAILABLE
            assert "GPIO17 is already in use" in press.batches[0].source_status[0]
            press.clock.advance(1)
            await asyncio.sleep(0.1)
            assert len(press.batches) == 1
            other.close()
            press.clock.advance(1)
            await press.until(lambda: press.values("door") == [None, False])
            press.wires.drive(17, True)
            press.clock.advance(0.015)
            await press.until(lambda: press.values("door")[-1] is True)
    await press.driver.close()
    assert [entry["event"] for entry in logs] == ["pin_unavailable", "pin_available"]


async def test_what_the_board_does_not_offer_is_a_fault_of_the_configuration(bench: Callable[..., Any]) -> None:
    """GPIO2 has a resistor to 3.3 V on the board; asking for pull down makes that tag BAD, and only that."""
    press = bench({"clock": {"address": "GPIO2", "pull": "down"}, "mark": MARK})
    async with press.running():
        assert press.seen == [{"clock": None, "mark": False}]
        assert press.batches[0].quality == [Quality.CONFIG, Quality.GOOD]
        assert press.batches[0].source_status == {0: "GPIO2 has a fixed pull resistor"}


async def test_listening_again_on_the_open_link_sees_edges(bench: Callable[..., Any]) -> None:
    """After a reload the same pins are claimed anew and still call; pins no longer asked for are free."""
    press = bench({"door": DOOR, "mark": MARK})
    fewer = bench({"mark": MARK})
    await press.driver.open()
    for _ in range(3):
        async with press.listening():
            press.wires.drive(27, not press.wires.level(27))
            before = len(press.batches)
            await press.until(lambda before=before: len(press.batches) > before)
    task = asyncio.create_task(press.driver.listen(devices_of(fewer.config), fewer.batches.append))
    await fewer.until(lambda: len(fewer.batches) == 1)
    gpiozero.InputDevice(17, pin_factory=press.driver._pins._factory).close()
    task.cancel()
    await asyncio.wait([task])
    await press.driver.close()
    assert fewer.seen == [{"mark": True}]


async def test_opening_and_closing_fifty_times_releases_everything(bench: Callable[..., Any]) -> None:
    """No reservation, thread or callback stays behind, and the fifty-first time works as the first."""
    press = bench({"door": DOOR, "mark": MARK})
    threads = threading.active_count()
    for _ in range(50):
        async with press.running():
            factory = press.driver._pins._factory
            pin = factory.pin(17)
        press.wires.drive(17, level=False)
        assert not factory.pins
        assert not any(ref() for refs in factory._reservations.values() for ref in refs)
        assert pin.when_changed is None
    assert press.seen == [{"door": False, "mark": False}] * 50
    assert threading.active_count() == threads


async def test_the_global_pin_factory_of_gpiozero_is_never_touched(bench: Callable[..., Any]) -> None:
    """By itself gpiozero falls back from one back end to the next when nobody names one; here somebody always does."""
    async with bench({"door": DOOR}).running():
        assert gpiozero.Device.pin_factory is None


async def test_the_environment_does_not_change_what_mock_pins_are(
    bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself gpiozero lets variables choose another board and another kind of pin; only the configuration counts."""
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "nonsense")
    monkeypatch.setenv("GPIOZERO_MOCK_REVISION", "nonsense")
    monkeypatch.setenv("GPIOZERO_MOCK_PIN_CLASS", "nonsense")
    press = bench({"door": DOOR})
    async with press.running():
        assert press.seen == [{"door": False}]


async def test_a_header_that_goes_away_ends_the_listening(bench: Callable[..., Any]) -> None:
    """The next reading of a level fails with the pin's name, and opening again says that nothing is there."""
    press = bench({"door": DOOR})
    await press.driver.open()
    listening = asyncio.create_task(press.driver.listen(devices_of(press.config), press.batches.append))
    await press.until(lambda: bool(press.batches))
    press.wires.unplug()
    press.clock.advance(1)
    with pytest.raises(LinkError, match=r"GPIO17 on the simulated header"):
        await asyncio.wait_for(listening, 10)
    await press.driver.close()
    with pytest.raises(LinkError, match="pin_factory: mock"):
        await press.driver.open()


async def test_listening_on_a_closed_header_is_refused(bench: Callable[..., Any]) -> None:
    """Without `open` there is a clear error, and closing what was never opened is fine."""
    press = bench({"door": DOOR})
    await press.driver.close()
    with pytest.raises(LinkError, match="not open"):
        await press.driver.listen(devices_of(press.config), press.batches.append)


async def test_simulated_pins_are_told_in_the_log(bench: Callable[..., Any]) -> None:
    """`pin_factory: mock` in a plant would publish invented values; the log says so when the header opens."""
    driver = GpioDriver(bench({"door": DOOR}).config.model_copy(), ManualClock())
    driver._config._wires = None
    with capture_logs() as logs:
        await driver.open()
    await driver.close()
    assert [entry["event"] for entry in logs] == ["pins_are_simulated"]


def _pulse(press: Any, *, level: bool, ms: float) -> None:
    press.wires.drive(17, level)
    press.clock.advance(ms / 1000)
    press.wires.drive(17, not level)


def _square_wave(wires: Any, pin: int, pulses: int) -> None:
    for _ in range(pulses):
        wires.drive(pin, True)
        wires.drive(pin, False)
