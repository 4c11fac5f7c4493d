"""The columns of a batch as JSON objects by tag name, prepared once for all batches of a plan."""

from __future__ import annotations

from math import isfinite
from struct import Struct
from typing import TYPE_CHECKING, Final

from msgspec import Raw

from gateway.model import ABSENT, Quality, iso_time
from gateway.numbers import shortest_float32
from gateway.publish.contract import LastValue, Written

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.model import Batch, Cell, Plan, Tag, Value

EXACT: Final = 2**53
"""Up to here every whole number is exact in a double, which most JSON readers hold it in (RFC 8259, section 6)."""

SINGLE_TYPES: Final = frozenset({"float32", "float"})
DOUBLE_TYPES: Final = frozenset({"float64", "double"})
"""Names of floating data types in the words of the drivers, in lower case."""

_PLAIN_FROM: Final = 1e-5
_PLAIN_TO: Final = 1e16
"""Between these the JSON encoder writes a float without an exponent, hence with a decimal point."""

_PLANS_KEPT: Final = 1024

_SINGLE = Struct("f")


class NotFinite(ValueError):  # noqa: N818 - says what the value is
    """NaN or an infinity, which JSON cannot say and the model does not allow."""


class Columns:
    """The batches of one plan, column by column. Each column is None where there is nothing to say."""

    def __init__(self, plan: Plan) -> None:
        self._names = tuple(tag.name for tag in plan.tags)
        self._writers = tuple(_writer(tag) for tag in plan.tags)

    def values(self, batch: Batch) -> dict[str, Written]:
        """The fresh values.

        Raises:
            NotFinite: one of them is NaN or infinite.
        """
        columns = zip(self._names, self._writers, batch.values, strict=True)
        return {name: write(cell) for name, write, cell in columns if cell is not ABSENT and cell is not None}

    def quality(self, batch: Batch) -> dict[str, str] | None:
        """What is not good, of the fresh values and of the held ones."""
        columns = zip(self._names, batch.values, batch.quality, strict=True)
        told = {name: q.value for name, cell, q in columns if q is not Quality.GOOD and cell is not ABSENT}
        for position, held in (batch.held or {}).items():
            if held.quality is not Quality.GOOD:
                told[self._names[position]] = held.quality.value
        return told or None

    def last(self, batch: Batch) -> dict[str, LastValue] | None:
        """The last values of tags without a fresh one, with their own times."""
        if not batch.held:
            return None
        return {
            self._names[position]: LastValue(
                value=None if held.value is None else self._writers[position](held.value), time=iso_time(held.time)
            )
            for position, held in batch.held.items()
        }

    def raw(self, batch: Batch) -> dict[str, Written] | None:
        """The rejected readings. What is not finite is written as text, for people only."""
        if not batch.raw:
            return None
        return {self._names[position]: _rejected(value) for position, value in batch.raw.items()}

    def offset_ms(self, batch: Batch) -> dict[str, int] | None:
        """How far a tag's own time is from the batch's, where it is."""
        if batch.offsets is None:
            return None
        columns = zip(self._names, batch.values, batch.offsets, strict=True)
        return {name: offset for name, cell, offset in columns if offset and cell is not ABSENT} or None

    def source_time(self, batch: Batch) -> dict[str, str] | None:
        """The times that the source gave."""
        if batch.source_times is None:
            return None
        columns = zip(self._names, batch.values, batch.source_times, strict=True)
        return {n: iso_time(time) for n, cell, time in columns if time is not None and cell is not ABSENT} or None

    def source_status(self, batch: Batch) -> dict[str, str] | None:
        """The source's own status codes."""
        return {self._names[position]: text for position, text in (batch.source_status or {}).items()} or None

    def written(self, position: int, cell: Cell) -> Written | None:
        """One value as it is written; None where there is none.

        Raises:
            NotFinite: it is NaN or infinite.
        """
        return None if cell is None or cell is ABSENT else self._writers[position](cell)

    def rejected(self, value: Value) -> Written:
        """One rejected reading as it is written."""
        return _rejected(value)


class PlanColumns:
    """The columns of each plan, made when they are first asked for."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], Columns] = {}

    def of(self, plan: Plan) -> Columns:
        """The columns of this plan."""
        key = (plan.device, plan.id)
        columns = self._of.get(key)
        if columns is None:
            if len(self._of) >= _PLANS_KEPT:
                self._of.clear()
            columns = self._of[key] = Columns(plan)
        return columns


def common_quality(batch: Batch) -> Quality | None:
    """The quality that every tag of the device has in this batch, if they are all alike and not good."""
    common: Quality | None = None
    for position, cell in enumerate(batch.values):
        quality = batch.quality[position] if cell is not ABSENT else _held_quality(batch, position)
        if quality is Quality.GOOD or (common is not None and quality is not common):
            return None
        common = quality
    return common


def _held_quality(batch: Batch, position: int) -> Quality:
    held = (batch.held or {}).get(position)
    return Quality.GOOD if held is None else held.quality


def _writer(tag: Tag) -> Callable[[Value], Written]:
    if tag.scaled or tag.type.lower() in DOUBLE_TYPES:
        return _floating
    return _single if tag.type.lower() in SINGLE_TYPES else _plain


def _plain(value: Value) -> Written:
    if type(value) is int:
        return value if -EXACT <= value <= EXACT else str(value)
    return _with_point(value) if type(value) is float else value


def _floating(value: Value) -> Written:
    if type(value) is int:
        return _with_point(float(value))
    return _with_point(value) if type(value) is float else value


def _single(value: Value) -> Written:
    if type(value) is int:
        return _with_point(float(value))
    return _with_point(_shortest(value) if value else value) if type(value) is float else value


def _rejected(value: Value) -> Written:
    try:
        return _plain(value)
    except NotFinite:
        return str(value)


def _with_point(value: float) -> float | Raw:
    if _PLAIN_FROM <= value < _PLAIN_TO or -_PLAIN_TO < value <= -_PLAIN_FROM or value == 0.0:
        return value
    if not isfinite(value):
        raise NotFinite(value)
    mantissa, _, exponent = repr(value).partition("e")
    # A JSON number in its own words: the encoder would write 1e22, without a decimal point.
    return Raw(f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}".encode())


def _shortest(value: float) -> float:
    """The number with the shortest text that is the same float32; the value itself where it is no float32 at all.

    Drivers deliver the shortest already, which is no exact float32 any more; this is for what others deliver.
    """
    try:
        is_single = _SINGLE.unpack(_SINGLE.pack(value))[0] == value
        return shortest_float32(value) if is_single else value
    except OverflowError:  # beyond a float32, or infinite
        return value
