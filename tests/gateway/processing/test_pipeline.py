"""The stages in their order."""

from __future__ import annotations

import pytest

from gateway.model import ABSENT, Counter, Outside, Plan, Quality, ScaleFrom, Tag, TwoPoint
from gateway.processing.pipeline import Pipeline
from gateway.testing import ManualClock, sample_batch
from tests.gateway.processing.worked_example import Store


def test_limits_and_deadband_look_at_the_engineering_value() -> None:
    """Range and deadband are given in the unit that people read, so scaling comes first."""
    plan = Plan("d", (Tag("speed", "holding:20", "uint16", scale=0.1, range=(0.0, 150.0), deadband=5.0),))
    pipeline = Pipeline(plan)
    (first,) = pipeline.process(sample_batch(plan, [1480]))
    assert (first.values, first.quality) == ([148.0], [Quality.GOOD])
    assert pipeline.process(sample_batch(plan, [1490])) == []
    (second,) = pipeline.process(sample_batch(plan, [1600]))
    assert (second.values, second.quality) == ([160.0], [Quality.OUT_OF_RANGE])


@pytest.mark.parametrize(
    ("tag", "stages"),
    [
        (Tag("t", "a", "bool"), []),
        (Tag("t", "a", "float32"), ["Finite"]),
        (Tag("t", "a", "uint16", counter=Counter(65536.0)), ["Counters"]),
        (Tag("t", "a", "uint16", scaling=TwoPoint((4.0, 20.0), (0.0, 10.0), Outside.CLAMP)), ["RawEnds", "Scaling"]),
        (Tag("t", "a", "uint16", scale=0.1), ["Scaling"]),
        (Tag("t", "a", "uint16", scale_from=ScaleFrom("t")), ["ScaleFrom"]),
        (Tag("t", "a", "uint16", range=(0.0, 1.0)), ["Limits"]),
        (Tag("t", "a", "uint16", max_rate_per_s=1.0), ["RateLimits"]),
        (Tag("t", "a", "uint16", stuck_after_s=1.0), ["FlatLine"]),
    ],
)
def test_a_stage_that_no_tag_uses_is_left_out(tag: Tag, stages: list[str]) -> None:
    """Unused features cost nothing."""
    assert [type(stage).__name__ for stage in Pipeline(Plan("d", (tag,)))._stages] == stages


def test_every_sample_is_seen_between_the_two_halves() -> None:
    """What is calculated from the values of a device does not depend on its deadbands."""
    plan = Plan("d", (Tag("speed", "a", "uint16", scale=0.1, deadband=50.0),))
    pipeline = Pipeline(plan)
    seen = []
    for raw in (1000, 1001, 1002):
        batch = sample_batch(plan, [raw])
        pipeline.refine(batch)
        seen.append(batch.values[0])
        pipeline.report(batch)
    assert seen == [100.0, 100.1, 100.2]


def test_what_is_held_back_and_what_is_counted_survive_the_pipeline() -> None:
    """A reload makes a new one; nothing is lost on the way."""
    store = Store()
    level = Tag("level", "a", "float64", swinging_door=1.0)
    plan = Plan("d", (level, Tag("n", "b", "uint8", counter=Counter(256.0, total=True))))
    clock = ManualClock()
    pipeline = Pipeline(plan, store)
    for level, count in ((0.0, 255), (1.0, 3)):
        clock.advance(1.0)
        pipeline.process(sample_batch(plan, [level, count], clock.now()))
    assert pipeline.repaired
    (last,) = pipeline.finish()
    assert last.values == [1.0, ABSENT, ABSENT]
    (batch,) = Pipeline(plan, store).process(sample_batch(plan, [2.0, 5], clock.now()))
    assert batch.values == [2.0, 5, 261]
