from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from drivers.sim.config import SimConnection
from drivers.sim.driver import SimDriver
from drivers.sim.simulator import simulate
from gateway.collect.plan import devices_of
from gateway.driver import DeviceRefused, LinkError, NoReply, PollingDriver, Reply, WrongReply
from gateway.signals import analog, digital
from gateway.testing import ManualClock

TAGS = {
    "temperature": {"address": "analog", "unit": "°C", "range": [0.0, 150.0]},
    "running": {"address": "digital"},
    "strokes": {"address": "counter"},
    "program": {"address": "text"},
    "rated": {"address": "constant:42.5"},
}


class Sim:
    """A driver on one device `press`, and the clock that it reads."""

    def __init__(self, fault: str = "none", tags: dict[str, Any] | None = None, **keys: Any) -> None:
        self.config = SimConnection.model_validate(
            {
                "version": 1,
                "driver": "sim",
                "devices": {"press": {"fault": fault, "timeout_s": 0.1, "tags": tags or TAGS}},
            }
            | keys
        )
        self.clock = ManualClock()
        self.driver = SimDriver(self.config, self.clock)
        self.requests = self.driver.requests(devices_of(self.config))

    async def read(self) -> Reply:
        """Open if need be and read the first request."""
        await self.driver.open()
        return await self.driver.read(self.requests[0])


async def test_signals_follow_the_clock_that_was_passed_in() -> None:
    """The values are those of `gateway.signals` for `device.tag` at the time of that clock alone."""
    sim = Sim()
    for strokes in (1, 2):
        now_s = sim.clock.monotonic_s()
        assert (await sim.read()).values == [
            analog("press.temperature", "°C", (0, 150), now_s),
            digital("press.running", now_s),
            strokes,
            "running" if digital("press.program", now_s) else "stopped",
            42.5,
        ]
        sim.clock.advance(7)


async def test_two_drivers_at_one_time_see_the_same() -> None:
    """A test can therefore say what a simulated device must show."""
    assert (await Sim().read()).values == (await Sim().read()).values


async def test_a_counter_counts_readings_also_through_a_closed_link_and_new_requests() -> None:
    """1, 2, 3, ... without a gap, so that whoever receives the values can prove that none is missing."""
    sim = Sim(tags={"strokes": {"address": "counter"}})
    seen = []
    for _ in range(4):
        seen += [(await sim.read()).values[0] for _ in range(3)]
        await sim.driver.close()
        sim.requests = sim.driver.requests(devices_of(sim.config))
    assert seen == list(range(1, 13))


async def test_a_reading_that_failed_is_not_counted() -> None:
    """A cancelled reading of a slow device leaves the counter where it was."""
    sim = Sim("slow", tags={"strokes": {"address": "counter"}})
    assert (await sim.read()).values == [1]
    reading = asyncio.create_task(sim.driver.read(sim.requests[0]))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()
    assert (await sim.read()).values == [2]


async def test_an_analog_value_is_raw_so_that_scaling_makes_it_plausible() -> None:
    """Scale and offset are undone, as a device that sends tenths of a degree would."""
    tag = {"address": "analog", "unit": "°C", "range": [0.0, 150.0], "scale": 0.1, "offset": -20.0}
    sim = Sim(tags={"temperature": tag, "flat": tag | {"scale": 0.0}})
    raw: Any = (await sim.read()).values
    expected = analog("press.temperature", "°C", (0, 150), sim.clock.monotonic_s())
    assert raw[0] * 0.1 - 20.0 == pytest.approx(expected)


async def test_the_same_values_again_are_marked_unchanged() -> None:
    """A constant is unchanged from the second reading on, a counter never."""
    constant = Sim(tags={"rated": {"address": "constant:1"}})
    assert [(await constant.read()).unchanged for _ in range(3)] == [False, True, True]
    counter = Sim(tags={"strokes": {"address": "counter"}})
    assert [(await counter.read()).unchanged for _ in range(3)] == [False, False, False]


async def test_new_requests_forget_the_last_reply() -> None:
    """After a reload the first reply is told as new, whatever it holds."""
    sim = Sim(tags={"rated": {"address": "constant:1"}})
    await sim.read()
    sim.requests = sim.driver.requests(devices_of(sim.config))
    assert not (await sim.read()).unchanged


def test_each_period_of_each_device_is_one_request() -> None:
    """Tags of one device and one period travel together."""
    tags = {
        "a": {"address": "counter"},
        "b": {"address": "counter", "period_s": 5.0},
        "c": {"address": "counter"},
    }
    sim = Sim(devices={"press": {"tags": tags}, "saw": {"period_s": 0.5, "tags": {"d": {"address": "digital"}}}})
    assert [(request.device, request.period_s, request.positions) for request in sim.requests] == [
        ("press", 1.0, (0, 2)),
        ("press", 5.0, (1,)),
        ("saw", 0.5, (0,)),
    ]


@pytest.mark.parametrize(
    ("fault", "error", "least_s"), [("dead", NoReply, 0.1), ("refuse", DeviceRefused, 0), ("garbage", WrongReply, 0)]
)
async def test_a_fault_is_an_error_that_names_device_and_fault(
    fault: str, error: type[Exception], least_s: float
) -> None:
    """Each fault is one error of the driver contract; a dead device takes its time-out."""
    begin = time.monotonic()
    with pytest.raises(error, match=rf"press.*fault: {fault}"):
        await Sim(fault).read()
    assert time.monotonic() - begin >= 0.95 * least_s


async def test_a_slow_device_answers_after_most_of_the_timeout() -> None:
    """It answers, late."""
    begin = time.monotonic()
    assert len((await Sim("slow").read()).values) == len(TAGS)
    assert time.monotonic() - begin >= 0.075


async def test_a_frozen_device_repeats_its_first_reading() -> None:
    """Whatever the time, and counters, too; the replies say that they are unchanged."""
    sim = Sim("frozen")
    first = await sim.read()
    for _ in range(3):
        sim.clock.advance(100)
        again = await sim.read()
        assert again.values == first.values
        assert again.unchanged


async def test_one_faulty_device_leaves_the_others_alone() -> None:
    """On one connection a dead device and a good one: the good one answers."""
    tags = {"t": {"address": "counter"}}
    sim = Sim(devices={"press": {"fault": "refuse", "tags": tags}, "saw": {"tags": tags}})
    await sim.driver.open()
    with pytest.raises(DeviceRefused):
        await sim.driver.read(sim.requests[0])
    assert (await sim.driver.read(sim.requests[1])).values == [1]


async def test_a_link_that_is_down_cannot_be_opened() -> None:
    """The error names the devices behind it and the key that says so."""
    with pytest.raises(LinkError, match=r"press is down \(link: down\)"):
        await Sim(link="down").read()


async def test_reading_needs_an_open_link() -> None:
    """Before `open` and after `close` a reading is a LinkError; closing twice is fine."""
    sim = Sim()
    with pytest.raises(LinkError, match="press is not open"):
        await sim.driver.read(sim.requests[0])
    await sim.read()
    await sim.driver.close()
    await sim.driver.close()
    with pytest.raises(LinkError, match="press is not open"):
        await sim.driver.read(sim.requests[0])


async def test_the_end_of_a_simulation_is_the_end_of_its_devices() -> None:
    """What the simulator yields works inside its context, and breaks like a cut cable after it."""
    async with simulate(Sim().config) as config:
        driver = SimDriver(config, ManualClock())
        (request,) = driver.requests(devices_of(config))
        await driver.open()
        await driver.read(request)
    for attempt in (driver.read(request), driver.open()):
        with pytest.raises(LinkError, match=r"press is gone"):
            await attempt


def test_it_is_a_polling_driver() -> None:
    """The core tells the two kinds apart by their methods."""
    assert isinstance(Sim().driver, PollingDriver)
