"""NaN and infinities never pass."""

from __future__ import annotations

from math import inf, isfinite, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import ABSENT, Cell, Tag
from gateway.processing.finite import Finite
from tests.gateway.processing.stages import ANY_CELL, Feed, told

BAD = (None, "bad:not_available")


def checked(*cells: Cell) -> list[tuple[Cell, str]]:
    feed = Feed(*(Tag(f"t{at}", "a", "float32") for at in range(len(cells))))
    batch = feed.batch(*cells)
    Finite(feed.plan).apply(batch)
    return told(batch)


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_what_is_no_number_is_bad_and_harms_no_neighbour(value: float) -> None:
    """One broken sensor of a device leaves the others good."""
    assert checked(1.5, value, 2.5) == [(1.5, "good"), BAD, (2.5, "good")]


def test_a_sum_beyond_all_floats_is_no_reason_to_refuse_its_parts() -> None:
    """The one look at the column only says when a closer look is due."""
    assert checked(1.7e308, 1.7e308, 10**400) == [(1.7e308, "good"), (1.7e308, "good"), (10**400, "good")]


@given(st.lists(ANY_CELL, min_size=1, max_size=5))
def test_nothing_else_is_touched(cells: list[Cell]) -> None:
    """Whatever stands beside it."""
    for before, (after, _) in zip(cells, checked(*cells), strict=True):
        finite = not isinstance(before, float) or isfinite(before)
        assert after is before if finite else after is None


@pytest.mark.parametrize(
    ("data_type", "looked_at"),
    [("bool", False), ("text", False), ("uint16", False), ("int64", False), ("float32", True), ("auto", True)],
)
def test_only_tags_that_can_be_floating_are_looked_at(data_type: str, *, looked_at: bool) -> None:
    """A device of whole numbers pays nothing."""
    feed = Feed(Tag("t", "a", data_type), Tag("u", "a", "bool"))
    assert Finite(feed.plan).positions == ([0] if looked_at else [])


def test_absent_cells_are_passed_over() -> None:
    """A subscription brings a few tags at a time."""
    assert checked(ABSENT, nan)[1] == BAD
