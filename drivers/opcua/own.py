"""The gateway's own certificate: made once, kept, and told of before it runs out."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from drivers.opcua.names import application_uri
from drivers.opcua.pki import hand_over

if TYPE_CHECKING:
    from drivers.opcua.pki import Pki

KEY_BITS: Final = 2048
"""All policies take 2048 to 4096 (OPC UA Part 7); a small board needs seconds for 2048 and half a minute for 4096."""

VALID_DAYS: Final = 3650
"""Nobody visits a gateway each year to have its certificate trusted anew."""

_EARLIEST: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""No gateway runs before this; a board without a clock module may start in 1970 and must not certify itself to 1980."""

_LONGEST_NAME: Final = 64
"""Of a common name (RFC 5280, appendix A.1)."""


@dataclass(frozen=True, slots=True)
class Own:
    """The gateway's certificate and its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def uri(self) -> str:
        """The ApplicationUri of the certificate: servers refuse a client that names another."""
        return application_uri(self.certificate) or ""


def own_certificate(pki: Pki, now: datetime) -> Own:
    """The one that is kept; made where there is none. Slow the first time: call it in a thread.

    Raises:
        OSError: it cannot be read or written.
        ValueError: the file is damaged.
    """
    pki.prepare()
    path = key_file(pki)
    if not path.exists():
        write_own(pki, _made(now), replace=False)
    own = _read(path)
    if not public_file(pki).exists():
        _write_public(pki, own)
    return own


def renew(pki: Pki, now: datetime) -> Own:
    """Make a new one in the place of the one that is kept; every server has to trust it anew.

    Raises:
        OSError: it cannot be written.
    """
    pki.prepare()
    own = _made(now)
    write_own(pki, own, replace=True)
    _write_public(pki, own)
    return own


def key_file(pki: Pki) -> Path:
    """Holds the private key and the certificate."""
    return pki.own / "gateway.pem"


def public_file(pki: Pki) -> Path:
    """The certificate alone, to be given to servers."""
    return pki.own / "gateway.der"


def write_own(pki: Pki, own: Own, *, replace: bool) -> None:
    """Write the key, readable by its owner only, whole or not at all; without `replace` one that is there stays.

    Raises:
        OSError: it cannot be written.
    """
    with NamedTemporaryFile(dir=pki.own, delete=False) as file:  # made with mode 0600
        file.write(own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.write(own.certificate.public_bytes(Encoding.PEM))
        file.flush()
        os.fsync(file.fileno())
    new = Path(file.name)
    hand_over(new)
    if replace:
        new.replace(key_file(pki))
        return
    with suppress(FileExistsError):  # another connection was quicker
        key_file(pki).hardlink_to(new)
    new.unlink()


def _write_public(pki: Pki, own: Own) -> None:
    public_file(pki).write_bytes(own.certificate.public_bytes(Encoding.DER))
    hand_over(public_file(pki))


def _read(path: Path) -> Own:
    data = path.read_bytes()
    key = load_pem_private_key(data, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("the key is no RSA key")  # noqa: TRY004 - the file is at fault, not a caller
    own = Own(x509.load_pem_x509_certificate(data), key)
    if own.certificate.public_key() != key.public_key():
        raise ValueError("certificate and key do not belong together")
    return own


def _made(now: datetime) -> Own:
    """A self-signed certificate as OPC UA Part 6, 6.2.2 asks for."""
    host = socket.gethostname()
    begin = max(now, _EARLIEST)
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"edge-gateway@{host}"[:_LONGEST_NAME])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - timedelta(days=1))
        .not_valid_after(begin + timedelta(days=VALID_DAYS))
    )
    for extension, critical in _extensions(host, key.public_key()):
        builder = builder.add_extension(extension, critical)
    return Own(builder.sign(key, hashes.SHA256()), key)


def _extensions(host: str, key: rsa.RSAPublicKey) -> list[tuple[x509.ExtensionType, bool]]:
    names = [x509.UniformResourceIdentifier(f"urn:{host}:edge-gateway"), x509.DNSName(host), *_addresses(host)]
    identity = x509.SubjectKeyIdentifier.from_public_key(key)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identity)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return [
        (x509.SubjectAlternativeName(names), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (usage, True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
        (identity, False),
        (issuer, False),
    ]


def _addresses(host: str) -> list[x509.GeneralName]:
    """The addresses that this machine's name has; none where the name server knows nothing of it."""
    with suppress(OSError):
        return [x509.IPAddress(ip_address(address)) for address in socket.gethostbyname_ex(host)[2]]
    return []
