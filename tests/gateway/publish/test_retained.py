from __future__ import annotations

import pytest

from gateway.publish.message import Message
from gateway.publish.retained import Retained

OLD = Message("acme/press-12/meta", b"old", retain=True)
NEW = Message("acme/press-12/meta", b"new", retain=True)
CLEARED = Message("acme/press-12/meta", b"", retain=True)
STATUS = Message("acme/press-12/status", b"online", retain=True)


@pytest.fixture
def retained() -> Retained:
    return Retained()


def test_the_newest_message_of_a_topic_replaces_the_one_before(retained: Retained) -> None:
    """A session begins with one message a topic, however often it changed."""
    retained.put(OLD)
    retained.put(STATUS)
    retained.put(NEW)
    assert list(retained) == [OLD.topic, STATUS.topic]
    assert retained.get(OLD.topic) == NEW


def test_the_same_message_again_is_no_news(retained: Retained) -> None:
    """A reload that changes nothing publishes nothing."""
    assert retained.put(OLD)
    assert not retained.put(OLD)
    assert retained.put(NEW)


def test_a_cleared_topic_is_published_empty_and_then_forgotten(retained: Retained) -> None:
    """The broker deletes a retained message when an empty one arrives; until then every session sends it."""
    retained.put(OLD)
    assert retained.clear(OLD.topic)
    assert retained.get(OLD.topic) == CLEARED
    retained.arrived(CLEARED)
    assert list(retained) == []


def test_a_topic_that_came_back_while_it_was_cleared_stays(retained: Retained) -> None:
    """A device removed by one reload and added by the next keeps its description."""
    retained.put(OLD)
    retained.clear(OLD.topic)
    retained.put(NEW)
    retained.arrived(CLEARED)
    assert retained.get(OLD.topic) == NEW


def test_a_topic_that_held_nothing_is_not_cleared(retained: Retained) -> None:
    """There is nothing at the broker to delete."""
    assert not retained.clear("acme/unknown/meta")
    assert list(retained) == []


def test_a_message_that_arrives_stays_for_the_next_session(retained: Retained) -> None:
    """A broker that lost its memory gets everything again."""
    retained.put(OLD)
    retained.arrived(OLD)
    assert list(retained) == [OLD.topic]


def test_a_withheld_message_is_not_sent_but_its_successor_is(retained: Retained) -> None:
    """The broker ends sessions over this text, not over the topic."""
    retained.put(OLD)
    retained.withhold(OLD.topic)
    assert retained.get(OLD.topic) is None
    retained.put(NEW)
    assert retained.get(OLD.topic) == NEW


def test_topics_may_change_while_they_are_gone_through(retained: Retained) -> None:
    """An answer may arrive between two sends."""
    retained.put(OLD)
    retained.put(STATUS)
    for topic in retained:
        retained.clear(topic)
        retained.arrived(Message(topic, b"", retain=True))
    assert list(retained) == []
