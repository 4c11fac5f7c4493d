"""The JSON Schemas that the project ships, ready to hold messages against."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parents[3] / "config" / "schema"

BY_TOPIC = {
    "data": "batch.schema.json",
    "history": "batch.schema.json",
    "meta": "mqtt-meta.schema.json",
    "alarms": "mqtt-alarms.schema.json",
    "gaps": "mqtt-gap.schema.json",
    "events": "mqtt-event.schema.json",
    "status": "mqtt-device-status.schema.json",
}

OF_A_VALUE = "mqtt-value.schema.json"


def check(topic: str, payload: bytes) -> dict[str, Any]:
    """Hold a message against the schema of its topic, and give it parsed, strictly: no NaN, no key twice."""
    last = topic.rpartition("/")[2]
    name = BY_TOPIC.get(last, OF_A_VALUE)
    if last == "status" and "/_gateway/" in f"/{topic}":
        name = "mqtt-gateway-status.schema.json"
    message = parse(payload)
    if last == "history" and "tag" in message:
        name = OF_A_VALUE
    validator(name).validate(message)
    return message


def parse(payload: bytes) -> dict[str, Any]:
    """Parse strictly."""
    parsed = json.loads(payload, object_pairs_hook=_unique, parse_constant=_no_constant)
    assert isinstance(parsed, dict)
    return parsed


@cache
def validator(name: str) -> Draft202012Validator:
    """One schema of the folder."""
    schema = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), "a key stands twice"
    return dict(pairs)


def _no_constant(name: str) -> NoReturn:
    raise AssertionError(f"{name} is no JSON")
