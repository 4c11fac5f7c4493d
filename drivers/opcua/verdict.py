"""Whether a server's certificate may be believed: the checks of OPC UA Part 4, 6.1.3, each with its own words."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa

from drivers.opcua.causes import ServerError
from drivers.opcua.errors import EXPIRED, NOT_YET_VALID, OWN_FILES, REVOKED, UNTRUSTED, WRONG_NAME
from drivers.opcua.names import application_uri, common_name, day, hosts, is_for_host
from drivers.opcua.pki import thumbprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from drivers.opcua.pki import Pki

_LONGEST_CHAIN: Final = 8
"""Certificates from the server's to the last authority; real ones have two to four."""

_LEAST_BITS: Final = 2048
"""Of an RSA key, for each of the policies (OPC UA Part 7)."""


class Expected(NamedTuple):
    """Who ought to answer."""

    host: str
    application_uri: str
    """As the server tells it beside its certificate."""


def judge(sent: bytes, expected: Expected, pki: Pki, now: datetime) -> x509.Certificate:
    """The server's certificate, where it may be believed. One that is not trusted is kept among the rejected.

    Reads files: call it in a thread.

    Raises:
        ServerError: it may not; the text says why and what to do.
        OSError: the folders cannot be read or written.
    """
    certificate, *others = certificates_of(sent)
    chain = _chain(certificate, [*others, *_all(pki, pki.trusted), *_all(pki, pki.issuers)])
    if not _is_trusted(chain, pki):
        pki.reject(certificate)
        raise ServerError(_stranger(certificate, pki), UNTRUSTED)
    _check_revocations(chain, pki)
    for each in chain:
        _check_time(each, now)
    _check_owner(certificate, expected)
    return certificate


def certificates_of(sent: bytes) -> list[x509.Certificate]:
    """The certificates that a server sends: its own, then those of its authorities, one behind the other.

    Raises:
        ServerError: what it sends is none.
    """
    try:
        found = [x509.load_der_x509_certificate(part) for part in _parts(sent)]
    except ValueError as error:
        raise ServerError(f"the server's certificate cannot be read ({error}). Let it make a new one.") from None
    if not found:
        raise ServerError("the server sends no certificate, though it promises encryption. Let it make one.")
    key = found[0].public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _LEAST_BITS:
        text = f"the server's certificate has no RSA key of {_LEAST_BITS} bits or more. Let it make a new one."
        raise ServerError(text, UNTRUSTED)
    return found


def _parts(sent: bytes) -> list[bytes]:
    """Cut where each DER structure says that it ends (ITU-T X.690, 8.1.3)."""
    parts: list[bytes] = []
    while sent and len(parts) < _LONGEST_CHAIN:
        size = _size(sent)
        parts.append(sent[:size])
        sent = sent[size:]
    return parts


def _size(sent: bytes) -> int:
    octets = sent[1] & 0x7F if len(sent) > 1 and sent[1] & 0x80 else 0
    length = int.from_bytes(sent[2 : 2 + octets], "big") if octets else sent[1] if len(sent) > 1 else 0
    return max(1, 2 + octets + length)


def _all(pki: Pki, folder: Path) -> list[x509.Certificate]:
    return [held.certificate for held in pki.certificates(folder)]


def _chain(certificate: x509.Certificate, known: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """From the server's certificate to the last authority that is known; each has signed the one before."""
    chain = [certificate]
    while len(chain) < _LONGEST_CHAIN:
        issuer = next((one for one in known if one not in chain and _has_signed(one, chain[-1])), None)
        if issuer is None:
            break
        chain.append(issuer)
    return chain


def _has_signed(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        if not issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_trusted(chain: Iterable[x509.Certificate], pki: Pki) -> bool:
    """Whether somebody has said so: of the certificate itself, or of an authority behind it."""
    trusted = _all(pki, pki.trusted)
    return any(one in trusted for one in chain)


def _stranger(certificate: x509.Certificate, pki: Pki) -> str:
    mark = thumbprint(certificate)
    uri = application_uri(certificate)
    is_new = uri is not None and any(application_uri(one) == uri for one in _all(pki, pki.trusted))
    what = "is another one than the trusted one" if is_new else "is not trusted"
    return (
        f"the server's certificate {what}: {common_name(certificate)!r}, thumbprint {mark}, "
        f"valid until {day(certificate.not_valid_after_utc)}. Nothing was read. Compare the thumbprint with the one "
        f"that the server's own tool shows; if it is the same, run: {pki.command(f'trust {mark}')}"
    )


def _check_revocations(chain: Sequence[x509.Certificate], pki: Pki) -> None:
    try:
        lists = list(pki.revocation_lists())
    except ValueError as error:
        text = f"a revocation list (.crl) in {pki.trusted} or {pki.issuers} is damaged: {error}. Get it anew."
        raise ServerError(text, OWN_FILES) from None
    for certificate, issuer in pairwise(chain):
        key = issuer.public_key()
        for revoked in lists:
            is_theirs = revoked.issuer == issuer.subject and revoked.is_signature_valid(key)  # type: ignore[arg-type]  # a key that can sign
            if is_theirs and revoked.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
                raise ServerError(
                    f"the certificate {common_name(certificate)!r}, thumbprint {thumbprint(certificate)}, was revoked "
                    f"by {common_name(issuer)!r}. Ask who runs that authority, and give the server a new certificate.",
                    REVOKED,
                )


def _check_time(certificate: x509.Certificate, now: datetime) -> None:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    name = common_name(certificate)
    if now < begin:
        raise ServerError(
            f"the certificate {name!r} is valid only from {day(begin)}, and here it is {day(now)}. Look at the clock: "
            "run `timedatectl`, and look at the server's clock as well.",
            NOT_YET_VALID,
        )
    if now > end:
        raise ServerError(
            f"the certificate {name!r} has run out on {day(end)}, and here it is {day(now)}. Give the server a new "
            "certificate and trust it; where the day here is wrong, look at the clock with `timedatectl`.",
            EXPIRED,
        )


def _check_owner(certificate: x509.Certificate, expected: Expected) -> None:
    if not is_for_host(certificate, expected.host):
        told = ", ".join(hosts(certificate)) or "no host"
        raise ServerError(
            f"the server's certificate names {told}, not {expected.host}. Write a name of the certificate into url, "
            "or into `server_name` of `security` where it is the right server.",
            WRONG_NAME,
        )
    uri = application_uri(certificate)
    if uri != expected.application_uri:
        raise ServerError(
            f"the server's certificate is for the application {uri}, but the server calls itself "
            f"{expected.application_uri}. Let the server make its certificate anew, and find out who answers.",
            WRONG_NAME,
        )
