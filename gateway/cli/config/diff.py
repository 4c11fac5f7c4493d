"""`edge-gateway config diff`: what the files would do to the running gateway, before it takes them over."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.cli.config.history import add_folder_options
from gateway.cli.state_folder import NoStateFolder, state_folder
from gateway.collect.changes import Effect, changes, derived_changes
from gateway.collect.plan import devices_of
from gateway.config.files import DERIVED_FILE
from gateway.config.history import History, HistoryError, difference
from gateway.config.load import load
from gateway.config.trial import try_out
from gateway.publish.topics import Topics

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from gateway.collect.changes import ConnectionChange, DeviceChange
    from gateway.config.history import Files
    from gateway.config.schema import Configuration, Connection

_MOST_NAMES = 6
"""Names that a line lists before it counts the rest."""

_EFFECTS = {
    Effect.SAME: "stays, misses no reading",
    Effect.NEW: "new",
    Effect.GONE: "closed, its devices are gone",
    Effect.CHANGED: "stays open",
    Effect.REOPENED: "closed and opened anew",
}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `edge-gateway config`."""
    parser = commands.add_parser(
        "diff",
        help="what a reload would restart, and which topics would change",
        description="Compares the files with the configuration that was taken over last, or with number N.",
    )
    parser.add_argument("number", metavar="N", nargs="?", type=int, help="see `edge-gateway config history`")
    parser.add_argument("--text", action="store_true", help="show the changed lines of the files too")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    add_folder_options(parser)
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Returns 0 where nothing would change, 1 where something would, 2 where the two cannot be compared."""
    after = load(args.config)
    if after.configuration is None or after.errors:
        sys.stdout.writelines(f"{problem}\n" for problem in after.problems)
        return 2
    try:
        before = _kept(History(state_folder(args.state, args.config, after.configuration)), args.number)
        comparison = _compare(before, after.configuration)
    except (NoStateFolder, HistoryError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    lines = [json.dumps(comparison.as_json())] if args.json else list(comparison.lines())
    lines += difference(before, after.configuration.files) if args.text and not args.json else ()
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if comparison.differs else 0


class _Comparison(NamedTuple):
    """Everything that would be different."""

    connections: list[ConnectionChange]
    gateway: list[str]
    """Groups of gateway.yaml that differ."""
    new_topics: list[str]
    orphaned_topics: list[str]
    loads: dict[str, tuple[float | None, float | None]]
    """Share of its time that each changed link is busy, before and after; None where it is not there."""

    @property
    def differs(self) -> bool:
        return bool(self.gateway) or any(one.effect is not Effect.SAME for one in self.connections)

    def as_json(self) -> dict[str, Any]:
        """For programs; shares of time as parts of 1."""
        return {
            "connections": [asdict(connection) for connection in self.connections],
            "gateway": self.gateway,
            "new_topics": self.new_topics,
            "orphaned_topics": self.orphaned_topics,
            "busy": {name: {"before": before, "after": after} for name, (before, after) in self.loads.items()},
        }

    def lines(self) -> Iterator[str]:
        """For people: connections, groups of gateway.yaml, loads, topics."""
        for connection in self.connections:
            yield _title(connection)
            for device in connection.devices:
                if device.effect is not Effect.SAME and connection.effect is not Effect.GONE:
                    yield f"  device {device.device}: {_device_text(device)}"
        for group in self.gateway:
            yield f"gateway.yaml, {group}: differs{_GROUP_EFFECTS.get(group, '')}"
        for name, (before, after) in self.loads.items():
            yield f"link {name}: busy {_percent(before)} of its time before, {_percent(after)} after"
        yield from (f"topic appears:    {topic}" for topic in self.new_topics)
        yield from (f"topic is left:    {topic}" for topic in self.orphaned_topics)
        if not self.differs:
            yield "nothing would change"


_GROUP_EFFECTS = {
    "gateway": "; the session at the broker is exchanged, and all topics may be others",
    "broker": "; the session at the broker is exchanged",
    "publish": "; the session at the broker is exchanged",
}


_DERIVED_EFFECTS = {
    Effect.SAME: "stays",
    Effect.NEW: "new",
    Effect.GONE: "its devices are gone",
    Effect.CHANGED: "differs; tags whose formula and inputs stay keep their memory",
}


def _title(change: ConnectionChange) -> str:
    if change.connection == DERIVED_FILE:
        return f"{DERIVED_FILE}: {_DERIVED_EFFECTS[change.effect]}"
    return f"connection {change.connection}: {_EFFECTS[change.effect]}"


def _kept(history: History, number: int | None) -> Files:
    entries = history.entries()
    if number is None and not entries:
        raise HistoryError(f"no configuration is kept in {history.folder}: the gateway has not run with it yet")
    return history.files(entries[-1].number if number is None else number)


def _compare(before: Files, after: Configuration) -> _Comparison:
    result = try_out(before, after.folder)
    old = result.configuration
    if old is None:
        raise HistoryError(f"this release cannot use the earlier configuration: {result.errors[0]}")
    groups = [key for key in type(old.gateway).model_fields if getattr(old.gateway, key) != getattr(after.gateway, key)]
    topics_before, topics_after = _topics(old), _topics(after)
    return _Comparison(
        [*changes(old.connections, after.connections), *derived_changes(old, after)],
        groups,
        sorted(topics_after - topics_before),
        sorted(topics_before - topics_after),
        _loads(old, after),
    )


def _loads(old: Configuration, new: Configuration) -> dict[str, tuple[float | None, float | None]]:
    """Of the links whose load differs."""
    before, after = (
        {connection.name: _busy(connection) for connection in configuration.connections} for configuration in (old, new)
    )
    names = sorted(before.keys() | after.keys())
    loads = {name: (before.get(name), after.get(name)) for name in names}
    return {name: load for name, load in loads.items() if load[0] != load[1]}


def _busy(connection: Connection) -> float | None:
    """None where the driver listens and makes no read plan."""
    try:
        return round(connection.spec.planned(connection.config, devices_of(connection.config), {}).busy, 4)
    except LookupError:
        return None


def _percent(busy: float | None) -> str:
    return "-" if busy is None else f"{busy * 100:.1f} %"


def _topics(configuration: Configuration) -> set[str]:
    identity = configuration.gateway.gateway
    topics = Topics(identity.location.levels(), identity.id)
    devices: dict[str, list[str]] = {
        name: list(device.tags)
        for connection in configuration.connections
        for name, device in connection.config.devices.items()
    }
    if configuration.derived is not None:
        devices |= {name: list(device.tags) for name, device in configuration.derived.devices.items()}
    of_device = (topics.data, topics.history, topics.meta, topics.status, topics.alarms)
    found = {topic(device) for device in devices for topic in of_device}
    if configuration.gateway.publish.layout == "tag":
        found |= {topics.tag(device, tag) for device, tags in devices.items() for tag in tags}
    return found


def _device_text(device: DeviceChange) -> str:
    if device.effect is not Effect.CHANGED:
        return device.effect
    parts = [
        f"{len(names)} {word} ({_some(names)})"
        for word, names in (("new", device.new), ("gone", device.gone), ("changed", device.changed))
        if names
    ]
    return "tags: " + ", ".join(parts) if parts else "timing or device settings changed"


def _some(names: Sequence[str] | Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _MOST_NAMES} more" if len(listed) > _MOST_NAMES else ""
    return ", ".join(listed[:_MOST_NAMES]) + more
