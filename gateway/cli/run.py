"""`edge-gateway run`: the daemon."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import uvloop

from gateway.app import App, tell_problems
from gateway.cli.logs import configure_logs
from gateway.cli.state_folder import add_state_option, state_folder
from gateway.clock import SystemClock
from gateway.config.load import Reloader
from gateway.state import State, StateError
from gateway.status.notify import Notifier
from gateway.vocabulary import Code

if TYPE_CHECKING:
    import argparse


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
    add_state_option(parser)
    parser.add_argument(
        "--log", choices=["auto", "console", "json"], default="auto", help="form of log lines (%(default)s)"
    )
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; 78 where gateway.yaml cannot be used, 1 where another gateway holds the state."""
    configure_logs(args.log)
    reloader = Reloader(args.folder)
    result = reloader.load()
    tell_problems(result.problems)
    if result.configuration is None:
        remedy = "edge-gateway check names each mistake"
        log.critical("cannot start", folder=str(args.folder), remedy=remedy, code=Code.NO_CONFIGURATION)
        return CANNOT_START
    try:
        state = State.open(state_folder(args.state, args.folder, result.configuration))
    except StateError as error:
        log.critical("cannot start", reason=str(error), code=Code.STATE_TAKEN)
        return 1
    uvloop.run(_run(App(result.configuration, state, SystemClock(), Notifier(), reloader.load_settled)))
    return 0


async def _run(app: App) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, app.stop)
    loop.add_signal_handler(signal.SIGHUP, app.request_reload)
    await app.run()
