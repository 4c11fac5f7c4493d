"""What derived tags are called and what they can be made of: the tags of all connections and of derived.yaml itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gateway.config.derived import GOOD_PERCENT
from gateway.config.span import Span
from gateway.model import TOTAL_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.config.derived import DerivedConfig, FormulaConfig, WindowConfig
    from gateway.config.document import Step
    from gateway.config.schema import Connection
    from gateway.connection import ConnectionConfig, DeviceConfig


class SourceTag(NamedTuple):
    """A tag that others can be made of."""

    period_s: float
    """Time between two of its samples, as planned."""
    type: str
    unit: str | None = None


class TakeTag(NamedTuple):
    """One tag that a window makes."""

    name: str
    take: str
    """One of the takes, or `good_percent`."""
    state: bool | int | str | None = None
    """For `time_in_state`: the value of the state."""


@dataclass(frozen=True)
class Known:
    """What stands in the connection files."""

    tags: Mapping[str, SourceTag] = field(default_factory=dict)
    """By `device.tag`."""
    devices: Mapping[str, str] = field(default_factory=dict)
    """Each device, and the file that it stands in."""
    whole: bool = True
    """Every connection file could be used, so that a tag which is not here is nowhere."""


def known_of(connections: Iterable[Connection], *, whole: bool) -> Known:
    """What the connections that can be used hold."""
    tags: dict[str, SourceTag] = {}
    devices: dict[str, str] = {}
    for connection in connections:
        for name, device in connection.config.devices.items():
            devices[name] = f"connections/{connection.name}.yaml"
            tags |= dict(_tags_of(name, device, connection.config))
    return Known(tags, devices, whole)


def _tags_of(name: str, device: DeviceConfig, config: ConnectionConfig) -> Iterator[tuple[str, SourceTag]]:
    device_period_s = device.period_s or config.defaults.period_s or config.timing().period_s or 1.0
    for tag_name, tag in device.tags.items():
        source = SourceTag(tag.period_s or device_period_s, tag.data_type(), tag.publish_as or tag.unit)
        yield f"{name}.{tag_name}", source
        if tag.counter is not None and tag.counter.total:
            yield f"{name}.{tag_name}{TOTAL_SUFFIX}", source


def takes_of(name: str, window: WindowConfig) -> list[TakeTag]:
    """The tags that a window makes, in their order: its takes, its states, and the part that was GOOD."""
    takes = [TakeTag(f"{name}_{take}", take) for take in dict.fromkeys(window.take) if take != "time_in_state"]
    states = window.states.items() if "time_in_state" in window.take else ()
    takes += [TakeTag(f"{name}_{state}_s", "time_in_state", value) for state, value in states]
    return [*takes, TakeTag(f"{name}_{GOOD_PERCENT}", GOOD_PERCENT)]


def rests_on(config: DerivedConfig) -> dict[str, tuple[str, ...]]:
    """Each tag of derived.yaml by `device.tag`, and the tags that it is made of."""
    found: dict[str, tuple[str, ...]] = {}
    for device_name, device in config.devices.items():
        for name, formula in device.tags.items():
            found[f"{device_name}.{name}"] = tuple(formula.inputs.values())
        for name, window in device.windows.items():
            found |= {f"{device_name}.{take.name}": (window.source,) for take in takes_of(name, window)}
    return found


def formulas_of(config: DerivedConfig) -> Iterator[tuple[tuple[Step, ...], str, FormulaConfig]]:
    """Each formula: the way to it, its full name, and what was written."""
    for device_name, device in config.devices.items():
        for name, formula in device.tags.items():
            yield ("devices", device_name, "tags", name), f"{device_name}.{name}", formula


def windows_of(config: DerivedConfig) -> Iterator[tuple[tuple[Step, ...], str, WindowConfig]]:
    """Each window: the way to it, the name of its device, and what was written."""
    for device_name, device in config.devices.items():
        for name, window in device.windows.items():
            yield ("devices", device_name, "windows", name), device_name, window


def span_length_s(window: WindowConfig) -> float | None:
    """Length of a window, s; None where it is none."""
    try:
        return Span.of(window.window, window.timezone).length_s
    except ValueError:
        return None


def with_derived(known: Known, config: DerivedConfig, ordered: Iterable[str]) -> dict[str, SourceTag]:
    """All tags that a derived tag can be made of, those of derived.yaml among them.

    Args:
        known: what the connections hold.
        config: what derived.yaml holds.
        ordered: the derived tags, each behind what it is made of.
    """
    tags = dict(known.tags)
    formulas = {name: formula for _, name, formula in formulas_of(config)}
    lengths: dict[str, float | None] = {}
    for steps, device, window in windows_of(config):
        lengths |= {f"{device}.{take.name}": span_length_s(window) for take in takes_of(str(steps[-1]), window)}
    for name in ordered:
        if name in formulas:
            tags[name] = _formula_tag(formulas[name], tags)
        else:
            tags[name] = SourceTag(lengths.get(name) or 1.0, "float64")
    return tags


def _formula_tag(formula: FormulaConfig, tags: Mapping[str, SourceTag]) -> SourceTag:
    periods = [tags[source].period_s for source in formula.inputs.values() if source in tags]
    period_s = formula.period_s or min(periods, default=1.0)
    return SourceTag(period_s, formula.data_type(), formula.publish_as or formula.unit)
