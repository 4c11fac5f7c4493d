"""The command `edge-gateway`."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from gateway.cli.driver_commands import add_driver_parser
from gateway.registry import driver_names

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final = (
    "run",
    "check",
    "reload",
    "config",
    "plan",
    "explain",
    "service",
    "spool",
    "selftest",
    "demo",
)
"""Each is a module of this folder, imported only when it is named or listed: on a Pi all of them take two seconds."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 good, 1 not well, 2 usage or configuration, 78 cannot start."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    args = _parser(given).parse_args(given)
    try:
        code: int = args.main(args)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 141
    return code


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edge-gateway",
        description="Reads PLCs, meters and pins, and forwards trusted values over MQTT; loses nothing.",
    )
    parser.add_argument("--version", action="version", version=f"edge-gateway {version('edge-gateway')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    if given and given[0] in COMMANDS:
        _add(given[0], commands)
    elif not (given and add_driver_parser(commands, given[0], given)):
        for name in COMMANDS:
            _add(name, commands)
        for name in driver_names():
            add_driver_parser(commands, name, given)
    return parser


def _add(name: str, commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    import_module(f"gateway.cli.{name}").add_parser(commands)
