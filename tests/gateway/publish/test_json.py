from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import (
    ABSENT,
    Batch,
    Held,
    Plan,
    Quality,
    Tag,
)
from gateway.outbox.entry import Entry
from gateway.publish.by_device import ByDevice
from gateway.publish.contract import About
from gateway.publish.json import JsonEncoder
from gateway.publish.topics import Topics
from gateway.testing import SAMPLE_TIME, ManualClock, sample_batch, sample_plan
from tests.gateway.publish import schemas
from tests.gateway.publish.batches import RUN, entries

if TYPE_CHECKING:
    from gateway.model import Cell
    from gateway.publish.message import Message

TOPICS = Topics(["acme", "ehv"], "gw-1")
ENCODER = JsonEncoder(TOPICS)
ABOUT = About("0.1.0", RUN, "5e1f")
LARGE = 65_536
STAMP = ManualClock().now()


def entry_of(batch: Batch, *, history: bool = False, seq: int = 4711) -> Entry:
    """An entry of the outbox with this batch."""
    return Entry(batch.plan.device, RUN, seq, batch, history)


def encoded(batch: Batch, *, history: bool = False) -> dict[str, Any]:
    """The one message of a batch, held against its schema."""
    (message,) = ENCODER.encode(entry_of(batch, history=history), LARGE)
    return schemas.check(message.topic, message.payload)


def one(tag: Tag, value: Cell, quality: Quality = Quality.GOOD) -> Batch:
    """A batch of one tag."""
    return Batch(sample_plan("press-12", tag), [value], [quality], STAMP)


def text_of(message: Message) -> str:
    """The payload as text."""
    return message.payload.decode()


def test_a_batch_is_the_message_that_the_contract_shows() -> None:
    """Every field of version 1 in its place, and no other."""
    plan = sample_plan(
        "press-12",
        Tag("oil_temperature", "holding:100", "float32"),
        Tag("running", "coil:12", "bool"),
        Tag("pump_speed", "holding:30", "uint16"),
        Tag("level", "holding:40", "float32"),
        Tag("speed", "holding:20", "uint16"),
        Tag("held_back", "holding:21", "uint16"),
    )
    batch = Batch(
        plan,
        [71.30000305175781, True, None, None, ABSENT, ABSENT],
        [Quality.GOOD, Quality.GOOD, Quality.NO_REPLY, Quality.WIRE_BREAK, Quality.GOOD, Quality.GOOD],
        STAMP,
        raw={3: 3.2},
        held={4: Held(1480, Quality.STALE, SAMPLE_TIME - 42_000_000_000)},
    )
    (message,) = ENCODER.encode(entry_of(batch), LARGE)
    assert message.topic == "acme/ehv/press-12/data"
    assert not message.retain
    assert text_of(message) == (
        '{"v":1,"device":"press-12","run":"000042-8c1f9a3e","seq":4711,"plan":"' + plan.id + '",'
        '"time":"2026-11-24T10:15:00.250Z","clock":"synced",'
        '"values":{"oil_temperature":71.3,"running":true},'
        '"quality":{"pump_speed":"bad:no_reply","level":"bad:wire_break","speed":"uncertain:stale"},'
        '"raw":{"level":3.2},'
        '"last":{"speed":{"value":1480,"time":"2026-11-24T10:14:18.250Z"}}}'
    )


def test_optional_columns_name_only_the_tags_that_have_something_to_say() -> None:
    """Offsets, source times and source status stand by tag; what is absent from the batch stands nowhere."""
    batch = sample_batch(sample_plan(), [20.5, True, ABSENT], STAMP)
    batch.offsets = [0, -120, 7]
    batch.source_times = [SAMPLE_TIME, None, SAMPLE_TIME]
    batch.source_status = {1: "UncertainLastUsableValue"}
    message = encoded(batch)
    assert message["offset_ms"] == {"running": -120}
    assert message["source_time"] == {"temperature": "2026-11-24T10:15:00.250Z"}
    assert message["source_status"] == {"running": "UncertainLastUsableValue"}


def test_columns_without_anything_to_say_are_left_out() -> None:
    """A polled block of good values has none of the optional fields."""
    batch = sample_batch(sample_plan(), [20.5, True, 3], STAMP)
    batch.offsets, batch.source_times, batch.source_status, batch.raw, batch.held = [0, 0, 0], [None] * 3, {}, {}, {}
    assert set(encoded(batch)) == {"v", "device", "run", "seq", "plan", "time", "clock", "values"}


def test_history_is_flagged_and_goes_apart() -> None:
    """A batch that waited on disk must not make a display of live values jump back."""
    (message,) = ENCODER.encode(entry_of(sample_batch(sample_plan(), [20.5, True, 3]), history=True), LARGE)
    assert message.topic == "acme/ehv/press-12/history"
    assert schemas.check(message.topic, message.payload)["history"] is True


def test_history_can_share_the_topic_of_live_data() -> None:
    """`history_topic: same` is for consumers that sort by time themselves; the flag stays."""
    encoder = JsonEncoder(TOPICS, ByDevice(TOPICS, "same"))
    (message,) = encoder.encode(entry_of(sample_batch(sample_plan(), [20.5, True, 3]), history=True), LARGE)
    assert message.topic == "acme/ehv/press-12/data"
    assert schemas.parse(message.payload)["history"] is True


def test_a_device_whose_tags_are_all_alike_says_so_once() -> None:
    """A silent device of 500 tags is one short message."""
    batch = Batch.bad(sample_plan(), range(3), Quality.NO_REPLY, STAMP)
    message = encoded(batch)
    assert message["device_quality"] == "bad:no_reply"
    assert message["values"] == {}
    assert "quality" not in message


def test_held_values_count_for_the_quality_of_the_device() -> None:
    """In a snapshot every tag speaks, fresh or held."""
    batch = Batch.bad(sample_plan(), [0], Quality.NO_REPLY, STAMP)
    batch.held = {1: Held(None, Quality.NO_REPLY, SAMPLE_TIME), 2: Held(None, Quality.NO_REPLY, SAMPLE_TIME)}
    assert encoded(batch)["device_quality"] == "bad:no_reply"


@pytest.mark.parametrize(
    "batch",
    [
        Batch.bad(sample_plan(), [0, 1], Quality.NO_REPLY, STAMP),
        Batch(sample_plan(), [None, None, 3], [Quality.NO_REPLY, Quality.NO_REPLY, Quality.GOOD], STAMP),
        Batch(sample_plan(), [None, None, None], [Quality.NO_REPLY, Quality.NO_REPLY, Quality.CONFIG], STAMP),
    ],
    ids=["a tag is absent", "a tag is good", "the reasons differ"],
)
def test_a_device_that_is_not_all_alike_names_its_tags(batch: Batch) -> None:
    """What is not said of every tag must not be believed of every tag."""
    message = encoded(batch)
    assert "device_quality" not in message
    assert message["quality"]["temperature"] == "bad:no_reply"


def test_good_needs_no_words() -> None:
    """A device whose tags are all good has neither quality nor device quality."""
    assert not {"quality", "device_quality"} & set(encoded(sample_batch(sample_plan(), [20.5, True, 3])))


@given(entries)
def test_every_batch_keeps_to_the_schema(entry: Entry) -> None:
    """Whatever the model allows comes out as version 1 says: no null, no NaN, no field that it does not know."""
    for message in ENCODER.encode(entry, LARGE):
        schemas.check(message.topic, message.payload)


@given(entries)
def test_a_message_says_of_each_tag_exactly_what_the_batch_says(entry: Entry) -> None:
    """No value wears the wrong tag: every cell is found again under its name, and nothing else is."""
    batch = entry.item
    assert isinstance(batch, Batch)
    (message,) = ENCODER.encode(entry, 10 * LARGE)
    told = schemas.parse(message.payload)
    everywhere = told.get("device_quality")
    for position, (tag, cell) in enumerate(zip(batch.plan.tags, batch.values, strict=True)):
        held = (batch.held or {}).get(position)
        expected = batch.quality[position] if cell is not ABSENT else held.quality if held else Quality.GOOD
        assert told.get("quality", {}).get(tag.name, everywhere or "good") == expected.value
        assert (tag.name in told["values"]) == (cell is not ABSENT and cell is not None)
        assert (tag.name in told.get("last", {})) == (held is not None)
        if tag.name in told["values"]:
            assert same(told["values"][tag.name], cell)


def same(told: object, cell: object) -> bool:
    """Whether a JSON value stands for a cell; a whole number beyond 2^53 comes as text, single precision shortened."""
    if isinstance(cell, bool | str) or not isinstance(cell, int | float):
        return told == cell
    if isinstance(told, str):
        return told == str(cell) and abs(cell) > 2**53
    assert isinstance(told, int | float)
    return told == cell or math.isclose(told, cell, rel_tol=1e-6, abs_tol=1e-44)


@given(entries, st.integers(300, 2000))
def test_a_batch_in_parts_is_the_same_batch(entry: Entry, max_bytes: int) -> None:
    """Parts repeat the head, are numbered, keep to the limit where tags can be parted, and lose and double nothing."""
    messages = ENCODER.encode(entry, max_bytes)
    parts = [schemas.check(message.topic, message.payload) for message in messages]
    (whole,) = ENCODER.encode(entry, 10**9)
    told = schemas.parse(whole.payload)
    for column in ("values", "quality", "raw", "last", "offset_ms", "source_time", "source_status"):
        together = [item for part in parts for item in part.get(column, {}).items()]
        assert sorted(together, key=repr) == sorted(told.get(column, {}).items(), key=repr)
    assert [part.get("part") for part in parts] == expected_parts(len(parts), whole.size > max_bytes)
    assert all(message.size <= max_bytes for message in messages) or min(map(tags_of, parts)) <= 1


def tags_of(part: dict[str, Any]) -> int:
    """How many tags a part speaks of."""
    return len({name for column in ("values", "quality", "last", "raw") for name in part.get(column, {})})


def expected_parts(count: int, is_split: bool) -> list[list[int] | None]:  # noqa: FBT001 - a property of the case
    """`part` of each message."""
    return [[number, count] for number in range(1, count + 1)] if is_split else [None]


def test_parts_share_the_name_and_keep_neighbours_together() -> None:
    """(device, run, seq) names the batch, `part` joins it; the phases of a meter stay in one message."""
    plan = Plan("meter", tuple(Tag(f"voltage_l{n}", f"input:{n}", "float32") for n in range(100)))
    messages = ENCODER.encode(entry_of(sample_batch(plan, [230.1] * 100)), 1000)
    parts = [schemas.check(message.topic, message.payload) for message in messages]
    assert len(parts) > 2
    assert {(p["device"], p["run"], p["seq"], p["time"], p["plan"]) for p in parts} == {
        ("meter", RUN, 4711, "2026-11-24T10:15:00.250Z", plan.id)
    }
    assert [name for part in parts for name in part["values"]] == [tag.name for tag in plan.tags]


def test_the_quality_of_the_device_stands_in_every_part() -> None:
    """A reader of any one part knows."""
    plan = Plan("meter", tuple(Tag(f"voltage_l{n}", f"input:{n}", "float32") for n in range(100)))
    batch = Batch(plan, [230.1] * 100, [Quality.CLOCK] * 100, STAMP)
    parts = [schemas.check(m.topic, m.payload) for m in ENCODER.encode(entry_of(batch), 1000)]
    assert len(parts) > 2
    assert all(part["device_quality"] == "uncertain:clock" for part in parts)


def test_one_tag_cannot_be_parted() -> None:
    """A text beyond the limit makes a message beyond the limit; who sends it has to notice."""
    batch = one(Tag("t", "a", "string"), "x" * 5000)
    (message,) = ENCODER.encode(entry_of(batch), 1000)
    assert message.size > 5000
    assert schemas.parse(message.payload)["part"] == [1, 1]


def test_batches_of_two_plans_of_one_device_are_told_apart() -> None:
    """What waited on disk is encoded by its own plan after a reload changed the device."""
    old = sample_batch(sample_plan("press-12", Tag("speed", "holding:20", "uint16")), [1480])
    new = sample_batch(sample_plan("press-12", Tag("speed", "holding:20", "uint16", scale=0.1)), [148])
    for _ in range(2):
        assert encoded(old)["values"] == {"speed": 1480}
        assert encoded(new)["values"] == {"speed": 148.0}
        assert encoded(old)["plan"] != encoded(new)["plan"]


def test_plans_do_not_pile_up() -> None:
    """A gateway that is reloaded for years keeps no more prepared plans than it needs."""
    encoder = JsonEncoder(TOPICS)
    for number in range(3000):
        plan = sample_plan("press-12", Tag("t", f"holding:{number}", "uint16"))
        encoder.encode(entry_of(sample_batch(plan, [1])), LARGE)
    assert len(encoder._batches._columns._of) <= 1024
