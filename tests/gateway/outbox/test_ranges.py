"""Ranges of whole numbers against a plain set."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.outbox.ranges import Ranges

ADDED = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)))


def both(added: list[tuple[int, int]]) -> tuple[Ranges, set[int]]:
    """The same numbers as ranges and as a set."""
    ranges, plain = Ranges(), set()
    for start, length in added:
        ranges.add(start, start + length)
        plain |= set(range(start, start + length))
    return ranges, plain


@given(ADDED)
def test_they_hold_what_was_added(added: list[tuple[int, int]]) -> None:
    """In any order, overlapping or not, each number once."""
    ranges, plain = both(added)
    assert {number for number in range(-1, 80) if number in ranges} == plain
    assert len(ranges) == len(plain)


@given(ADDED)
def test_ranges_never_touch(added: list[tuple[int, int]]) -> None:
    """Neighbours are one range, so that a million in a row take the room of one."""
    ranges, _ = both(added)
    pairs = ranges.pairs()
    assert all(start < end for start, end in pairs)
    assert all(before[1] < behind[0] for before, behind in itertools.pairwise(pairs))
    assert ranges.pieces == len(pairs)


@given(ADDED, st.integers(0, 80))
def test_what_is_below_is_forgotten(added: list[tuple[int, int]], number: int) -> None:
    """Only that, also where the limit lies within a range."""
    ranges, plain = both(added)
    ranges.discard_below(number)
    assert {one for one in range(-1, 80) if one in ranges} == {one for one in plain if one >= number}
    assert len(ranges) == sum(one >= number for one in plain)


@given(ADDED)
def test_pairs_make_the_same_ranges_again(added: list[tuple[int, int]]) -> None:
    """What is written to disk is what is read from it."""
    ranges, _ = both(added)
    assert Ranges(ranges.pairs()).pairs() == ranges.pairs()


def test_a_million_in_a_row_are_one_range() -> None:
    """The usual case costs nothing to keep."""
    ranges = Ranges()
    for number in range(1_000_000, 1_020_000):
        ranges.add(number, number + 1)
    assert ranges.pairs() == [(1_000_000, 1_020_000)]
