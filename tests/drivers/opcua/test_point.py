"""One tag and its troubles."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from drivers.opcua.convert import Reading
from drivers.opcua.feed import Feed
from drivers.opcua.point import Point, points_of
from gateway.model import Batch, Quality, Tag
from gateway.testing import ManualClock, sample_plan

NOW = ManualClock().now()
GONE = Reading(None, Quality.CONFIG, "BadNodeIdUnknown")
GOOD = Reading(1.0, Quality.GOOD)


@pytest.fixture
def emitted() -> list[Batch]:
    return []


@pytest.fixture
def point(emitted: list[Batch]) -> Point:
    plan = sample_plan("press", Tag("oil", "nsu=urn:acme:press;s=Oil", "auto"))
    (point,) = points_of(Feed(plan, emitted.append))
    return point


def test_its_node_is_found_by_the_namespaces_of_now(point: Point) -> None:
    """The same tag, two starts of the server."""
    assert point.locate(["http://opcfoundation.org/UA/", "urn:acme:press"]) is None
    assert point.node is not None
    assert point.node.NamespaceIndex == 1

    assert point.locate(["http://opcfoundation.org/UA/", "urn:other", "urn:acme:press"]) is None
    assert (point.node.NamespaceIndex, point.node.Identifier) == (2, "Oil")


def test_without_its_namespace_it_has_no_node(point: Point) -> None:
    """Also not the one of before, which may be another's by now; people are told which namespaces there are."""
    point.locate(["http://opcfoundation.org/UA/", "urn:acme:press"])
    reading = point.locate(["http://opcfoundation.org/UA/", "urn:other"])
    assert reading is not None
    assert (reading.quality, reading.status) == (Quality.CONFIG, "BadNodeIdUnknown")
    assert reading.fault.endswith("http://opcfoundation.org/UA/, urn:other")
    assert point.node is None


def test_a_refusal_is_handed_on_once(point: Point, emitted: list[Batch]) -> None:
    """Looking again every minute makes no new batch, but another status does."""
    for status in ("BadNodeIdUnknown", "BadNodeIdUnknown", "BadAttributeIdInvalid"):
        point.refuse(GONE._replace(status=status), NOW.monotonic)
        point.feed.flush(NOW)
    assert [batch.source_status for batch in emitted] == [{0: "BadNodeIdUnknown"}, {0: "BadAttributeIdInvalid"}]


def test_readings_are_handed_on_each_time(point: Point, emitted: list[Batch]) -> None:
    """Also equal ones: every sample is worth its time."""
    for _ in range(3):
        point.put(GOOD, NOW.monotonic)
        point.feed.flush(NOW)
    assert [batch.values for batch in emitted] == [[1.0]] * 3


def test_people_are_told_once_of_a_trouble_and_once_of_its_end(point: Point) -> None:
    """Not with each value."""
    with capture_logs() as logs:
        for reading in (GONE, GONE, GOOD, GOOD, GONE):
            point.put(reading, NOW.monotonic)
    assert [entry["event"] for entry in logs] == ["tag cannot be read", "tag can be read again", "tag cannot be read"]
    assert logs[0] | {"device": "press", "tag": "oil", "status": "BadNodeIdUnknown"} == logs[0]


def test_a_device_that_reports_a_fault_is_no_trouble_of_the_configuration(point: Point) -> None:
    """A broken sensor is in the data, not in the log."""
    with capture_logs() as logs:
        point.put(Reading(None, Quality.DEVICE_ERROR, "BadSensorFailure"), NOW.monotonic)
    assert logs == []
    assert point.trouble is None


@pytest.mark.parametrize(
    ("item_id", "trouble", "anew"),
    [
        (None, "BadNodeIdUnknown", True),
        (None, "BadTooManyMonitoredItems", True),
        (7, "BadNodeIdUnknown", True),
        (7, "BadTypeMismatch", False),
        (7, None, False),
    ],
)
def test_only_what_may_come_back_is_looked_for_again(
    point: Point, item_id: int | None, trouble: str | None, *, anew: bool
) -> None:
    """A node that was not there, or went; not one that is there and sends the wrong type."""
    point.item_id, point.trouble = item_id, trouble
    assert point.must_be_watched_anew is anew
