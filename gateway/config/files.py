"""The files of a configuration folder: which are read, and their text. What cannot be read is said, never raised."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.config.problems import Problem, Severity
from gateway.vocabulary import Code

GATEWAY_FILE: Final = "gateway.yaml"
DERIVED_FILE: Final = "derived.yaml"
CONNECTIONS_FOLDER: Final = "connections"
SECRETS_FOLDER: Final = "secrets"
PROFILES_FOLDER: Final = "profiles"

MOST_BYTES: Final = 1_000_000
"""A file of 10 000 tags written out is about as large; more is a file that landed here by mistake."""

_LEFT_BY_OTHERS = (
    ".swp",
    ".swo",
    ".bak",
    ".orig",
    ".tmp",
    ".dpkg-dist",
    ".dpkg-old",
    ".dpkg-new",
    ".dpkg-tmp",
    ".ucf-dist",
)
"""What editors and package managers leave beside a file."""

_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""What YAML does not print, and line ends that no editor counts (U+0085, U+2028, U+2029)."""


_CAUSES: Final = {
    errno.EACCES: "this user may not read it; look at its owner and mode with: ls -l",
    errno.EPERM: "this user may not read it; look at its owner and mode with: ls -l",
    errno.ELOOP: "this link leads back to itself",
    errno.EISDIR: "this is a folder, not a file",
    errno.ENOTDIR: "this is a file, not a folder",
}


@dataclass(frozen=True)
class Source:
    """One file that was read."""

    path: Path
    name: str
    """Path as it is shown: relative to the configuration folder."""
    content: bytes
    text: str
    written_s: float = 0.0
    """When it was last written, by the wall clock, s since 1970."""


@dataclass
class Folder:
    """What was found in a configuration folder."""

    gateway: Source | None = None
    derived: Source | None = None
    connections: list[Source] = field(default_factory=list)
    tables: dict[str, Source | None] = field(default_factory=dict)
    """Tables of tags beside the connection files, by the name that a device gives them; None for an unreadable one."""
    profiles: dict[str, Source | None] = field(default_factory=dict)
    """Own profiles by their names; None for an unreadable one."""
    unreadable: list[str] = field(default_factory=list)
    """Names of connection files that cannot be read."""
    problems: list[Problem] = field(default_factory=list)

    def sources(self) -> list[Source]:
        """All files that were read: gateway.yaml, derived.yaml, the connection files, the tables, own profiles."""
        all_files = (self.gateway, self.derived, *self.connections, *self.tables.values(), *self.profiles.values())
        return [source for source in all_files if source is not None]


class _Unreadable(Exception):  # noqa: N818 - it never leaves this module
    def __init__(self, text: str, line: int = 0, column: int = 0, code: Code = Code.NOT_TEXT) -> None:
        super().__init__(text)
        self.code = code
        self.line = line
        self.column = column


def read_folder(folder: Path) -> Folder:
    """Read gateway.yaml and the connection files, these sorted by name."""
    found = Folder()
    try:
        entries = sorted(os.listdir(folder))  # noqa: PTH208 - names are searched, not paths
    except OSError as error:
        found.problems.append(
            Problem(shown(folder), 0, 0, _cause(folder, error), hint=_example_hint(), code=Code.FILE_MISSING)
        )
        return found
    _read_gateway(folder, entries, found)
    _read_derived(folder, entries, found)
    _read_profiles(folder, found)
    _read_connections(folder, found)
    return found


def shown(path: Path | str) -> str:
    """A path as it can be printed everywhere: bytes that are not UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def example_folder() -> Path:
    """Where the shipped example configuration lies: beside the installed program, or in the checkout."""
    installed = Path(sys.prefix) / "share" / "edge-gateway" / "config"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "config"


def _example_hint() -> str:
    return f"an example to copy stands in {example_folder()}"


def _read_gateway(folder: Path, entries: list[str], found: Folder) -> None:
    if GATEWAY_FILE in entries:
        found.gateway = read_file(folder / GATEWAY_FILE, GATEWAY_FILE, found.problems)
        return
    near = next((name for name in entries if name.lower() in {"gateway.yml", GATEWAY_FILE}), None)
    hint = f"{near} is not read: rename it to {GATEWAY_FILE}" if near else _example_hint()
    text = "this file is missing; it says who this gateway is and which broker it sends to"
    found.problems.append(Problem(GATEWAY_FILE, 0, 0, text, hint=hint, code=Code.FILE_MISSING))


def _read_derived(folder: Path, entries: list[str], found: Folder) -> None:
    if DERIVED_FILE in entries:
        found.derived = read_file(folder / DERIVED_FILE, DERIVED_FILE, found.problems)
        found.unreadable += [DERIVED_FILE] if found.derived is None else []
        return
    for name in entries:
        if name.lower() in {"derived.yml", DERIVED_FILE}:
            hint = f"rename it to {DERIVED_FILE}"
            found.problems.append(_not_read(name, hint))


def _read_connections(folder: Path, found: Folder) -> None:
    try:
        entries = sorted(os.listdir(folder / CONNECTIONS_FOLDER))  # noqa: PTH208 - names are sorted, not paths
    except OSError as error:
        found.problems.append(_no_connections(_cause(folder / CONNECTIONS_FOLDER, error)))
        return
    _read_tables(folder, entries, found)
    names = [name for name in entries if _is_connection(name, found.problems)]
    if not names:
        found.problems.append(_no_connections("no connection file (*.yaml) stands here, so nothing is read"))
    for name in names:
        _read_connection(folder, name, found)


def _read_profiles(folder: Path, found: Folder) -> None:
    try:
        entries = sorted(os.listdir(folder / PROFILES_FOLDER))  # noqa: PTH208 - names are sorted, not paths
    except OSError:
        return
    for name in entries:
        if name.endswith(".yaml") and not _is_left_by_others(name):
            path = folder / PROFILES_FOLDER / name
            found.profiles[shown(path.stem)] = read_file(path, shown(f"{PROFILES_FOLDER}/{name}"), found.problems)


def _no_connections(text: str) -> Problem:
    return Problem(CONNECTIONS_FOLDER, 0, 0, text, hint=_example_hint(), code=Code.FILE_MISSING)


def _read_connection(folder: Path, name: str, found: Folder) -> None:
    path = folder / CONNECTIONS_FOLDER / name
    source = read_file(path, shown(f"{CONNECTIONS_FOLDER}/{name}"), found.problems)
    if source is None:
        found.unreadable.append(shown(path.stem))
    else:
        found.connections.append(source)


def _read_tables(folder: Path, entries: list[str], found: Folder) -> None:
    for name in entries:
        if name.endswith(".csv") and not _is_left_by_others(name):
            path = folder / CONNECTIONS_FOLDER / name
            found.tables[shown(name)] = read_file(path, shown(f"{CONNECTIONS_FOLDER}/{name}"), found.problems)


def _is_left_by_others(name: str) -> bool:
    return name.startswith((".", "#")) or name.endswith(("~", *_LEFT_BY_OTHERS))


def _is_connection(name: str, problems: list[Problem]) -> bool:
    if _is_left_by_others(name):
        if ".yaml" in name or ".csv" in name:
            problems.append(_left(shown(f"{CONNECTIONS_FOLDER}/{name}")))
        return False
    if name.lower().endswith((".yml", ".yaml")) and not name.endswith(".yaml"):
        hint = f"rename it to {shown(Path(name).stem)}.yaml"
        problem = _not_read(shown(f"{CONNECTIONS_FOLDER}/{name}"), hint)
        problems.append(problem)
    return name.endswith(".yaml")


def read_file(path: Path, name: str, problems: list[Problem]) -> Source | None:
    """Read one file; where it cannot be read, the cause is added to the problems and None comes back."""
    try:
        content, written_s = _content(path)
        return Source(path, name, content, _text(content), written_s)
    except OSError as error:
        text = _cause(path, error, "this file vanished while it was read")
        problems.append(Problem(name, 0, 0, text, code=Code.FILE_UNREADABLE))
    except _Unreadable as error:
        problems.append(Problem(name, error.line, error.column, str(error), code=error.code))
    return None


def _left(name: str) -> Problem:
    text = "this file is ignored: an editor or a package left it here"
    return Problem(name, 0, 0, text, Severity.NOTE, code=Code.FILE_NOT_USED)


def _not_read(name: str, hint: str) -> Problem:
    return Problem(name, 0, 0, "this file is not read", Severity.WARNING, hint, Code.FILE_NOT_USED)


def _content(path: Path) -> tuple[bytes, float]:
    # O_NONBLOCK: opening a named pipe does not wait for somebody to write into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "")
        if not stat.S_ISREG(mode):
            raise _Unreadable("this is a device or a pipe, not a file", code=Code.FILE_UNREADABLE)
        content = file.read(MOST_BYTES + 1)
        written_s = os.fstat(descriptor).st_mtime
    if len(content) > MOST_BYTES:
        raise _Unreadable("this file is larger than 1 MB, which no configuration is", code=Code.FILE_UNREADABLE)
    return content, written_s


def _text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _Unreadable("this file is saved as UTF-16; save it as UTF-8", 1, 1)
    if b"\0" in content:
        raise _Unreadable("this is not a text file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        text = f"byte 0x{error.object[error.start]:02X} is not UTF-8; save the file as UTF-8"
        raise _Unreadable(text, before.count(b"\n") + 1, column) from None
    strange = _NOT_TEXT.search(text)
    if strange:
        line, column = position_at(text, strange.start())
        raise _Unreadable(f"an invisible character (U+{ord(strange[0]):04X}) stands here; delete it", line, column)
    return text


def position_at(text: str, index: int) -> tuple[int, int]:
    """Line and column, counted from 1, of a character of a text."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _cause(path: Path, error: OSError, missing: str = "there is no such folder") -> str:
    if error.errno == errno.ENOENT:
        return f"this is a link to {shown(path.readlink())}, which does not exist" if path.is_symlink() else missing
    return _CAUSES.get(error.errno or 0) or f"cannot be read: {error.strerror}"
