"""What every encoder keeps to: decode what was encoded, compare with what went in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.model import ABSENT, Batch, Held, Quality, Tag
from gateway.outbox.entry import Entry
from gateway.testing import SAMPLE_TIME, ManualClock, sample_batch, sample_plan
from tests.gateway.publish import decoding
from tests.gateway.publish.batches import RUN, entries

if TYPE_CHECKING:
    from tests.contract.encoders.conftest import Layout

LARGE = 65_536
SMALL = 420
"""Bytes that hold a few tags only."""

QUIETLY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)

TAGS = (
    Tag("temperature", "holding:1", "float32", unit="°C"),
    Tag("flow", "holding:3", "uint16", scale=0.1),
    Tag("energy", "holding:5", "uint64"),
    Tag("running", "coil:1", "bool"),
    Tag("program", "ns=2;s=P", "string"),
    Tag("level", "holding:9", "float64"),
)


def entry_of(batch: Batch, *, history: bool = False, seq: int = 7) -> Entry:
    return Entry(batch.plan.device, RUN, seq, batch, history)


def assert_told(layout: Layout, entry: Entry, max_bytes: int = LARGE) -> None:
    """All that the batch says stands in the messages, and nothing else."""
    batch = entry.item
    assert isinstance(batch, Batch)
    messages = layout.encoder.encode(entry, max_bytes)
    told, meant = layout.decode(messages, batch), decoding.rows_of(entry, batch, held=layout.tells_held)
    assert {key: (row.quality, row.history, row.fresh, row.time) for key, row in told.items()} == {
        key: (row.quality, row.history, row.fresh, row.time) for key, row in meant.items()
    }
    tags = {tag.name: tag for tag in batch.plan.tags}
    for (name, tag), row in meant.items():
        floating = tags[tag].scaled or tags[tag].type.lower().startswith(("float", "double"))
        assert decoding.same(told[name, tag].value, row.value, floating=floating), (tag, told[name, tag], row)


@pytest.mark.parametrize("history", [False, True], ids=["live", "history"])
@pytest.mark.parametrize(
    "values",
    [
        [71.3, 12.5, 18_446_744_073_709_551_615, True, 'äöü "quoted"\n</script>', -0.0],
        [0.1, 0.0, 2**53, False, "", 1e300],
        [3.4028234663852886e38, -1.5, 2**53 + 1, True, "\u0000\u001f😀", 5e-324],
        [ABSENT, 1.0, ABSENT, ABSENT, ABSENT, ABSENT],
    ],
    ids=["of every type", "at the edges", "beyond the edges", "one changed"],
)
def test_every_value_arrives(layout: Layout, values: list[object], history: bool) -> None:  # noqa: FBT001 - a parameter
    """Floats, scaled numbers, whole numbers that no double holds, truth values, text with anything in it."""
    assert_told(layout, entry_of(sample_batch(sample_plan("press-12", *TAGS), values), history=history))


def test_every_quality_arrives(layout: Layout) -> None:
    """Each one that the model knows; bad ones without a value."""
    for quality in Quality:
        value = None if quality.level == "bad" else 5
        batch = sample_batch(sample_plan("press-12", TAGS[2], TAGS[3]), [value, True])
        batch.quality[0] = quality
        assert_told(layout, entry_of(batch))


def test_a_device_that_is_bad_as_a_whole_arrives_so(layout: Layout) -> None:
    """No reply: every tag says it, however the layout shortens that."""
    plan = sample_plan("press-12", *TAGS)
    assert_told(layout, entry_of(Batch.bad(plan, range(len(TAGS)), Quality.NO_REPLY, ManualClock().now())))


def test_held_values_keep_their_own_time(layout: Layout) -> None:
    """What is not fresh is never told as if it were."""
    batch = sample_batch(sample_plan("press-12", *TAGS), [71.3, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT])
    batch.held = {
        1: Held(7.5, Quality.STALE, SAMPLE_TIME - 60_000_000_000),
        2: Held(12, Quality.GOOD, SAMPLE_TIME - 5_000_000_000),
        3: Held(None, Quality.NO_REPLY, SAMPLE_TIME - 1_000_000_000),
    }
    assert_told(layout, entry_of(batch))


def test_times_of_single_tags_arrive(layout: Layout) -> None:
    """Offsets from the batch's time, back and forth."""
    batch = sample_batch(sample_plan("press-12", *TAGS), [1.5, 2.5, 3, True, "x", 4.5])
    batch.offsets = [0, -1500, 40, 0, 7, -1]
    assert_told(layout, entry_of(batch))


def test_not_a_number_arrives_as_not_available(layout: Layout) -> None:
    """A driver that forgot the rule harms nobody: NaN is told as what it is, and never as NaN."""
    batch = sample_batch(sample_plan("press-12", TAGS[0], TAGS[3]), [float("nan"), True])
    messages = layout.encoder.encode(entry_of(batch), LARGE)
    told = layout.decode(messages, batch)
    (row,) = [row for (_, tag), row in told.items() if tag == "temperature"]
    assert (row.value, row.quality) == (None, "bad:not_available")
    assert all(b"NaN" not in message.payload for message in messages)


@pytest.mark.parametrize("history", [False, True], ids=["live", "history"])
def test_a_batch_in_parts_is_the_same_batch(layout: Layout, history: bool) -> None:  # noqa: FBT001 - a parameter
    """Each message fits, no tag is lost, and none comes twice."""
    tags = [Tag(f"tag_{number}", f"holding:{number}", "uint16") for number in range(60)]
    entry = entry_of(sample_batch(sample_plan("press-12", *tags), list(range(60))), history=history)
    messages = layout.encoder.encode(entry, SMALL)
    assert all(message.size <= SMALL for message in messages)
    assert len(messages) > 1
    assert_told(layout, entry, SMALL)


def test_history_is_never_retained(layout: Layout) -> None:
    """A value of yesterday must not greet whoever subscribes today."""
    for history in (False, True):
        entry = entry_of(sample_batch(sample_plan("press-12", *TAGS), [1.5, 2.5, 3, True, "x", 4.5]), history=history)
        kept = {message.retain for message in layout.encoder.encode(entry, LARGE)}
        assert kept == {layout.publish.retain and not history}


def test_an_encoder_keeps_nothing_of_a_batch(layout: Layout) -> None:
    """The same entry twice makes the same messages: a resend is a true duplicate."""
    encoder = layout.encoder
    entry = entry_of(sample_batch(sample_plan("press-12", *TAGS), [1.5, 2.5, 3, True, "x", 4.5]))
    assert list(encoder.encode(entry, LARGE)) == list(encoder.encode(entry, LARGE))


@QUIETLY
@given(entry=entries)
def test_whatever_the_model_allows_arrives(layout: Layout, entry: Entry) -> None:
    """Batches of every shape."""
    assert_told(layout, entry, 10_000_000)


@QUIETLY
@given(entry=entries, max_bytes=st.integers(1, 2000))
def test_no_limit_makes_an_encoder_fail(layout: Layout, entry: Entry, max_bytes: int) -> None:
    """However little the broker takes: messages come out, and the courier decides about those that are too large."""
    assert all(message.topic for message in layout.encoder.encode(entry, max_bytes))
