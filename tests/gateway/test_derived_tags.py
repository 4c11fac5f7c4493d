"""The derived tags of a running gateway: what a reload does, how their devices do, and a defect in them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.model import DeviceState
from gateway.testing import eventually
from tests.gateway.processing.derived.conftest import Plant
from tests.gateway.processing.derived.test_engine import SOURCES, Store, formula, plant_of


def test_the_state_of_a_virtual_device_is_told() -> None:
    """Online while its tags are good; degraded or offline with the names of those that are not."""
    plant = plant_of({"t": formula("a", a="x.a"), "u": formula("b", b="x.b")})
    plant.read({"x.a": 1.0, "x.b": 1.0})
    plant.read({"x.a": "bad:no_reply"})
    plant.read({"x.b": "bad:no_reply"})
    plant.read({"x.a": 1.0, "x.b": 1.0})
    assert [(status.state, status.reason) for status in plant.statuses if status.device == "calc"] == [
        (DeviceState.ONLINE, ""),
        (DeviceState.DEGRADED, "bad: t"),
        (DeviceState.OFFLINE, "bad: t"),
        (DeviceState.ONLINE, ""),
    ]


def test_without_derived_tags_nothing_is_done() -> None:
    """A configuration without derived.yaml pays for nothing."""
    plant = Plant(SOURCES, {})
    plant.read({"x.a": 1.0})
    plant.tick()
    assert [batch.plan.device for batch in plant.outbox.batches] == ["x"]
    plant.load(SOURCES, {"calc": {"tags": {"t": formula("a", a="x.a")}}})
    plant.load(SOURCES, {})
    assert plant.flow._derived._derivation is None


def test_a_reload_saves_before_it_restores() -> None:
    """A tag that is renamed at its deadband or moved in the file goes on from now, not from the last save."""
    store = Store()
    tags = {"e": formula("integral(p, per='s')", p="x.a") | {"persist": True}}
    plant = plant_of(tags, store=store)
    for _ in range(3):
        plant.read({"x.a": 10.0})
        plant.clock.advance(1)
    plant.load(SOURCES, {})
    plant.load(SOURCES, {"calc": {"tags": tags}})
    plant.sent("calc")
    plant.read({"x.a": 10.0})
    assert plant.sent("calc")[0]["e"] == 20.0


def test_a_defect_in_a_derived_tag_does_not_stop_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample is sent, the defect is told once, and goes on to be tried."""
    plant = plant_of({"t": formula("a", a="x.a")})

    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    with capture_logs() as lines:
        with monkeypatch.context() as patch:
            patch.setattr("gateway.processing.derived.calculation.Calculation.work_out", broken)
            plant.read({"x.a": 1.0})
            plant.read({"x.a": 2.0})
        plant.read({"x.a": 3.0})
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["derived_tags_defect"]
    assert [batch.plan.device for batch in plant.outbox.batches] == ["x", "x", "x", "calc"]


def test_the_wait_until_the_next_look_ends_with_the_nearest_period() -> None:
    """At most a second, since windows and the clock want to be looked at."""
    plant = plant_of({"t": formula("a", a="x.a") | {"period_s": 10}})
    plant.tick()
    plant.clock.advance(8.7)
    assert plant.flow._derived.next_tick_s(plant.clock.now()) == pytest.approx(0.3)
    plant.clock.advance(-5)
    assert plant.flow._derived.next_tick_s(plant.clock.now()) == 1.0
    assert Plant(SOURCES, {}).flow._derived.next_tick_s(plant.clock.now()) == 1.0


def test_a_device_of_windows_alone_is_online_before_the_first_of_them_is_over() -> None:
    """Told once, at the first look, and not again by a reload that leaves it alone."""
    window = {"source": "x.a", "window": "1d", "timezone": "Europe/Amsterdam", "take": ["max"]}
    plant = Plant(SOURCES, {"calc": {"windows": {"w": window}}})
    for _ in range(2):
        plant.tick()
        plant.load(SOURCES, {"calc": {"windows": {"w": window}}, "other": {"tags": {"t": formula("a", a="x.a")}}})
    assert [(status.device, status.state) for status in plant.statuses] == [("calc", DeviceState.ONLINE)]


async def test_what_waits_for_a_time_is_worked_out_without_a_batch() -> None:
    """One task looks after all periods and windows."""
    plant = plant_of({"t": formula("a", a="x.a") | {"period_s": 10}})
    task = asyncio.create_task(plant.flow.keep_time())
    await eventually(lambda: any(batch.plan.device == "calc" for batch in plant.outbox.batches))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert plant.sent("calc")[0]["t"] == "bad:not_available"


def test_an_outage_of_a_source_is_told_once() -> None:
    """The source has the outage; its virtual devices are offline for the same reason and tell no second one."""
    plant = plant_of({"t": formula("a", a="x.a")})
    told: list[Any] = []
    plant.outbox.put = told.append  # type: ignore[method-assign]  # to see notices too
    plant.read({"x.a": 1.0})
    plant.read({"x.a": "bad:no_reply"})
    plant.read({"x.a": 1.0})
    assert [status.state for status in plant.statuses if status.device == "calc"][1] is DeviceState.OFFLINE
    assert all(hasattr(one, "plan") for one in told)
