"""Why the program does not start, or ends."""

from __future__ import annotations

from typing import Final

from gateway.vocabulary.code import Code, Entry

RUNNING: Final = (
    Entry(
        Code.NO_CONFIGURATION,
        "gateway.yaml cannot be used (exit code 78)",
        "Without it nobody knows the broker. systemd does not start the service again before somebody mends it.",
        "`edge-gateway check` names each mistake; then `systemctl start edge-gateway`.",
    ),
    Entry(
        Code.STATE_TAKEN,
        "the state folder cannot be used (exit code 1)",
        "Another gateway works on it, or this user may not.",
        "Stop the other one, or give this one another folder with --state.",
    ),
    Entry(
        Code.RELOAD_REFUSED,
        "a reload was refused",
        "A file has a mistake. The configuration before goes on.",
        "`edge-gateway check` names it; then `edge-gateway reload`.",
    ),
    Entry(
        Code.DEFECT,
        "a part of the gateway failed",
        "That is an error of the program. The part begins anew, and the others go on.",
        "Report it with the log lines around it.",
    ),
)
"""In the order of the codes."""
