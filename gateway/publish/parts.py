"""A batch that is too large for one message, in parts: each with some of its tags, under one name."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, TypeVar

from gateway.model import ABSENT, Quality

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.model import Batch, Held

T = TypeVar("T")

Part = tuple[int, int]
"""Number of a part, counted from 1, and how many there are."""


def in_parts(
    batch: Batch, size: int, room: int, make: Callable[[Batch, Part], T], fits: Callable[[T], bool]
) -> list[T]:
    """What `make` makes of the batch in as few parts as fit, nearly.

    Args:
        batch: does not fit as a whole.
        size: what it takes as a whole, bytes.
        room: what a message may take, bytes.
        make: makes one message of the batch with some of its tags only.
        fits: whether a message is small enough. Where a single tag is too large, no parting helps.
    """
    positions = _occupied(batch)
    for count in range(size // max(1, room) + 1, len(positions)):
        made = _made(batch, _cut(positions, count), make)
        if all(fits(one) for one in made):
            return made
    return _made(batch, _cut(positions, max(1, len(positions))), make)


def _made(batch: Batch, groups: Sequence[Sequence[int]], make: Callable[[Batch, Part], T]) -> list[T]:
    return [make(_portion(batch, group), (number, len(groups))) for number, group in enumerate(groups, start=1)]


def _occupied(batch: Batch) -> list[int]:
    held = batch.held or {}
    return [position for position, cell in enumerate(batch.values) if cell is not ABSENT or position in held]


def _cut(positions: Sequence[int], count: int) -> list[Sequence[int]]:
    """The positions in `count` runs of nearly equal length, so that neighbours stay together."""
    ends = [len(positions) * n // count for n in range(count + 1)]
    return [positions[start:end] for start, end in pairwise(ends)]


def _portion(batch: Batch, positions: Sequence[int]) -> Batch:
    chosen = frozenset(positions)
    return replace(
        batch,
        values=[cell if position in chosen else ABSENT for position, cell in enumerate(batch.values)],
        source_status=_only(batch.source_status, chosen),
        raw=_only(batch.raw, chosen),
        held=_only(batch.held, chosen),
    )


def _only(column: Mapping[int, T] | None, chosen: frozenset[int]) -> dict[int, T] | None:
    return None if column is None else {position: cell for position, cell in column.items() if position in chosen}


def finite(batch: Batch) -> Batch:
    """The batch with every NaN and infinity turned into what it is: a reading that is not available."""
    values, quality, raw = list(batch.values), list(batch.quality), dict(batch.raw or {})
    for position, cell in enumerate(batch.values):
        if isinstance(cell, float) and not isfinite(cell):
            values[position], quality[position], raw[position] = None, Quality.NOT_AVAILABLE, cell
    held = {position: _finite_held(last) for position, last in (batch.held or {}).items()}
    return replace(batch, values=values, quality=quality, raw=raw, held=held)


def _finite_held(held: Held) -> Held:
    if isinstance(held.value, float) and not isfinite(held.value):
        return held._replace(value=None, quality=Quality.NOT_AVAILABLE)
    return held
