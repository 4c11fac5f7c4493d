"""What a certificate says of its owner."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from datetime import datetime


def application_uri(certificate: x509.Certificate) -> str | None:
    """The ApplicationUri: the first URI among its names (OPC UA Part 6, 6.2.2)."""
    names = _names(certificate)
    uris = names.get_values_for_type(x509.UniformResourceIdentifier) if names else []
    return uris[0] if uris else None


def hosts(certificate: x509.Certificate) -> list[str]:
    """Host names and addresses of its owner, lower case."""
    names = _names(certificate)
    if names is None:
        return []
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return [name.lower() for name in names.get_values_for_type(x509.DNSName)] + addresses


def is_for_host(certificate: x509.Certificate, host: str) -> bool:
    """Whether the certificate names this host, or this address in whatever notation."""
    return _plain(host) in map(_plain, hosts(certificate))


def common_name(certificate: x509.Certificate) -> str:
    """What people call its owner, on one line; empty where it does not say."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return "".join(letter for letter in str(found[0].value) if letter.isprintable()) if found else ""


def day(time: datetime) -> str:
    """The day in UTC, such as 2031-06-30."""
    return f"{time:%Y-%m-%d}"


def _names(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return None


def _plain(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        return host.lower().rstrip(".")
