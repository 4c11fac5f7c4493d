"""`edge-gateway config`: what a configuration says, what changed in it, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.cli.config import diff, handover, history, new, rollback, schema, show, table

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the group of commands to those of `edge-gateway`."""
    parser = commands.add_parser("config", help="show configurations, compare them, go back to an earlier one")
    group = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (new, show, diff, history, rollback, table, schema, handover):
        module.add_parser(group)
