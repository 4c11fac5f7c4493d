"""Windows that outlive the process: what goes on, what is told of the time in between, what is passed over."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.testing import ManualClock
from tests.gateway.processing.derived.conftest import Plant

SOURCES: dict[str, dict[str, Any]] = {"x.a": {}}
START = 1_795_514_400 * 10**9
"""2026-11-24T10:00:00Z."""


class Store:
    """A state that keeps what a JSON text keeps."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, key: str) -> Any:
        return json.loads(self.values[key]) if key in self.values else None

    def put(self, key: str, value: Any) -> None:
        self.values[key] = json.dumps(value)


def plant_at(second: float, store: Store, **window: Any) -> Plant:
    """A process that starts at this second of the wall clock; its monotonic clock begins anew, as after a boot."""
    clock = ManualClock(START + round(second * 1e9))
    takes = ["count", "time_weighted_mean"]
    words = {"source": "x.a", "window": "1h", "take": takes, "persist": True, **window}
    return Plant(SOURCES, {"calc": {"windows": {"w": words}}}, clock, store)


def first_half(store: Store, **window: Any) -> None:
    plant = plant_at(0, store, **window)
    plant.read({"x.a": 10.0})
    plant.clock.advance(1800)
    plant.tick()
    plant.flow.finish()


def test_an_open_window_goes_on_after_a_restart() -> None:
    """Ten minutes are missing in the middle; they are not GOOD, and what was before counts."""
    store = Store()
    first_half(store)
    plant = plant_at(2400, store)
    plant.read({"x.a": 40.0})
    plant.clock.advance(1200)
    plant.read({"x.a": 40.0})
    assert plant.sent("calc", START) == [
        {
            "at": 3600.0,
            "w_count": [2, "uncertain:restart"],
            "w_time_weighted_mean": [22.0, "uncertain:restart"],
            "w_good_percent": 100.0 * 3000 / 3600,
        }
    ]


def test_a_value_that_held_until_the_stop_counts_until_then() -> None:
    """The source told of its last change half an hour before the stop, and that half hour is known."""
    store = Store()
    first_half(store)
    (kept,) = [json.loads(text)["window"] for text in store.values.values()]
    assert (kept["until"] - START) / 1e9 == 1800
    assert kept["sums"]["good_ns"] == 1800 * 10**9


def test_a_gateway_that_stops_before_its_first_sample_keeps_what_it_found() -> None:
    """Two restarts in a row cost no more than one."""
    store = Store()
    first_half(store)
    found = dict(store.values)
    plant_at(2000, store).flow.finish()
    assert store.values == found


def test_a_window_that_ended_while_the_gateway_was_off_is_published_then() -> None:
    """Once, with its own end; the windows that came and went meanwhile are not made up."""
    store = Store()
    first_half(store)
    plant = plant_at(5 * 3600 + 1800, store)
    plant.read({"x.a": 1.0})
    assert plant.sent("calc", START) == [
        {
            "at": 3600.0,
            "w_count": [1, "uncertain:restart"],
            "w_time_weighted_mean": [10.0, "uncertain:restart"],
            "w_good_percent": 50.0,
        }
    ]
    plant.clock.advance(1800)
    plant.read({"x.a": 1.0})
    assert [sent["at"] for sent in plant.sent("calc", START)] == [6 * 3600.0]


def test_a_clock_that_stands_in_the_past_after_a_boot_publishes_nothing_twice() -> None:
    """Without a battery the clock comes up at an earlier time; until NTP sets it, that time is not told again."""
    store = Store()
    plant = plant_at(-3600, store)
    plant.read({"x.a": 1.0})
    plant.clock.advance(3600)
    plant.read({"x.a": 1.0})
    plant.clock.advance(1800)
    plant.tick()
    ends = [sent["at"] for sent in plant.sent("calc", START)]
    plant.flow.finish()
    later = plant_at(-1800, store)
    for step_s in (1800, 1800, 1800):
        later.read({"x.a": 1.0})
        later.clock.advance(step_s)
    later.read({"x.a": 1.0})
    ends += [sent["at"] for sent in later.sent("calc", START)]
    assert ends == [0.0, 3600.0]


def test_without_persist_a_restart_begins_anew() -> None:
    """Nothing is written that nobody asked for."""
    store = Store()
    first_half(store, persist=False)
    assert store.values == {}


@pytest.mark.parametrize("window", [{"window": "30min"}, {"states": {"on": 1}, "take": ["time_in_state"]}])
def test_a_window_of_other_words_begins_anew(window: dict[str, Any]) -> None:
    """What was summed up of something else is of no use."""
    store = Store()
    first_half(store)
    plant = plant_at(2400, store, **window)
    plant.read({"x.a": 1.0})
    assert plant.sent("calc") == []
    plant.clock.advance(1200)
    plant.read({"x.a": 1.0})
    (sent,) = plant.sent("calc")
    assert sent["w_good_percent"] < 70


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(["start", "end", "until", "sums", "published", "made_of", "window"]), JSON)
def test_whatever_the_store_holds_the_gateway_starts(part: str, wrong: Any) -> None:
    """A damaged part is passed over, and the window begins anew or goes on; nothing is raised."""
    store = Store()
    words = {"take": ["count", "time_in_state", "mean"], "states": {"on": 1}}
    first_half(store, **words)
    (key,) = store.values
    kept = json.loads(store.values[key])
    (kept if part in kept else kept["window"])[part] = wrong
    store.values[key] = json.dumps(kept)
    plant = plant_at(2400, store, **words)
    plant.read({"x.a": 1.0})
    plant.clock.advance(7200)
    plant.read({"x.a": 1.0})
    assert not plant.flow._derived._defect_told
