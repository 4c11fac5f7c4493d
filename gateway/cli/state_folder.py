"""Which folder outlives the process: one answer for the daemon and for the tools that look at what it left there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse

    from gateway.config.schema import Configuration

SERVICE_STATE: Final = Path("/var/lib/edge-gateway")
"""What systemd makes of StateDirectory=edge-gateway (systemd.exec(5))."""

SERVICE_CONFIGURATION: Final = Path("/etc/edge-gateway")


class NoStateFolder(Exception):  # noqa: N818 - what it says is where to look, not what failed
    """Without gateway.yaml nobody knows which folder it is; the text says how to name it."""


def add_state_option(parser: argparse.ArgumentParser) -> None:
    """Add `--state FOLDER`."""
    parser.add_argument(
        "--state",
        metavar="FOLDER",
        type=Path,
        help=f"what outlives the process ($STATE_DIRECTORY, {SERVICE_STATE} for the service, else in your home)",
    )


def state_folder(said: Path | None, folder: Path, configuration: Configuration | None) -> Path:
    """The folder that was said, else systemd's, else the service's own, else one in the user's home by gateway.

    Raises:
        NoStateFolder: the user's home is meant, and gateway.yaml, which names the gateway, cannot be used.
    """
    if said is not None:
        return said
    by_systemd = os.environ.get("STATE_DIRECTORY")
    if by_systemd:
        return Path(by_systemd.partition(":")[0])
    if folder == SERVICE_CONFIGURATION and SERVICE_STATE.is_dir():
        return SERVICE_STATE
    if configuration is None:
        raise NoStateFolder(f"{folder}/gateway.yaml does not say which gateway this is: name its --state FOLDER")
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "edge-gateway" / configuration.gateway.gateway.id
