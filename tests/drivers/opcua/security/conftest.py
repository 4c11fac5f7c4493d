"""Certificates of every kind, and a server that shows them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from asyncua import Server, ua
from asyncua.server.user_managers import User, UserManager, UserRole
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from drivers.opcua.client import quieten
from drivers.opcua.pki import Pki, thumbprint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

URI = "urn:acme:press-server"

PASSWORD = "geheim"  # noqa: S105 - of a server in this process

POLICIES = [
    ua.SecurityPolicyType.Basic256Sha256_Sign,
    ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
    ua.SecurityPolicyType.Aes128Sha256RsaOaep_Sign,
    ua.SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
    ua.SecurityPolicyType.Aes256Sha256RsaPss_Sign,
    ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
]

NOW = datetime.now(UTC).replace(microsecond=0)


@cache
def a_key(number: int, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Keys are slow to make, so they are made once."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@dataclass(frozen=True)
class Identity:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def thumbprint(self) -> str:
        return thumbprint(self.certificate)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Two files: the certificate in DER, the key in PEM."""
        certificate, key = folder / f"{self.thumbprint}.der", folder / f"{self.thumbprint}.pem"
        certificate.write_bytes(self.der)
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        key.chmod(0o600)
        return certificate, key


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _identity(
    name: str = "Press 12",
    *,
    number: int = 0,
    bits: int = 2048,
    hosts: tuple[str, ...] = ("127.0.0.1",),
    uri: str | None = URI,
    begin: datetime = NOW - timedelta(days=1),
    end: datetime = NOW + timedelta(days=365),
    issuer: Identity | None = None,
    is_authority: bool = False,
) -> Identity:
    key = a_key(number, bits)
    names: list[x509.GeneralName] = [] if uri is None else [x509.UniformResourceIdentifier(uri)]
    for host in hosts:
        try:
            names.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(issuer.certificate.subject if issuer else _named(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return Identity(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


@pytest.fixture
def identity() -> Callable[..., Identity]:
    """Makes a certificate that is right for the server on loopback but for what the test says."""
    return _identity


@pytest.fixture
def revocation() -> Callable[[Identity, Identity], bytes]:
    """Makes the list by which an authority takes a certificate back."""

    def make(authority: Identity, revoked: Identity) -> bytes:
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(revoked.certificate.serial_number)
            .revocation_date(NOW - timedelta(hours=1))
            .build()
        )
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(authority.certificate.subject)
            .last_update(NOW - timedelta(hours=1))
            .next_update(NOW + timedelta(days=30))
            .add_revoked_certificate(entry)
        )
        return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.DER)

    return make


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    """Empty folders."""
    folders = Pki(tmp_path / "pki")
    folders.prepare()
    return folders


class Users(UserManager):
    """Lets in one user by password, one by certificate, and anonymous ones."""

    def __init__(self) -> None:
        self.known: bytes | None = None
        self.anonymous = True

    def get_user(
        self, iserver: Any, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> User | None:
        if username is not None:
            return User(role=UserRole.User) if (username, password) == ("gateway", PASSWORD) else None
        return User(role=UserRole.User) if self.anonymous else None


class SecurePress:
    """A server with one variable, which shows the certificate that it is given."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"opc.tcp://127.0.0.1:{port}"
        self.policies = list(POLICIES)
        self.users = Users()
        self._folder = folder

    @asynccontextmanager
    async def showing(self, identity: Identity) -> AsyncIterator[Server]:
        """Run with this certificate."""
        quieten()
        certificate, key = identity.write(self._folder)
        server = Server(user_manager=self.users)
        await server.init()
        server.disable_clock()
        await server.set_application_uri(URI)
        server.set_endpoint(self.url)
        server.set_security_policy(self.policies)
        await server.load_certificate(str(certificate))
        await server.load_private_key(str(key))
        index = await server.register_namespace("urn:acme:press")
        await server.nodes.objects.add_variable(ua.NodeId("Press1.Temperature", index), "Temperature", 71.3)
        async with server:
            yield server
        await asyncio.sleep(0)


@pytest_asyncio.fixture(loop_scope="session")
async def secure_press(tmp_path: Path, free_port: int) -> SecurePress:
    """Not started yet."""
    return SecurePress(tmp_path, free_port)


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    """The right password."""
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def now() -> datetime:
    """The day of all certificates."""
    return NOW
