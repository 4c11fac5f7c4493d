"""Counters: the columns of totals, the events of repairs, and what is kept between runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import ABSENT, Batch, Cell, Counter, Notice, Plan, Quality, Tag
from gateway.processing.counters import Counters
from gateway.processing.pipeline import Pipeline
from gateway.state import State
from tests.gateway.processing.stages import Feed, told

if TYPE_CHECKING:
    from pathlib import Path

ENERGY = Tag("energy", "a", "uint16", unit="kWh", scale=0.1, range=(0, 7000), counter=Counter(65536.0, total=True))
SILENT = Tag("pulses", "b", "uint16", counter=Counter(65536.0))
SPEED = Tag("speed", "c", "float32")


class Bench:
    """Batches of these tags, passing the stage alone."""

    def __init__(self, *tags: Tag, store: State | None = None) -> None:
        self.feed = Feed(*tags)
        self.events: list[Notice] = []
        self.stage = Counters(self.feed.plan, store, self.events.append)

    def reads(self, *cells: Cell, quality: Quality = Quality.GOOD) -> Batch:
        batch = self.feed.batch(*cells, quality=quality)
        self.stage.apply(batch)
        return batch


def test_the_total_is_a_tag_of_the_published_plan() -> None:
    """Behind the tags that are read, with unit and scale of its counter and without its limits."""
    plan = Plan("device", (ENERGY, SILENT, SPEED))
    assert [tag.name for tag in plan.published.tags] == ["energy", "pulses", "speed", "energy_total"]
    total = plan.published.tags[3]
    assert (total.unit, total.scale, total.range, total.counter) == ("kWh", 0.1, None, None)
    assert total.description == "total of energy, guarded against rollover, reset and exchange of the meter"


def test_a_plan_without_totals_is_published_as_it_is() -> None:
    """Nothing is copied where nothing is added."""
    plan = Plan("device", (SILENT, SPEED))
    assert plan.published is plan


def test_the_reading_stays_and_the_total_stands_beside_it() -> None:
    """In raw counts: scaling comes later, for both alike."""
    bench = Bench(SPEED, ENERGY)
    assert told(bench.reads(1.5, 100)) == [(1.5, "good"), (100, "good"), (100, "good")]
    batch = bench.reads(1.5, 200)
    assert batch.plan is bench.feed.plan.published
    assert told(batch)[2] == (200, "good")


def test_an_absent_counter_has_an_absent_total() -> None:
    """Both come with the same request."""
    assert Bench(SPEED, ENERGY).reads(1.5, ABSENT).values == [1.5, ABSENT, ABSENT]


def test_a_total_has_the_times_of_its_counter() -> None:
    """Where tags differ in their times."""
    bench = Bench(SPEED, ENERGY)
    batch = bench.feed.batch(1.5, 100)
    offsets, sources = [0, -250], [None, 5]
    batch.offsets, batch.source_times = offsets, sources
    bench.stage.apply(batch)
    assert batch.offsets == [0, -250, -250]
    assert batch.source_times == [None, 5, 5]
    assert (offsets, sources) == ([0, -250], [None, 5])


def test_bad_and_doubt_are_inherited() -> None:
    """A total is no better than the reading that it is made of."""
    bench = Bench(ENERGY)
    bench.reads(100)
    assert told(bench.reads(None))[1] == (None, "bad:no_reply")
    assert told(bench.reads(110, quality=Quality.CLOCK))[1] == (110, "uncertain:clock")


def test_what_is_no_count_has_no_total() -> None:
    """Text, true, a count below zero or beyond 64 bits; afterwards the total goes on."""
    bench = Bench(ENERGY)
    bench.reads(100)
    for cell in ("x", True, -1, 2**64, 1e30):
        assert told(bench.reads(cell)) == [(cell, "good"), (None, "bad:not_available")]
    assert told(bench.reads(120))[1] == (120, "good")


def test_each_repair_is_one_event_in_the_unit_of_the_tag() -> None:
    """For people: before and after as the meter showed them."""
    bench = Bench(ENERGY)
    bench.reads(65500)
    batch = bench.reads(14)
    (event,) = bench.events
    assert event.topic == "events"
    assert event.stamp == batch.stamp
    assert event.body == {
        "event": "counter_rollover",
        "device": "device",
        "tag": "energy",
        "before": 6550.0,
        "after": 1.4,
        "total": 6555.0,
    }


def test_a_counter_without_total_still_tells_its_repairs() -> None:
    """One tag, no other column."""
    bench = Bench(SILENT)
    bench.reads(65500)
    assert bench.reads(14).values == [14]
    assert [event.body["event"] for event in bench.events] == ["counter_rollover"]


def test_a_repair_makes_the_next_save_urgent() -> None:
    """It is what a kill would cost."""
    bench = Bench(ENERGY)
    bench.reads(65500)
    assert not bench.stage.repaired
    bench.reads(14)
    assert bench.stage.repaired
    bench.stage.save()
    assert not bench.stage.repaired


def test_totals_go_on_in_the_next_run(tmp_path: Path) -> None:
    """Through the state on disk, by the names of device and tag."""
    store = State.open(tmp_path)
    bench = Bench(ENERGY, store=store)
    bench.reads(65500)
    bench.reads(14)
    bench.stage.save()
    store.close()
    again = State.open(tmp_path)
    assert Bench(ENERGY, store=again).reads(20).values == [20, 65556]
    again.close()


def test_a_meter_that_was_never_heard_of_leaves_nothing(tmp_path: Path) -> None:
    """A dead device does not wipe out its total."""
    store = State.open(tmp_path)
    store.put("counter/device/energy", ["65536", "14", "65550"])
    Bench(ENERGY, store=store).stage.save()
    assert store.get("counter/device/energy") == ["65536", "14", "65550"]
    Bench(SILENT, store=store).stage.save()
    assert store.get("counter/device/pulses") is None
    store.close()


def test_the_total_is_scaled_like_its_counter() -> None:
    """Whole counts add up exactly and are divided once."""
    feed = Feed(ENERGY)
    pipeline = Pipeline(feed.plan)
    pipeline.process(feed.batch(65533))
    (batch,) = pipeline.process(feed.batch(1))
    assert batch.values == [0.1, 6553.7]


def test_the_range_of_the_meter_does_not_limit_its_total() -> None:
    """The meter shows 6553.5 at most, the total anything."""
    feed = Feed(ENERGY)
    pipeline = Pipeline(feed.plan)
    for turn in range(3):
        (batch,) = [*pipeline.process(feed.batch(65000 if turn % 2 == 0 else 100))]
    assert told(batch) == [(6500.0, "good"), (13053.6, "good")]
