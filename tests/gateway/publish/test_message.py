from __future__ import annotations

from gateway.publish.message import Message


def test_the_size_counts_bytes_and_not_letters() -> None:
    """A topic with a degree sign is longer on the wire than it looks."""
    assert Message("a/°", b"1234").size == 8
