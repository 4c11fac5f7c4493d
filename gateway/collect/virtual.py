"""From derived.yaml to virtual devices with plans: every default filled in, once a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.collect.plan import Origin, tag_of
from gateway.config.chains import in_order
from gateway.config.derived import GOOD_PERCENT
from gateway.config.derived_names import known_of, rests_on, takes_of, with_derived
from gateway.config.span import Span
from gateway.connection import ValueConfig
from gateway.driver import Device, DeviceTiming
from gateway.model import Plan
from gateway.processing.derived.virtual import VirtualDevice, VirtualFormula, VirtualWindow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.config.derived import DerivedDevice, FormulaConfig, WindowConfig
    from gateway.config.derived_names import SourceTag, TakeTag
    from gateway.config.schema import Configuration
    from gateway.model import Tag

_UNITS: Final = {"count": None, "time_in_state": "s", GOOD_PERCENT: "%"}
"""Takes that have a unit of their own; the others have that of the source."""


@dataclass(frozen=True, slots=True)
class VirtualConfig:
    """What was written of a virtual device, in the shape in which devices are told."""

    description: str
    tags: Mapping[str, ValueConfig]
    """By name, as in the plan."""


def virtual_devices_of(configuration: Configuration, before: Iterable[VirtualDevice] = ()) -> list[VirtualDevice]:
    """The virtual devices in the order of the file. One that did not change is the same object as before."""
    if configuration.derived is None:
        return []
    order = in_order(rests_on(configuration.derived))
    sources = with_derived(known_of(configuration.connections, whole=True), configuration.derived, order)
    known = {device.name: device for device in before}
    devices = [_virtual(name, device, sources) for name, device in configuration.derived.devices.items()]
    return [known[device.name] if known.get(device.name) == device else device for device in devices]


def _virtual(name: str, device: DerivedDevice, sources: Mapping[str, SourceTag]) -> VirtualDevice:
    tags: list[Tag] = []
    configs: dict[str, ValueConfig] = {}
    formulas, windows = [], []
    for tag_name, formula in device.tags.items():
        formulas.append(VirtualFormula(tag_name, len(tags), formula))
        tags.append(_formula_tag(tag_name, formula, sources[f"{name}.{tag_name}"].period_s))
        configs[tag_name] = formula
    for stem, window in device.windows.items():
        takes = takes_of(stem, window)
        windows.append(VirtualWindow(stem, window, tuple(enumerate(takes, start=len(tags)))))
        for take in takes:
            configs[take.name] = _take_config(window, take, sources.get(window.source))
            tags.append(_take_tag(window, take, configs[take.name], sources.get(window.source)))
    timing = DeviceTiming(_fastest(tags), 0.0, 0, 1, device.heartbeat_s)
    plan = Plan(name, tuple(tags), device.heartbeat_s)
    whole = Device(name, VirtualConfig(device.description, configs), plan, timing)
    return VirtualDevice(whole, tuple(formulas), tuple(windows))


def _fastest(tags: Sequence[Tag]) -> float:
    return min(tag.period_s for tag in tags)


def _formula_tag(name: str, config: FormulaConfig, period_s: float) -> Tag:
    """The tag of a formula: its address is the formula, its parameters are the inputs."""
    return tag_of(name, config, Origin(config.value, config.data_type(), config.inputs), period_s)


def _take_config(window: WindowConfig, take: TakeTag, source: SourceTag | None) -> ValueConfig:
    """What was written of a window, as far as it is meant for one of its takes."""
    if take.take == GOOD_PERCENT:
        return ValueConfig(
            unit=_UNITS[GOOD_PERCENT], description=f"part of {window.window} in which the source was good"
        )
    if take.take in _UNITS:
        return window.model_copy(update={"unit": _UNITS[take.take], "publish_as": None})
    return window.model_copy(update={"unit": window.unit or (source.unit if source else None)})


def _take_tag(window: WindowConfig, take: TakeTag, config: ValueConfig, source: SourceTag | None) -> Tag:
    parameters = {"window": window.window, "take": take.take}
    parameters |= {"timezone": window.timezone} if window.timezone is not None else {}
    parameters |= {"state": str(take.state)} if take.state is not None else {}
    length_s = float(Span.of(window.window, window.timezone).length_s)
    data_type = "int64" if take.take == "count" else "float64"
    if take.take == "last" and source is not None:
        data_type = source.type
    return tag_of(take.name, config, Origin(window.source, data_type, parameters), length_s)
