"""The configurations that a gateway took over, each kept whole with time and reason, so that one can go back.

One file of the state folder is one configuration: a zip archive, which every machine can open, with the files as they
were and `accepted.json` beside them. Secrets are not in it: they never stand in the files.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import zipfile
import zlib
from contextlib import suppress
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

from gateway.config.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MOST_KEPT: Final = 50
"""Configurations; the oldest goes first. Fifty of a plant with 10 000 tags take about 5 MB."""

FOLDER: Final = "configurations"
_ABOUT: Final = "accepted.json"
_NAME: Final = re.compile(r"([0-9]{6})\.zip")

Files = dict[str, bytes]
"""The files of a configuration folder by their path in it."""


class HistoryError(Exception):
    """A kept configuration cannot be read; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One configuration that was taken over."""

    number: int
    time: str
    """ISO 8601, UTC; by the clock of the gateway at that moment."""
    reason: str
    """`start`, `reload`, or what a tool gave."""
    digest: str
    """As `Configuration.digest`."""


class History:
    """What is kept in one state folder. Reading needs no lock; only the daemon and `config rollback` write."""

    def __init__(self, state_folder: Path) -> None:
        self.folder = state_folder / FOLDER

    def entries(self) -> list[Accepted]:
        """All that can be read, the newest last."""
        found = []
        for number in self._numbers():
            with suppress(HistoryError):
                found.append(self._about(number))
        return found

    def files(self, number: int) -> Files:
        """The files of one configuration.

        Raises:
            HistoryError: there is none of this number, or it is damaged.
        """
        return {name: content for name, content in self._read(number).items() if name != _ABOUT}

    def keep(self, files: Mapping[str, bytes], digest: str, time: str, reason: str) -> Accepted | None:
        """Keep a configuration, unless it is the newest already; then None.

        Raises:
            OSError: the folder cannot be written.
        """
        entries = self.entries()
        if entries and entries[-1].digest == digest:
            return None
        accepted = Accepted(max(self._numbers(), default=0) + 1, time, reason, digest)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._path(accepted.number), _archive(files, accepted))
        for number in self._numbers()[:-MOST_KEPT]:
            self._path(number).unlink(missing_ok=True)
        return accepted

    def _numbers(self) -> list[int]:
        try:
            names = os.listdir(self.folder)  # noqa: PTH208 - names are matched, not paths
        except OSError:
            return []
        return sorted(int(match[1]) for match in map(_NAME.fullmatch, names) if match)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.zip"

    def _read(self, number: int) -> Files:
        try:
            with zipfile.ZipFile(self._path(number)) as archive:
                return {name: archive.read(name) for name in archive.namelist()}
        except FileNotFoundError:
            raise HistoryError(f"no configuration {number} is kept; `edge-gateway config history` lists them") from None
        except (OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise HistoryError(f"configuration {number} cannot be read from {self._path(number)}: {error}") from None

    def _about(self, number: int) -> Accepted:
        try:
            return Accepted(**json.loads(self._read(number)[_ABOUT]))
        except (KeyError, ValueError, TypeError):
            raise HistoryError(f"configuration {number} does not say when it was taken over") from None


def changed_files(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[str]:
    """The names of the files that differ, are new or are gone, sorted."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def difference(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Iterator[str]:
    """The lines of a unified diff from one configuration to another, file by file."""
    for name in changed_files(before, after):
        old, new = _lines(before.get(name)), _lines(after.get(name))
        yield from difflib.unified_diff(old, new, f"before/{name}", f"after/{name}", lineterm="")


def _lines(content: bytes | None) -> list[str]:
    return [] if content is None else content.decode("utf-8-sig", "backslashreplace").splitlines()


def _archive(files: Mapping[str, bytes], accepted: Accepted) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_entry(_ABOUT), json.dumps(asdict(accepted)))
        for name, content in files.items():
            archive.writestr(_entry(name), content)
    return written.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    """An entry without a date of its own: ZIP knows none before 1980, and a machine without a clock starts in 1970."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry
