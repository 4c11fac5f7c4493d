"""Where each kind of message goes: the topic tree of one gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import GATEWAY_DEVICE

if TYPE_CHECKING:
    from collections.abc import Sequence


class Topics:
    """The topics under the gateway's place in the plant, an ISA-95 path such as `acme/ehv/hall-2/presses`.

    Args:
        levels: the levels of the path that are given, from the enterprise down; none puts the devices at the root.
        gateway: the gateway's id, its own level under `_gateway`.
    """

    def __init__(self, levels: Sequence[str], gateway: str) -> None:
        self.gateway = gateway
        self._path = "".join(f"{level}/" for level in levels)
        self.path = "/".join(levels)
        """The levels, joined."""
        self.own = own = f"{self._path}{GATEWAY_DEVICE}/{gateway}"
        """What the gateway says of itself stands below this level."""
        self.gateway_status = f"{own}/status"
        """Retained, and the last will."""
        self.gaps = f"{own}/gaps"
        self.events = f"{own}/events"
        self.health = f"{own}/health"

    def device(self, device: str) -> str:
        """What is said of a device stands below this level."""
        return f"{self._path}{device}"

    def data(self, device: str) -> str:
        """Live batches."""
        return f"{self._path}{device}/data"

    def history(self, device: str) -> str:
        """Batches that waited on disk, apart from the live ones: late values must not make displays jump back."""
        return f"{self._path}{device}/history"

    def tag(self, device: str, tag: str) -> str:
        """Live values of one tag."""
        return f"{self._path}{device}/{tag}"

    def tag_history(self, device: str, tag: str) -> str:
        """Values of one tag that waited on disk."""
        return f"{self._path}{device}/{tag}/history"

    def meta(self, device: str) -> str:
        """Retained: what the tags of the device are."""
        return f"{self._path}{device}/meta"

    def status(self, device: str) -> str:
        """Retained: how the device is doing."""
        return f"{self._path}{device}/status"

    def alarms(self, device: str) -> str:
        """Retained: the active alarms of the device."""
        return f"{self._path}{device}/alarms"

    def notice(self, kind: str) -> str:
        """Where a notice of this kind goes: `gaps` or `events`."""
        return f"{self._path}{GATEWAY_DEVICE}/{self.gateway}/{kind}"
