"""Each outage is told once it is over: what was away, from when to when, why, and what that cost."""

from __future__ import annotations

from errno import EIO
from typing import Any

import pytest

from gateway.model import ClockState, Gap, iso_time
from gateway.outbox.outages import ALL_DEVICES, Cause, Outages, Tally, unclean_end
from gateway.testing import SAMPLE_TIME, ManualClock

NewRig = Any
NOTHING = Tally(0, 0)


def told(rig: Any, cause: str) -> list[dict[str, Any]]:
    """The records of outages with this cause."""
    return [dict(notice.body) for notice in rig.outages if notice.body["cause"] == cause]


async def connected(rig: Any) -> None:
    """The broker takes what there is."""
    rig.put(1)
    rig.acknowledge(await rig.take())


async def test_a_broker_that_was_away_is_told_when_it_is_back(rig: Any) -> None:
    """From the lost session to the first acknowledgement, with what waited meanwhile."""
    await connected(rig)
    rig.outbox.give_back()
    lost = rig.clock.time_ns
    rig.outbox.explain_outage("broker plant:1883: it refuses the connection")
    for _ in range(60):
        rig.put(2)
        await rig.tend(1.0)
    rig.outbox.give_back()
    assert told(rig, "broker") == []
    rig.acknowledge(await rig.take())
    assert told(rig, "broker") == [
        {
            "event": "outage",
            "cause": "broker",
            "device": "*",
            "from": iso_time(lost),
            "to": iso_time(lost + 60_000_000_000),
            "kept": 120,
            "dropped": 0,
            "why": "broker plant:1883: it refuses the connection",
        }
    ]


async def test_what_the_outage_cost_is_counted(new_rig: NewRig) -> None:
    """Dropped by the cap: kept and dropped are together what was put; the gap records say whose it was."""
    rig = new_rig(max_bytes=8_000, segment_bytes=1_000)
    await connected(rig)
    rig.outbox.give_back()
    for _ in range(40):
        rig.put(20)
        await rig.tend(1.1)
    rig.acknowledge(await rig.take(1))
    [outage] = told(rig, "broker")
    assert outage["dropped"] == rig.outbox.counters.dropped > 100
    assert outage["kept"] + outage["dropped"] == 800


async def test_a_link_that_is_back_at_once_is_no_outage(rig: Any) -> None:
    """Shorter than `spill_after_s`, nothing went to disk and nothing is told."""
    await connected(rig)
    rig.outbox.give_back()
    rig.clock.advance(0.9)
    await connected(rig)
    assert rig.outages == []


async def test_a_broker_that_is_not_there_at_the_start_is_told(rig: Any) -> None:
    """A power cut took the switch with it: from the start of the gateway on."""
    begun = rig.clock.time_ns
    rig.put(3)
    await rig.tend(30.0)
    rig.acknowledge(await rig.take())
    [outage] = told(rig, "broker")
    assert (outage["from"], outage["kept"]) == (iso_time(begun), 3)
    assert outage["why"] == "not connected since the start"


async def test_a_session_that_takes_nothing_does_not_end_an_outage(rig: Any) -> None:
    """A broker that accepts and never acknowledges is still away."""
    await connected(rig)
    rig.outbox.give_back()
    for _ in range(3):
        rig.put(1)
        await rig.take()
        rig.clock.advance(20.0)
        rig.outbox.give_back()
    assert rig.outages == []
    rig.acknowledge(await rig.take())
    assert len(told(rig, "broker")) == 1


async def test_a_disk_that_failed_is_told_when_it_is_well(rig: Any) -> None:
    """With the status's own words; what waited in memory was kept."""
    await connected(rig)

    def fault(operation: str, name: str) -> None:
        if operation == "sync":
            raise OSError(EIO, "Input/output error", name)

    rig.disk.fault = fault
    rig.put(5)
    await rig.tend(1.1)
    rig.put(2)
    rig.disk.fault = lambda _operation, _name: None
    await rig.tend(31.0)
    [outage] = told(rig, "disk")
    assert outage["why"] == "the spool in the disk cannot be written: Input/output error"
    assert (outage["kept"], outage["dropped"]) == (2, 0)


async def test_a_clock_that_was_set_late_is_told(rig: Any) -> None:
    """How long times were not to be trusted, reckoned back from the set clock."""
    rig.clock.state, rig.clock.time_ns = ClockState.FREE_RUNNING, 5_000_000_000
    await rig.tend(1.0)
    rig.put(4)
    await rig.tend(600.0)
    rig.clock.state, rig.clock.time_ns = ClockState.SYNCED, SAMPLE_TIME
    await rig.tend(1.0)
    [outage] = told(rig, "clock")
    assert outage["to"] == iso_time(SAMPLE_TIME + 1_000_000_000)
    assert outage["from"] == iso_time(SAMPLE_TIME - 600_000_000_000)
    assert outage["kept"] == 4


async def test_a_clock_that_is_never_set_is_no_outage_that_ended(rig: Any) -> None:
    """An isolated plant without time synchronisation gets no record of it."""
    rig.clock.state = ClockState.FREE_RUNNING
    for _ in range(10):
        await rig.tend(3600.0)
    assert told(rig, "clock") == []


@pytest.mark.parametrize(("boot", "cause"), [("another boot", "power"), ("a boot", "crash")])
async def test_an_unclean_end_is_told_at_the_next_start(new_rig: NewRig, boot: str, cause: str) -> None:
    """In another boot of the machine it was the power; in the same one the gateway alone."""
    rig = new_rig(boot="a boot")
    rig.put(7)
    last = rig.clock.time_ns
    await rig.tend(1.1)
    rig.clock.advance(60)
    rig.boot = boot
    rig.killed()
    await rig.tend()
    [outage] = told(rig, cause)
    assert (outage["from"], outage["to"]) == (iso_time(last), iso_time(rig.clock.time_ns))
    assert (outage["kept"], outage["dropped"]) == (7, None)
    gaps = [entry.item.body for entry in await rig.drain() if entry.device == "_gateway"]
    assert [(gap["reason"], gap["count"]) for gap in gaps] == [(cause, None)]


async def test_a_crash_after_a_power_cut_is_a_crash(new_rig: NewRig) -> None:
    """The mark follows the boot as soon as the first gap is safe, so that the second is named rightly."""
    rig = new_rig(boot="a boot")
    await rig.tend(1.1)
    rig.boot = "another boot"
    rig.killed()
    await rig.tend(1.1)
    rig.killed()
    await rig.tend(1.1)
    assert [notice.body["cause"] for notice in rig.outages] == ["power", "crash"]
    reasons = [entry.item.body["reason"] for entry in await rig.drain()]
    assert sorted(reasons) == ["crash", "power"]


async def test_an_orderly_end_is_no_outage(rig: Any) -> None:
    """Nothing is told of an update."""
    rig.put(7)
    await rig.tend(1.1)
    await rig.outbox.close()
    rig.killed()
    await rig.tend()
    assert rig.outages == []


async def test_records_of_outages_travel_like_batches(new_rig: NewRig) -> None:
    """They are events of the gateway: durable, named, and sent."""
    rig = new_rig(keep_outages_apart=False)
    rig.put(1)
    await rig.tend(30.0)
    rig.acknowledge(await rig.take())
    rig.killed()
    await rig.tend(1.1)
    rig.killed()
    bodies = [entry.item.body for entry in await rig.drain() if entry.device == "_gateway"]
    assert "crash" in [body.get("cause") for body in bodies]


def test_one_device_has_one_outage_at_a_time() -> None:
    """Beginning twice keeps the first time; an end without a beginning is nothing."""
    clock = ManualClock()
    outages = Outages(clock)
    assert outages.end(Cause.DEVICE, "meter", NOTHING) is None
    outages.begin(Cause.DEVICE, "meter", "no reply", NOTHING)
    clock.advance(5)
    outages.begin(Cause.DEVICE, "meter", "no reply", Tally(3, 3))
    outages.begin(Cause.DEVICE, "press-12", "no reply", NOTHING)
    clock.advance(5)
    notice = outages.end(Cause.DEVICE, "meter", Tally(8, 8))
    assert notice is not None
    assert (notice.body["from"], notice.body["dropped"]) == (iso_time(SAMPLE_TIME), 8)
    assert (Cause.DEVICE, "meter") not in outages
    assert (Cause.DEVICE, "press-12") in outages


def test_devices_that_a_reload_took_away_are_forgotten() -> None:
    """Their outage never ends, and takes no memory."""
    outages = Outages(ManualClock())
    outages.begin(Cause.DEVICE, "meter", "no reply", NOTHING)
    outages.begin(Cause.DEVICE, "press-12", "no reply", NOTHING)
    outages.forget_devices_but({"press-12"})
    assert (Cause.DEVICE, "meter") not in outages
    assert (Cause.DEVICE, "press-12") in outages


def test_the_record_of_a_power_cut_says_where_to_look() -> None:
    """At the supply, not at the program."""
    notice = unclean_end(Gap(ALL_DEVICES, 0, SAMPLE_TIME, None, "power"), 12, ManualClock().now())
    assert "power supply" in str(notice.body["why"])
    assert notice.body["kept"] == 12
