"""The derived tags of a running gateway: exchanged at a reload, their devices' states told, defects contained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from gateway.collect.health import DeviceHealth
from gateway.model import Batch
from gateway.processing.derived.engine import Derivation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gateway.model import DeviceStatus, Plan, Stamp
    from gateway.processing.counters import Store
    from gateway.processing.derived.virtual import VirtualDevice

log = structlog.get_logger()

_IDLE_S = 1.0


class DerivedTags:
    """What works the derived tags out, for the configuration of the moment.

    Args:
        refine: scales and judges a batch of a virtual device in place, as any other one's.
        report: takes the states of virtual devices.
        store: where integrals that persist are kept between runs.
    """

    def __init__(
        self, refine: Callable[[Batch], None], report: Callable[[DeviceStatus], None], store: Store | None
    ) -> None:
        self._refine = refine
        self._report = report
        self._store = store
        self._derivation: Derivation | None = None
        self._health: dict[str, DeviceHealth] = {}
        self._untold: list[Plan] = []
        self._defect_told = False

    def carry(self, devices: Sequence[VirtualDevice], unchanged: Iterable[str]) -> None:
        """Work these out from now on.

        Args:
            devices: the virtual devices; none costs nothing.
            unchanged: devices, virtual ones too, whose plans are the same as before.
        """
        self.save()
        before, self._derivation = self._derivation, None
        self._defect_told = False
        kept = set(unchanged)
        self._health = {
            one.name: (self._health.get(one.name) if one.name in kept else None)
            or DeviceHealth(one.device.plan.published, self._report)
            for one in devices
        }
        # A device of windows alone has its first batch when the first of them is over, perhaps in a month.
        self._untold = [one.device.plan for one in devices if not one.formulas and one.name not in kept]
        if devices:
            self._derivation = Derivation(devices, self._refine, self._store)
            if before is not None:
                self._derivation.take_over(before, kept)

    def makes(self, device: str) -> bool:
        """Whether a device is a virtual one."""
        return device in self._health

    def follow(self, batch: Batch) -> list[Batch]:
        """What a refined batch brings about: batches of virtual devices, refined and not yet reported."""
        derivation = self._derivation
        return [] if derivation is None else self._seen(lambda: derivation.follow(batch))

    def tick(self, stamp: Stamp) -> list[Batch]:
        """What time alone brings about."""
        derivation = self._derivation
        untold, self._untold = self._untold, []
        for plan in untold:
            self._health[plan.device].saw(Batch.empty(plan, stamp))
        return [] if derivation is None else self._seen(lambda: derivation.tick(stamp))

    def next_tick_s(self, stamp: Stamp) -> float:
        """How long the next `tick` may wait, s."""
        return _IDLE_S if self._derivation is None else self._derivation.next_tick_s(stamp)

    def save(self) -> None:
        """Put what persists into the store."""
        if self._derivation is not None:
            self._derivation.save()

    def _seen(self, work: Callable[[], list[Batch]]) -> list[Batch]:
        """Do the work and take note of how the devices do. A defect here harms nothing but derived tags."""
        try:
            batches = work()
        except Exception:
            if not self._defect_told:
                self._defect_told = True
                log.exception("derived_tags_defect")
            return []
        for batch in batches:
            self._health[batch.plan.device].saw(batch)
        return batches
