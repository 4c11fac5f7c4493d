"""Where a connection hands over what it has: the one way out of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.model import Batch, DeviceStatus


class Outlet(Protocol):
    """Given to each connection by the composition root."""

    def emit(self, batch: Batch) -> None:
        """A batch as acquired, before processing."""
        ...

    def report(self, status: DeviceStatus) -> None:
        """A device changed its state."""
        ...

    def failed(self, device: str) -> None:
        """One reading failed; it is counted and no more."""
        ...
