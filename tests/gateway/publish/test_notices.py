from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import (
    GATEWAY_DEVICE,
    DeviceState,
    DeviceStatus,
    Gap,
    Level,
    Notice,
    Plan,
    Quality,
    Tag,
)
from gateway.outbox.entry import Entry
from gateway.publish.contract import About, GatewayState
from gateway.publish.json import JsonEncoder
from gateway.publish.topics import Topics
from gateway.testing import SAMPLE_TIME, ManualClock, sample_plan
from tests.gateway.publish import schemas
from tests.gateway.publish.batches import RUN, plans, texts, times

ENCODER = JsonEncoder(Topics(["acme", "ehv"], "gw-1"))
ABOUT = About("0.1.0", RUN, "5e1f")
STAMP = ManualClock().now()


def test_a_gap_record_is_published_as_the_contract_shows() -> None:
    """Device, from, to, count and reason, named like everything else by run and seq."""
    gap = Gap("press-12", SAMPLE_TIME, SAMPLE_TIME + 1_000_000_000, 17, "spool_full")
    (message,) = ENCODER.encode(Entry(GATEWAY_DEVICE, RUN, 3, gap.notice(STAMP), history=False), 65_536)
    assert message.topic == "acme/ehv/_gateway/gw-1/gaps"
    assert schemas.check(message.topic, message.payload) == {
        "v": 1,
        "run": RUN,
        "seq": 3,
        "time": "2026-11-24T10:15:00.250Z",
        "clock": "synced",
        "device": "press-12",
        "from": "2026-11-24T10:15:00.250Z",
        "to": "2026-11-24T10:15:01.250Z",
        "count": 17,
        "reason": "spool_full",
        "code": "E-UP-011",
    }


@given(times, times, st.none() | st.integers(0, 2**40), texts)
def test_every_gap_record_keeps_to_the_schema(start: int, end: int, count: int | None, reason: str) -> None:
    """The count of what a crash took is unknown, and null."""
    notice = Gap("press-12", start, end, count, reason).notice(STAMP)
    (message,) = ENCODER.encode(Entry(GATEWAY_DEVICE, RUN, 1, notice, history=True), 65_536)
    assert schemas.check(message.topic, message.payload)["count"] == count


def test_an_event_cannot_overwrite_the_head() -> None:
    """Whatever an event calls its fields, version, name and time stay true."""
    notice = Notice("events", {"event": "config_loaded", "v": 7, "time": "never", "file": "gateway.yaml"}, STAMP)
    (message,) = ENCODER.encode(Entry(GATEWAY_DEVICE, RUN, 1, notice, history=False), 65_536)
    told = schemas.check(message.topic, message.payload)
    assert told["v"] == 1
    assert told["time"] == "2026-11-24T10:15:00.250Z"
    assert told["file"] == "gateway.yaml"
    assert message.topic == "acme/ehv/_gateway/gw-1/events"


@given(plans)
def test_every_description_keeps_to_the_schema(plan: Plan) -> None:
    """`meta` names every tag of the plan in its order."""
    message = ENCODER.meta(plan)
    assert list(schemas.check(message.topic, message.payload)["tags"]) == [tag.name for tag in plan.tags]


def test_a_description_says_all_that_makes_a_number() -> None:
    """An auditor finds address, type, scaling and unit beside the plan's id, and how large numbers are written."""
    tag = Tag(
        "speed",
        "holding:20",
        "uint16",
        (("order", "big"),),
        "r/min",
        "of the spindle",
        0.1,
        2.0,
        (0.0, 3000.0),
        5.0,
        0.5,
    )
    plan = sample_plan("press-12", tag)
    message = ENCODER.meta(plan, connection="press-hall", driver="modbus", description="Old press")
    assert message.topic == "acme/ehv/press-12/meta"
    assert message.retain
    assert schemas.check(message.topic, message.payload) == {
        "v": 1,
        "device": "press-12",
        "gateway": "gw-1",
        "plan": plan.id,
        "description": "Old press",
        "driver": "modbus",
        "connection": "press-hall",
        "heartbeat_s": 60.0,
        "integers_beyond_2_53": "string",
        "tags": {
            "speed": {
                "type": "uint16",
                "address": "holding:20",
                "unit": "r/min",
                "unit_ucum": "{rev}/min",
                "unit_unece": "RPM",
                "description": "of the spindle",
                "range": [0.0, 3000.0],
                "scale": 0.1,
                "offset": 2.0,
                "deadband": 5.0,
                "period_s": 0.5,
                "parameters": {"order": "big"},
            }
        },
    }


@pytest.mark.parametrize("state", DeviceState)
def test_the_status_of_a_device_is_retained(state: DeviceState) -> None:
    """A late subscriber knows how the device is doing, since when, and why."""
    message = ENCODER.device_status(DeviceStatus("press-12", state, SAMPLE_TIME, "no reply from 10.0.0.9:502"))
    assert message.topic == "acme/ehv/press-12/status"
    assert message.retain
    assert schemas.check(message.topic, message.payload) == {
        "v": 1,
        "device": "press-12",
        "gateway": "gw-1",
        "state": state.value,
        "since": "2026-11-24T10:15:00.250Z",
        "reason": "no reply from 10.0.0.9:502",
    }


def test_the_status_of_the_gateway_is_retained() -> None:
    """Version, run and configuration stand in it; when it is offline all its devices are bad."""
    message = ENCODER.gateway_status(GatewayState.ONLINE, ABOUT, time=SAMPLE_TIME)
    assert message.topic == "acme/ehv/_gateway/gw-1/status"
    assert message.retain
    assert schemas.check(message.topic, message.payload) == {
        "v": 1,
        "gateway": "gw-1",
        "state": "online",
        "time": "2026-11-24T10:15:00.250Z",
        "version": "0.1.0",
        "run": RUN,
        "config": "5e1f",
        "reason": "",
    }


def test_the_last_will_has_no_time() -> None:
    """The broker publishes it at an instant that nobody knows beforehand."""
    message = ENCODER.gateway_status(GatewayState.OFFLINE, ABOUT, "connection lost")
    told = schemas.check(message.topic, message.payload)
    assert "time" not in told
    assert told["reason"] == "connection lost"


def test_the_schema_knows_every_quality() -> None:
    """A reason that is added to the model is added to the contract."""
    known = schemas.validator("batch.schema.json").schema["$defs"]["quality"]["enum"]
    assert sorted(known) == sorted(quality.value for quality in Quality if quality.level is not Level.GOOD)


@pytest.mark.parametrize("name", sorted(path.name for path in schemas.FOLDER.glob("*.schema.json")))
def test_every_schema_is_a_schema(name: str) -> None:
    """Draft 2020-12, with words for people."""
    schema = schemas.validator(name).schema
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"]
    assert schema["description"]
