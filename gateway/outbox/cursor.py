"""What is settled of the spool, and the gaps that are still to be told: one small file, replaced in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from zlib import crc32

import msgspec

from gateway.model import Gap  # noqa: TC001 - msgspec resolves the annotation at run time

if TYPE_CHECKING:
    from gateway.outbox.files import Files

CURSOR_FILE: Final = "cursor"
_NEXT_FILE: Final = "cursor.next"
_MAGIC: Final = b"\x89EDGECU\n"
_CRC_BYTES: Final = 4
_MOST_BYTES: Final = 4 * 1024 * 1024


class Cursor(NamedTuple):
    """What is kept beside the segments."""

    ordinal: int = 0
    """The first entry that is not settled: neither acknowledged nor counted in a gap."""
    kept: int = 0
    """One more than the last entry that was written and synced when this was."""
    gaps: tuple[Gap, ...] = ()
    """Counted, and their notices neither acknowledged nor on disk."""
    settled: tuple[tuple[int, int], ...] = ()
    """Behind `ordinal`, what is settled: ranges of a first ordinal and one more than the last."""


class _Record(msgspec.Struct, array_like=True):
    ordinal: int
    kept: int
    gaps: list[Gap]
    settled: list[tuple[int, int]]


_decoder = msgspec.msgpack.Decoder(_Record)


def load(files: Files) -> Cursor | None:
    """The cursor; None where there is none, or a damaged one: then the oldest segment is where to begin.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        data = files.read(CURSOR_FILE, 0, _MOST_BYTES)
    except FileNotFoundError:
        return None
    payload = data[len(_MAGIC) + _CRC_BYTES :]
    if data != _sealed(payload):
        return None
    try:
        record = _decoder.decode(payload)
    except msgspec.MsgspecError:
        return None
    return Cursor(record.ordinal, record.kept, tuple(record.gaps), tuple(record.settled))


def save(files: Files, cursor: Cursor) -> int:
    """Replace the cursor; it is on the disk when this returns. Returns the bytes written.

    Raises:
        OSError: the old cursor or the new one stands, nobody knows which.
    """
    record = _Record(cursor.ordinal, cursor.kept, list(cursor.gaps), list(cursor.settled))
    data = _sealed(msgspec.msgpack.encode(record))
    file = files.create(_NEXT_FILE)
    try:
        file.write(data)
        file.sync()
    finally:
        file.close()
    files.rename(_NEXT_FILE, CURSOR_FILE)
    files.sync_folder()
    return len(data)


def _sealed(payload: bytes) -> bytes:
    return _MAGIC + crc32(payload).to_bytes(_CRC_BYTES, "big") + payload
