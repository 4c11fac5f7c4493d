"""One device, and the files that its tags stand in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gateway.config.connection_file import Beside, Drivers, check_connection
from gateway.config.files import read_folder
from gateway.registry import driver_names, driver_spec

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.config.document import Node
    from gateway.config.files import Source
    from gateway.config.rules import Checked
    from gateway.driver import DriverSpec


class NoSuchDevice(LookupError):  # noqa: N818 - what it says is what there is, not what failed
    """No connection file that is free of errors has this device; the text says which there are."""


@dataclass(frozen=True)
class DeviceFiles:
    """A device with what is written of its tags."""

    name: str
    source: Source
    """Its connection file."""
    table: Source | None
    """Its table of tags, where it names one."""
    nodes: dict[str, Node]
    """What is written of each tag, wherever it is written."""
    spec: DriverSpec

    @cached_property
    def tags(self) -> dict[str, dict[str, Any]]:
        """The same as plain values."""
        return {name: _written(node.value) for name, node in self.nodes.items()}

    @cached_property
    def table_tags(self) -> frozenset[str]:
        """Names of the tags that stand in the table."""
        return frozenset(name for name, node in self.nodes.items() if node.place.cell)

    @cached_property
    def from_profile(self) -> frozenset[tuple[str, str]]:
        """Tags and their keys that stand in a profile."""
        keys = (
            (name, str(key), child.place) for name, node in self.nodes.items() for key, child in node.children.items()
        )
        return frozenset((name, key) for name, key, place in keys if place.file and not place.cell)

    def encoded(self, source: Source, text: str) -> bytes:
        """The bytes of a changed file; a byte order mark that was there stays."""
        return text.encode("utf-8-sig" if source.content.startswith(b"\xef\xbb\xbf") else "utf-8")


def device_files(folder: Path, name: str) -> DeviceFiles:
    """Find a device in a configuration folder.

    Raises:
        NoSuchDevice: there is none of this name in a file without errors.
    """
    found = read_folder(folder)
    drivers = Drivers(driver_spec, driver_names())
    beside = Beside.of(found)
    names: list[str] = []
    for source in found.connections:
        outcome = check_connection(source, drivers, beside)
        if outcome.checked is None or not outcome.usable:
            continue
        names += list(outcome.checked.connection.config.devices)
        if name in names:
            return _of(outcome.checked, name, source, found.tables)
    known = f"there are {', '.join(names)}" if names else "there is none"
    raise NoSuchDevice(f"no device {name!r} in a file without errors of {folder}; {known}")


def _of(checked: Checked, name: str, source: Source, tables: dict[str, Source | None]) -> DeviceFiles:
    device = checked.document.node(("devices", name))
    tags = device.children["tags"].children
    named = device.children.get("tags_file")
    return DeviceFiles(
        name,
        source,
        None if named is None else tables[str(named.value)],
        {str(tag): node for tag, node in tags.items()},
        checked.connection.spec,
    )


def _written(value: object) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value
