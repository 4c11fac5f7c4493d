"""From what a technician wrote to alarms, texts and bits."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.connection import AlarmConfig, ValueConfig
from gateway.processing.states import AlarmSeverity, alarms_of, bits_of, texts_of


def config(**keys: Any) -> ValueConfig:
    """A tag that says this."""
    return ValueConfig.model_validate(keys)


def only(alarm: dict[str, Any], **keys: Any) -> Any:
    """The one alarm of a tag `mode`."""
    (made,) = alarms_of("mode", config(alarms={"a": alarm}, **keys))
    return made


def test_texts_and_bits_stand_in_the_order_of_their_numbers() -> None:
    """However the file orders them, and as numbers, not as texts."""
    tag = config(texts={"10": "fault", "2": "running", "-1": "unknown"}, bits={"3": "overload", "0": "door_open"})
    assert texts_of(tag) == ((-1, "unknown"), (2, "running"), (10, "fault"))
    assert bits_of(tag) == ((0, "door_open"), (3, "overload"))


def test_an_alarm_takes_over_all_that_was_written() -> None:
    """Seconds become nanoseconds, words become what the code decides by."""
    alarm = only(
        {
            "above": 80,
            "hysteresis": 2,
            "delay_s": 1.5,
            "off_delay_s": 3,
            "severity": "critical",
            "ends": "when_acknowledged",
            "text": "Oil hot",
        }
    )
    assert alarm.id == "mode.a"
    assert (alarm.above, alarm.hysteresis, alarm.delay_ns, alarm.off_delay_ns) == (80.0, 2.0, 1_500_000_000, 3 * 10**9)
    assert (alarm.severity, alarm.latching, alarm.text) == (AlarmSeverity.CRITICAL, True, "Oil hot")


@pytest.mark.parametrize(
    ("alarm", "keys", "field", "value", "text"),
    [
        ({"above": 80}, {"unit": "°C"}, "above", 80.0, "mode is above 80 °C"),
        ({"below": 0.5}, {}, "below", 0.5, "mode is below 0.5"),
        ({"equals": "fault"}, {"texts": {"7": "fault"}}, "equals", 7, "mode is fault"),
        ({"equals": 7}, {"texts": {"7": "fault"}}, "equals", 7, "mode is fault"),
        ({"equals": 9}, {"texts": {"7": "fault"}}, "equals", 9, "mode is 9"),
        ({"equals": True}, {}, "equals", True, "mode is on"),
        ({"equals": False}, {"texts": {"0": "closed"}}, "equals", False, "mode is closed"),
        ({"bit": "overload"}, {"bits": {"3": "overload"}}, "bit", 3, "mode: overload"),
        ({"bit": 3}, {"bits": {"3": "overload"}}, "bit", 3, "mode: overload"),
        ({"bit": 5}, {}, "bit", 5, "mode: 5"),
    ],
)
def test_names_become_numbers_and_an_alarm_without_text_says_what_happened(
    alarm: dict[str, Any], keys: dict[str, Any], field: str, value: object, text: str
) -> None:
    """The value on the wire is a number; people read its text."""
    made = only(alarm, **keys)
    assert (getattr(made, field), made.text) == (value, text)
    assert type(getattr(made, field)) is type(value)


def test_the_choices_of_the_files_are_those_of_the_code() -> None:
    """A severity that the models accept is one that the alarms know."""
    accepted = AlarmConfig.model_fields["severity"].annotation
    assert {str(severity) for severity in AlarmSeverity} == set(accepted.__args__)  # type: ignore[union-attr]  # a Literal
