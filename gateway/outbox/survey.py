"""What lies in the folder of a spool at the start. Reads the cursor and the newest segment, however many there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from gateway.model import Gap
from gateway.outbox.catalog import read_tail, segments_in
from gateway.outbox.cursor import Cursor, load
from gateway.outbox.reader import ANY_DEVICE
from gateway.outbox.writer import WriterStart

if TYPE_CHECKING:
    from gateway.outbox.catalog import Segment, Tail
    from gateway.outbox.codec import Codec
    from gateway.outbox.files import Files
    from gateway.outbox.plans import Plans

RUNNING_FILE: Final = "running"
"""Lies in the folder while a gateway works on it. Found at the start, it tells of an unclean end; its time is the last
that is known of that run, its content the machine's boot: in another boot, the machine itself had stopped."""

_MOST_BOOT_BYTES: Final = 100

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found."""

    segments: list[Segment]
    """Oldest first."""
    cursor: Cursor
    tail: Tail | None
    """Of the newest segment."""
    start: WriterStart
    aside: int
    """Segments that another major format wrote; they are left as they are."""
    crash: list[Gap]
    """One gap, where the last run ended without closing the spool."""


def survey(files: Files, codec: Codec, plans: Plans, now: int, boot: str) -> Survey:
    """Look through a folder, cut what a crash left unfinished, and mark that a gateway works here.

    Args:
        files: the folder.
        codec: reads groups.
        plans: learn those of the newest segment.
        now: UTC in ns.
        boot: the kernel's id of this boot.

    Raises:
        OSError: the folder cannot be used.
    """
    files.prepare()
    sizes = files.sizes()
    segments, foreign = segments_in(sizes)
    oldest = segments[0].name.base if segments else 0
    cursor = load(files) or Cursor(oldest, oldest)
    tail = read_tail(files, segments[-1], codec, plans) if segments else None
    crash = [_crash(files, tail, now, boot)] if RUNNING_FILE in sizes else []
    if not crash:
        mark_running(files, now, boot)
    found = Survey(
        segments,
        cursor,
        tail,
        start=WriterStart(
            number=1 + max((name.number for name in [*foreign, *(one.name for one in segments)]), default=0),
            ordinal=max(cursor.ordinal, cursor.kept, tail.end if tail else 0),
        ),
        aside=len(foreign),
        crash=crash,
    )
    _tell(files.place, found)
    return found


def mark_running(files: Files, now: int, boot: str) -> None:
    """Note on disk that a gateway works here, since `now` and in this boot of the machine.

    Raises:
        OSError: the folder cannot be used.
    """
    mark = files.create(RUNNING_FILE)
    try:
        mark.write(boot.encode())
        mark.sync()
    finally:
        mark.close()
    files.touch(RUNNING_FILE, now)
    files.sync_folder()


def _crash(files: Files, tail: Tail | None, now: int, boot: str) -> Gap:
    """What the last run may have lost: nobody knows how much, nor of which devices.

    The mark stays as it is: should this run end before it has put the gap on disk, the next one makes it again.
    """
    last = max(files.touched(RUNNING_FILE), tail.newest if tail else 0)
    before = files.read(RUNNING_FILE, 0, _MOST_BOOT_BYTES).decode(errors="replace")
    reason = "power" if before and boot and before != boot else "crash"
    return Gap(ANY_DEVICE, min(last, now), now, None, reason)


def _tell(place: str, found: Survey) -> None:
    _log.info("spool_opened", place=place, segments=len(found.segments), bytes=sum(s.size for s in found.segments))
    if found.tail is not None and not found.tail.whole:
        _log.warning("spool_damaged", place=place, segment=found.tail.segment.file)
    if found.aside:
        _log.warning("spool_of_another_format", place=place, segments=found.aside)
