"""Active alarms, and what numbers mean, as consumers get them."""

from __future__ import annotations

import json

import pytest
from jsonschema import ValidationError

from gateway.model import Tag
from gateway.processing.alarms import ActiveAlarm
from gateway.processing.states import AlarmSeverity
from gateway.publish.json import JsonEncoder
from gateway.publish.topics import Topics
from gateway.testing import SAMPLE_TIME, sample_plan
from tests.gateway.publish.schemas import check

ENCODER = JsonEncoder(Topics(["acme", "ehv"], "gw-1"))
HOT = ActiveAlarm("oil.hot", AlarmSeverity.HIGH, SAMPLE_TIME, "Oil hot", acknowledged=False, over=False)
JAM = ActiveAlarm("word.jam", AlarmSeverity.CRITICAL, SAMPLE_TIME, "Belt jammed", acknowledged=True, over=True)


def test_the_list_is_retained_under_the_device() -> None:
    """All that is active, each with id, severity, beginning and text; the rest only where it is so."""
    message = ENCODER.alarms("press-12", [HOT, JAM])
    assert (message.topic, message.retain) == ("acme/ehv/press-12/alarms", True)
    assert check(message.topic, message.payload) == {
        "v": 1,
        "device": "press-12",
        "gateway": "gw-1",
        "alarms": [
            {"id": "oil.hot", "severity": "high", "since": "2026-11-24T10:15:00.250Z", "text": "Oil hot"},
            {
                "id": "word.jam",
                "severity": "critical",
                "since": "2026-11-24T10:15:00.250Z",
                "text": "Belt jammed",
                "acknowledged": True,
                "over": True,
            },
        ],
    }


def test_no_alarm_is_an_empty_list() -> None:
    """Not an empty message: that would say that nobody watches."""
    assert check("x/alarms", ENCODER.alarms("press-12", []).payload)["alarms"] == []


@pytest.mark.parametrize("wrong", [{"severity": "urgent"}, {"id": "hot"}, {"since": "now"}, {"more": 1}])
def test_the_schema_refuses_what_is_not_in_the_contract(wrong: dict[str, object]) -> None:
    """It is worth something only if it can say no."""
    message = json.loads(ENCODER.alarms("press-12", [HOT]).payload)
    message["alarms"][0] |= wrong
    with pytest.raises(ValidationError):
        check("x/alarms", json.dumps(message).encode())


def test_texts_and_bits_stand_in_the_description() -> None:
    """Values stay numbers; whoever shows them looks their meaning up."""
    tag = Tag("mode", "-", "uint16", texts=((0, "idle"), (1, "running")), bits=((3, "overload"),))
    meta = check("x/meta", ENCODER.meta(sample_plan("press-12", tag)).payload)
    assert meta["tags"]["mode"]["texts"] == {"0": "idle", "1": "running"}
    assert meta["tags"]["mode"]["bits"] == {"3": "overload"}
    plain = check("x/meta", ENCODER.meta(sample_plan("press-12", Tag("mode", "-", "uint16"))).payload)
    assert not {"texts", "bits"} & plain["tags"]["mode"].keys()
