from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gateway.collect.learned import Learned, Lessons, forget
from gateway.driver import Cut, Span
from gateway.model import Tag
from gateway.testing import sample_device

if TYPE_CHECKING:
    from gateway.driver import Device

DEVICE = sample_device("press", Tag("x", "holding:1", "uint16"))
REACHED = {"host": "10.0.0.5", "port": 502}


class Kept(dict[str, Any]):
    """A store in memory."""

    def put(self, key: str, value: Any) -> None:
        self[key] = value


def lessons() -> Lessons:
    """Two points refused, and one place not to be read across."""
    learned = Lessons()
    learned.refuse(Span("holding", 5, 6), "exception 02")
    learned.refuse(Span("coil", 7, 7), "exception 03")
    learned.cuts.add(Cut("holding", 40))
    return learned


def test_what_was_kept_comes_back() -> None:
    """Over a restart, with what each point said."""
    store = Kept()
    Learned(store, REACHED).keep(DEVICE, lessons())
    assert Learned(store, REACHED).of(DEVICE) == lessons()


def test_points_that_are_refused_are_cut_off_on_both_sides() -> None:
    """So they stand alone."""
    assert lessons().cuts == {
        Cut("holding", 5),
        Cut("holding", 7),
        Cut("coil", 7),
        Cut("coil", 8),
        Cut("holding", 40),
    }


def test_points_that_are_there_after_all_are_joined_again() -> None:
    """But not where a neighbour still needs the place."""
    learned = lessons()
    learned.refuse(Span("holding", 7, 7), "exception 02")
    learned.mended(Span("holding", 5, 6))
    assert Cut("holding", 5) not in learned.cuts
    assert {Cut("holding", 7), Cut("holding", 8), Cut("holding", 40)} <= learned.cuts


@pytest.mark.parametrize(
    ("device", "reached"),
    [
        (replace(DEVICE, config="another map"), REACHED),
        (DEVICE, {**REACHED, "host": "10.0.0.6"}),
        (sample_device("press-2", Tag("x", "holding:1", "uint16")), REACHED),
    ],
)
def test_another_device_begins_with_nothing(device: Device, reached: dict[str, object]) -> None:
    """Another configuration, another end point, another name: it may have what the old one lacked."""
    store = Kept()
    Learned(store, REACHED).keep(DEVICE, lessons())
    assert Learned(store, reached).of(device) == Lessons()


@pytest.mark.parametrize(
    "damage",
    [
        {"cuts": None, "refused": 5},
        {"cuts": ["holding", 7, None, "holding:x"], "refused": {"holding:1-": "?", "x": "?", "holding:3": 9}},
    ],
)
def test_what_cannot_be_read_is_left_out(damage: dict[str, Any]) -> None:
    """It is found out again; the gateway starts whatever lies in its folder."""
    store = Kept()
    Learned(store, REACHED).keep(DEVICE, lessons())
    store["refused/press"] |= damage
    assert Learned(store, REACHED).of(DEVICE) == Lessons()


def test_what_was_learned_can_be_forgotten_once() -> None:
    """The second time there is nothing left."""
    store = Kept()
    Learned(store, REACHED).keep(DEVICE, lessons())
    assert forget(store, "press")
    assert not forget(store, "press")
    assert Learned(store, REACHED).of(DEVICE) == Lessons()


def test_without_a_store_nothing_is_kept() -> None:
    """For tests and tools."""
    learned = Learned()
    learned.keep(DEVICE, lessons())
    assert learned.of(DEVICE) == Lessons()
