"""StatusCodes in the gateway's words."""

from __future__ import annotations

import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st

from drivers.opcua.status import _BAD, _UNCERTAIN, name_of, quality_of, samples_lost
from gateway.model import Level, Quality

LEVELS = {0: Level.GOOD, 1: Level.UNCERTAIN, 2: Level.BAD, 3: Level.BAD}


@given(st.integers(0, 0xFFFF_FFFF))
def test_the_severity_of_the_code_is_the_level_of_the_quality(code: int) -> None:
    """The two highest bits decide, also of codes that no standard knows; the reserved severity is BAD."""
    assert quality_of(code).level is LEVELS[code >> 30]
    assert name_of(code)


@given(st.sampled_from(sorted(ua.status_codes.code_to_name_doc)), st.integers(0, 0xFFFF))
def test_flags_change_neither_name_nor_quality(code: int, flags: int) -> None:
    """The lower half of a code says how the value came, not what it is worth."""
    assert name_of(code | flags) == name_of(code)
    assert quality_of(code | flags) is quality_of(code)


@pytest.mark.parametrize(
    ("name", "quality"),
    [
        ("Good", Quality.GOOD),
        ("GoodLocalOverride", Quality.GOOD),
        ("BadNoCommunication", Quality.NO_REPLY),
        ("BadCommunicationError", Quality.NO_REPLY),
        ("BadWaitingForInitialData", Quality.NOT_AVAILABLE),
        ("BadOutOfService", Quality.NOT_AVAILABLE),
        ("BadNodeIdUnknown", Quality.CONFIG),
        ("BadAttributeIdInvalid", Quality.CONFIG),
        ("BadUserAccessDenied", Quality.CONFIG),
        ("BadSensorFailure", Quality.DEVICE_ERROR),
        ("BadDeviceFailure", Quality.DEVICE_ERROR),
        ("UncertainLastUsableValue", Quality.STALE),
        ("UncertainEngineeringUnitsExceeded", Quality.OUT_OF_RANGE),
        ("UncertainSubstituteValue", Quality.OUT_OF_SERVICE),
        ("UncertainInitialValue", Quality.RESTART),
    ],
)
def test_each_status_has_its_quality(name: str, quality: Quality) -> None:
    """The usual ones by name."""
    code = getattr(ua.StatusCodes, name)
    assert quality_of(code) is quality
    assert name_of(code) == name


def test_every_name_in_the_tables_is_one_of_the_standard() -> None:
    """A misspelt name would never match."""
    names = {name for name, _ in ua.status_codes.code_to_name_doc.values()}
    assert set().union(*_BAD.values(), _UNCERTAIN) <= names


def test_a_code_that_no_standard_knows_is_shown_as_its_number() -> None:
    """A maker's own code can be looked up in his manual."""
    assert name_of(0x80FF_0480) == "0x80FF0000"


@pytest.mark.parametrize(("code", "lost"), [(0x0480, True), (0x0080, False), (0x0400, False), (0, False)])
def test_the_overflow_flag_counts_only_for_data_values(code: int, *, lost: bool) -> None:
    """The same bit means something else with another info type."""
    assert samples_lost(code) is lost
