"""The files that prove who is who on an encrypted link: found, checked, and described by their paths only."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.config.files import shown
from gateway.config.schema import Secret
from gateway.config.secrets import SecretError, check_private, secret_file

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.config.schema import Tls


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths of PEM files. They are read anew for each session, so that a renewed certificate needs no restart."""

    ca: Path | None = None
    """Who signs the broker's certificate; None means those whom the system trusts."""
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """What a client needs: TLS 1.2 or newer, the chain and the name of the server checked. Reads the files.

        Raises:
            OSError: a file cannot be read or used.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        if self.ca is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(self.ca)
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key, password=_no_passphrase)
        return context


class TlsFileError(Exception):
    """A file cannot be used. The text says which and why, and nothing of a key."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key
        """The key under `tls` that names the file: `ca`, `certificate` or `key`."""


def tls_files(tls: Tls, folder: Path) -> TlsFiles:
    """The files that a configuration in `folder` names.

    Raises:
        TlsFileError: one cannot be used.
    """
    files = TlsFiles(*(_path(tls, key, folder) for key in ("ca", "certificate", "key")))
    _try_authorities(files)
    _try_own(files)
    return files


def _path(tls: Tls, key: str, folder: Path) -> Path | None:
    named: str | Secret | None = getattr(tls, key)
    if named is None:
        return None
    path = folder / named if isinstance(named, str) else None
    try:
        if path is None:
            assert isinstance(named, Secret)
            return secret_file(named, folder)
        if key == "key":
            check_private(path)
        path.read_bytes()
    except SecretError as error:
        raise TlsFileError(key, str(error)) from None
    except OSError as error:
        raise TlsFileError(key, f"{shown(path or folder)} cannot be read: {error.strerror}") from None
    return path


def _try_authorities(files: TlsFiles) -> None:
    try:
        TlsFiles(files.ca).context()
    except OSError:
        assert files.ca is not None
        text = f"{shown(files.ca)} holds no certificates in PEM form (-----BEGIN CERTIFICATE-----)"
        raise TlsFileError("ca", text) from None


def _try_own(files: TlsFiles) -> None:
    try:
        files.context()
    except OSError as error:
        key, text = _blame(files, error)
        raise TlsFileError(key, text) from None


def _blame(files: TlsFiles, error: OSError) -> tuple[str, str]:
    """Which of the two files is the cause. OpenSSL does not say it, so each is tried by its first line."""
    assert files.certificate is not None
    assert files.key is not None
    if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
        return "key", f"{shown(files.key)} is not the key of the certificate {shown(files.certificate)}"
    if b"-----BEGIN CERTIFICATE-----" not in files.certificate.read_bytes():
        return "certificate", f"{shown(files.certificate)} holds no certificate in PEM form"
    key = files.key.read_bytes()
    if b"ENCRYPTED" in key:
        return "key", f"{shown(files.key)} is protected by a passphrase, which nobody could type at a start; remove it"
    if b"PRIVATE KEY-----" not in key:
        return "key", f"{shown(files.key)} holds no private key in PEM form"
    return "certificate", f"{shown(files.certificate)} and its key cannot be used: {getattr(error, 'reason', error)}"


def _no_passphrase() -> str:
    """Instead of asking at the terminal. OpenSSL takes it for a wrong one."""
    return "-"
