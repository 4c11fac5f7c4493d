"""Entries to bytes and back: everything comes back exactly, whatever it is."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import ABSENT, Batch, ClockState, Held, Notice, Plan, Quality, Stamp, Tag
from gateway.outbox.codec import Codec, DamagedGroupError
from gateway.outbox.entry import Entry
from gateway.outbox.plans import Plans
from gateway.testing import ManualClock, sample_batch, sample_plan

TIMES = st.integers(-(2**62), 2**62)
STAMPS = st.builds(Stamp, TIMES, st.integers(0, 2**62), st.sampled_from(ClockState))
VALUES = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.sampled_from(["absent", "\ud800", 2**64, -(2**63) - 1, -0.0, 0.1, 2**53 + 1]),
)
TAGS = st.integers(0, 6).flatmap(
    lambda width: st.tuples(
        *(st.builds(Tag, st.just(f"tag{at}"), st.text(max_size=5), st.just("float32")) for at in range(width))
    )
)


@st.composite
def batches(draw: st.DrawFn, plans: list[Plan]) -> Batch:
    """Any batch of one of some plans."""
    plan = draw(st.sampled_from(plans))
    width = len(plan.tags)
    positions = st.integers(0, max(width - 1, 0))

    def column(cells: st.SearchStrategy[Any]) -> Any:
        return draw(st.lists(cells, min_size=width, max_size=width))

    return Batch(
        plan,
        column(st.one_of(VALUES, st.just(ABSENT), st.none())),
        column(st.sampled_from(Quality)),
        draw(STAMPS),
        offsets=draw(st.none() | st.lists(st.integers(-5000, 5000), min_size=width, max_size=width)),
        source_times=draw(st.none() | st.lists(st.none() | TIMES, min_size=width, max_size=width)),
        source_status=draw(st.none() | st.dictionaries(positions, st.text(max_size=6).filter(str.isprintable))),
        raw=draw(st.none() | st.dictionaries(positions, VALUES)),
        held=draw(
            st.none() | st.dictionaries(positions, st.builds(Held, st.none() | VALUES, st.sampled_from(Quality), TIMES))
        ),
        unchanged=draw(st.booleans()),
    )


@st.composite
def groups(draw: st.DrawFn) -> list[Entry]:
    """Any entries of one spill: several devices, plans, runs, and notices between."""
    plans = [Plan(f"device{at}", draw(TAGS), 60.0 + at) for at in range(draw(st.integers(1, 3)))]
    plans += [replace(plans[0], heartbeat_s=1.5)]
    scalars = st.one_of(st.none(), VALUES)
    notices = st.builds(
        Notice, st.sampled_from(["gaps", "events"]), st.dictionaries(st.text(max_size=5), scalars), STAMPS
    )
    items = draw(st.lists(st.one_of(batches(plans), notices), max_size=8))
    runs = st.sampled_from(["000001-8c1f9a3e", "000002-00000000"])
    return [entry_of(item, draw(runs), draw(st.integers(1, 2**40))) for item in items]


def entry_of(item: Batch | Notice, run: str = "000001-8c1f9a3e", seq: int = 1) -> Entry:
    """An item as the outbox names it."""
    return Entry("_gateway" if isinstance(item, Notice) else item.plan.device, run, seq, item, history=False)


def there_and_back(entries: list[Entry], codec: Codec | None = None) -> list[Entry]:
    """What is read after it was written, by a process that knows no plan but those of the segment."""
    encoded = (codec or Codec(Plans())).encode(entries)
    written, known = Plans(), Plans()
    plans: dict[bytes, Plan] = {}
    for plan in encoded.plans.values():
        known.read(written.payload_of(plan), plans)
    decoded = Codec(known).decode(encoded.payload, encoded.count, plans)
    assert [position for position, _ in decoded.entries] == list(range(len(entries)))
    return [entry for _, entry in decoded.entries]


def told(entry: Entry) -> tuple[Any, ...]:
    """All that an entry says, with the types of its values."""
    types = [value.__class__ for value in entry.item.values] if isinstance(entry.item, Batch) else None
    return entry.device, entry.run, entry.seq, entry.item, types


@settings(max_examples=150)
@given(groups())
def test_everything_comes_back_exactly(entries: list[Entry]) -> None:
    """Values with their types, qualities, times and all else, in the order in which they were put, as history."""
    back = there_and_back(entries)
    assert [told(entry) for entry in back] == [told(entry) for entry in entries]
    assert all(entry.history for entry in back)


@pytest.mark.parametrize("value", [0.1, 1e300, 5e-324, -0.0, math.inf, 71.30000305175781])
def test_floats_come_back_to_the_last_bit(value: float) -> None:
    """No rounding, no sign lost."""
    [entry] = there_and_back([entry_of(sample_batch(sample_plan(), [value, True, 1]))])
    assert isinstance(entry.item, Batch)
    assert repr(entry.item.values[0]) == repr(value)


def test_not_a_number_comes_back() -> None:
    """It should not be there; if it is, it spoils nothing else."""
    [entry] = there_and_back([entry_of(sample_batch(sample_plan(), [math.nan, True, 1]))])
    assert isinstance(entry.item, Batch)
    assert math.isnan(entry.item.values[0])  # type: ignore[arg-type] - a float is what was put


def test_true_stays_true_and_one_stays_one() -> None:
    """A coil is no number."""
    [entry] = there_and_back([entry_of(sample_batch(sample_plan(), [1.0, True, 1]))])
    assert isinstance(entry.item, Batch)
    assert [repr(value) for value in entry.item.values] == ["1.0", "True", "1"]


def test_the_text_absent_is_not_an_absent_cell() -> None:
    """A tag may say `absent`."""
    [entry] = there_and_back([entry_of(sample_batch(sample_plan(), ["absent", ABSENT, None]))])
    assert isinstance(entry.item, Batch)
    assert entry.item.values == ["absent", ABSENT, None]
    assert entry.item.values[1] is ABSENT


def test_batches_of_one_plan_share_it() -> None:
    """The stages behind prepare themselves once a plan, also for history."""
    plan = sample_plan()
    entries = there_and_back([entry_of(sample_batch(plan, [at, True, 1])) for at in range(3)])
    assert len({id(entry.item.plan) for entry in entries if isinstance(entry.item, Batch)}) == 1


def test_a_full_good_batch_costs_little_more_than_its_values() -> None:
    """Names, qualities and absent cells take no room where all is well: 3000 floats in less than 10 bytes each."""
    plan = Plan("meter", tuple(Tag(f"tag{at}", f"holding:{at}", "float32") for at in range(100)))
    values: list[list[Any]] = [[math.sin(at * 1.1 + row) for at in range(100)] for row in range(30)]
    entries = [entry_of(sample_batch(plan, row), seq=at) for at, row in enumerate(values)]
    assert len(Codec(Plans()).encode(entries).payload) < 30 * 100 * 10


def test_a_plan_that_is_missing_loses_its_batches_only() -> None:
    """They are counted, with device and times; the others are read."""
    clock = ManualClock()
    entries = [entry_of(sample_batch(sample_plan("meter"), [1, True, at], clock.now()), seq=at) for at in (1, 2)]
    clock.advance(5)
    entries.append(entry_of(sample_batch(sample_plan("press-12"), [2, True, 3], clock.now())))
    clock.advance(5)
    entries.append(entry_of(sample_batch(sample_plan("meter"), [3, True, 4], clock.now())))
    encoded = Codec(Plans()).encode(entries)
    plans = {key: plan for key, plan in encoded.plans.items() if plan.device == "press-12"}
    decoded = Codec(Plans()).decode(encoded.payload, encoded.count, plans)
    assert [(position, entry.device) for position, entry in decoded.entries] == [(2, "press-12")]
    [lost] = decoded.lost
    assert (lost.device, lost.positions) == ("meter", [0, 1, 3])
    assert lost.end - lost.start == 10_000_000_000


def test_a_plan_that_is_missing_is_found_elsewhere() -> None:
    """By device and plan id, which make the same numbers, where another segment or the running gateway knows it."""
    entry = entry_of(sample_batch(sample_plan(), [1.5, True, 3]))
    encoded = Codec(Plans()).encode([entry])
    elsewhere = Plans()
    elsewhere.key_of(Plan("press-12", sample_plan().tags, heartbeat_s=5.0))
    decoded = Codec(elsewhere).decode(encoded.payload, 1, {})
    assert decoded.lost == []
    [(_, found)] = decoded.entries
    assert isinstance(found.item, Batch)
    assert found.item.values == [1.5, True, 3]
    assert found.item.plan.id == sample_plan().id


def test_the_plan_of_another_device_is_not_taken() -> None:
    """Two presses of one make have one plan id; a value never wears the other's name."""
    encoded = Codec(Plans()).encode([entry_of(sample_batch(sample_plan("press-12"), [1.5, True, 3]))])
    elsewhere = Plans()
    elsewhere.key_of(sample_plan("press-13"))
    assert len(Codec(elsewhere).decode(encoded.payload, 1, {}).lost) == 1


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_group_of_another_number_of_entries_is_not_believed(count: int) -> None:
    """What a frame promises is what its group holds."""
    encoded = Codec(Plans()).encode([entry_of(sample_batch(sample_plan(), [1, True, at])) for at in (1, 2)])
    with pytest.raises(DamagedGroupError):
        Codec(Plans()).decode(encoded.payload, count, encoded.plans)


def compressed(content: Any) -> bytes:
    """Something else where a group should be."""
    return zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(content))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no frame of zstd",
        compressed("no group"),
        compressed([[], "no notices"]),
        compressed([[[b"key"]], []]),
        zstandard.ZstdCompressor().compress(b"\xc1"),
        compressed([[], [[0, "run", 1, "events", {"text": msgspec.msgpack.Ext(9, b"?")}, [1, 2, "synced"]]]]),
    ],
)
def test_what_is_no_group_is_damaged(payload: bytes) -> None:
    """Whatever a record holds, reading it ends with one kind of error."""
    with pytest.raises(DamagedGroupError):
        Codec(Plans()).decode(payload, 1, {})


def test_a_row_of_the_wrong_width_is_damaged() -> None:
    """Values that do not fit their plan are not guessed at."""
    plan = sample_plan()
    encoded = Codec(Plans()).encode([entry_of(Batch(plan, [1.0], [Quality.GOOD], ManualClock().now()))])
    with pytest.raises(DamagedGroupError, match="1 values for 3 tags"):
        Codec(Plans()).decode(encoded.payload, 1, encoded.plans)


def test_what_a_later_release_adds_is_passed_over() -> None:
    """One more field of a group, a quality and a clock state that this release does not know: nothing else is lost."""
    codec = Codec(Plans())
    encoded = codec.encode([entry_of(sample_batch(sample_plan(), [1.5, True, 3]))])
    group = msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(encoded.payload))
    block = group[0][0]
    block[6][0][2] = "atomic"
    block[9][0] = {1: "uncertain:tired", 2: "bad:eaten_by_mice"}
    block.append("a later field")
    group.append("a later field")
    [(_, entry)] = codec.decode(compressed(group), 1, encoded.plans).entries
    assert isinstance(entry.item, Batch)
    assert entry.item.values == [1.5, True, 3]
    assert entry.item.stamp.clock is ClockState.FREE_RUNNING
    assert entry.item.quality == [Quality.GOOD, Quality.STALE, Quality.NOT_AVAILABLE]


@pytest.mark.parametrize("value", [object(), 1j, Ellipsis])
def test_what_no_tag_can_hold_is_refused(value: Any) -> None:
    """A driver's mistake is an error here, not a file that nobody can read."""
    with pytest.raises((TypeError, ValueError)):
        Codec(Plans()).encode([entry_of(sample_batch(sample_plan(), [value, True, 1]))])


def test_what_an_earlier_release_wrote_is_read() -> None:
    """A group as version 1.0 wrote it, byte for byte: its shape on disk does not change by accident."""
    written = bytes.fromhex(GOLDEN_GROUP)
    plans: dict[bytes, Plan] = {}
    known = Plans()
    known.read(bytes.fromhex(GOLDEN_PLAN), plans)
    back = Codec(known).decode(written, 3, plans)
    assert [told(entry)[:4] for _, entry in back.entries] == [told(entry)[:4] for entry in golden_entries()]


def golden_entries() -> list[Entry]:
    """What the golden bytes hold."""
    plan = Plan(
        "meter",
        (
            Tag("voltage", "input:0", "float32", (("order", "CDAB"),), "V", "L1", 0.1, 2.0, (0.0, 300.0), 0.5, 2.0),
            Tag("state", "coil:1", "bool"),
        ),
        30.0,
    )
    stamp = Stamp(1_795_515_300_250_000_000, 12_345, ClockState.SYNCED)
    full = Batch(plan, [230.5, True], [Quality.GOOD, Quality.GOOD], stamp, unchanged=True)
    poor = Batch(
        plan,
        [None, ABSENT],
        [Quality.WIRE_BREAK, Quality.GOOD],
        stamp,
        [5, 0],
        [None, 7],
        {0: "0x8"},
        {0: 2**70},
        {1: Held(False, Quality.STALE, 3)},
    )
    notice = Notice("gaps", {"device": "*", "count": None}, stamp)
    return [entry_of(full, seq=1), entry_of(notice, seq=9), entry_of(poor, seq=2)]


GOLDEN_PLAN = (
    "28b52ffd607000cd0700d28d302d90a939bffb5921fdb4c6bbbb7445dfcd505ca7aab5240391128fd8de2965b4a56dcd10c9"
    "00a3d16eb8bbd39c02aaaaaa15e6ba542b11578383d091cbc335c8a8df8f93326cde91a515cce4b70e6fb3a5973753a7d4d0"
    "5b9fb499dff1792005f140c1cc76cbe2b4184c1e6c1f3567b1997220f1ed45e480400181f4668793e410d7379a60347ea17b"
    "aa8e145e2e1e1f895eab626c67deaaa17d07255543f649062942fb52039a19117edb79df4ea000b075349605c3e236f1fe86"
    "4ccd9aa4995a08150009db1231c5c1612323a9e2dec80856321693b52bb3a86b268ccd8ae2cc0898eb336180fbc06a900f18"
    "6f3c8a7de1b65aa007"
)
GOLDEN_GROUP = (
    "28b52ffd6027002d0700c40c92919cc4087ab3094befda322aa56d65746572a83230313335616339af30312d386331663961"
    "33659200029201029293cf18eaf3a70c2e1a80cd3039a673796e6365649292cb406cd000c391c08101910081018100ae6261"
    "643a776972655f627265616b85a76f666673657473920500ac736f757263655f74696d657392c007ad7374617475738100a3"
    "307838a37261778100c712013430a468656c64810193c2af756e6365727461696e3a7374616c650391960109a46761707382"
    "a6646576696365a12aa5636f756e74c008009f46b7a6067171a835339d386de0acdd9bf4648113"
)
