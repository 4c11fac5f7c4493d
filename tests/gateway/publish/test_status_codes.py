"""Each quality has its code elsewhere, with the number that the standard gives its name."""

from __future__ import annotations

import pytest
from asyncua.ua import StatusCodes

from gateway.model import Level, Quality
from gateway.publish.status_codes import SPARKPLUG_BAD, SPARKPLUG_GOOD, SPARKPLUG_STALE, STATUS_CODES

SEVERITIES = {Level.GOOD: 0b00, Level.UNCERTAIN: 0b01, Level.BAD: 0b10}


def test_every_quality_has_a_code() -> None:
    """A new quality cannot be forgotten."""
    assert list(STATUS_CODES) == list(Quality)


@pytest.mark.parametrize("quality", list(Quality))
def test_the_number_is_that_of_the_name(quality: Quality) -> None:
    """A library that others generate from StatusCode.csv is the witness."""
    code = STATUS_CODES[quality]
    assert getattr(StatusCodes, code.opcua_name) == code.opcua


@pytest.mark.parametrize("quality", list(Quality))
def test_the_level_is_the_same_everywhere(quality: Quality) -> None:
    """The upper two bits say good, uncertain or bad (OPC UA Part 4, StatusCode)."""
    assert STATUS_CODES[quality].opcua >> 30 == SEVERITIES[quality.level]


def test_sparkplug_knows_three_qualities() -> None:
    """Bad is 0, a stale value 500, all others 192: there is no uncertain."""
    by_code: dict[int, set[Quality]] = {}
    for quality, code in STATUS_CODES.items():
        by_code.setdefault(code.sparkplug, set()).add(quality)
    assert by_code[SPARKPLUG_STALE] == {Quality.STALE}
    assert by_code[SPARKPLUG_BAD] == {quality for quality in Quality if quality.level is Level.BAD}
    assert by_code.keys() == {SPARKPLUG_BAD, SPARKPLUG_GOOD, SPARKPLUG_STALE}
