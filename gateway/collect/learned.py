"""What devices were found to refuse, kept over restarts.

It is kept by device, with a digest of all that makes it true: how the device is reached, and its whole configuration.
Where that has changed, what was learned is let go.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from gateway.driver import Cut, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.driver import Device
    from gateway.state import Json

_CUT: Final = re.compile(r"(.+):([0-9]+)")
_SPAN: Final = re.compile(r"(.+):([0-9]+)(?:-([0-9]+))?")


class Store(Protocol):
    """Where it is kept; `gateway.state.State` is one."""

    def get(self, key: str) -> Json:
        """The value of a key, or None where there is none."""
        ...

    def put(self, key: str, value: Json) -> None:
        """Remember a value."""
        ...


@dataclass
class Lessons:
    """What one device was found to refuse."""

    cuts: set[Cut] = field(default_factory=set)
    """Places that no request may read across."""
    refused: dict[Span, str] = field(default_factory=dict)
    """Points that the device lacks, each with what it said, for a technician."""

    def refuse(self, span: Span, reason: str) -> None:
        """These points stand alone from now on."""
        self.refused[span] = reason
        self.cuts |= set(_around(span))

    def mended(self, span: Span) -> None:
        """The device has these points after all."""
        del self.refused[span]
        still_needed = {cut for other in self.refused for cut in _around(other)}
        self.cuts -= set(_around(span)) - still_needed


class Learned:
    """The lessons of the devices of one connection.

    Args:
        store: None keeps them as long as the process runs.
        reached_by: all that reaches the devices; another one means other devices.
    """

    def __init__(self, store: Store | None = None, reached_by: Mapping[str, object] | None = None) -> None:
        self._store = store
        self._reached_by = reached_by or {}

    def of(self, device: Device) -> Lessons:
        """What is known of a device; nothing where its configuration is another one by now."""
        kept = None if self._store is None else self._store.get(_key(device.name))
        if not isinstance(kept, dict) or kept.get("of") != self._digest(device):
            return Lessons()
        return _lessons(kept)

    def keep(self, device: Device, lessons: Lessons) -> None:
        """Remember what is known now."""
        if self._store is not None:
            self._store.put(
                _key(device.name),
                {
                    "of": self._digest(device),
                    "cuts": [str(cut) for cut in sorted(lessons.cuts)],
                    "refused": {str(span): reason for span, reason in sorted(lessons.refused.items())},
                },
            )

    def _digest(self, device: Device) -> str:
        config = device.config
        content = config.model_dump_json() if hasattr(config, "model_dump_json") else repr(config)
        return hashlib.sha256(f"{content} {sorted(self._reached_by.items())!r}".encode()).hexdigest()[:16]


def forget(store: Store, device: str) -> bool:
    """Let go what was learned of a device; False where nothing was."""
    if store.get(_key(device)) is None:
        return False
    store.put(_key(device), None)
    return True


def _key(device: str) -> str:
    return f"refused/{device}"


def _around(span: Span) -> Iterable[Cut]:
    return Cut(span.table, span.first), Cut(span.table, span.last + 1)


def _lessons(kept: Mapping[str, Json]) -> Lessons:
    """Read back; what cannot be read is left out, and found out again."""
    lessons = Lessons()
    cuts, refused = kept.get("cuts"), kept.get("refused")
    for text in cuts if isinstance(cuts, list) else ():
        if isinstance(text, str) and (told := _CUT.fullmatch(text)):
            lessons.cuts.add(Cut(told[1], int(told[2])))
    for text, reason in refused.items() if isinstance(refused, dict) else ():
        if isinstance(reason, str) and (told := _SPAN.fullmatch(text)):
            lessons.refused[Span(told[1], int(told[2]), int(told[3] or told[2]))] = reason
    return lessons
