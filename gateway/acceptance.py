"""What becomes of a configuration that is offered: kept and told when it is taken over; tools find the answer here."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

import structlog

from gateway.config.history import History, HistoryError, changed_files
from gateway.config.whole_file import write_whole
from gateway.model import Notice, iso_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.clock import Clock
    from gateway.config.load import LoadResult
    from gateway.config.schema import Configuration

log = structlog.get_logger()

ANSWER_FILE: Final = "reload.json"
"""In the state folder: what the last reload came to. `edge-gateway reload` waits for it."""


class Acceptance:
    """Keeps the configurations of one gateway, and answers for each reload."""

    def __init__(self, state_folder: Path, clock: Clock, tell: Callable[[Notice], None]) -> None:
        self._folder = state_folder
        self._history = History(state_folder)
        self._clock = clock
        self._tell = tell

    async def took_over(self, configuration: Configuration, reason: str) -> None:
        """Keep it and tell of it, if it differs from the last; a disk that refuses is told and no more."""
        stamp = self._clock.now()
        try:
            changed = await asyncio.to_thread(self._keep, configuration, iso_time(stamp.time), reason)
        except OSError as error:
            log.warning("configuration_not_kept", folder=str(self._history.folder), error=str(error))
            return
        if changed is not None:
            log.info("configuration", digest=configuration.digest, reason=reason, files=changed)
            body = {
                "event": "configuration",
                "digest": configuration.digest,
                "reason": reason,
                "files": ", ".join(changed),
            }
            self._tell(Notice("events", body, stamp))

    async def answer(self, result: LoadResult, *, accepted: bool) -> None:
        """Leave word of what a reload came to."""
        answer = {
            "time": iso_time(self._clock.now().time),
            "accepted": accepted,
            "digest": result.configuration.digest if result.configuration else None,
            "problems": [str(problem) for problem in result.problems],
        }
        try:
            await asyncio.to_thread(write_whole, self._folder / ANSWER_FILE, json.dumps(answer).encode())
        except OSError as error:
            log.warning("reload_answer_not_written", folder=str(self._folder), error=str(error))

    def _keep(self, configuration: Configuration, time: str, reason: str) -> list[str] | None:
        """The files that changed; None where nothing did."""
        entries = self._history.entries()
        kept = self._history.keep(configuration.files, configuration.digest, time, reason)
        if kept is None:
            return None
        try:
            before = self._history.files(entries[-1].number) if entries else {}
        except HistoryError:
            before = {}
        return changed_files(before, configuration.files)
