"""`edge-gateway opcua certs`: the certificates of both sides, and a new one for the gateway."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from drivers.opcua.commands.folder import add_folder_option, pki_of
from drivers.opcua.names import application_uri, common_name, day, hosts
from drivers.opcua.own import public_file, renew
from drivers.opcua.pki import read_certificate, thumbprint

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from cryptography import x509

    from drivers.opcua.pki import Pki


def prepare(parser: argparse.ArgumentParser) -> None:
    """Say the arguments."""
    parser.add_argument(
        "--renew",
        action="store_true",
        help="make a new certificate for the gateway; each server has to trust it anew",
    )
    add_folder_option(parser)
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Print them, one a line; 1 where one of those in use has run out."""
    pki = pki_of(args)
    now = datetime.now(UTC)
    try:
        if args.renew:
            renew(pki, now)
        for line in _lines(pki):
            sys.stdout.write(f"{line}\n")
        return 1 if any(one.not_valid_after_utc < now for one in _in_use(pki)) else 0
    except (OSError, ValueError) as error:
        sys.stderr.write(f"the certificates in {pki.folder} cannot be used: {error}\n")
        return 2


def _lines(pki: Pki) -> Iterator[str]:
    yield "The gateway's own, to be trusted by each server:"
    path = public_file(pki)
    yield f"  {_line(read_certificate(path))}\n    {path}" if path.exists() else "  made at the first connection"
    for title, folder in (
        ("Trusted servers and authorities", pki.trusted),
        ("Authorities that complete a chain", pki.issuers),
        ("Rejected, waiting for `edge-gateway opcua trust THUMBPRINT`", pki.rejected),
    ):
        yield f"{title}:"
        lines = [f"  {_line(held.certificate)}" for held in pki.certificates(folder)]
        yield "\n".join(lines) or "  none"


def _line(certificate: x509.Certificate) -> str:
    begin, end = day(certificate.not_valid_before_utc), day(certificate.not_valid_after_utc)
    whose = f"{common_name(certificate)}  {application_uri(certificate) or '-'}  {' '.join(hosts(certificate))}"
    return f"{thumbprint(certificate)}  {begin} to {end}  {whose}".rstrip()


def _in_use(pki: Pki) -> Iterator[x509.Certificate]:
    path = public_file(pki)
    if path.exists():
        yield read_certificate(path)
    yield from (held.certificate for held in pki.certificates(pki.trusted))
