"""The whole vocabulary of errors, that of the installed drivers included, and its pages in the manual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.registry import driver_names, driver_spec
from gateway.vocabulary.core import CORE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.vocabulary import Entry


def all_entries() -> list[Entry]:
    """The entries of the core, then those of each driver by its name."""
    return [*CORE, *(entry for name in driver_names() for entry in driver_spec(name).errors)]


def pages(entries: Iterable[Entry]) -> str:
    """A heading for each code, so that a link leads to it, with its cause and remedy."""
    return "\n\n".join(f"#### {entry.code}: {entry.title}\n\n{entry.cause} {entry.remedy}" for entry in entries)
