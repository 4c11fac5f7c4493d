"""A plant whose values a test writes down, and the derived tags over it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.collect.plan import devices_of
from gateway.collect.virtual import virtual_devices_of
from gateway.config.derived import DerivedConfig
from gateway.config.schema import Configuration, Connection, GatewayConfig
from gateway.flow import Flow
from gateway.model import Batch, Notice, Quality, Run
from gateway.outbox.outbox import Outbox
from gateway.registry import driver_spec
from gateway.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.driver import Device
    from gateway.model import Cell, DeviceStatus
    from gateway.processing.counters import Store

FILE = Path("connections/plant.yaml")
GATEWAY = GatewayConfig.model_validate(
    {"version": 1, "gateway": {"id": "test"}, "broker": {"url": "mqtt://127.0.0.1:1883"}}
)


class Kept(Outbox):
    """An outbox in memory that shows what was put."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(Run(1, "0badcafe", ""), clock, None)
        self.batches: list[Batch] = []

    def put(self, item: Batch | Notice) -> None:
        """Keep a batch."""
        if isinstance(item, Batch):
            self.batches.append(item)


class Plant:
    """Devices of the driver sim by `device.tag`, and derived tags in the words of derived.yaml.

    Args:
        sources: each tag that is read, and what is written of it.
        derived: what stands under `devices` in derived.yaml.
        clock: stands still until it is moved.
        store: what outlives a plant.
    """

    def __init__(
        self,
        sources: Mapping[str, Mapping[str, Any]],
        derived: Mapping[str, Any],
        clock: ManualClock | None = None,
        store: Store | None = None,
    ) -> None:
        self.clock = clock or ManualClock()
        self.outbox = Kept(self.clock)
        self.statuses: list[DeviceStatus] = []
        self.flow = Flow(self.outbox, self.clock, self.statuses.append, store)
        self.devices: dict[str, Device] = {}
        self.virtual: list[Any] = []
        self.load(sources, derived)

    def load(self, sources: Mapping[str, Mapping[str, Any]], derived: Mapping[str, Any]) -> None:
        """Carry this configuration from now on; what did not change stays the same object."""
        configuration = configuration_of(sources, derived)
        devices = [device for connection in configuration.connections for device in devices_of(connection.config)]
        before = self.devices
        self.devices = {d.name: before[d.name] if before.get(d.name) == d else d for d in devices}
        self.virtual = virtual_devices_of(configuration, self.virtual)
        self.flow.carry(self.devices.values(), self.virtual)

    def read(self, values: Mapping[str, Any], offsets_ms: Mapping[str, int] | None = None) -> None:
        """One acquisition of each device named: a value, or a quality such as `bad:no_reply`, or both in a list."""
        for name, device in self.devices.items():
            cells = {tag.partition(".")[2]: value for tag, value in values.items() if tag.partition(".")[0] == name}
            if cells:
                self.flow.emit(self._batch(device, cells, offsets_ms or {}))

    def tick(self) -> None:
        """Time passes without an acquisition."""
        for batch in self.flow._derived.tick(self.clock.now()):
            self.flow._send(batch)

    def sent(self, device: str, start_ns: int = 0) -> list[dict[str, Any]]:
        """What left the gateway of a device since the last call: when, s from `start_ns`, and each tag's cell."""
        batches, self.outbox.batches = self.outbox.batches, []
        return [told for batch in batches if batch.plan.device == device and len(told := _told(batch, start_ns)) > 1]

    def _batch(self, device: Device, cells: Mapping[str, Any], offsets_ms: Mapping[str, int]) -> Batch:
        batch = Batch.empty(device.plan, self.clock.now())
        if offsets_ms:
            batch.offsets = [offsets_ms.get(f"{device.name}.{tag.name}", 0) for tag in device.plan.tags]
        for position, tag in enumerate(device.plan.tags):
            if tag.name in cells:
                batch.values[position], batch.quality[position] = cell_of(cells[tag.name])
        return batch


def cell_of(written: Any) -> tuple[Cell, Quality]:
    """A cell as a case writes it."""
    value, quality = written if isinstance(written, list) else (written, "good")
    if isinstance(value, str) and value in {one.value for one in Quality}:
        return None, Quality(value)
    return value, Quality(quality)


def configuration_of(sources: Mapping[str, Mapping[str, Any]], derived: Mapping[str, Any]) -> Configuration:
    """A configuration of one connection and these derived tags."""
    spec = driver_spec("sim")
    devices: dict[str, Any] = {}
    for name, written in sources.items():
        device, _, tag = name.partition(".")
        devices.setdefault(device, {"tags": {}})["tags"][tag] = {"address": "analog", **written}
    config = spec.connection.model_validate({"version": 1, "driver": "sim", "devices": devices})
    whole = DerivedConfig.model_validate({"version": 1, "devices": derived}) if derived else None
    return Configuration(FILE.parent.parent, GATEWAY, (Connection("plant", FILE, spec, config),), whole)


def _told(batch: Batch, start_ns: int) -> dict[str, Any]:
    rows = zip(batch.plan.tags, batch.values, batch.quality, strict=True)
    told: dict[str, Any] = {"at": (batch.stamp.time - start_ns) / 1e9}
    for tag, value, quality in rows:
        if value is None:
            told[tag.name] = quality.value
        elif isinstance(value, bool | int | float | str):
            told[tag.name] = value if quality is Quality.GOOD else [value, quality.value]
    return told
