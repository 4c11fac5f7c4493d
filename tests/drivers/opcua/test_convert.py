"""Values of the server as cells."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncua import ua
from asyncua.ua.ua_binary import variant_from_binary, variant_to_binary

from drivers.opcua.convert import age_ns, nanoseconds, reading_of
from gateway.model import Quality

KIND = ua.VariantType
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def data(value: Any, kind: ua.VariantType, status: int = 0, **times: Any) -> ua.DataValue:
    return ua.DataValue(ua.Variant(value, kind), StatusCode=ua.StatusCode(status), **times)


@pytest.mark.parametrize(
    ("value", "kind", "cell"),
    [
        (True, KIND.Boolean, True),
        (-5, KIND.SByte, -5),
        (255, KIND.Byte, 255),
        (-32768, KIND.Int16, -32768),
        (65535, KIND.UInt16, 65535),
        (-(2**31), KIND.Int32, -(2**31)),
        (2**32 - 1, KIND.UInt32, 2**32 - 1),
        (-(2**63), KIND.Int64, -(2**63)),
        (2**64 - 1, KIND.UInt64, 2**64 - 1),
        (71.30000305175781, KIND.Float, 71.3),
        (0.1, KIND.Double, 0.1),
        ("Döner 7", KIND.String, "Döner 7"),
        (datetime(2026, 11, 24, 10, 15, 0, 250_000, UTC), KIND.DateTime, "2026-11-24T10:15:00.250Z"),
    ],
)
def test_every_single_value_keeps_its_type(value: Any, kind: ua.VariantType, cell: Any) -> None:
    """Bool stays bool, whole numbers stay whole, times become ISO text."""
    reading = reading_of(data(value, kind), "auto")
    assert (reading.value, reading.quality, reading.status) == (cell, Quality.GOOD, None)
    assert type(reading.value) is type(cell)


@pytest.mark.parametrize("kind", [KIND.Float, KIND.Double])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_value(value: float, kind: ua.VariantType) -> None:
    """Never NaN in a column."""
    reading = reading_of(data(value, kind), "auto")
    assert (reading.value, reading.quality) == (None, Quality.NOT_AVAILABLE)


@pytest.mark.parametrize("variant", [ua.Variant(None, KIND.Null), ua.Variant(None, KIND.String)])
def test_a_server_without_a_value_gives_none(variant: ua.Variant) -> None:
    """An empty text that is null is not the empty text."""
    reading = reading_of(ua.DataValue(variant), "auto")
    assert (reading.value, reading.quality) == (None, Quality.NOT_AVAILABLE)


@pytest.mark.parametrize(
    ("value", "kind", "says"),
    [
        (b"\x01", KIND.ByteString, "the server sends a ByteString"),
        ([1.0, 2.0], KIND.Double, "the server sends an array of Double"),
        (ua.NodeId(1, 2), KIND.NodeId, "the server sends a NodeId"),
    ],
)
def test_what_a_column_cannot_hold_is_a_matter_of_configuration(value: Any, kind: ua.VariantType, says: str) -> None:
    """The tag is BAD with a status and a sentence for people."""
    reading = reading_of(data(value, kind), "auto")
    assert (reading.value, reading.quality, reading.status) == (None, Quality.CONFIG, "BadTypeMismatch")
    assert reading.fault.startswith(says)


@pytest.mark.parametrize(
    ("data_type", "value", "kind", "cell"),
    [
        ("bool", True, KIND.Boolean, True),
        ("int", 7, KIND.Int16, 7),
        ("int", True, KIND.Boolean, 1),
        ("float", 7, KIND.Int16, 7.0),
        ("float", 0.5, KIND.Double, 0.5),
        ("text", "x", KIND.String, "x"),
    ],
)
def test_a_declared_type_is_met_or_widened_to(data_type: str, value: Any, kind: ua.VariantType, cell: Any) -> None:
    """No bit of the value is lost."""
    reading = reading_of(data(value, kind), data_type)
    assert reading.value == cell
    assert type(reading.value) is type(cell)


@pytest.mark.parametrize(
    ("data_type", "value", "kind"),
    [
        ("bool", 1, KIND.Int16),
        ("bool", "true", KIND.String),
        ("int", 3.0, KIND.Double),
        ("int", "3", KIND.String),
        ("float", True, KIND.Boolean),
        ("float", "3.5", KIND.String),
        ("text", 3, KIND.Int32),
    ],
)
def test_a_declared_type_is_never_narrowed_to(data_type: str, value: Any, kind: ua.VariantType) -> None:
    """A guess could be wrong; BAD cannot."""
    reading = reading_of(data(value, kind), data_type)
    assert (reading.value, reading.quality) == (None, Quality.CONFIG)
    assert reading.fault == f"the tag says type: {data_type}, but the server sends a {kind.name}"


def test_a_bad_value_is_withheld_and_an_uncertain_one_is_passed_on() -> None:
    """With the status' own name."""
    bad = reading_of(data(1.0, KIND.Double, ua.StatusCodes.BadSensorFailure), "auto")
    uncertain = reading_of(data(1.0, KIND.Double, ua.StatusCodes.UncertainLastUsableValue), "auto")
    overridden = reading_of(data(1.0, KIND.Double, ua.StatusCodes.GoodLocalOverride), "auto")
    assert bad[:3] == (None, Quality.DEVICE_ERROR, "BadSensorFailure")
    assert uncertain[:3] == (1.0, Quality.STALE, "UncertainLastUsableValue")
    assert overridden[:3] == (1.0, Quality.GOOD, "GoodLocalOverride")


def test_a_status_that_is_left_out_is_good() -> None:
    """The encoding leaves out what is zero."""
    assert reading_of(ua.DataValue(ua.Variant(1, KIND.Int16), StatusCode=None), "auto").quality is Quality.GOOD


def test_text_that_is_no_utf8_can_still_be_published() -> None:
    """A PLC with its own code page must not stop the encoder; its odd bytes become the replacement character."""
    wire = variant_to_binary(ua.Variant(b"\xd6lstand", KIND.ByteString))
    variant = variant_from_binary(ua.utils.Buffer(bytes([KIND.String.value]) + wire[1:]))
    assert reading_of(ua.DataValue(variant), "auto").value == "�lstand"


def test_zero_of_the_servers_calendar_is_no_time() -> None:
    """1601 means that nobody has set a time."""
    assert nanoseconds(datetime(1601, 1, 1, tzinfo=UTC)) is None
    assert nanoseconds(None) is None
    assert nanoseconds(datetime(1970, 1, 1, 0, 0, 1, 5, UTC)) == 1_000_005_000


@pytest.mark.parametrize(
    ("source", "server", "age_ms"),
    [
        (-250, -100, 250),
        (-3_600_000, -100, 100),
        (3_600_000, -100, 100),
        (None, -100, 100),
        (None, None, 0),
        (-3_600_000, -3_600_000, 0),
        (1, None, 0),
    ],
)
def test_the_age_of_a_value_is_taken_only_from_times_that_fit_together(
    source: int | None, server: int | None, age_ms: int
) -> None:
    """The source's clock, then the server's; a clock that is an hour off tells nothing, and the arrival is taken."""

    def at(ms: int | None) -> datetime | None:
        return None if ms is None else NOON + timedelta(milliseconds=ms)

    value = data(1, KIND.Int16, SourceTimestamp=at(source), ServerTimestamp=at(server))
    assert age_ns(value, NOON, 2.0) == age_ms * 1_000_000
