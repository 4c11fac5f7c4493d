"""One tag, on its way from a node of the server to a column of its device's batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from asyncua import ua

from drivers.opcua.convert import Reading
from drivers.opcua.nodeid import NodeAddress, parse_node_id
from drivers.opcua.status import NO_NODE, NODE_GONE
from gateway.model import Quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.opcua.feed import Feed
    from gateway.model import Tag

_log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Point:
    """A tag and what is known of its node."""

    feed: Feed
    position: int
    tag: Tag
    address: NodeAddress
    node: ua.NodeId | None = None
    """None while the server has no such namespace."""
    handle: int | None = None
    """Of its monitored item at this client."""
    item_id: int | None = None
    """Of its monitored item at the server; None while it has none."""
    trouble: str | None = None
    """Name of the StatusCode that people must do something about."""

    @property
    def is_silent(self) -> bool:
        """Whether nothing is known of it yet."""
        return self.position in self.feed.missing

    @property
    def must_be_watched_anew(self) -> bool:
        """Whether the server had no such node, or has it no longer."""
        return self.item_id is None or self.trouble in NODE_GONE

    def locate(self, namespaces: Sequence[str]) -> Reading | None:
        """Find the node by the server's namespaces of now; where there is none, what to say of the tag instead."""
        index = self.address.index(namespaces)
        if index is None:
            self.node = None
            table = ", ".join(namespaces)
            return Reading(None, Quality.CONFIG, NO_NODE, fault=f"the server has no such namespace; it has: {table}")
        self.node = ua.NodeId(self.address.identifier, index)  # type: ignore[arg-type]  # asyncua takes all four kinds
        return None

    def put(self, reading: Reading, at: int) -> None:
        """Hand on what is known of the tag since `at`, on the monotonic clock, ns."""
        self._note(reading.status if reading.quality is Quality.CONFIG else None, reading.fault)
        self.feed.put(self.position, reading, at)

    def refuse(self, reading: Reading, at: int) -> None:
        """Hand on, once, that the server will not tell of the tag."""
        if reading.status != self.trouble or self.is_silent:
            self._note(reading.status, reading.fault)
            self.feed.put(self.position, reading, at)

    def _note(self, trouble: str | None, fault: str) -> None:
        """Tell people once of what they must mend, and once that it is mended."""
        if trouble == self.trouble:
            return
        self.trouble = trouble
        where = {"device": self.feed.plan.device, "tag": self.tag.name, "address": str(self.address)}
        if trouble is None:
            _log.info("tag can be read again", **where)
        else:
            _log.warning("tag cannot be read", **where, status=trouble, look_at=fault or "its address and the server")


def points_of(feed: Feed) -> list[Point]:
    """The tags of one device."""
    tags = feed.plan.tags
    return [Point(feed, position, tag, parse_node_id(tag.address)) for position, tag in enumerate(tags)]
