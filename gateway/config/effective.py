"""What a configuration comes to: each value that is in force, and where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import BaseModel

from gateway.config.connection_file import Beside, Drivers, check_connection
from gateway.config.derived import DerivedConfig
from gateway.config.files import read_folder
from gateway.config.messages import fit
from gateway.config.schema import GatewayConfig
from gateway.config.yaml_positions import compose
from gateway.connection import Timing
from gateway.registry import driver_names, driver_spec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.config.document import Document, Step
    from gateway.config.rules import Checked
    from gateway.connection import ConnectionConfig

DEFAULT: Final = "default"
DRIVER_DEFAULT: Final = "default of the driver"


class Effective(NamedTuple):
    """One value that is in force."""

    file: str
    """The file whose matter it is, as it is shown."""
    path: tuple[Step, ...]
    value: Any
    """Plain: a text, a number, a truth value, a list or a mapping of them."""
    origin: str
    """`connections/meters.yaml:14` where it is written, else `default` or `default of the driver`."""

    @property
    def key(self) -> str:
        """The path as people write it: `devices.press-12.period_s`."""
        return ".".join(str(step) for step in self.path)


def effective(folder: Path) -> Iterator[Effective]:
    """The values of all files that can be used, file by file; of tags only what is written."""
    found = read_folder(folder)
    drivers = Drivers(driver_spec, driver_names())
    if found.gateway is not None:
        document = compose(found.gateway.text, found.gateway.name)
        config, _ = fit(GatewayConfig, document)
        if config is not None:
            yield from _values(document, config, ())
    beside = Beside.of(found)
    for source in found.connections:
        checked = check_connection(source, drivers, beside).checked
        if checked is not None:
            yield from _connection(checked)
    if found.derived is not None:
        document = compose(found.derived.text, found.derived.name)
        derived, _ = fit(DerivedConfig, document)
        if derived is not None:
            yield from _values(document, derived, (), written_only=True)


def _connection(checked: Checked) -> Iterator[Effective]:
    config, document = checked.connection.config, checked.document
    yield from _values(document, config, (), leave_out={"devices", "defaults"})
    for name, device in config.devices.items():
        path = ("devices", name)
        yield from _values(document, device, path, leave_out={"tags"})
        yield from _inherited_timing(document, config, name)
        for tag_name, tag in device.tags.items():
            yield from _values(document, tag, (*path, "tags", tag_name), written_only=True)


def _values(
    document: Document,
    model: BaseModel,
    path: tuple[Step, ...],
    *,
    leave_out: frozenset[str] | set[str] = frozenset(),
    written_only: bool = False,
) -> Iterator[Effective]:
    for key, value in model:
        steps = (*path, key)
        if key in leave_out or value is None or (written_only and key not in model.model_fields_set):
            continue
        if isinstance(value, BaseModel):
            yield from _values(document, value, steps, written_only=written_only)
        elif isinstance(value, dict) and any(isinstance(inner, BaseModel) for inner in value.values()):
            for name, inner in value.items():
                yield from _values(document, inner, (*steps, name), written_only=written_only)
        else:
            yield Effective(document.file, steps, _plain(value), _origin(document, steps))


def _inherited_timing(document: Document, config: ConnectionConfig, name: str) -> Iterator[Effective]:
    """What a device does not say of its timing, from where it is said instead."""
    device = config.devices[name]
    for key in Timing.model_fields:
        if getattr(device, key) is not None:
            continue
        said = getattr(config.defaults, key)
        value, origin = (
            (getattr(config.TIMING, key), DRIVER_DEFAULT)
            if said is None
            else (said, _origin(document, ("defaults", key)))
        )
        if value is not None:
            yield Effective(document.file, ("devices", name, key), value, origin)


def _origin(document: Document, steps: tuple[Step, ...]) -> str:
    """Where the value is written; `default` where the way to it ends before."""
    nodes = [node for _, node in document.walk(steps)]
    if len(nodes) < len(steps):
        return DEFAULT
    place = nodes[-1].place
    return f"{place.file or document.file}:{place.line}{f' ({place.cell})' if place.cell else ''}"


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return value.model_dump(exclude_none=True) if isinstance(value, BaseModel) else value
