"""Which folder of certificates a command looks at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from drivers.opcua.pki import Pki
from drivers.opcua.security_config import default_pki

if TYPE_CHECKING:
    import argparse


def add_folder_option(parser: argparse.ArgumentParser) -> None:
    """Add `--pki FOLDER`."""
    parser.add_argument(
        "--pki",
        metavar="FOLDER",
        type=Path,
        default=default_pki(),
        help="where the certificates are, as `security: {pki: ...}` says (default: %(default)s)",
    )


def pki_of(args: argparse.Namespace) -> Pki:
    """The folders that were named."""
    return Pki(args.pki)
