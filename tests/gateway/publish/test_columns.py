from __future__ import annotations

import math
from struct import pack
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.model import ABSENT, Batch, Held, Quality, Tag
from gateway.outbox.entry import Entry
from gateway.publish.json import JsonEncoder
from gateway.publish.topics import Topics
from gateway.testing import SAMPLE_TIME, sample_batch, sample_plan
from tests.gateway.publish import schemas
from tests.gateway.publish.batches import RUN, finite, singles

ENCODER = JsonEncoder(Topics(["acme", "ehv"], "gw-1"))
SINGLE = Tag("t", "a", "float32")
LARGEST_SINGLE = 3.4028234663852886e38


def encoded(batch: Batch) -> dict[str, Any]:
    """The one message of a batch, held against its schema."""
    (message,) = ENCODER.encode(Entry(batch.plan.device, RUN, 1, batch, history=False), 65_536)
    return schemas.check(message.topic, message.payload)


def one(tag: Tag, value: Any) -> Batch:
    """A batch of one tag."""
    return sample_batch(sample_plan("press-12", tag), [value])


def spelling(tag: Tag, value: Any) -> str:
    """How the value of a tag called `t` is written."""
    (message,) = ENCODER.encode(Entry("press-12", RUN, 1, one(tag, value), history=False), 65_536)
    return message.payload.decode().partition('"values":{"t":')[2].removesuffix("}}")


def significant(number: str) -> int:
    """How many digits of a spelling are significant."""
    mantissa = number.lower().partition("e")[0].lstrip("-")
    return max(1, len(mantissa.replace(".", "").strip("0")))


@pytest.mark.parametrize(
    ("tag", "value", "text"),
    [
        (Tag("t", "a", "uint16"), 3, "3"),
        (Tag("t", "a", "uint16", scale=0.1), 3, "3.0"),
        (Tag("t", "a", "uint16", offset=1.0), 0, "0.0"),
        (Tag("t", "a", "float64"), 3, "3.0"),
        (Tag("t", "a", "Double"), 3, "3.0"),
        (Tag("t", "a", "float32"), 3, "3.0"),
        (Tag("t", "a", "Float"), 0.10000000149011612, "0.1"),
        (Tag("t", "a", "float32"), 71.30000305175781, "71.3"),
        (Tag("t", "a", "float32"), 16777216.0, "16777216.0"),
        (Tag("t", "a", "float32"), 3.4028234663852886e38, "3.4028235e+38"),
        (Tag("t", "a", "float32"), 1.401298464324817e-45, "1.4013e-45"),
        (Tag("t", "a", "float32"), 0.1, "0.1"),
        (Tag("t", "a", "float32"), 1e300, "1.0e+300"),
        (Tag("t", "a", "float64"), 71.30000305175781, "71.30000305175781"),
        (Tag("t", "a", "float32", scale=2.0), 142.60000610351562, "142.60000610351562"),
        (Tag("t", "a", "float64"), 1e16, "1.0e+16"),
        (Tag("t", "a", "float64"), -1e22, "-1.0e+22"),
        (Tag("t", "a", "float64"), 1e-7, "1.0e-07"),
        (Tag("t", "a", "float64"), 1.5e-7, "1.5e-07"),
        (Tag("t", "a", "float64"), -0.0, "-0.0"),
        (Tag("t", "a", "bool"), True, "true"),
        (Tag("t", "a", "bool", scale=2.0), False, "false"),
        (Tag("t", "a", "string"), 'Öl "A"', '"Öl \\"A\\""'),
        (Tag("t", "a", "string", scale=2.0), "auto", '"auto"'),
        (Tag("t", "a", "uint64"), 2**53, "9007199254740992"),
        (Tag("t", "a", "uint64"), 2**53 + 1, '"9007199254740993"'),
        (Tag("t", "a", "int64"), -(2**53), "-9007199254740992"),
        (Tag("t", "a", "int64"), -(2**53) - 1, '"-9007199254740993"'),
        (Tag("t", "a", "uint16"), 2.0, "2.0"),
    ],
)
def test_each_value_has_its_one_spelling(tag: Tag, value: Any, text: str) -> None:
    """Numbers keep their type for readers that go by the spelling, and lose no digit; float32 shows no false ones."""
    assert spelling(tag, value) == text


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float32_reads_back_as_the_same_float32(value: float) -> None:
    """The short spelling loses nothing: it is the same number in single precision."""
    assert pack("f", float(spelling(SINGLE, value))) == pack("f", value)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(1, 8))
def test_a_float32_has_no_more_digits_than_it_needs(value: float, digits: int) -> None:
    """No decimal with fewer digits is the same number in single precision; denormal numbers and a few powers apart."""
    assume(abs(value) >= 2.0**-126 and abs(value) not in {2.0**-96, 2.0**87, 2.0**90})
    shorter = float(f"{value:.{digits}g}")
    assume(abs(shorter) <= LARGEST_SINGLE and pack("f", shorter) == pack("f", value))
    assert significant(spelling(SINGLE, value)) <= digits


@given(finite | singles, st.sampled_from([SINGLE, Tag("t", "a", "float64"), Tag("t", "a", "int16", scale=0.5)]))
def test_a_floating_tag_always_has_a_decimal_point(value: float, tag: Tag) -> None:
    """A reader that tells floats from integers by the spelling never changes its mind about a tag."""
    assert "." in spelling(tag, value)
    assert float(spelling(tag, value)) == pytest.approx(value, rel=1e-6, abs=1e-44)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", ["float32", "float64", "uint16"])
def test_what_is_not_finite_is_bad_and_kept_as_raw_text(value: float, kind: str) -> None:
    """JSON has no NaN; null would be read as 0 by someone."""
    message = encoded(one(Tag("t", "a", kind), value))
    assert message["values"] == {}
    assert message["device_quality"] == "bad:not_available"
    assert message["raw"] == {"t": str(value)}


def test_a_value_that_is_not_finite_harms_no_other() -> None:
    """One broken sensor is one bad tag."""
    message = encoded(sample_batch(sample_plan(), [math.nan, True, 3]))
    assert message["values"] == {"running": True, "count": 3}
    assert message["quality"] == {"temperature": "bad:not_available"}


def test_a_held_value_that_is_not_finite_is_bad_too() -> None:
    """The last value keeps its time and loses what cannot be said."""
    batch = sample_batch(sample_plan(), [ABSENT, True, 3])
    batch.held = {0: Held(math.inf, Quality.STALE, SAMPLE_TIME)}
    message = encoded(batch)
    assert message["last"] == {"temperature": {"time": "2026-11-24T10:15:00.250Z"}}
    assert message["quality"] == {"temperature": "bad:not_available"}
