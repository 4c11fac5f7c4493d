from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.gpio.changes import Changes
from gateway.model import ABSENT, Quality
from gateway.testing import SAMPLE_TIME, ManualClock, sample_plan

if TYPE_CHECKING:
    from gateway.model import Batch


@pytest.fixture
def emitted() -> list[Batch]:
    return []


@pytest.fixture
def changes(emitted: list[Batch]) -> Changes:
    return Changes(sample_plan(), emitted.append)


def test_nothing_gathered_emits_nothing(changes: Changes, emitted: list[Batch]) -> None:
    """A wake-up without a change makes no message."""
    changes.flush()
    assert emitted == []


def test_what_is_gathered_is_one_batch_at_the_latest_time(changes: Changes, emitted: list[Batch]) -> None:
    """Values, causes and offsets stand at their positions; what did not change is absent."""
    clock = ManualClock()
    changes.value(2, value=True, stamp=clock.now())
    clock.advance(0.25)
    changes.bad(0, Quality.NOT_AVAILABLE, "GPIO busy", clock.now())
    changes.flush()
    changes.flush()
    (batch,) = emitted
    assert batch.values == [None, ABSENT, True]
    assert batch.quality == [Quality.NOT_AVAILABLE, Quality.GOOD, Quality.GOOD]
    assert batch.stamp.time == SAMPLE_TIME + 250_000_000
    assert batch.offsets == [0, 0, -250]
    assert batch.source_status == {0: "GPIO busy"}


def test_a_second_change_of_a_tag_opens_the_next_batch(changes: Changes, emitted: list[Batch]) -> None:
    """A tag stands at most once in a batch, and no change is lost or overtaken."""
    stamp = ManualClock().now()
    for value in (True, False, True):
        changes.value(1, value=value, stamp=stamp)
    changes.value(0, value=True, stamp=stamp)
    changes.flush()
    assert [batch.values for batch in emitted] == [
        [ABSENT, True, ABSENT],
        [ABSENT, False, ABSENT],
        [True, True, ABSENT],
    ]


def test_changes_within_a_millisecond_have_no_offsets(changes: Changes, emitted: list[Batch]) -> None:
    """Offsets count in milliseconds, and a column of zeros says nothing."""
    stamp = ManualClock().now()
    changes.value(0, value=True, stamp=stamp)
    changes.value(1, value=True, stamp=stamp)
    changes.flush()
    assert emitted[0].offsets is None
    assert emitted[0].source_status is None


def test_a_clock_that_is_set_between_two_changes_moves_no_offset(changes: Changes, emitted: list[Batch]) -> None:
    """How far two edges lie apart is measured on the clock that never steps."""
    clock = ManualClock()
    changes.value(0, value=True, stamp=clock.now())
    clock.advance(0.25)
    clock.step(3600)
    changes.value(1, value=True, stamp=clock.now())
    changes.flush()
    assert emitted[0].offsets == [-250, 0, 0]
