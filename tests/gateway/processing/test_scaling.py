"""Scaling: exact to the last digit that the configuration gives."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Quality, Tag
from gateway.processing.scaling import Line, Scaling
from gateway.testing import sample_batch, sample_plan


def scaled(raw: float, scale: float, offset: float = 0.0) -> float:
    return Line.of(Tag("t", "a", "uint16", scale=scale, offset=offset)).engineering(raw)


@pytest.mark.parametrize(
    ("raw", "scale", "offset", "wanted"),
    [
        (1472, 0.1, 0.0, 147.2),
        (3, 0.15, 0.0, 0.45),
        (7, 0.001, 0.0, 0.007),
        (-1234, 0.01, 0.0, -12.34),
        (65535, 0.5, -40.0, 32727.5),
        (250, 0.1, -273.15, -248.15),
        (12, 10.0, 0.0, 120.0),
        (71.3, 0.1, 0.0, 7.13),
        (0, 0.1, 0.0, 0.0),
        (5, 0.0, 1.5, 1.5),
        (1, 1e-9, 0.0, 1e-9),
    ],
)
def test_engineering_value_is_the_one_a_person_would_write(
    raw: float, scale: float, offset: float, wanted: float
) -> None:
    """No 147.20000000000002: what comes out is what decimal arithmetic gives."""
    assert scaled(raw, scale, offset) == wanted
    assert isinstance(scaled(raw, scale, offset), float)


@given(st.integers(-(2**31), 2**31), st.integers(1, 9999), st.integers(0, 4), st.integers(-9999, 9999))
def test_whole_numbers_scale_as_decimals_do(raw: int, mantissa: int, places: int, offset: int) -> None:
    """For every scale and offset with few decimals the float is the one nearest to the decimal result."""
    scale, shift = Decimal(mantissa).scaleb(-places), Decimal(offset).scaleb(-2)
    wanted = float(Decimal(raw) * scale + shift)
    assert scaled(raw, float(scale), float(shift)) == pytest.approx(wanted, rel=1e-15, abs=0)


@given(
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_whatever_the_numbers_no_exception_and_no_nan_leaves_the_stage(raw: float, scale: float, offset: float) -> None:
    """Overflow becomes a BAD tag with the raw reading beside it, never an exception and never NaN."""
    plan = sample_plan("d", Tag("t", "a", "float64", scale=scale, offset=offset))
    batch = sample_batch(plan, [raw])
    Scaling(plan).apply(batch)
    value = batch.values[0]
    if value is None:
        assert batch.quality[0] is Quality.NOT_AVAILABLE
        assert batch.raw == {0: raw}
    else:
        assert isinstance(value, int | float)
        assert math.isfinite(value)


def test_only_scaled_tags_are_touched() -> None:
    """Text, bool, BAD and unscaled tags pass through as they are."""
    plan = sample_plan(
        "d", Tag("a", "a", "uint16"), Tag("b", "b", "bool", scale=2.0), Tag("c", "c", "uint16", scale=2.0)
    )
    stage = Scaling(plan)
    batch = sample_batch(plan, [5, True, None])
    stage.apply(batch)
    assert batch.values == [5, True, None]
    assert stage.positions == [1, 2]
