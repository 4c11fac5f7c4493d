"""Raw values beyond the two points of a scaling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import ABSENT, Cell, Outside, Quality, Tag, TwoPoint
from gateway.processing.raw_ends import RawEnds
from tests.gateway.processing.stages import Feed, told


def tag(outside: Outside, raw: tuple[float, float] = (4.0, 20.0)) -> Tag:
    return Tag("t", "a", "float32", scaling=TwoPoint(raw, (0.0, 10.0), outside))


def ended(outside: Outside, cell: Cell, raw: tuple[float, float] = (4.0, 20.0)) -> tuple[Cell, str]:
    feed = Feed(tag(outside, raw))
    batch = feed.batch(cell)
    RawEnds(feed.plan).apply(batch)
    return told(batch)[0]


@pytest.mark.parametrize("raw", [(4.0, 20.0), (20.0, 4.0)])
@pytest.mark.parametrize(
    ("outside", "cell", "after"),
    [
        (Outside.CLAMP, 3.9, (4.0, "uncertain:out_of_range")),
        (Outside.CLAMP, 20.1, (20.0, "uncertain:out_of_range")),
        (Outside.CLAMP, 4.0, (4.0, "good")),
        (Outside.CLAMP, 20.0, (20.0, "good")),
        (Outside.REJECT, 3.9, (None, "bad:not_available")),
        (Outside.REJECT, 20.0, (20.0, "good")),
        (Outside.CLAMP, 10**400, (20.0, "uncertain:out_of_range")),
        (Outside.CLAMP, "text", ("text", "good")),
        (Outside.CLAMP, True, (True, "good")),
        (Outside.REJECT, None, (None, "bad:no_reply")),
    ],
)
def test_both_ends_belong_to_the_range_in_either_order(
    outside: Outside, cell: Cell, after: tuple[Cell, str], raw: tuple[float, float]
) -> None:
    """Whatever is beyond is clamped or rejected; what is no number passes."""
    assert ended(outside, cell, raw) == after


def test_the_stage_is_for_those_alone_that_are_not_to_go_on_along_the_line() -> None:
    """`keep` costs nothing."""
    feed = Feed(tag(Outside.KEEP), tag(Outside.CLAMP), Tag("u", "a", "float32"), tag(Outside.REJECT))
    assert RawEnds(feed.plan).positions == [1, 3]


@given(st.lists(st.floats(0, 30), min_size=1, max_size=5))
def test_a_neighbour_without_a_number_changes_nothing(cells: list[float]) -> None:
    """The look at a whole column and the look at each cell say the same."""
    whole = Feed(*(tag(Outside.CLAMP) for _ in cells))
    alone = Feed(*(tag(Outside.CLAMP) for _ in range(len(cells) + 1)))
    one, other = whole.batch(*cells), alone.batch(*cells, ABSENT)
    RawEnds(whole.plan).apply(one)
    RawEnds(alone.plan).apply(other)
    assert told(one) == told(other)[:-1]


def test_a_worse_quality_stays() -> None:
    """What the driver doubts does not become merely out of range."""
    feed = Feed(tag(Outside.CLAMP))
    batch = feed.batch(30.0, quality=Quality.RESTART)
    RawEnds(feed.plan).apply(batch)
    assert told(batch) == [(20.0, "uncertain:restart")]
