"""Entries to bytes and back, column by column: no loop over single readings where all of a batch are there and good.

Every value comes back exactly, as does everything else that a batch says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
import zstandard

from gateway.model import ABSENT, GATEWAY_DEVICE, Batch, ClockState, Held, Notice, Quality, Stamp
from gateway.outbox.entry import Entry
from gateway.outbox.wire import Block, Extra, Group, NoticeRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.model import Cell, Plan
    from gateway.outbox.plans import Plans
    from gateway.outbox.wire import StampRecord

    Widen = Callable[[Any], Any]

_COMPRESSION_LEVEL: Final = 3
_WIDE_INT: Final = 1
_WIDE_TEXT: Final = 2
_CLOCKS: Final = {state.value: state for state in ClockState}
_QUALITIES: Final = {quality.value: quality for quality in Quality}


class DamagedGroupError(Exception):
    """A record is intact, but what it holds is not a group of this format."""


@dataclass(frozen=True, slots=True)
class EncodedGroup:
    """Entries as they go to disk."""

    count: int
    payload: bytes
    plans: Mapping[bytes, Plan]
    """The plans that the group needs, by key."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Entries of a plan that nobody knows any more."""

    device: str
    start: int
    """Time of the first, UTC in ns."""
    end: int
    """Time of the last, UTC in ns."""
    positions: list[int]
    """Where they stood in the group."""


@dataclass(frozen=True, slots=True)
class DecodedGroup:
    """Entries as they come back."""

    entries: list[tuple[int, Entry]]
    """Each with its position in the group, ascending."""
    lost: list[Lost]


class Codec:
    """Encodes and decodes groups. Used by one thread at a time."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        self._pack = msgspec.msgpack.Encoder().encode
        self._unpack = msgspec.msgpack.Decoder(Group, ext_hook=_narrow).decode
        self._compress = zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL).compress
        self._decompress = zstandard.ZstdDecompressor().decompress

    def encode(self, entries: Sequence[Entry]) -> EncodedGroup:
        """One group of these entries.

        Raises:
            TypeError, ValueError: an entry holds what no tag can hold.
        """
        try:
            return self._encode(entries, None)
        except (OverflowError, UnicodeEncodeError):
            return self._encode(entries, _wide)

    def decode(self, payload: bytes, count: int, plans: Mapping[bytes, Plan]) -> DecodedGroup:
        """The `count` entries of a group.

        Args:
            payload: of the record.
            count: of the record.
            plans: those of the segment, by key; where one is missing, it is looked for among all that are known.

        Raises:
            DamagedGroupError: the payload is no group of `count` entries.
        """
        try:
            group = self._unpack(self._decompress(payload))
            found: list[tuple[int, Entry]] = [(notice.position, _notice_entry(notice)) for notice in group.notices]
            lost: list[Lost] = []
            for block in group.blocks:
                plan = plans.get(block.key) or self._plans.find(block.key, block.device, block.plan)
                if plan is None:
                    lost.append(_lost(block))
                else:
                    found += zip(block.positions, _batch_entries(block, plan), strict=True)
        except (zstandard.ZstdError, msgspec.MsgspecError, ValueError, LookupError) as error:
            raise DamagedGroupError(str(error)) from error
        found.sort(key=_position)
        if len(found) + sum(len(one.positions) for one in lost) != count:
            raise DamagedGroupError(f"{count} entries were promised")
        return DecodedGroup(found, lost)

    def _encode(self, entries: Sequence[Entry], widen: Widen | None) -> EncodedGroup:
        plans: dict[bytes, Plan] = {}
        blocks: dict[tuple[bytes, str], list[tuple[int, Entry, Batch]]] = {}
        notices = []
        for position, entry in enumerate(entries):
            if isinstance(entry.item, Notice):
                notices.append(_notice_record(position, entry, entry.item, widen))
            else:
                key = self._plans.key_of(entry.item.plan)
                plans[key] = entry.item.plan
                blocks.setdefault((key, entry.run), []).append((position, entry, entry.item))
        group = Group([_block(key, rows, widen) for (key, _), rows in blocks.items()], notices)
        return EncodedGroup(len(entries), self._compress(self._pack(group)), plans)


def _block(key: bytes, rows: list[tuple[int, Entry, Batch]], widen: Widen | None) -> Block:
    positions, entries, batches = zip(*rows, strict=True)
    values, present = _values([batch.values for batch in batches], widen)
    return Block(
        key=key,
        device=entries[0].device,
        plan=batches[0].plan.id,
        run=entries[0].run,
        positions=list(positions),
        seqs=[entry.seq for entry in entries],
        stamps=[batch.stamp for batch in batches],
        values=values,
        present=present,
        quality={row: _quality_record(b.quality) for row, b in enumerate(batches) if not _all_good(b.quality)},
        unchanged=[row for row, batch in enumerate(batches) if batch.unchanged],
        extras={row: _extra(batch, widen) for row, batch in enumerate(batches) if _has_extra(batch)},
    )


def _values(rows: Sequence[list[Cell]], widen: Widen | None) -> tuple[list[list[Any]], dict[int, list[int]]]:
    columns: list[list[Any]] = list(rows)
    present = {}
    for row, values in enumerate(rows):
        if ABSENT in values:
            present[row] = [position for position, value in enumerate(values) if value is not ABSENT]
            columns[row] = [value for value in values if value is not ABSENT]
    if widen is not None:
        columns = [[widen(value) for value in values] for values in columns]
    return columns, present


def _all_good(quality: list[Quality]) -> bool:
    return quality.count(Quality.GOOD) == len(quality)


def _quality_record(quality: list[Quality]) -> str | dict[int, str]:
    if quality.count(quality[0]) == len(quality):
        return quality[0].value
    return {position: one.value for position, one in enumerate(quality) if one is not Quality.GOOD}


def _has_extra(batch: Batch) -> bool:
    columns = (batch.offsets, batch.source_times, batch.source_status, batch.raw, batch.held)
    return any(column is not None for column in columns)


def _extra(batch: Batch, widen: Widen | None) -> Extra:
    cell = widen or _as_it_is
    extra = Extra(batch.offsets, batch.source_times, batch.source_status)
    if batch.raw is not None:
        extra.raw = {position: cell(value) for position, value in batch.raw.items()}
    if batch.held is not None:
        extra.held = {position: (cell(h.value), h.quality.value, h.time) for position, h in batch.held.items()}
    return extra


def _notice_record(position: int, entry: Entry, notice: Notice, widen: Widen | None) -> NoticeRecord:
    cell = widen or _as_it_is
    body = {key: cell(value) for key, value in notice.body.items()}
    return NoticeRecord(position, entry.run, entry.seq, notice.topic, body, notice.stamp)


def _notice_entry(record: NoticeRecord) -> Entry:
    notice = Notice(record.topic, record.body, _stamp(record.stamp))
    return Entry(GATEWAY_DEVICE, record.run, record.seq, notice, history=True)


def _batch_entries(block: Block, plan: Plan) -> list[Entry]:
    """The entries of a block, in its order."""
    width = len(plan.tags)
    unchanged = frozenset(block.unchanged)
    entries = []
    for row, (seq, stamp, values) in enumerate(zip(block.seqs, block.stamps, block.values, strict=True)):
        cells = values if row not in block.present else _spread(values, block.present[row], width)
        if len(cells) != width:
            raise ValueError(f"{len(cells)} values for {width} tags")
        batch = Batch(plan, cells, _quality(block.quality.get(row, "good"), width), _stamp(stamp))
        batch.unchanged = row in unchanged
        if row in block.extras:
            _put_back(batch, block.extras[row])
        entries.append(Entry(block.device, block.run, seq, batch, history=True))
    return entries


def _spread(values: list[Any], positions: list[int], width: int) -> list[Cell]:
    cells: list[Cell] = [ABSENT] * width
    for position, value in zip(positions, values, strict=True):
        cells[position] = value
    return cells


def _quality(record: str | dict[int, str], width: int) -> list[Quality]:
    if isinstance(record, str):
        return [_one_quality(record)] * width
    quality = [Quality.GOOD] * width
    for position, text in record.items():
        quality[position] = _one_quality(text)
    return quality


def _one_quality(text: str) -> Quality:
    """A quality by its text; one that only a later release knows keeps its level."""
    later = Quality.NOT_AVAILABLE if text.startswith("bad:") else Quality.STALE
    return _QUALITIES.get(text, later)


def _put_back(batch: Batch, extra: Extra) -> None:
    batch.offsets = extra.offsets
    batch.source_times = extra.source_times
    batch.source_status = extra.source_status
    batch.raw = extra.raw
    if extra.held is not None:
        held = extra.held.items()
        batch.held = {position: Held(value, _one_quality(text), time) for position, (value, text, time) in held}


def _stamp(record: StampRecord) -> Stamp:
    time, monotonic, clock = record
    return Stamp(time, monotonic, _CLOCKS.get(clock, ClockState.FREE_RUNNING))


def _lost(block: Block) -> Lost:
    times = [time for time, _, _ in block.stamps]
    return Lost(block.device, min(times), max(times), block.positions)


def _position(found: tuple[int, Entry]) -> int:
    return found[0]


def _as_it_is(value: Any) -> Any:
    return value


def _wide(value: Any) -> Any:
    """What MessagePack has no type for: integers beyond 64 bits, text with lone surrogates."""
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return msgspec.msgpack.Ext(_WIDE_INT, f"{value:x}".encode())
    if isinstance(value, str) and not value.isascii():
        return msgspec.msgpack.Ext(_WIDE_TEXT, value.encode(errors="surrogatepass"))
    return value


def _narrow(code: int, data: memoryview) -> Any:
    if code == _WIDE_INT:
        return int(bytes(data), 16)
    if code == _WIDE_TEXT:
        return bytes(data).decode(errors="surrogatepass")
    raise ValueError(f"extension {code} is not known")
