"""Batches of every shape that the model allows, for hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from gateway.model import ABSENT, Batch, ClockState, Held, Level, Plan, Quality, Stamp, Tag
from gateway.outbox.entry import Entry

RUN = "000042-8c1f9a3e"
TYPES = ["bool", "uint16", "int64", "uint64", "float32", "float64", "Double", "string"]
LAST_TIME = 4_102_444_800_000_000_000
"""2100-01-01 in ns."""

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True)
times = st.integers(0, LAST_TIME)
stamps = st.builds(Stamp, times, st.integers(0, 2**62), st.sampled_from(ClockState))
texts = st.text(st.characters(codec="utf-8"), max_size=30)
finite = st.floats(allow_nan=False, allow_infinity=False)
singles = st.floats(width=32, allow_nan=False, allow_infinity=False)
values = st.booleans() | st.integers(-(2**64), 2**64) | finite | singles | texts
qualities = st.sampled_from(Quality)
tags = st.builds(
    Tag,
    name=names,
    address=texts,
    type=st.sampled_from(TYPES),
    unit=st.none() | texts,
    description=texts,
    scale=st.just(1.0) | finite.filter(bool),
    offset=st.just(0.0) | finite,
    range=st.none() | st.tuples(finite, finite),
    deadband=st.none() | st.floats(0, 1e6),
    period_s=st.floats(0.01, 3600),
    parameters=st.dictionaries(names, texts, max_size=2).map(lambda found: tuple(sorted(found.items()))),
)
plans = st.builds(
    Plan,
    device=names,
    tags=st.lists(tags, min_size=1, max_size=12, unique_by=lambda tag: tag.name).map(tuple),
    heartbeat_s=st.floats(0.1, 3600),
)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """A batch: good and uncertain cells with a value, bad ones without, absent ones with or without a held value."""
    plan = draw(plans)
    size = len(plan.tags)
    quality = draw(st.lists(qualities, min_size=size, max_size=size) | qualities.map(lambda q: [q] * size))
    cells = [ABSENT if draw(st.booleans()) else draw(_cell(q)) for q in quality]
    absent = [position for position, cell in enumerate(cells) if cell is ABSENT]
    fresh = [position for position in range(size) if position not in absent]
    return Batch(
        plan,
        cells,
        quality,
        draw(stamps),
        offsets=draw(st.none() | _column(st.integers(-10_000, 10_000), size)),
        source_times=draw(st.none() | _column(st.none() | times, size)),
        source_status=draw(st.none() | _some(fresh, texts)),
        raw=draw(st.none() | _some(fresh, values)),
        held=draw(st.none() | _some(absent, qualities.flatmap(_held))),
    )


entries = st.builds(
    lambda batch, seq, history: Entry(batch.plan.device, RUN, seq, batch, history),
    batches(),
    st.integers(1, 2**53),
    st.booleans(),
)


def _cell(quality: Quality) -> st.SearchStrategy[Any]:
    return st.none() if quality.level is Level.BAD else values


def _held(quality: Quality) -> st.SearchStrategy[Held]:
    return st.builds(Held, _cell(quality), st.just(quality), times)


def _column(cells: st.SearchStrategy[Any], size: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(cells, min_size=size, max_size=size)


def _some(positions: list[int], cells: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[int, Any]]:
    if not positions:
        return st.just({})
    return st.dictionaries(st.sampled_from(positions), cells)
