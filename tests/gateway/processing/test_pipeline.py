"""The stages in their order."""

from __future__ import annotations

from gateway.model import Plan, Quality, Tag
from gateway.processing.pipeline import Pipeline
from gateway.testing import sample_batch


def test_limits_and_deadband_look_at_the_engineering_value() -> None:
    """Range and deadband are given in the unit that people read, so scaling comes first."""
    plan = Plan("d", (Tag("speed", "holding:20", "uint16", scale=0.1, range=(0.0, 150.0), deadband=5.0),))
    pipeline = Pipeline(plan)
    first = pipeline.process(sample_batch(plan, [1480]))
    assert first is not None
    assert (first.values, first.quality) == ([148.0], [Quality.GOOD])
    assert pipeline.process(sample_batch(plan, [1490])) is None
    second = pipeline.process(sample_batch(plan, [1600]))
    assert second is not None
    assert (second.values, second.quality) == ([160.0], [Quality.OUT_OF_RANGE])


def test_a_stage_that_no_tag_uses_is_left_out() -> None:
    """Unused features cost nothing."""
    assert Pipeline(Plan("d", (Tag("t", "a", "bool"),)))._stages == []
