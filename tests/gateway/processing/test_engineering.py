"""From the keys of a tag to what the stages work with."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Counter, Outside, Plan, ScaleFrom, Tag, TwoPoint
from gateway.processing.engineering import published_difference, published_limit
from gateway.processing.pipeline import Pipeline
from gateway.processing.scaling import Line, meant
from tests.gateway.processing.stages import Feed
from tests.gateway.processing.worked_example import Example, ExampleTag


def tag_of(**keys: Any) -> Tag:
    (tag,) = Example("file", "title", "why", {"t": keys}, []).plan().tags
    return tag


def test_a_tag_without_keys_uses_no_stage() -> None:
    """The default: every sample, as it is read."""
    assert tag_of() == Tag("t", "a", "float64")


@pytest.mark.parametrize(
    ("keys", "field", "value"),
    [
        ({"max_rate_per_s": 5}, "max_rate_per_s", 5.0),
        ({"stuck_after_s": 60}, "stuck_after_s", 60.0),
        ({"stale_after_s": 60}, "stale_after_s", 60.0),
        ({"swinging_door": 0.5}, "swinging_door", 0.5),
        ({"max_interval_s": 60}, "max_interval_s", 60.0),
        ({"deadband": 0.5}, "deadband", 0.5),
        ({"deadband_percent_of_value": 2}, "deadband_percent", 2.0),
        ({"deadband_percent_of_span": 2, "range": [-50, 150]}, "deadband", 4.0),
        ({"scale_from": {"tag": "x", "power_of_ten": True}}, "scale_from", ScaleFrom("x", power_of_ten=True)),
        ({"counter": {}}, "counter", Counter()),
        ({"counter": {"width_bits": 16, "total": True}}, "counter", Counter(65536.0, total=True)),
        ({"counter": {"width_bits": 64}}, "counter", Counter(2.0**64)),
        ({"counter": {"rollover_at": 1_000_000}}, "counter", Counter(1_000_000.0)),
        ({"counter": {"rollover_at": 1_000_000}, "scale": 0.1}, "counter", Counter(10_000_000.0)),
        (
            {"scaling": {"raw": [4, 20], "engineering": [0, 10], "outside": "reject"}},
            "scaling",
            TwoPoint((4.0, 20.0), (0.0, 10.0), Outside.REJECT),
        ),
    ],
)
def test_each_key_reaches_its_stage(keys: dict[str, Any], field: str, value: object) -> None:
    """Nothing that a technician writes is lost on the way."""
    assert getattr(tag_of(**keys), field) == value


def test_a_span_is_that_of_the_range_before_that_of_two_points() -> None:
    """Whoever gives both means the range by span."""
    scaling = {"raw": [4, 20], "engineering": [0, 10]}
    assert tag_of(scaling=scaling, deadband_percent_of_span=5).deadband == 0.5
    assert tag_of(scaling=scaling, range=[0, 2], deadband_percent_of_span=5).deadband == 0.1


def test_all_that_is_in_the_unit_is_converted_with_it() -> None:
    """The stages see the published unit only, and cost nothing more."""
    in_kw = {"scale": 0.1, "offset": -0.5, "range": [0, 90], "deadband": 0.25, "max_rate_per_s": 2, "swinging_door": 1}
    tag = tag_of(unit="kW", publish_as="W", **in_kw)
    assert (tag.unit, tag.scale, tag.offset, tag.range) == ("W", 100.0, -500.0, (0.0, 90000.0))
    assert (tag.deadband, tag.max_rate_per_s, tag.swinging_door) == (250.0, 2000.0, 1000.0)


def test_a_difference_of_temperatures_has_no_zero_of_its_own() -> None:
    """9 °F more are 5 K more, though 9 °F are -12.8 °C."""
    tag = tag_of(unit="°F", publish_as="°C", range=[32, 212], deadband=9, max_rate_per_s=18)
    assert (tag.range, tag.deadband, tag.max_rate_per_s) == ((0.0, 100.0), 5.0, 10.0)


def test_limits_of_alarms_are_moved_and_their_hysteresis_is_stretched() -> None:
    """Alarms look at the published value, and are written in the unit of the tag."""
    config = ExampleTag(unit="°F", publish_as="°C")
    assert (published_limit(config, 212.0), published_difference(config, 9.0)) == (100.0, 5.0)
    assert published_limit(config, None) is None
    assert (published_limit(ExampleTag(), 212.0), published_difference(ExampleTag(), 9.0)) == (212.0, 9.0)


def test_percent_and_seconds_are_not_converted() -> None:
    """They are in no unit of the tag."""
    tag = tag_of(unit="kW", publish_as="W", deadband_percent_of_value=2, max_interval_s=60, stuck_after_s=5)
    assert (tag.deadband_percent, tag.max_interval_s, tag.stuck_after_s) == (2.0, 60.0, 5.0)


def test_the_plan_id_changes_with_all_that_makes_a_number() -> None:
    """And with nothing else: an auditor finds by it which scaling made a number."""
    scaling = {"raw": [4, 20], "engineering": [0, 10]}
    makes = [
        {},
        {"unit": "kW"},
        {"unit": "kW", "publish_as": "W"},
        {"scaling": scaling},
        {"scaling": scaling | {"outside": "clamp"}},
        {"scale_from": {"tag": "x"}},
        {"scale_from": {"tag": "x", "power_of_ten": True}},
    ]
    assert len({Plan("d", (tag_of(**keys),)).id for keys in makes}) == len(makes)
    for keys in ({"stuck_after_s": 5}, {"swinging_door": 1}, {"counter": {"width_bits": 16}}, {"max_rate_per_s": 5}):
        assert Plan("d", (tag_of(**keys),)).id == Plan("d", (tag_of(),)).id


@given(st.integers(-(2**31), 2**31), st.integers(1, 9999), st.integers(0, 4))
def test_a_conversion_adds_no_digit_of_its_own(raw: int, mantissa: int, places: int) -> None:
    """Tenths of a kilowatt as watts are what decimal arithmetic gives, for every reading and every usual scale."""
    tag = tag_of(unit="kW", publish_as="W", scale=mantissa / 10**places)
    feed = Feed(tag)
    (batch,) = Pipeline(feed.plan).process(feed.batch(raw))
    assert batch.values == [float(meant(mantissa / 10**places) * 1000 * raw)]


@pytest.mark.parametrize(
    ("number", "fraction"), [(0.1, "1/10"), (0.3333333333333333, "1/3"), (1e-9, "1/1000000000"), (5e-324, None)]
)
def test_a_float_means_what_a_person_would_write(number: float, fraction: str | None) -> None:
    """And always comes back as the same float."""
    assert fraction is None or str(meant(number)) == fraction
    assert float(meant(number)) == number


def test_a_line_too_steep_for_floats_gives_no_value_and_no_exception() -> None:
    """Two points that a slip of the pen set together."""
    line = Line.of(Tag("t", "a", "float64", scaling=TwoPoint((0.0, 5e-324), (0.0, 1e308))))
    assert line.engineering(1.0) == float("inf")
    assert line.engineering(0) == 0.0
