"""One contact: which level of a bouncing pin is believed, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.model import Stamp


class Contact:
    """Believes a level once it was stable for `stable_ns`. Edges are hints that may be lost; readings heal that.

    A change carries the time at which the stable level began, not that at which it was believed.
    """

    def __init__(self, level: bool, stable_ns: int) -> None:  # noqa: FBT001 - a level is what a pin has
        self.level = level
        """The believed electrical level, high or not."""
        self._stable_ns = stable_ns
        self._opposite_since: Stamp | None = None

    @property
    def due_ns(self) -> int | None:
        """When the opposite level will have been stable long enough, monotonic; None while there is no doubt."""
        return None if self._opposite_since is None else self._opposite_since.monotonic + self._stable_ns

    def edge(self, level: bool, stamp: Stamp) -> Stamp | None:  # noqa: FBT001 - a level is what a pin has
        """The pin changed to `level`. Returns the beginning of a new believed level, if this edge shows one.

        A level that ends with this edge is believed where it had lasted long enough, however late the edge is told.
        """
        change = self._settle(stamp) if level == self.level else None
        self._opposite_since = None if level == self.level else stamp
        return change or self._settle(stamp)

    def reading(self, level: bool, stamp: Stamp) -> Stamp | None:  # noqa: FBT001 - a level is what a pin has
        """The pin was read at `level`. Returns the beginning of a new believed level, if this reading shows one."""
        if level == self.level:
            self._opposite_since = None
        elif self._opposite_since is None:
            self._opposite_since = stamp
        return self._settle(stamp)

    def _settle(self, now: Stamp) -> Stamp | None:
        since, due_ns = self._opposite_since, self.due_ns
        if due_ns is None or now.monotonic < due_ns:
            return None
        self.level = not self.level
        self._opposite_since = None
        return since
