"""What a technician writes of certificates and users; checked without asyncua."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, field_validator

from gateway.connection import Strict

Policy = Literal["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"]
"""The policies of OPC UA Part 7 that are not deprecated; the names end the URIs that servers tell."""

Mode = Literal["sign", "sign_and_encrypt"]

SERVICE_PKI: Final = Path("/var/lib/edge-gateway/pki/opcua")
"""In the folder that systemd makes of StateDirectory=edge-gateway (systemd.exec(5))."""


class OpcuaSecurity(Strict):
    """How the server proves who it is, and how what travels is protected."""

    policy: Policy | None = Field(
        None, description="Without it, the best of those that the server offers; Aes256_Sha256_RsaPss is the best."
    )
    mode: Mode = Field("sign_and_encrypt", description="sign: values cannot be changed on their way, but be read.")
    server_name: str | None = Field(
        None, min_length=1, description="Host in the server's certificate, where it is not what stands in url."
    )
    pki: str | None = Field(
        None,
        description="Folder of the certificates: own, trusted, issuers, rejected; without it pki/opcua in the state "
        "folder.",
    )

    @field_validator("pki")
    @classmethod
    def _is_a_path(cls, path: str | None) -> str | None:
        return None if path is None else whole_path(path)

    @property
    def folder(self) -> Path:
        """Where the certificates are."""
        return default_pki() if self.pki is None else Path(self.pki)


def default_pki() -> Path:
    """In systemd's state folder, else in the service's, where this machine has one, else in the user's home."""
    by_systemd = os.environ.get("STATE_DIRECTORY")
    if by_systemd:
        return Path(by_systemd.partition(":")[0]) / "pki" / "opcua"
    if SERVICE_PKI.parents[1].is_dir():
        return SERVICE_PKI
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "edge-gateway" / "pki" / "opcua"


def whole_path(path: str) -> str:
    """The text, where it is the whole path of a file.

    Raises:
        ValueError: it is none, or begins in the middle.
    """
    if not path.startswith("/") or "\n" in path or "\0" in path:
        raise ValueError(f"{path.partition(chr(10))[0]!r}: write the whole path, beginning with /")
    return path
