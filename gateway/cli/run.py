"""`edge-gateway run`: the daemon."""

from __future__ import annotations

import asyncio
import os
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import uvloop

from gateway.app import App
from gateway.cli.logs import configure_logs
from gateway.clock import SystemClock
from gateway.config.load import load
from gateway.config.problems import Severity
from gateway.state import State, StateError
from gateway.status.notify import Notifier

if TYPE_CHECKING:
    import argparse

    from gateway.config.load import LoadResult
    from gateway.config.schema import Configuration

DEFAULT_FOLDER = Path("/etc/edge-gateway")

CANNOT_START = 78
"""EX_CONFIG of sysexits.h: gateway.yaml cannot be used. systemd does not start the unit again before it is mended."""

log = structlog.get_logger()


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `run` to the command line."""
    parser = commands.add_parser(
        "run",
        help="collect and forward until told to stop",
        description="Runs the gateway. SIGTERM stops it in good order within 10 s, SIGHUP reads the files again.",
    )
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", type=Path, default=DEFAULT_FOLDER, help="configuration (%(default)s)"
    )
    parser.add_argument(
        "--state", metavar="FOLDER", type=Path, help="what outlives the process ($STATE_DIRECTORY, else in your home)"
    )
    parser.add_argument(
        "--log", choices=["auto", "console", "json"], default="auto", help="form of log lines (%(default)s)"
    )
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; 78 where gateway.yaml cannot be used, 1 where another gateway holds the state."""
    configure_logs(args.log)
    reload = partial(load, args.folder)
    result = reload()
    _tell_problems(result)
    if result.configuration is None:
        log.critical("cannot start", folder=str(args.folder), remedy="edge-gateway check names each mistake")
        return CANNOT_START
    try:
        state = State.open(args.state or _state_folder(result.configuration))
    except StateError as error:
        log.critical("cannot start", reason=str(error))
        return 1
    uvloop.run(_run(App(result.configuration, state, SystemClock(), Notifier(), reload)))
    return 0


async def _run(app: App) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, app.stop)
    loop.add_signal_handler(signal.SIGHUP, app.request_reload)
    await app.run()


def _tell_problems(result: LoadResult) -> None:
    for problem in result.problems:
        tell = log.error if problem.severity is Severity.ERROR else log.warning
        tell("configuration", problem=str(problem))


def _state_folder(configuration: Configuration) -> Path:
    """Where systemd says (StateDirectory=), else in the home of whoever runs it, by gateway."""
    said = os.environ.get("STATE_DIRECTORY")
    if said:
        return Path(said.partition(":")[0])
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "edge-gateway" / configuration.gateway.gateway.id
