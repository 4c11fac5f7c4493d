"""The shape of a group on disk, as MessagePack.

Arrays grow at their end, maps by new keys, and nothing changes its meaning: a release passes over what a later one of
the same major number has added.
"""

from __future__ import annotations

from typing import Any

import msgspec

StampRecord = tuple[int, int, str]
"""Time (UTC, ns), monotonic time (ns) and the state of the clock."""


class Extra(msgspec.Struct, omit_defaults=True):
    """What few batches have. Keys of the maps are positions in the plan."""

    offsets: list[int] | None = None
    source_times: list[int | None] | None = None
    source_status: dict[int, str] | None = None
    raw: dict[int, Any] | None = None
    held: dict[int, tuple[Any, str, int]] | None = None
    """Value, quality, time (UTC, ns)."""


class Block(msgspec.Struct, array_like=True):
    """The batches of one plan and one run; the lists stand side by side, a row a batch."""

    key: bytes
    """The plan's, see `Plans`."""
    device: str
    plan: str
    """The plan's id."""
    run: str
    positions: list[int]
    """Where each batch stood in the group."""
    seqs: list[int]
    stamps: list[StampRecord]
    values: list[list[Any]]
    """Without the absent cells of the rows in `present`."""
    present: dict[int, list[int]]
    """By row, where some cells are absent: the positions in the plan of those that are there."""
    quality: dict[int, str | dict[int, str]]
    """By row, where not all are good: the one quality of all tags, or the others by position in the plan."""
    unchanged: list[int]
    """Rows whose reply was identical with the one before."""
    extras: dict[int, Extra]
    """By row."""


class NoticeRecord(msgspec.Struct, array_like=True):
    """One notice; `position` is where it stood in the group."""

    position: int
    run: str
    seq: int
    topic: str
    body: dict[str, Any]
    stamp: StampRecord


class Group(msgspec.Struct, array_like=True):
    """The entries of one spill, or a part of them."""

    blocks: list[Block]
    notices: list[NoticeRecord]
