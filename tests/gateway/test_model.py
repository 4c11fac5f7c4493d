"""The words: plans, qualities, times."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import ABSENT, Batch, Gap, Level, Plan, Quality, Run, Tag, columns_of, iso_time
from gateway.testing import ManualClock, sample_batch, sample_plan

TAG = Tag("speed", "holding:20", "uint16", (("order", "ABCD"),), unit="r/min", scale=0.1)


def test_model_imports_the_standard_library_only() -> None:
    """The words load anywhere, at no cost."""
    code = "import sys; before = set(sys.modules); import gateway.model; print(*set(sys.modules) - before)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    roots = {name.partition(".")[0] for name in loaded}
    assert roots - set(sys.stdlib_module_names) == {"gateway"}


@pytest.mark.parametrize(
    "change",
    [
        {"name": "speed_2"},
        {"address": "holding:21"},
        {"type": "int16"},
        {"parameters": (("order", "CDAB"),)},
        {"scale": 0.01},
        {"offset": 1.0},
        {"unit": "Hz"},
    ],
)
def test_the_plan_id_changes_with_all_that_makes_a_number(change: dict[str, object]) -> None:
    """An auditor finds by the id which scaling made a number."""
    assert Plan("d", (TAG,)).id != Plan("d", (replace(TAG, **change),)).id  # type: ignore[arg-type]  # each change names a field


@pytest.mark.parametrize(
    "change", [{"description": "other"}, {"deadband": 1.0}, {"range": (0.0, 1.0)}, {"period_s": 9.0}]
)
def test_the_plan_id_keeps_still_where_the_number_does(change: dict[str, object]) -> None:
    """A new deadband makes no new number."""
    assert Plan("d", (TAG,)).id == Plan("d", (replace(TAG, **change),)).id  # type: ignore[arg-type]  # each change names a field


def test_the_plan_id_is_the_same_in_every_process() -> None:
    """It is written down upstream, so it must not depend on the process that made it."""
    assert Plan("d", (TAG,)).id == "82026480"


def test_each_quality_is_a_level_with_its_reason() -> None:
    """The published text splits into both."""
    assert (Quality.NO_REPLY.level, Quality.NO_REPLY.reason) == (Level.BAD, "no_reply")
    assert (Quality.GOOD.level, Quality.GOOD.reason) == (Level.GOOD, "")
    assert all(quality.reason for quality in Quality if quality is not Quality.GOOD)


@given(st.integers(0, 4102444800 * 10**9))
def test_iso_time_is_utc_cut_to_milliseconds(time_ns: int) -> None:
    """Never rounded up into a second that has not come."""
    moment = datetime.fromtimestamp(time_ns // 10**9, UTC)
    wanted = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time_ns % 10**9 // 10**6:03d}Z"
    assert iso_time(time_ns) == wanted


def test_an_empty_batch_is_empty_and_a_bad_one_is_not() -> None:
    """A batch that says BAD has something to say."""
    plan, stamp = sample_plan(), ManualClock().now()
    assert Batch.empty(plan, stamp).is_empty
    bad = Batch.bad(plan, [1], Quality.NO_REPLY, stamp)
    assert not bad.is_empty
    assert columns_of(bad) == [(plan.tags[1], None, Quality.NO_REPLY)]


def test_columns_of_leaves_absent_tags_out() -> None:
    """Only what is in the batch."""
    plan = sample_plan()
    assert columns_of(sample_batch(plan, [1.5, ABSENT, 3])) == [
        (plan.tags[0], 1.5, Quality.GOOD),
        (plan.tags[2], 3, Quality.GOOD),
    ]


def test_a_gap_says_device_times_count_and_reason() -> None:
    """All that a historian needs to mark the hole."""
    start = ManualClock().time_ns
    notice = Gap("press-12", start, start + 60 * 10**9, 60, "spool_full").notice(ManualClock().now())
    assert notice.topic == "gaps"
    assert notice.body == {
        "device": "press-12",
        "from": "2026-11-24T10:15:00.250Z",
        "to": "2026-11-24T10:16:00.250Z",
        "count": 60,
        "reason": "spool_full",
    }


def test_runs_sort_by_their_counter() -> None:
    """The text orders runs as they happened."""
    assert str(Run(42, "8c1f9a3e", "boot")) == "000042-8c1f9a3e"
