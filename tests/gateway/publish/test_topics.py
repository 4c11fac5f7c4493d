from __future__ import annotations

import pytest

from gateway.publish.topics import Topics

TOPICS = Topics(["acme", "ehv", "hall-2", "presses"], "press-hall-1")


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        (TOPICS.data("press-12"), "acme/ehv/hall-2/presses/press-12/data"),
        (TOPICS.history("press-12"), "acme/ehv/hall-2/presses/press-12/history"),
        (TOPICS.meta("press-12"), "acme/ehv/hall-2/presses/press-12/meta"),
        (TOPICS.status("press-12"), "acme/ehv/hall-2/presses/press-12/status"),
        (TOPICS.gateway_status, "acme/ehv/hall-2/presses/_gateway/press-hall-1/status"),
        (TOPICS.gaps, "acme/ehv/hall-2/presses/_gateway/press-hall-1/gaps"),
        (TOPICS.events, "acme/ehv/hall-2/presses/_gateway/press-hall-1/events"),
        (TOPICS.health, "acme/ehv/hall-2/presses/_gateway/press-hall-1/health"),
    ],
)
def test_each_kind_of_message_has_its_place_under_the_path(topic: str, expected: str) -> None:
    """Devices lie under the plant's path, what the gateway says of itself under its own id."""
    assert topic == expected


@pytest.mark.parametrize(
    ("levels", "expected"),
    [([], "press-12/data"), (["ehv"], "ehv/press-12/data"), (["acme", "l-1"], "acme/l-1/press-12/data")],
)
def test_a_level_that_is_left_out_leaves_no_empty_level(levels: list[str], expected: str) -> None:
    """A plant without an area, or without any path, has no `//` and no leading slash in its topics."""
    assert Topics(levels, "gw").data("press-12") == expected


@pytest.mark.parametrize(("kind", "topic"), [("gaps", TOPICS.gaps), ("events", TOPICS.events)])
def test_a_notice_goes_to_the_topic_of_its_kind(kind: str, topic: str) -> None:
    """Gap records and events name their topic themselves."""
    assert TOPICS.notice(kind) == topic
