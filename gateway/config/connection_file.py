"""One connection file from its text to a checked connection. What a driver does wrong harms only its own files."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from gateway.config.document import TOP
from gateway.config.files import shown
from gateway.config.messages import fit
from gateway.config.problems import Problem, Severity, did_you_mean, quoted
from gateway.config.profiles import Profiles, with_profiles
from gateway.config.rules import Checked, rules_of_one
from gateway.config.schema import Connection
from gateway.config.tables import named_tables, with_tables
from gateway.config.wording import found
from gateway.config.yaml_positions import compose
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.config.document import Document
    from gateway.config.files import Folder, Source
    from gateway.driver import DriverSpec


class Drivers(NamedTuple):
    """Where drivers come from."""

    spec: Callable[[str], DriverSpec]
    """Loads the specification of a driver by its name."""
    names: list[str]
    """The names of the installed drivers."""


class Beside(NamedTuple):
    """What connection files may name."""

    tables: Mapping[str, Source | None]
    """Tables of tags by name; None for an unreadable one."""
    profiles: Profiles

    @classmethod
    def of(cls, found: Folder) -> Self:
        """What stands beside the connection files of a folder."""
        return cls(found.tables, Profiles(found.profiles))


class Outcome(NamedTuple):
    """What one connection file gives."""

    checked: Checked | None
    """None where the file does not fit its driver's models."""
    problems: list[Problem]
    document: Document

    @property
    def usable(self) -> bool:
        """Whether the connection can be used as far as its own file goes."""
        return self.checked is not None and all(p.severity is not Severity.ERROR for p in self.problems)


class ConnectionFiles:
    """Checks connection files, and remembers what came of each as long as it stays the same."""

    def __init__(self, drivers: Drivers) -> None:
        self._drivers = drivers
        self._known: dict[str, tuple[tuple[bytes, ...], Outcome]] = {}
        """By the name of the file: what stood in it and in its tables, and what came of that."""

    def check(self, found: Folder, beside: Beside) -> list[Outcome]:
        """What each connection file of a folder gives, in their order."""
        before, self._known = self._known, {}
        for source in found.connections:
            known = before.get(source.name)
            if known is None or known[0] != _all_text(source, known[1], found):
                outcome = check_connection(source, self._drivers, beside)
                known = _all_text(source, outcome, found), outcome
            self._known[source.name] = known
        return [self._known[source.name][1] for source in found.connections]


def _all_text(source: Source, outcome: Outcome, found: Folder) -> tuple[bytes, ...]:
    """All that the outcome depends on; own profiles are few, so all of them count."""
    tables = (found.tables.get(name) for name in sorted(named_tables(outcome.document)))
    used = [source, *tables, *found.profiles.values()]
    return tuple(b"" if one is None else one.content for one in used)


def check_connection(source: Source, drivers: Drivers, beside: Beside) -> Outcome:
    """Check one connection file, with what it names beside it, against the models of its driver and all rules."""
    document = compose(source.text, source.name)
    spec = _driver(document, drivers)
    if spec is None or isinstance(spec, Problem):
        return Outcome(None, [*document.problems, *([spec] if spec else [])], document)
    with_profiles(document, beside.profiles)
    with_tables(document, beside.tables, spec.tag)
    try:
        checked, problems = _checked(source, document, spec)
    except Exception as error:  # noqa: BLE001 - a third party's driver may raise anything; only its files suffer
        fault = f"{type(error).__name__}: {_one_line(error)}"
        text = f"driver {spec.name} failed while it checked this file, which is an error of the driver: {fault}"
        return Outcome(None, [*document.problems, document.problem(TOP, text, code=Code.DRIVER_DEFECT)], document)
    return Outcome(checked, [*document.problems, *problems], document)


def _checked(source: Source, document: Document, spec: DriverSpec) -> tuple[Checked | None, list[Problem]]:
    config, problems = fit(spec.connection, document)
    if config is None:
        return None, problems
    for device in config.devices.values():
        for tag in device.tags.values():
            tag.keep_what_is_said()
    checked = Checked(Connection(shown(source.path.stem), source.path, spec, config), document, spec.claims(config))
    return checked, [*problems, *rules_of_one(checked)]


def _driver(document: Document, drivers: Drivers) -> DriverSpec | Problem | None:
    """The driver that the file names, or the problem with it; None where a problem is told already."""
    name = _driver_name(document, drivers.names)
    if not isinstance(name, str):
        return name
    try:
        return drivers.spec(name)
    except Exception as error:  # noqa: BLE001 - importing a third party's module may raise anything
        text = f"driver {name} cannot be loaded: {type(error).__name__}: {_one_line(error)}"
        return document.problem(document.value_place(("driver",)), text, code=Code.DRIVER_DEFECT)


def _driver_name(document: Document, names: list[str]) -> str | Problem | None:
    if document.root is None:
        return None
    node = document.root.children.get("driver")
    if node is None:
        return _no_driver_key(document, names)
    if node.refused or node.value in names:
        return None if node.refused else str(node.value)
    if not isinstance(node.value, str):
        text = f"driver must be the name of a driver, not {found(node.value)}"
        return document.problem(node.place, text, _installed(names), Code.NO_DRIVER)
    hints = (did_you_mean(node.value, names), _installed(names))
    text = f"no driver is called {quoted(node.value)}"
    return document.problem(node.place, text, "; ".join(hint for hint in hints if hint), Code.NO_DRIVER)


def _no_driver_key(document: Document, names: list[str]) -> Problem:
    keys = [str(key) for key in document.root.children] if document.root else []
    typed = next((key for key in keys if did_you_mean(key, ["driver"])), None)
    if typed:
        text = f"unknown key {quoted(typed)}"
        return document.problem(document.key_place((typed,)), text, did_you_mean(typed, ["driver"]), Code.UNKNOWN_KEY)
    return document.problem(TOP, "the key 'driver' is missing", _installed(names), Code.NO_DRIVER)


def _installed(names: list[str]) -> str:
    return f"installed: {', '.join(names)}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
