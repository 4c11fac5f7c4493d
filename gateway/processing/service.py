"""Devices and tags under maintenance: still read, marked UNCERTAIN out of service, alarms quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import Level, Quality

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model import Batch

_ALL = None


class Marker:
    """Marks batches of what is out of service."""

    def __init__(self) -> None:
        self._out: dict[str, frozenset[str] | None] = {}
        """The tags of each device; None stands for all of them."""

    def take_out(self, whats: Iterable[str]) -> None:
        """From now on these are out of service and nothing else is: `device` or `device.tag`."""
        out: dict[str, frozenset[str] | None] = {}
        for what in whats:
            device, _, tag = what.partition(".")
            known = out.get(device, frozenset())
            out[device] = _ALL if not tag or known is _ALL else known | {tag}
        self._out = out

    def mark(self, batch: Batch) -> None:
        """Mark in place. What is BAD stays so: it has no value that could be trusted less."""
        if not self._out or batch.plan.device not in self._out:
            return
        tags = self._out[batch.plan.device]
        for position, tag in enumerate(batch.plan.tags):
            if (tags is _ALL or tag.name in tags) and batch.quality[position].level is not Level.BAD:
                batch.quality[position] = Quality.OUT_OF_SERVICE
