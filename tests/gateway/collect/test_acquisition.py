from __future__ import annotations

import pytest

from gateway.collect.acquisition import Acquisition, Asked
from gateway.driver import DeviceRefused, Reply, Request
from gateway.model import ABSENT, Quality, Tag
from gateway.testing import ManualClock, sample_plan

PLAN = sample_plan("press", *(Tag(f"t{number}", f"holding:{number}", "uint16") for number in range(5)))


def asked(*positions: int, riders: tuple[tuple[int, int], ...] = ()) -> Asked:
    """A request for these positions."""
    return Asked(Request("press", 1.0, positions, riders=riders))


def acquisition() -> Acquisition:
    """A round that has just begun."""
    clock = ManualClock()
    return Acquisition(PLAN, clock, clock.now())


@pytest.mark.parametrize("positions", [(0, 1, 2, 3, 4), (4, 2, 0, 1, 3)])
def test_values_and_quality_land_at_their_positions(positions: tuple[int, ...]) -> None:
    """Side by side or in any order."""
    round_ = acquisition()
    quality = [Quality.GOOD, Quality.NOT_AVAILABLE, *[Quality.GOOD] * 3]
    round_.answered(asked(*positions), Reply([10, None, 12, 13, 14], quality))
    assert [round_.batch.values[at] for at in positions] == [10, None, 12, 13, 14]
    assert [round_.batch.quality[at] for at in positions] == quality


@pytest.mark.parametrize("length", [1, 3])
def test_a_reply_of_another_length_is_refused(length: int) -> None:
    """It is a defect of the driver, and must not move the values of other tags."""
    round_ = acquisition()
    with pytest.raises(ValueError, match="values for 2 tags"):
        round_.answered(asked(1, 2), Reply([0] * length))
    assert len(round_.batch.values) == 5


def test_a_batch_is_whole_when_every_tag_was_answered() -> None:
    """Later stages may then take its columns as they are."""
    round_ = acquisition()
    round_.answered(asked(0, 1), Reply([1, 2]))
    assert not round_.batch.whole
    round_.answered(asked(2, 3, 4), Reply([3, 4, 5]))
    assert round_.batch.whole
    assert ABSENT not in round_.batch.values


def test_the_reply_itself_is_never_changed() -> None:
    """The driver may give the same list again for an unchanged reply."""
    values = [1, 2, 3, 4, 5]
    round_ = acquisition()
    round_.answered(asked(0, 1, 2, 3, 4), Reply(values))
    round_.batch.values[0] = 99
    assert values == [1, 2, 3, 4, 5]


def test_a_rider_counts_in_each_of_its_own_readings() -> None:
    """A tag of 5 s in a request of 1 s: the first reading, then each fifth."""
    request = asked(0, 1, riders=((1, 5),))
    seen = []
    for number in range(11):
        round_ = acquisition()
        round_.answered(request, Reply([number, number]))
        assert round_.batch.values[0] == number
        seen.append(round_.batch.values[1])
    assert [value for value in seen if value is not ABSENT] == [0, 5, 10]


def test_a_rider_that_was_bad_counts_as_soon_as_it_is_read_again() -> None:
    """Its recovery is not held back until its next own reading."""
    request = asked(0, 1, riders=((1, 5),))
    acquisition().answered(request, Reply([1, 1]))
    bad = acquisition()
    bad.mark_bad(request, Quality.NO_REPLY)
    assert bad.batch.values[:2] == [None, None]
    good = acquisition()
    good.answered(request, Reply([2, 2]))
    assert good.batch.values[:2] == [2, 2]


def test_a_batch_with_riders_left_out_is_not_whole() -> None:
    """Their cells are absent."""
    request = asked(0, 1, 2, 3, 4, riders=((4, 2),))
    first, second = acquisition(), acquisition()
    first.answered(request, Reply([0] * 5))
    second.answered(request, Reply([0] * 5))
    assert (first.batch.whole, second.batch.whole) == (True, False)


def test_what_is_refused_is_told_bad_once() -> None:
    """And again only after it was answered."""
    request = asked(3)
    first, second = acquisition(), acquisition()
    first.refused(request, DeviceRefused("exception 02"))
    second.refused(request, DeviceRefused("exception 02"))
    assert first.batch.quality[3] is Quality.DEVICE_ERROR
    assert first.reason == "exception 02 [E-FLD-003]"
    assert second.batch.is_empty
