"""Where log lines go: coloured for a person at a terminal, JSON for the journal."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any, Literal

import structlog

if TYPE_CHECKING:
    from structlog.typing import Processor, WrappedLogger

LogFormat = Literal["auto", "console", "json"]

_SYSLOG_LEVEL = {"debug": 7, "info": 6, "warning": 4, "error": 3, "exception": 3, "critical": 2}
"""Severities of RFC 5424, table 2."""


def configure_logs(wanted: LogFormat = "auto", *, quiet: bool = False) -> None:
    """Send all log lines, also those of libraries, to standard error.

    `auto` writes JSON where the journal reads, which sets $JOURNAL_STREAM (systemd.exec(5)), and text elsewhere. Under
    the journal each line begins with its severity, `<4>` for a warning (sd-daemon(3)). `quiet` leaves errors only.
    """
    journal = "JOURNAL_STREAM" in os.environ
    shared: list[Processor] = [structlog.stdlib.add_log_level]
    final: list[Processor] = _json(journal=journal) if wanted == "json" or (wanted == "auto" and journal) else _text()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.ERROR if quiet else logging.WARNING)
    for room in ("gateway", "drivers"):
        logging.getLogger(room).setLevel(logging.ERROR if quiet else logging.INFO)


def _text() -> list[Processor]:
    colours = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    return [
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=24),
    ]


def _json(*, journal: bool) -> list[Processor]:
    timestamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    lines: list[Processor] = [timestamp, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [*lines, _with_severity] if journal else lines


def _with_severity(_logger: WrappedLogger, level: str, line: Any) -> str:
    return f"<{_SYSLOG_LEVEL.get(level, 6)}>{line}"
