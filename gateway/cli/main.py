"""The command `edge-gateway`."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version

from gateway.cli import check, demo, run


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 good, 1 not well, 2 usage or configuration, 78 cannot start."""
    args = _parser().parse_args(arguments)
    try:
        code: int = args.main(args)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 141
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edge-gateway",
        description="Reads PLCs, meters and pins, and forwards trusted values over MQTT; loses nothing.",
    )
    parser.add_argument("--version", action="version", version=f"edge-gateway {version('edge-gateway')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (run, check, demo):
        module.add_parser(commands)
    return parser
