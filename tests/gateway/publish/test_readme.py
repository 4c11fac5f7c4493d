"""The manual for consumers shows real messages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gateway.publish
from gateway.model import Quality
from tests.gateway.publish.schemas import check

README = (Path(gateway.publish.__file__).parent / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^    (acme/\S+)\n((?:    .*\n)+)", README, flags=re.MULTILINE)


def test_there_is_an_example_of_each_kind() -> None:
    """Data, one value, both statuses, description, gap, alarms and event."""
    assert {topic.rpartition("/")[2] for topic, _ in EXAMPLES} == {
        *("data", "oil_temperature", "status", "meta", "gaps", "alarms", "events")
    }


@pytest.mark.parametrize(("topic", "payload"), EXAMPLES)
def test_each_example_keeps_to_its_schema(topic: str, payload: str) -> None:
    """What a consumer copies from the manual is what the gateway sends."""
    assert check(topic, payload.encode())["v"] == 1


def test_each_quality_is_explained() -> None:
    """The set is closed, and the manual names all of it."""
    assert [quality.value for quality in Quality if quality.reason and f"`{quality.value}`" not in README] == []
