"""`edge-gateway selftest`: proofs on the customer's own machine, against the customer's own broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.cli.selftest.outbox import add_parser as add_outbox

if TYPE_CHECKING:
    import argparse


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the group of commands to those of `edge-gateway`."""
    parser = commands.add_parser("selftest", help="prove on this machine that nothing is lost")
    add_outbox(parser.add_subparsers(title="commands", metavar="COMMAND", required=True))
