"""Log lines: text for people, JSON with a severity for the journal."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import logging
import structlog
from gateway.cli.logs import configure_logs
configure_logs({wanted!r}, quiet={quiet})
log = structlog.get_logger("gateway.test")
log.info("started", devices=3)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("defect", part="outbox")
logging.getLogger("somelib").info("chatter")
logging.getLogger("somelib").warning("trouble %s", 7)
"""


def lines(wanted: str, *, quiet: bool = False, **environment: str) -> list[str]:
    clean = {key: value for key, value in os.environ.items() if key not in ("JOURNAL_STREAM", "NO_COLOR")}
    program = PROGRAM.format(wanted=wanted, quiet=quiet)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**clean, **environment}
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_json_is_one_object_a_line_also_for_libraries_and_tracebacks() -> None:
    """A machine reads each line alone."""
    started, defect, trouble = [json.loads(line) for line in lines("json")]
    assert (started["event"], started["level"], started["devices"]) == ("started", "info", 3)
    assert "ZeroDivisionError" in defect["exception"]
    assert (trouble["event"], trouble["level"]) == ("trouble 7", "warning")


def test_under_the_journal_each_line_begins_with_its_severity() -> None:
    """Journald files it by priority; `auto` finds the journal by itself."""
    assert [line[:3] for line in lines("auto", JOURNAL_STREAM="8:12345")] == ["<6>", "<3>", "<4>"]


@pytest.mark.parametrize("wanted", ["auto", "console"])
def test_elsewhere_people_read_text_without_colours_in_a_pipe(wanted: str) -> None:
    """No escape codes where no terminal is."""
    text = "\n".join(lines(wanted))
    assert "started" in text
    assert "devices=3" in text
    assert "ZeroDivisionError" in text
    assert "chatter" not in text
    assert "\x1b" not in text


def test_quiet_leaves_errors_only() -> None:
    """The demo's table is not torn apart by news."""
    text = "\n".join(lines("console", quiet=True))
    assert "defect" in text
    assert "started" not in text
    assert "trouble" not in text
