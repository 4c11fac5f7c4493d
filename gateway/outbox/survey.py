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
that is known of that run."""

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


def survey(files: Files, codec: Codec, plans: Plans, now: int) -> Survey:
    """Look through a folder, cut what a crash left unfinished, and mark that a gateway works here.

    Raises:
        OSError: the folder cannot be used.
    """
    files.prepare()
    sizes = files.sizes()
    segments, foreign = segments_in(sizes)
    oldest = segments[0].name.base if segments else 0
    cursor = load(files) or Cursor(oldest, oldest)
    tail = read_tail(files, segments[-1], codec, plans) if segments else None
    crash = [_crash(files, tail, now)] if RUNNING_FILE in sizes else []
    if not crash:
        _mark_running(files, now)
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


def _crash(files: Files, tail: Tail | None, now: int) -> Gap:
    """What the last run may have lost: nobody knows how much, nor of which devices.

    The mark keeps its time: should this run end before it has put the gap on disk, the next one makes it again.
    """
    last = max(files.touched(RUNNING_FILE), tail.newest if tail else 0)
    return Gap(ANY_DEVICE, min(last, now), now, None, "crash")


def _mark_running(files: Files, now: int) -> None:
    files.create(RUNNING_FILE).close()
    files.touch(RUNNING_FILE, now)
    files.sync_folder()


def _tell(place: str, found: Survey) -> None:
    _log.info("spool_opened", place=place, segments=len(found.segments), bytes=sum(s.size for s in found.segments))
    if found.tail is not None and not found.tail.whole:
        _log.warning("spool_damaged", place=place, segment=found.tail.segment.file)
    if found.aside:
        _log.warning("spool_of_another_format", place=place, segments=found.aside)
