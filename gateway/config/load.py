"""From a configuration folder to a checked configuration, with every problem of all files in one run."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.config.connection_file import Beside, ConnectionFiles, Drivers
from gateway.config.derived_file import DerivedOutcome, check_derived
from gateway.config.derived_names import known_of
from gateway.config.files import read_folder, shown
from gateway.config.messages import fit
from gateway.config.problems import Problem, Severity, coded, in_order
from gateway.config.publish_check import publish_problems
from gateway.config.rules import rules_of_all
from gateway.config.schema import Configuration, GatewayConfig
from gateway.config.secrets import SecretError, resolve
from gateway.config.tables import unused_tables
from gateway.config.tls_files import TlsFileError, tls_files
from gateway.config.yaml_positions import compose
from gateway.registry import driver_names, driver_spec
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gateway.config.document import Document
    from gateway.config.files import Folder, Source
    from gateway.config.schema import Broker, Connection
    from gateway.driver import DriverSpec

_DIGEST_LENGTH = 12

_SETTLED_S = 0.5
_SETTLE_LIMIT_S = 10.0


@dataclass(frozen=True)
class LoadResult:
    """What a folder holds: as much of it as can be used, and all that is wrong with it."""

    configuration: Configuration | None
    """None where gateway.yaml cannot be used. Connections with an error are not in it."""
    problems: tuple[Problem, ...]
    """By file, line and column."""
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """What stood in the files that could be read, by their path in the folder."""
    left_out: tuple[str, ...] = ()
    """Names of the connections that cannot be used, and `derived.yaml` where it cannot."""

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
    return _loaded(folder, read_folder(folder), ConnectionFiles(Drivers(registry, names())))


class Reloader:
    """Loads a folder again and again, and looks only at the connection files that changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection_files = ConnectionFiles(Drivers(driver_spec, driver_names()))

    def load(self) -> LoadResult:
        """The same as `load`, at once."""
        return _loaded(self._folder, read_folder(self._folder), self._connection_files)

    def load_settled(self) -> LoadResult:
        """The same, once nobody has written any of the files for half a second, or after 10 s.

        An editor that empties a file before it writes it leaves half a configuration there for a moment, and half a
        file of tags is often a good one.
        """
        deadline_s = time.monotonic() + _SETTLE_LIMIT_S
        while True:
            found = read_folder(self._folder)
            age_s = min((time.time() - source.written_s for source in found.sources()), default=_SETTLED_S)
            if not 0 <= age_s < _SETTLED_S or time.monotonic() > deadline_s:
                return _loaded(self._folder, found, self._connection_files)
            time.sleep(_SETTLED_S - age_s)


def _loaded(folder: Path, found: Folder, connection_files: ConnectionFiles) -> LoadResult:
    gateway, problems = _gateway(found.gateway, folder)
    connections, connection_problems = _connections(found, connection_files)
    used = {connection.file for connection in connections}
    unused = [shown(source.path.stem) for source in found.connections if source.path not in used]
    derived = _derived(found, connections, unused)
    files = {source.name: source.content for source in found.sources()}
    all_problems = in_order([*found.problems, *problems, *connection_problems, *coded(derived.problems, Code.DERIVED)])
    errors = tuple(problem for problem in all_problems if problem.severity is Severity.ERROR)
    configuration = None
    if gateway is not None:
        configuration = Configuration(folder, gateway, connections, derived.config, digest_of(files), files, errors)
    return LoadResult(configuration, all_problems, files, tuple(sorted([*found.unreadable, *unused])))


def _derived(found: Folder, connections: Sequence[Connection], unused: list[str]) -> DerivedOutcome:
    """derived.yaml, held against the connections that can be used. Where it cannot be used, it is noted in `unused`."""
    if found.derived is None:
        return DerivedOutcome(None, [])
    outcome = check_derived(found.derived, known_of(connections, whole=not (unused or found.unreadable)))
    if outcome.config is None:
        unused.append(found.derived.name)
    return outcome


def _gateway(source: Source | None, folder: Path) -> tuple[GatewayConfig | None, list[Problem]]:
    """gateway.yaml; None where any of it is wrong."""
    if source is None:
        return None, []
    document = compose(source.text, source.name)
    config, problems = fit(GatewayConfig, document) if document.root else (None, [])
    if config is not None:
        problems += _broker_problems(config.broker, document, folder)
        problems += coded(publish_problems(config, document), Code.TEMPLATE)
    problems += document.problems
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    return (None if errors else config), problems


def _broker_problems(broker: Broker, document: Document, folder: Path) -> Iterator[Problem]:
    """What is wrong with the secrets and files that the broker's part names."""
    try:
        if broker.password is not None:
            resolve(broker.password, folder)
    except SecretError as error:
        yield document.problem(document.value_place(("broker", "password")), str(error), code=Code.NO_SECRET)
    try:
        tls_files(broker.tls, folder)
    except TlsFileError as error:
        yield document.problem(document.value_place(("broker", "tls", error.key)), str(error), code=Code.NO_CERTIFICATE)


def _connections(found: Folder, connection_files: ConnectionFiles) -> tuple[tuple[Connection, ...], list[Problem]]:
    """The connections that can be used, in the order of their files."""
    beside = Beside.of(found)
    outcomes = connection_files.check(found, beside)
    problems = [problem for outcome in outcomes for problem in outcome.problems]
    problems += beside.profiles.problems()
    problems += unused_tables(found.tables, [outcome.document for outcome in outcomes])
    clashes = list(rules_of_all([outcome.checked for outcome in outcomes if outcome.checked is not None]))
    clashing = {checked.connection.name for checked, _ in clashes}
    usable = [o.checked.connection for o in outcomes if o.checked is not None and o.usable]
    connections = tuple(connection for connection in usable if connection.name not in clashing)
    return connections, [*problems, *(problem for _, problem in clashes)]


def digest_of(files: Mapping[str, bytes]) -> str:
    """Twelve hex digits over the names and bytes of files; their order counts, as `read_folder` gives it."""
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(name.encode() + b"\0" + len(content).to_bytes(8) + content)
    return digest.hexdigest()[:_DIGEST_LENGTH]
