"""From a configuration folder to a checked configuration, with every problem of all files in one run."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.config.connection_file import Drivers, check_connection
from gateway.config.files import read_folder, shown
from gateway.config.messages import fit
from gateway.config.problems import Problem, Severity, in_order
from gateway.config.rules import rules_of_all
from gateway.config.schema import Configuration, GatewayConfig
from gateway.config.secrets import SecretError, resolve
from gateway.config.yaml_positions import compose
from gateway.registry import driver_names, driver_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from gateway.config.files import Source
    from gateway.config.schema import Connection
    from gateway.driver import DriverSpec

_DIGEST_LENGTH = 12


@dataclass(frozen=True)
class LoadResult:
    """What a folder holds: as much of it as can be used, and all that is wrong with it."""

    configuration: Configuration | None
    """None where gateway.yaml cannot be used. Connections with an error are not in it."""
    problems: tuple[Problem, ...]
    """By file, line and column."""
    left_out: tuple[str, ...] = ()
    """Names of the connections that cannot be used."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep something from being used."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)


def load(
    folder: Path,
    registry: Callable[[str], DriverSpec] = driver_spec,
    names: Callable[[], list[str]] = driver_names,
) -> LoadResult:
    """Read and check all files of a configuration folder. Nothing is raised, whatever stands in them."""
    found = read_folder(folder)
    gateway, problems = _gateway(found.gateway, folder)
    connections, connection_problems = _connections(found.connections, Drivers(registry, names()))
    used = {connection.file for connection in connections}
    unused = [shown(source.path.stem) for source in found.connections if source.path not in used]
    configuration = None
    if gateway is not None:
        digest = _digest([source for source in (found.gateway, *found.connections) if source is not None])
        configuration = Configuration(folder, gateway, connections, digest)
    all_problems = in_order([*found.problems, *problems, *connection_problems])
    return LoadResult(configuration, all_problems, tuple(sorted([*found.unreadable, *unused])))


def _gateway(source: Source | None, folder: Path) -> tuple[GatewayConfig | None, list[Problem]]:
    """gateway.yaml; None where any of it is wrong."""
    if source is None:
        return None, []
    document = compose(source.text, source.name)
    config, problems = fit(GatewayConfig, document) if document.root else (None, [])
    if config is not None and config.broker.password is not None:
        try:
            resolve(config.broker.password, folder)
        except SecretError as error:
            problems.append(document.problem(document.value_place(("broker", "password")), str(error)))
    problems += document.problems
    return (None if problems else config), problems


def _connections(sources: Sequence[Source], drivers: Drivers) -> tuple[tuple[Connection, ...], list[Problem]]:
    """The connections that can be used, in the order of their files."""
    outcomes = [check_connection(source, drivers) for source in sources]
    problems = [problem for outcome in outcomes for problem in outcome.problems]
    clashes = list(rules_of_all([outcome.checked for outcome in outcomes if outcome.checked is not None]))
    clashing = {checked.connection.name for checked, _ in clashes}
    usable = [o.checked.connection for o in outcomes if o.checked is not None and o.usable]
    connections = tuple(connection for connection in usable if connection.name not in clashing)
    return connections, [*problems, *(problem for _, problem in clashes)]


def _digest(sources: Iterable[Source]) -> str:
    digest = hashlib.sha256()
    for source in sources:
        digest.update(os.fsencode(source.path.name) + b"\0" + len(source.content).to_bytes(8) + source.content)
    return digest.hexdigest()[:_DIGEST_LENGTH]
