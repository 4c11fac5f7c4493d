"""What a batch brings about: everything that rests on it, once, in order; and what a reload keeps."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.model import Batch, DeviceState, Level, Quality, Tag
from gateway.processing.derived.table import Feed, LatestValues
from gateway.testing import ManualClock, sample_batch, sample_plan
from tests.gateway.processing.derived.conftest import Plant

SOURCES: dict[str, dict[str, Any]] = {"x.a": {}, "x.b": {}, "y.c": {}}


def formula(value: str, **inputs: str) -> dict[str, Any]:
    written: dict[str, Any] = {"value": value, "inputs": inputs}
    return written


def plant_of(tags: dict[str, Any], **more: Any) -> Plant:
    return Plant(SOURCES, {"calc": {"tags": tags}}, **more)


class Store:
    """A state in memory."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return self.values.get(key)

    def put(self, key: str, value: Any) -> None:
        self.values[key] = value


def test_a_diamond_over_several_devices_is_worked_out_once() -> None:
    """The tag at its tip sees both sides as they are after this sample, and never one side of the last."""
    plant = Plant(
        SOURCES,
        {
            "one": {"tags": {"left": formula("a + 1", a="x.a")}},
            "two": {"tags": {"right": formula("a - 1", a="x.a")}},
            "tip": {"tags": {"width": formula("l - r", l="one.left", r="two.right")}},
        },
    )
    for value in (1.0, 100.0):
        plant.read({"x.a": value})
        batches = plant.outbox.batches
        assert [(b.plan.device, b.values) for b in batches if b.plan.device == "tip"] == [("tip", [2.0])]
        plant.outbox.batches = []


def test_devices_that_rest_on_each_others_tags_yield_one_batch_each() -> None:
    """A tag of the second rests on one of the first, and another of the first on that."""
    plant = Plant(
        SOURCES,
        {
            "one": {"tags": {"p": formula("a + 1", a="x.a"), "r": formula("q + 1", q="two.q")}},
            "two": {"tags": {"q": formula("p + 1", p="one.p")}},
        },
    )
    plant.read({"x.a": 1.0})
    assert [(b.plan.device, b.values) for b in plant.outbox.batches] == [
        ("x", [1.0, plant.outbox.batches[0].values[1]]),
        ("one", [2.0, 4.0]),
        ("two", [3.0]),
    ]


def test_ways_are_remembered_within_bounds() -> None:
    """A device that reports single changes touches hundreds of sets of tags; memory does not grow with them."""
    names = [f"t{n}" for n in range(9)]
    sources: dict[str, dict[str, Any]] = {f"x.{name}": {} for name in names}
    value = " + ".join(names)
    plant = Plant(sources, {"calc": {"tags": {"sum": formula(value, **{name: f"x.{name}" for name in names})}}})
    plant.read(dict.fromkeys(sources, 0.0))
    for subset in range(1, 512):
        plant.read({f"x.t{n}": float(subset) for n in range(9) if subset >> n & 1})
    derivation = plant.flow._derived._derivation
    assert derivation is not None
    assert len(derivation._routes) <= 256
    assert plant.sent("calc")[-1]["sum"] == 511.0 * 9


def test_a_batch_that_touches_no_input_brings_nothing_about() -> None:
    """Tags that nothing rests on cost nothing."""
    plant = plant_of({"t": formula("a", a="x.a")})
    plant.read({"y.c": 1.0})
    plant.read({"x.b": 1.0})
    assert plant.sent("calc") == []


def test_derived_values_carry_the_time_of_what_triggered_them() -> None:
    """Not that of the moment at which they are worked out."""
    plant = plant_of({"t": formula("a", a="x.a")})
    plant.clock.advance(12.5)
    plant.read({"x.a": 1.0})
    source, derived = plant.outbox.batches
    assert derived.stamp == source.stamp


def test_a_reload_keeps_memory_and_latest_values_of_what_it_left_alone() -> None:
    """An integral goes on, and a tag whose inputs are known needs not wait for them."""
    energy = formula("integral(p, per='s')", p="x.a")
    plant = plant_of({"energy": energy})
    plant.read({"x.a": 10.0, "x.b": 3.0})
    plant.clock.advance(1)
    plant.load(SOURCES, {"calc": {"tags": {"energy": energy, "sum": formula("a + b + c", a="x.a", b="x.b", c="y.c")}}})
    plant.sent("calc")
    plant.read({"y.c": 1.0})
    assert plant.sent("calc") == [{"at": plant.clock.time_ns / 1e9, "sum": "bad:not_available"}]
    plant.read({"x.a": 10.0})
    (sent,) = plant.sent("calc")
    assert sent["energy"] == 10.0


def test_a_reload_keeps_what_is_known_of_unchanged_devices() -> None:
    """A tag that another one comes to rest on is worked out at once, with the latest value of a silent input."""
    tags = {"p": formula("a", a="x.a")}
    plant = plant_of(tags)
    plant.read({"x.a": 10.0})
    plant.load(SOURCES, {"calc": {"tags": {**tags, "sum": formula("a + c", a="x.a", c="y.c")}}})
    plant.sent("calc")
    plant.read({"y.c": 1.0})
    assert plant.sent("calc")[0]["sum"] == 11.0


def test_rejected_values_of_all_steps_are_shown() -> None:
    """A batch that grows over several steps of a chain keeps what each of them refused."""
    large = {"scale": 1e300}
    plant = plant_of(
        {"p": formula("a", a="x.a") | large, "q": formula("b", b="x.b"), "r": formula("q", q="calc.q") | large}
    )
    plant.read({"x.a": 1e10, "x.b": 1e11})
    (batch,) = [batch for batch in plant.outbox.batches if batch.plan.device == "calc"]
    assert batch.values == [None, 1e11, None]
    assert batch.raw == {0: 1e10, 2: 1e11}


def test_a_reload_that_changes_a_deadband_keeps_the_memory() -> None:
    """Memory belongs to what makes the number, not to how it is reported."""
    plant = plant_of({"e": formula("integral(p, per='s')", p="x.a")})
    plant.read({"x.a": 10.0})
    plant.clock.advance(1)
    plant.load(SOURCES, {"calc": {"tags": {"e": formula("integral(p, per='s')", p="x.a") | {"deadband": 1}}}})
    plant.sent("calc")
    plant.read({"x.a": 10.0})
    assert plant.sent("calc")[0]["e"] == 10.0


def test_a_reload_that_changes_a_formula_begins_anew() -> None:
    """What was summed up of something else is of no use."""
    plant = plant_of({"e": formula("integral(p, per='s')", p="x.a")})
    plant.read({"x.a": 10.0})
    plant.clock.advance(1)
    plant.load(SOURCES, {"calc": {"tags": {"e": formula("integral(p, per='s')", p="x.b")}}})
    plant.sent("calc")
    plant.read({"x.b": 10.0})
    assert plant.sent("calc")[0]["e"] == 0.0


def test_a_reload_keeps_an_open_window() -> None:
    """Another take of the same window does not cost what was summed up."""
    clock = ManualClock(1_795_514_400 * 10**9)
    window = {"source": "x.a", "window": "1min", "take": ["count"]}
    plant = Plant(SOURCES, {"calc": {"windows": {"w": window}}}, clock)
    plant.read({"x.a": 1.0})
    clock.advance(30)
    plant.load(SOURCES, {"calc": {"windows": {"w": {**window, "take": ["count", "last"]}}}})
    plant.read({"x.a": 2.0})
    clock.advance(30)
    plant.sent("calc")
    plant.read({"x.a": 3.0})
    assert plant.sent("calc", clock.time_ns) == [{"at": 0.0, "w_count": 2, "w_last": 2.0, "w_good_percent": 100.0}]


def test_latest_values_of_a_changed_device_are_forgotten() -> None:
    """They were made with another scaling."""
    plant = plant_of({"sum": formula("a + c", a="x.a", c="y.c")})
    plant.read({"x.a": 1.0})
    plant.load({**SOURCES, "x.a": {"scale": 0.1}}, {"calc": {"tags": {"sum": formula("a + c", a="x.a", c="y.c")}}})
    plant.sent("calc")
    plant.read({"y.c": 1.0})
    assert plant.sent("calc")[0]["sum"] == "bad:not_available"


@pytest.mark.parametrize("persist", [True, False])
def test_an_integral_outlives_the_process_where_that_is_asked_for(*, persist: bool) -> None:
    """What was saved last is where the next run goes on."""
    tags = {"e": formula("integral(p, per='s')", p="x.a") | {"persist": persist}}
    store = Store()
    plant = plant_of(tags, store=store)
    for _ in range(3):
        plant.read({"x.a": 10.0})
        plant.clock.advance(1)
    plant.flow.save()
    later = plant_of(tags, store=store)
    later.read({"x.a": 10.0})
    assert later.sent("calc")[0]["e"] == (20.0 if persist else 0.0)


@pytest.mark.parametrize(
    "stored",
    [None, 5, "x", [], {}, {"made_of": "another formula", "totals": [5.0]}, {"made_of": None}]
    + [{"made_of": "integral(p, per='s') [('p', 'x.a')]", "totals": wrong} for wrong in (None, [], [1, 2], ["x"], {})],
)
def test_what_the_store_holds_wrongly_is_passed_over(stored: object) -> None:
    """A damaged or foreign total is none."""
    store = Store()
    store.put("derived/calc/e", stored)
    plant = plant_of({"e": formula("integral(p, per='s')", p="x.a") | {"persist": True}}, store=store)
    plant.read({"x.a": 10.0})
    assert plant.sent("calc")[0]["e"] == 0.0


def test_a_tag_of_which_no_input_is_ever_heard_is_told_as_bad() -> None:
    """After ten seconds, once, and only what is still unheard; silence would look like a value that stands still."""
    plant = plant_of(
        {"heard": formula("a", a="x.a"), "unheard": formula("c", c="y.c"), "on_it": formula("u", u="calc.unheard")}
    )
    plant.tick()
    plant.read({"x.a": 1.0})
    plant.sent("calc")
    plant.clock.advance(9.9)
    plant.tick()
    assert plant.sent("calc") == []
    for expected in ([{"at": 0.0, "unheard": "bad:not_available", "on_it": "bad:not_available"}], []):
        plant.clock.advance(0.1)
        plant.tick()
        assert plant.sent("calc", plant.clock.time_ns) == expected
    assert [status.state for status in plant.statuses if status.device == "calc"][-1] is DeviceState.DEGRADED


def test_a_period_is_kept_without_drift() -> None:
    """However late a look comes, the next one is where it would have been; missed ones are let go."""
    plant = plant_of({"t": formula("a", a="x.a") | {"period_s": 10}})
    plant.read({"x.a": 1.0})
    seen = []
    for advance_s in (0.0, 9.3, 9.9, 10.4, 35.0, 5.1):
        plant.clock.advance(advance_s)
        plant.tick()
        seen += [plant.clock.monotonic_ns / 1e9 for _ in plant.sent("calc")]
    assert seen == pytest.approx([1.0, 10.3, 20.2, 30.6, 65.6, 70.7])


VALUES = (
    st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.integers() | st.text(max_size=3) | st.booleans()
)
FORMULAS = {
    "sum": formula("a + b", a="x.a", b="x.b"),
    "ratio": formula("a / b", a="x.a", b="x.b"),
    "root": formula("sqrt(a) ** 3", a="x.a"),
    "chosen": formula("a if a > b else b", a="x.a", b="x.b"),
    "whole": formula("a * 1000", a="x.a") | {"type": "int64"},
    "text": formula("a == 'on'", a="x.a"),
    "energy": formula("integral(a, per='h')", a="x.a"),
    "smooth": formula("moving_average(a, 60) - previous(b)", a="x.a", b="x.b"),
    "idle": formula("seconds_since(a > b)", a="x.a", b="x.b"),
    "chain": formula("s + r", s="calc.sum", r="calc.ratio"),
}
WINDOWS = {"w": {"source": "calc.sum", "window": "1min", "take": ["mean", "max", "sum", "standard_deviation", "last"]}}


@given(st.lists(st.tuples(VALUES, VALUES, st.sampled_from(list(Quality)), st.integers(0, 200)), max_size=12))
def test_any_input_makes_values_that_are_finite_or_bad(rows: list[tuple[Any, Any, Quality, int]]) -> None:
    """Not a number, infinite, minus zero, subnormal, endless, text, nothing: never an exception, never an infinity."""
    plant = Plant(SOURCES, {"calc": {"tags": FORMULAS, "windows": WINDOWS}})
    device = plant.devices["x"]
    with capture_logs() as lines:
        for a, b, quality, after_s in rows:
            plant.clock.advance(after_s)
            batch = sample_batch(device.plan, [a, b], plant.clock.now())
            batch.quality = [
                quality if a is not None else Quality.NO_REPLY,
                Quality.GOOD if b is not None else Quality.NO_REPLY,
            ]
            plant.flow.emit(batch)
            plant.tick()
    assert [line for line in lines if line["log_level"] == "error"] == []
    for batch in plant.outbox.batches:
        assert all(_is_sound(value, quality) for value, quality in zip(batch.values, batch.quality, strict=True))


def _is_sound(value: object, quality: Quality) -> bool:
    if value is None:
        return quality.level is Level.BAD
    return not isinstance(value, float) or abs(value) < float("inf")


@given(st.lists(st.tuples(st.sampled_from(["x.a", "x.b", "y.c"]), st.integers(-5, 5)), min_size=1, max_size=20))
def test_after_each_sample_every_tag_is_what_its_formula_says(samples: list[tuple[str, int]]) -> None:
    """The chain as a whole is always that of the latest values, whichever of them came."""
    plant = plant_of(
        {
            "d": formula("p * 2 - q", p="calc.p", q="calc.q"),
            "q": formula("p + c", p="calc.p", c="y.c"),
            "p": formula("a - b", a="x.a", b="x.b"),
        }
    )
    latest = {"x.a": 0, "x.b": 0, "y.c": 0}
    plant.read(latest)
    shown: dict[str, Any] = {}
    for name, value in samples:
        latest[name] = value
        plant.read({name: value})
        for sent in plant.sent("calc"):
            shown |= sent
        p = latest["x.a"] - latest["x.b"]
        assert (shown["p"], shown["q"], shown["d"]) == (p, p + latest["y.c"], p * 2 - (p + latest["y.c"]))


def test_a_table_knows_nothing_of_a_tag_that_was_never_heard_of() -> None:
    """BAD, not available, and not zero."""
    table = LatestValues(["x.a", "x.b", "x.a"])
    assert (table.index, table.values) == ({"x.a": 0, "x.b": 1}, [None, None])
    assert table.quality == [Quality.NOT_AVAILABLE, Quality.NOT_AVAILABLE]


def test_a_feed_takes_what_is_fresh_and_wanted() -> None:
    """Absent cells leave what is known; a batch of another plan has other columns."""
    table = LatestValues(["press.b", "press.a"])
    feed = Feed("press", table)
    plan = sample_plan("press", Tag("a", "1", "float32"), Tag("other", "2", "float32"), Tag("b", "3", "float32"))
    batch = Batch.empty(plan, ManualClock().now())
    batch.values[2] = 5.0
    assert feed.take(batch) == [(2, 0)]
    assert table.values == [5.0, None]
    swapped = sample_plan("press", Tag("b", "3", "float32"), Tag("a", "1", "float32"))
    assert feed.take(sample_batch(swapped, [6.0, 7.0])) == [(0, 0), (1, 1)]
    assert table.values == [6.0, 7.0]
