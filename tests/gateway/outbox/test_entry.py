"""Entries and what they weigh."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from gateway.model import Batch, Held, Notice, Plan, Quality, Tag
from gateway.outbox.entry import Entry, weight
from gateway.testing import ManualClock, sample_batch, sample_plan

if TYPE_CHECKING:
    from collections.abc import Callable

PLAN = Plan("meter", tuple(Tag(f"tag{at}", f"holding:{at}", "float32") for at in range(100)))


def floats(number: int) -> Batch:
    """A batch of a hundred floats of its own."""
    values: list[Any] = [number + at / 7 for at in range(100)]
    return sample_batch(PLAN, values, ManualClock().now())


def texts(number: int) -> Batch:
    """A batch of a hundred texts of 200 characters."""
    values: list[Any] = [f"{number + at:0200d}" for at in range(100)]
    return sample_batch(PLAN, values, ManualClock().now())


def notifications(number: int) -> Batch:
    """A batch with times of its own for each tag."""
    batch = floats(number)
    batch.offsets = [1000 + number + at for at in range(100)]
    batch.source_times = [10**18 + number + at for at in range(100)]
    return batch


def snapshot(number: int) -> Batch:
    """A batch with the last value of each tag."""
    batch = floats(number)
    batch.held = {at: Held(number + at / 3, Quality.STALE, 10**18 + number + at) for at in range(100)}
    return batch


def notice(number: int) -> Notice:
    """An event."""
    return Notice("events", {"number": 10**6 + number, "text": f"text {number}"}, ManualClock().now())


@pytest.mark.parametrize("make", [floats, texts, notifications, snapshot, notice])
def test_the_weight_is_about_what_it_takes(make: Callable[[int], Batch | Notice]) -> None:
    """Never less than the memory that an entry really takes, so that the bound holds, and not many times more."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    kept = [Entry("meter", "000001-8c1f9a3e", at, make(at), history=False) for at in range(1000, 1200)]
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    real = (after - before) / len(kept)
    assert real <= weight(kept[0].item) <= 5 * real


def test_two_entries_are_never_equal() -> None:
    """Each is known by itself, so that a set of what is under way holds every one."""
    item = sample_batch(sample_plan(), [1.0, True, 1])
    one, other = (Entry("press-12", "000001-8c1f9a3e", 1, item, history=False) for _ in range(2))
    assert one != other
    assert len({one, other, one}) == 2
