"""The folders of certificates: own, trusted, issuers, rejected. Files are PEM or DER; revocation lists end in .crl."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from drivers.opcua.security_config import SERVICE_PKI

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_REJECTED: Final = 100
"""Certificates that are kept for somebody to look at; a stranger could fill the disk with them."""

MOST_BYTES: Final = 65_536
"""Of one certificate; a larger file is something else that landed there by mistake."""

_PEM: Final = b"-----BEGIN"


class Held(NamedTuple):
    """One certificate in a folder."""

    path: Path
    certificate: x509.Certificate


class Pki:
    """What this gateway trusts, and what it does not.

    Args:
        folder: holds the four folders; made when something is first put there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.own = folder / "own"
        self.trusted = folder / "trusted"
        self.issuers = folder / "issuers"
        self.rejected = folder / "rejected"

    def prepare(self) -> None:
        """Make the folders.

        Raises:
            OSError: they cannot be made.
        """
        for folder in (self.own, self.trusted, self.issuers, self.rejected):
            for missing in [path for path in (self.folder.parent, self.folder, folder) if not path.exists()]:
                missing.mkdir(parents=True, exist_ok=True)
                hand_over(missing)
        self.own.chmod(0o700)

    def certificates(self, folder: Path) -> Iterator[Held]:
        """All certificates in one of the folders that can be read, by file name."""
        for path in _files(folder):
            if path.suffix != ".crl":
                with suppress(ValueError, OSError):
                    yield Held(path, read_certificate(path))

    def revocation_lists(self) -> Iterator[x509.CertificateRevocationList]:
        """What the authorities have taken back.

        Raises:
            ValueError: a list is damaged: then nobody knows what it says.
            OSError: it cannot be read.
        """
        for path in (*_files(self.trusted), *_files(self.issuers)):
            if path.suffix == ".crl":
                yield _read_revocations(path)

    def reject(self, certificate: x509.Certificate) -> Path:
        """Keep a certificate for somebody to look at; the oldest go, where there are too many.

        Raises:
            OSError: it cannot be written.
        """
        path = self.rejected / f"{thumbprint(certificate)}.der"
        path.write_bytes(certificate.public_bytes(Encoding.DER))
        by_age = sorted(_files(self.rejected), key=lambda file: file.stat().st_mtime)
        for file in by_age[:-MOST_REJECTED]:
            file.unlink(missing_ok=True)
        return path

    def trust(self, wanted: str) -> Held:
        """Move a rejected certificate to the trusted ones; `wanted` is its thumbprint or the beginning of it.

        Raises:
            LookupError: there is none, or more than one.
            OSError: it cannot be moved.
        """
        wish = wanted.replace(":", "").replace(" ", "").upper()
        held = self.certificates(self.rejected)
        found = [one for one in held if wish and thumbprint(one.certificate).startswith(wish)]
        if len(found) != 1:
            told = f"{len(found)} certificates begin so" if found else "no certificate has this thumbprint"
            raise LookupError(f"{wanted}: {told} in {self.rejected}; `edge-gateway opcua certs` lists them")
        path, certificate = found[0]
        return Held(path.rename(self.trusted / f"{thumbprint(certificate)}.der"), certificate)

    def command(self, words: str) -> str:
        """The command line that a technician types for these folders, such as for `trust 1A2B`."""
        where = "" if self.folder == SERVICE_PKI else f" --pki {self.folder}"
        return f"edge-gateway opcua {words}{where}"


def hand_over(path: Path) -> None:
    """Give what root has made, such as by `sudo edge-gateway`, to the owner of the folder, for the service.

    Raises:
        OSError: it cannot be given.
    """
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def thumbprint(certificate: x509.Certificate) -> str:
    """SHA-1 over the certificate, as OPC UA tools show it (Part 6, 6.2.2). It names; it proves nothing."""
    return certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - a name that the standard defines so


def read_certificate(path: Path) -> x509.Certificate:
    """The certificate in a file.

    Raises:
        ValueError: it holds none.
        OSError: it cannot be read.
    """
    data = _bounded(path)
    return x509.load_pem_x509_certificate(data) if _PEM in data else x509.load_der_x509_certificate(data)


def _read_revocations(path: Path) -> x509.CertificateRevocationList:
    data = path.read_bytes()
    return x509.load_pem_x509_crl(data) if _PEM in data else x509.load_der_x509_crl(data)


def _bounded(path: Path) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path} is larger than any certificate")
    return path.read_bytes()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.is_file())
