"""What is out of service is marked, and nothing else is."""

from __future__ import annotations

import pytest

from gateway.model import ABSENT, Quality
from gateway.processing.service import Marker
from gateway.testing import sample_batch, sample_plan

OUT, GOOD = Quality.OUT_OF_SERVICE, Quality.GOOD


@pytest.mark.parametrize(
    ("whats", "expected"),
    [
        ([], [GOOD, GOOD, GOOD]),
        (["press-12"], [OUT, OUT, OUT]),
        (["press-12.running"], [GOOD, OUT, GOOD]),
        (["press-12.running", "press-12.count"], [GOOD, OUT, OUT]),
        (["press-12.running", "press-12", "press-12.count"], [OUT, OUT, OUT]),
        (["press-1", "press-12.nothing", "press-120"], [GOOD, GOOD, GOOD]),
    ],
)
def test_devices_and_tags_are_marked(whats: list[str], expected: list[Quality]) -> None:
    """A device stands for all its tags; a similar name is another one."""
    marker = Marker()
    marker.take_out(whats)
    batch = sample_batch(sample_plan(), [71.5, True, 3])
    marker.mark(batch)
    assert (batch.quality, batch.values) == (expected, [71.5, True, 3])


def test_bad_stays_bad_and_worse_reasons_are_covered() -> None:
    """A value out of range on the bench of the technician is out of service; no reply is no reply."""
    marker = Marker()
    marker.take_out(["press-12"])
    batch = sample_batch(sample_plan(), [None, ABSENT, 3])
    batch.quality = [Quality.NO_REPLY, GOOD, Quality.OUT_OF_RANGE]
    marker.mark(batch)
    assert (batch.quality[0], batch.quality[2]) == (Quality.NO_REPLY, OUT)


def test_what_is_in_service_again_is_not_marked() -> None:
    """The next batch is as it was read."""
    marker = Marker()
    marker.take_out(["press-12"])
    marker.take_out([])
    batch = sample_batch(sample_plan(), [71.5, True, 3])
    marker.mark(batch)
    assert batch.quality == [GOOD] * 3
