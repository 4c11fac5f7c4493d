"""The gateway's own certificate."""

from __future__ import annotations

import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from drivers.opcua.names import application_uri, hosts
from drivers.opcua.own import key_file, own_certificate, public_file, renew
from drivers.opcua.pki import Pki, read_certificate

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Folders with a certificate that was made for the tests of this file."""
    pki = Pki(tmp_path_factory.mktemp("own") / "pki" / "opcua")
    own_certificate(pki, NOW)
    return pki


def test_it_says_who_the_gateway_is(kept: Pki) -> None:
    """ApplicationUri, host name, RSA 2048, client use, ten years: what servers check (OPC UA Part 6, 6.2.2)."""
    own = own_certificate(kept, NOW)
    extensions = own.certificate.extensions
    assert application_uri(own.certificate) == own.uri == f"urn:{socket.gethostname()}:edge-gateway"
    assert socket.gethostname().lower() in hosts(own.certificate)
    assert own.key.key_size == 2048
    assert own.certificate.not_valid_after_utc == NOW + timedelta(days=3650)
    assert own.certificate.not_valid_before_utc < NOW
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.content_commitment
    assert usage.key_encipherment
    assert usage.data_encipherment
    assert ExtendedKeyUsageOID.CLIENT_AUTH in extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    own.certificate.verify_directly_issued_by(own.certificate)


def test_it_is_made_once(kept: Pki) -> None:
    """Later looks, also years later, give the same: a server trusts this one."""
    first = own_certificate(kept, NOW)
    later = own_certificate(kept, NOW + timedelta(days=5000))
    assert later.certificate == first.certificate


def test_a_board_whose_clock_stands_in_1970_makes_one_that_lasts(tmp_path: Path) -> None:
    """The clock is set a minute later; the certificate is for years to come."""
    own = own_certificate(Pki(tmp_path / "pki"), datetime(1970, 1, 1, tzinfo=UTC))
    assert own.certificate.not_valid_before_utc.year == 2025
    assert own.certificate.not_valid_after_utc.year >= 2035


def test_only_the_owner_reads_the_key(kept: Pki) -> None:
    """The certificate alone may be read by all."""
    assert stat.S_IMODE(key_file(kept).stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.own.stat().st_mode) == 0o700
    assert b"PRIVATE" not in public_file(kept).read_bytes()
    assert read_certificate(public_file(kept)) == own_certificate(kept, NOW).certificate


def test_two_connections_at_once_make_one(tmp_path: Path) -> None:
    """The slower takes what the quicker made, and leaves no file behind."""
    pki = Pki(tmp_path / "pki")
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: own_certificate(pki, NOW), range(3)))
    assert len({own.certificate for own in made}) == 1
    assert {path.name for path in pki.own.iterdir()} == {"gateway.pem", "gateway.der"}


def test_renewing_makes_another(tmp_path: Path) -> None:
    """Key and certificate are new, and both files belong together."""
    pki = Pki(tmp_path / "pki")
    first = own_certificate(pki, NOW)
    second = renew(pki, NOW)
    assert second.certificate != first.certificate
    assert second.certificate.public_key() != first.certificate.public_key()
    assert own_certificate(pki, NOW).certificate == second.certificate == read_certificate(public_file(pki))
    assert stat.S_IMODE(key_file(pki).stat().st_mode) == 0o600


def test_a_mixed_up_file_is_refused(tmp_path: Path, kept: Pki) -> None:
    """The key of one gateway with the certificate of another."""
    pki = Pki(tmp_path / "pki")
    own_certificate(pki, NOW)
    head, mark, _ = key_file(pki).read_text().partition("-----BEGIN CERTIFICATE")
    key_file(pki).write_text(head + mark + key_file(kept).read_text().partition(mark)[2])
    with pytest.raises(ValueError, match="do not belong together"):
        own_certificate(pki, NOW)
