"""What 1000 derived tags cost at one sample a second, in percent of this machine's core.

Ten devices of 100 tags yield a batch a second each; ten virtual devices of 100 derived tags follow them: arithmetic,
choices, chains, integrals, moving averages over a minute. The clock is moved by hand, so seconds pass as fast as the
work is done. The work without derived tags is taken off.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from gateway.collect.plan import devices_of
from gateway.collect.virtual import virtual_devices_of
from gateway.config.derived import DerivedConfig
from gateway.config.schema import Configuration, Connection, GatewayConfig
from gateway.flow import Flow
from gateway.outbox.outbox import Outbox
from gateway.registry import driver_spec
from gateway.testing import ManualClock, sample_batch
from tests.bench.figures import Figure

if TYPE_CHECKING:
    from gateway.driver import Device
    from gateway.model import Batch, Notice

DEVICES = 10
TAGS = 100
SECONDS = 100
WARM_UP_S = 65
"""Longer than the moving averages, so that they are full."""

FORMULAS = (
    "t * 1.8 + 32",
    "max(t, u) - min(t, u)",
    "t if u > 50 else t / 2",
    "round((t + u) / 2, 1)",
    "t > 80 and u < 20",
    'integral(t, per="h")',
    "moving_average(t, 60)",
    "t - previous(t)",
    "seconds_since(t > u)",
    "abs(t - u) / (abs(t) + abs(u) + 1)",
)


_FILE = Path("connections/plant.yaml")
_GATEWAY = GatewayConfig.model_validate(
    {"version": 1, "gateway": {"id": "bench"}, "broker": {"url": "mqtt://127.0.0.1"}}
)


class Nowhere(Outbox):
    """An outbox that keeps nothing."""

    def __init__(self) -> None:
        """Nothing is opened."""

    def put(self, item: Batch | Notice) -> None:
        """Let it go."""


def measure() -> list[Figure]:
    """CPU of the formulas, and of windows over the same tags."""
    with capture_logs():
        return _measured()


def _measured() -> list[Figure]:
    without_s = _cpu_s({})
    formulas_s = _cpu_s(_formulas())
    windows_s = _cpu_s(_windows())
    return [
        Figure("1000 derived tags at 1 Hz", (formulas_s - without_s) * 100, "%", bound=3.0, note="of a core"),
        Figure("one derived tag, one sample", (formulas_s - without_s) * 1000, "us"),
        Figure("1000 tags of windows at 1 Hz", (windows_s - without_s) * 100, "%", bound=3.0, note="of a core"),
        Figure("1000 tags that are only carried", without_s * 100, "%", note="without anything derived"),
    ]


def _cpu_s(virtual: dict[str, object]) -> float:
    """CPU time of one second of the plant."""
    configuration = _configuration(virtual)
    clock = ManualClock()
    flow = Flow(Nowhere(), clock, lambda _: None)
    devices = [device for connection in configuration.connections for device in devices_of(connection.config)]
    flow.carry(devices, virtual_devices_of(configuration))
    for second in range(WARM_UP_S):
        _second(flow, clock, devices, second)
    started = time.process_time()
    for second in range(SECONDS):
        _second(flow, clock, devices, second)
    return (time.process_time() - started) / SECONDS


def _second(flow: Flow, clock: ManualClock, devices: list[Device], second: int) -> None:
    for device in devices:
        values = [float((second * 7 + tag * 13) % 100) for tag in range(TAGS)]
        flow.emit(sample_batch(device.plan, list(values), clock.now()))
    clock.advance(1)


def _configuration(virtual: dict[str, object]) -> Configuration:
    spec = driver_spec("sim")
    tags = {f"t{number}": {"address": "analog"} for number in range(TAGS)}
    plant = {"version": 1, "driver": "sim", "devices": {f"plc-{number}": {"tags": tags} for number in range(DEVICES)}}
    connection = Connection("plant", _FILE, spec, spec.connection.model_validate(plant))
    derived = DerivedConfig.model_validate({"version": 1, "devices": virtual}) if virtual else None
    return Configuration(_FILE.parent, _GATEWAY, (connection,), derived)


def _formulas() -> dict[str, object]:
    return {
        f"virtual-{number}": {
            "tags": {
                f"d{tag}": {
                    "inputs": {"t": _source(number, tag), "u": f"plc-{number}.t{(tag + 7) % TAGS}"},
                    "value": FORMULAS[tag % len(FORMULAS)],
                }
                for tag in range(TAGS)
            }
        }
        for number in range(DEVICES)
    }


def _source(number: int, tag: int) -> str:
    """A tag of the device, and for every tenth the derived tag before: chains of two."""
    return f"virtual-{number}.d{tag - 1}" if tag % 10 == 9 else f"plc-{number}.t{tag}"


def _windows() -> dict[str, object]:
    return {
        f"virtual-{number}": {
            "windows": {
                f"w{tag}": {"source": f"plc-{number}.t{tag}", "window": "15min", "take": ["mean", "min", "max"]}
                for tag in range(TAGS // 4)
            }
        }
        for number in range(DEVICES)
    }
