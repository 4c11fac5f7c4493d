"""What waits in the outbox: a batch or a notice with its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.model import Batch, Notice

_ENTRY_BYTES: Final = 900
_CELL_BYTES: Final = 45
_EXTRA_BYTES: Final = 200
"""Measured with tracemalloc on CPython 3.11, 64 bit: a batch of floats, per batch and per tag, and one more for each
tag's extra (offset, source time, raw or held value). Rounded up; a measure of memory, not a limit of anything else."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One message to be. Its name, (device, run, seq), is unlike any other's for ever; two entries are never equal."""

    device: str
    run: str
    """`str` of the `Run` that made it."""
    seq: int
    """Counts from 1 for each device and run."""
    item: Batch | Notice
    history: bool
    """It waited on disk."""


def weight(item: Batch | Notice) -> int:
    """How much memory an item takes, about, in bytes."""
    if isinstance(item, Notice):
        return _ENTRY_BYTES + _EXTRA_BYTES * len(item.body)
    texts = sum([len(value) for value in item.values if value.__class__ is str])
    return _ENTRY_BYTES + _CELL_BYTES * len(item.values) + 4 * texts + _EXTRA_BYTES * _extras(item)


def _extras(batch: Batch) -> int:
    columns = (batch.offsets, batch.source_times, batch.source_status, batch.raw, batch.held)
    return sum([len(column) for column in columns if column])
