"""Limits: an implausible value is kept and marked."""

from __future__ import annotations

import pytest

from gateway.model import ABSENT, Cell, Quality, Tag
from gateway.processing.validity import Limits
from gateway.testing import sample_batch, sample_plan

PLAN = sample_plan("d", Tag("level", "a", "float32", range=(0.0, 100.0)), Tag("free", "b", "float32"))


@pytest.mark.parametrize(
    ("value", "quality"),
    [
        (0.0, Quality.GOOD),
        (100.0, Quality.GOOD),
        (100.1, Quality.OUT_OF_RANGE),
        (-0.1, Quality.OUT_OF_RANGE),
        ("text", Quality.GOOD),
        (ABSENT, Quality.GOOD),
    ],
)
def test_a_value_outside_its_range_is_uncertain_and_kept(value: Cell, quality: Quality) -> None:
    """Both limits belong to the range; the value itself is never changed."""
    batch = sample_batch(PLAN, [value, 1e9])
    Limits(PLAN).apply(batch)
    assert batch.values == [value, 1e9]
    assert batch.quality == [quality, Quality.GOOD]


def test_a_worse_quality_stays() -> None:
    """A reading that is stale already does not become merely out of range."""
    batch = sample_batch(PLAN, [500.0, 1.0])
    batch.quality[0] = Quality.STALE
    Limits(PLAN).apply(batch)
    assert batch.quality[0] is Quality.STALE
