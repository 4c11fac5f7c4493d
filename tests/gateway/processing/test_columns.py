"""Columns: some tags of a batch as whole lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import ABSENT, Cell, Quality, Tag
from gateway.processing.columns import Column, all_numbers, is_number, reject
from tests.gateway.processing.stages import ANY_CELL, Feed


@given(st.sets(st.integers(0, 9)), st.lists(st.integers(), min_size=10, max_size=10))
def test_what_is_taken_out_is_put_back_in_its_place(positions: set[int], cells: list[Cell]) -> None:
    """For none, one, some and all tags of a plan."""
    column = Column(sorted(positions), len(cells))
    assert list(column.of(cells)) == [cells[position] for position in sorted(positions)]
    changed = list(cells)
    column.put(changed, [position * 1000 for position in sorted(positions)])
    assert changed == [at * 1000 if at in positions else cell for at, cell in enumerate(cells)]


def test_all_tags_are_the_list_itself() -> None:
    """A plan of a hundred alike tags costs no copy."""
    cells = [1, 2, 3]
    assert Column(range(3), 3).of(cells) is cells


@pytest.mark.parametrize(
    ("cell", "number"),
    [(1, True), (1.5, True), (float("nan"), True), (True, False), (None, False), ("1", False), (ABSENT, False)],
)
def test_true_and_false_are_no_numbers(cell: Cell, *, number: bool) -> None:
    """In Python they are, in a plant they are not."""
    assert is_number(cell) is number
    assert all_numbers([1, cell]) is number


@given(st.lists(ANY_CELL))
def test_all_are_numbers_where_each_is(cells: list[Cell]) -> None:
    """The one look at a whole column says the same as a look at each cell."""
    assert all_numbers(cells) == all(is_number(cell) for cell in cells)


def test_a_rejected_reading_is_kept_beside_the_batch() -> None:
    """And what was rejected before stays."""
    feed = Feed(Tag("a", "a", "uint16"), Tag("b", "b", "uint16"))
    batch = feed.batch(1, 2)
    reject(batch, 0, 1)
    reject(batch, 1, 2, Quality.CONFIG)
    assert batch.values == [None, None]
    assert batch.quality == [Quality.NOT_AVAILABLE, Quality.CONFIG]
    assert batch.raw == {0: 1, 1: 2}
