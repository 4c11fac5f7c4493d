"""From entries to the groups that go to disk in one write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.outbox.entry import weight

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.outbox.catalog import Segment
    from gateway.outbox.codec import EncodedGroup
    from gateway.outbox.entry import Entry
    from gateway.outbox.spool import Spool

_GROUP_BYTES: Final = 2_000_000
"""Entries that take this much memory make one group: what is read back and decoded in one go, some 5 ms of work."""


class Spill(NamedTuple):
    """Entries, ready to be written."""

    groups: list[EncodedGroup]
    fit: list[Entry]
    """Those in the groups, in order."""
    unfit: list[Entry]
    """Those that hold what no tag can hold."""
    crowded_out: list[Segment]
    """What has to be dropped for them, oldest first."""


def prepare(spool: Spool, entries: Sequence[Entry]) -> Spill:
    """Encode entries and find room for them.

    Raises:
        SpoolError: the disk is not to be written.
    """
    spill = Spill([], [], [], [])
    for chunk in _chunks(entries):
        _encode(spool, chunk, spill)
    if spill.groups:
        spill.crowded_out.extend(spool.crowded_out(spill.groups))
    return spill


def _encode(spool: Spool, chunk: list[Entry], spill: Spill) -> None:
    """Add a chunk; where it cannot be encoded, entry by entry, so that one bad batch harms only itself."""
    try:
        spill.groups.append(spool.encode(chunk))
        spill.fit.extend(chunk)
    except (TypeError, ValueError):
        if len(chunk) == 1:
            spill.unfit.extend(chunk)
        else:
            for entry in chunk:
                _encode(spool, [entry], spill)


def _chunks(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    chunk: list[Entry] = []
    size = 0
    for entry in entries:
        chunk.append(entry)
        size += weight(entry.item)
        if size >= _GROUP_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
