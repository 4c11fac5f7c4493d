"""`edge-gateway opcua trust`: say that a certificate is the server's own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from drivers.opcua.commands.folder import add_folder_option, pki_of
from drivers.opcua.names import application_uri, common_name, day

if TYPE_CHECKING:
    import argparse


def prepare(parser: argparse.ArgumentParser) -> None:
    """Say the arguments."""
    parser.add_argument("thumbprint", help="of a rejected certificate, or the beginning of it")
    add_folder_option(parser)
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Move the certificate from rejected to trusted; the gateway believes it at its next attempt."""
    try:
        held = pki_of(args).trust(args.thumbprint)
    except (LookupError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    until = day(held.certificate.not_valid_after_utc)
    whose = f"{common_name(held.certificate)} ({application_uri(held.certificate)})"
    sys.stdout.write(f"trusted: {whose}, valid until {until}\n")
    sys.stdout.write("The gateway connects at its next attempt, within a minute.\n")
    return 0
