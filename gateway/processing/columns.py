"""The cells of some tags, taken out of a batch and put back as whole lists."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Final, TypeGuard, TypeVar

from gateway.model import Quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.model import Batch, Cell, Value

Kind = TypeVar("Kind")

_NUMBERS: Final = frozenset({int, float})


class Column:
    """The tags of a plan that one stage looks at.

    Args:
        positions: where they stand in the plan, ascending.
        width: how many tags the plan has.
    """

    def __init__(self, positions: Iterable[int], width: int) -> None:
        self.positions = list(positions)
        self._is_all = len(self.positions) == width
        self._pick = itemgetter(*self.positions) if len(self.positions) > 1 else None

    def of(self, cells: list[Kind]) -> Sequence[Kind]:
        """Their cells. Where these are all there are, the list itself and no copy."""
        if self._is_all:
            return cells
        picked: Sequence[Kind] = self._pick(cells) if self._pick else [cells[at] for at in self.positions]
        return picked

    def put(self, cells: list[Cell], new: Sequence[Cell]) -> None:
        """Put new cells in the place of theirs."""
        if self._is_all:
            cells[:] = new
            return
        for position, cell in zip(self.positions, new, strict=True):
            cells[position] = cell


def all_numbers(cells: Sequence[Cell]) -> TypeGuard[Sequence[float]]:
    """Whether each cell holds a number: none is absent, BAD, true or false, or text."""
    return _NUMBERS.issuperset(map(type, cells))


def is_number(cell: Cell) -> TypeGuard[float]:
    """Whether a cell holds a number: true and false are none."""
    return type(cell) in _NUMBERS


def reject(batch: Batch, position: int, raw: Value, quality: Quality = Quality.NOT_AVAILABLE) -> None:
    """Say BAD of a tag, and keep the reading for the eye of an engineer."""
    batch.values[position] = None
    batch.quality[position] = quality
    batch.raw = {**(batch.raw or {}), position: raw}
