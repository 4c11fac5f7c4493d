"""Factors in other tags."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import ABSENT, Cell, Quality, ScaleFrom, Tag
from gateway.processing.scale_from import ScaleFrom as Stage
from tests.gateway.processing.stages import Feed, told


class Meter:
    """Two values and their factor, passing the stage."""

    def __init__(self, *, power_of_ten: bool = True) -> None:
        scale_from = ScaleFrom("factor", power_of_ten)
        self.feed = Feed(
            Tag("a", "a", "int16", scale_from=scale_from),
            Tag("factor", "f", "int16"),
            Tag("b", "b", "int16", scale_from=scale_from),
        )
        self.stage = Stage(self.feed.plan)

    def reads(self, *cells: Cell, factor_quality: Quality = Quality.GOOD) -> list[tuple[Cell, str]]:
        batch = self.feed.batch(*cells)
        if factor_quality is not Quality.GOOD:
            batch.quality[1] = factor_quality
        self.stage.apply(batch)
        return told(batch)


@given(st.integers(-32768, 32767), st.integers(-10, 10))
def test_a_power_of_ten_gives_the_digits_that_a_person_would_write(raw: int, exponent: int) -> None:
    """Exactly the decimal number, for every 16-bit reading and every factor that SunSpec allows."""
    read = Meter().reads(raw, exponent, ABSENT)
    assert read[0] == (float(Decimal(raw).scaleb(exponent)), "good")
    assert isinstance(read[0][0], float)


@pytest.mark.parametrize("code", [-32768, 11, -11, 0.5, "x", True])
def test_what_is_no_exponent_is_no_factor(code: Cell) -> None:
    """No value is better than one that is wrong by powers of ten."""
    assert Meter().reads(100, code, ABSENT)[0] == (None, "bad:not_available")


def test_a_factor_holds_until_the_next() -> None:
    """They are often read more seldom than the values."""
    meter = Meter()
    assert meter.reads(100, -1, 200)[0::2] == [(10.0, "good"), (20.0, "good")]
    assert meter.reads(110, ABSENT, 210)[0::2] == [(11.0, "good"), (21.0, "good")]
    assert meter.reads(110, -2, ABSENT)[0] == (1.1, "good")


def test_a_bad_factor_makes_bad_values_with_its_own_reason() -> None:
    """Until a good one comes."""
    meter = Meter()
    meter.reads(100, -1, 200)
    assert meter.reads(100, None, 200) == [(None, "bad:no_reply")] * 3
    assert meter.reads(100, ABSENT, 200)[0] == (None, "bad:no_reply")
    assert meter.reads(100, 0, 200)[0] == (100.0, "good")


def test_a_doubtful_factor_makes_doubtful_values() -> None:
    """Quality is inherited; a value that is worse already keeps its own."""
    meter = Meter()
    read = meter.reads(100, -1, None, factor_quality=Quality.RESTART)
    assert read == [(10.0, "uncertain:restart"), (-1, "uncertain:restart"), (None, "bad:no_reply")]


def test_a_plain_factor_multiplies() -> None:
    """A transformer ratio in a register."""
    assert Meter(power_of_ten=False).reads(5, 40, 2.5)[0::2] == [(200.0, "good"), (100.0, "good")]


def test_a_product_beyond_all_floats_is_bad_and_harms_no_neighbour() -> None:
    """Overflow is no exception."""
    meter = Meter(power_of_ten=False)
    assert meter.reads(1e300, 1e300, 2.0)[0::2] == [(None, "bad:not_available"), (2e300, "good")]
    assert meter.reads(10**400, 1, 2)[0::2] == [(None, "bad:not_available"), (2.0, "good")]
