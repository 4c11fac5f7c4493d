"""Whatever a driver gives: no stage raises, and nothing leaves that no tag can hold."""

from __future__ import annotations

from math import isfinite

from hypothesis import given
from hypothesis import strategies as st

from gateway.model import ABSENT, Batch, Cell, Counter, Level, Outside, Plan, Quality, ScaleFrom, Tag, TwoPoint
from gateway.processing.pipeline import Pipeline
from gateway.testing import ManualClock
from tests.gateway.processing.stages import ANY_CELL

FINITE = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
MAYBE = st.none()


@st.composite
def two_points(draw: st.DrawFn) -> TwoPoint:
    raw = draw(st.tuples(FINITE, FINITE).filter(lambda ends: ends[0] != ends[1]))
    return TwoPoint(raw, draw(st.tuples(FINITE, FINITE)), draw(st.sampled_from(Outside)))


@st.composite
def tags(draw: st.DrawFn) -> Tag:
    """A tag that uses any of the stages, with numbers that no technician would write."""
    return Tag(
        "tag",
        "a",
        draw(st.sampled_from(["float64", "auto", "uint16", "bool"])),
        scale=draw(FINITE),
        offset=draw(FINITE),
        range=draw(MAYBE | st.tuples(FINITE, FINITE)),
        scaling=draw(MAYBE | two_points()),
        scale_from=draw(MAYBE | st.builds(ScaleFrom, st.just("factor"), st.booleans())),
        max_rate_per_s=draw(MAYBE | POSITIVE),
        stuck_after_s=draw(MAYBE | st.floats(0.1, 10)),
        stale_after_s=draw(MAYBE | st.floats(0.1, 10)),
        deadband=draw(MAYBE | st.floats(min_value=0, allow_infinity=False)),
        deadband_percent=draw(MAYBE | st.floats(0.01, 100)),
        swinging_door=draw(MAYBE | POSITIVE),
        max_interval_s=draw(MAYBE | st.floats(0.1, 10)),
        counter=draw(MAYBE | st.builds(Counter, MAYBE | POSITIVE, st.booleans())),
    )


def batch_of(plan: Plan, cells: tuple[Cell, Cell], clock: ManualClock) -> Batch:
    qualities = [Quality.NO_REPLY if cell is None else Quality.GOOD for cell in cells]
    return Batch(plan, list(cells), qualities, clock.now(), whole=ABSENT not in cells)


def check(batch: Batch) -> None:
    """What every batch that leaves promises."""
    assert len(batch.values) == len(batch.quality) == len(batch.plan.tags)
    assert batch.whole is False or ABSENT not in batch.values
    for value, quality in zip(batch.values, batch.quality, strict=True):
        assert not isinstance(value, float) or isfinite(value)
        assert value is ABSENT or (value is None) == (quality.level is Level.BAD)
    for held in (batch.held or {}).values():
        assert not isinstance(held.value, float) or isfinite(held.value)


@given(
    tags(),
    st.lists(st.tuples(st.tuples(ANY_CELL, ANY_CELL), st.sampled_from([0.0, 1.0, 30.0])), min_size=1, max_size=12),
)
def test_no_cell_and_no_configuration_raises_or_lets_nonsense_out(
    tag: Tag, rows: list[tuple[tuple[Cell, Cell], float]]
) -> None:
    """Every value that leaves is finite, and there is none exactly where the quality is BAD."""
    plan = Plan("device", (tag, Tag("factor", "b", "auto")), heartbeat_s=20.0)
    clock = ManualClock()
    pipeline = Pipeline(plan)
    for cells, after_s in rows:
        clock.advance(after_s)
        for batch in pipeline.process(batch_of(plan, cells, clock)):
            check(batch)
        snapshot = pipeline.heartbeat(clock.now())
        if snapshot is not None:
            check(snapshot)
    for batch in pipeline.finish():
        check(batch)


@given(tags(), st.lists(ANY_CELL, min_size=1, max_size=12))
def test_the_times_of_a_tag_never_go_back(tag: Tag, cells: list[Cell]) -> None:
    """Also not where a point was held back: a historian appends."""
    plan = Plan("device", (tag, Tag("factor", "b", "auto")), heartbeat_s=5.0)
    clock = ManualClock()
    pipeline = Pipeline(plan)
    sent: list[Batch] = []
    for cell in cells:
        clock.advance(1.0)
        sent += pipeline.process(batch_of(plan, (cell, 1), clock))
    sent += pipeline.finish()
    for position in range(len(plan.published.tags)):
        times = [batch.stamp.time for batch in sent if batch.values[position] is not ABSENT]
        assert times == sorted(set(times))
