"""The files of an encrypted link: what can be used is used, and of the rest it is said which file and why."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from gateway.config.load import load
from gateway.config.schema import Secret, Tls
from gateway.config.tls_files import TlsFileError, TlsFiles, tls_files
from tests.gateway.publish.authority import Authority

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gateway.publish.authority import Signed


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def own(authority: Authority) -> Signed:
    return authority.sign("gw-1")


def mistake(tls: Tls, folder: Path) -> tuple[str, str]:
    with pytest.raises(TlsFileError) as caught:
        tls_files(tls, folder)
    return caught.value.key, str(caught.value)


def test_nothing_named_trusts_the_system(tmp_path: Path) -> None:
    """A broker with a public certificate needs no file here."""
    assert tls_files(Tls(), tmp_path) == TlsFiles()


def test_files_beside_gateway_yaml_are_found(tmp_path: Path, authority: Authority, own: Signed) -> None:
    """By names relative to the folder, or by whole paths."""
    tls = Tls(ca="authority.pem", certificate=str(own.certificate), key="gw-1.key")
    assert tls_files(tls, tmp_path) == TlsFiles(authority.ca, own.certificate, own.key)


def test_secrets_and_credentials_serve_as_files(
    tmp_path: Path, authority: Authority, own: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret beside gateway.yaml, mode 0600, or what systemd hands over."""
    (tmp_path / "secrets").mkdir()
    secret = tmp_path / "secrets" / "gateway-key"
    secret.write_bytes(own.key.read_bytes())
    secret.chmod(0o600)
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "gateway-certificate").write_bytes(own.certificate.read_bytes())
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    tls = Tls(ca="authority.pem", certificate=Secret(secret="gateway-certificate"), key=Secret(secret="gateway-key"))  # noqa: S106 - names of secrets
    assert tls_files(tls, tmp_path) == TlsFiles(authority.ca, credentials / "gateway-certificate", secret)


def test_the_link_is_safe_by_itself(authority: Authority) -> None:
    """TLS 1.2 at least, the chain and the name checked, nothing renegotiated; no key switches that off."""
    context = TlsFiles(authority.ca).context()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.cert_store_stats()["x509_ca"] == 1


def test_each_file_that_cannot_be_used_is_named_with_its_reason(
    tmp_path: Path, authority: Authority, own: Signed
) -> None:
    """The key under `tls`, the file, and what is wrong with it; never a word of a key."""
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("not a certificate\n")
    rubbish.chmod(0o600)
    other = authority.sign("gw-2")
    assert mistake(Tls(ca="rubbish.pem"), tmp_path) == (
        "ca",
        f"{rubbish} holds no certificates in PEM form (-----BEGIN CERTIFICATE-----)",
    )
    key = "gw-1.key"
    assert mistake(Tls(certificate="rubbish.pem", key=key), tmp_path)[0] == "certificate"
    assert mistake(Tls(certificate="gw-1.crt", key="rubbish.pem"), tmp_path) == (
        "key",
        f"{rubbish} holds no private key in PEM form",
    )
    assert mistake(Tls(certificate="gw-1.crt", key="gw-2.key"), tmp_path) == (
        "key",
        f"{other.key} is not the key of the certificate {own.certificate}",
    )
    assert mistake(Tls(certificate="gone.crt", key=key), tmp_path) == (
        "certificate",
        f"{tmp_path}/gone.crt cannot be read: No such file or directory",
    )


def test_a_key_with_a_passphrase_is_told(tmp_path: Path, own: Signed) -> None:
    """Nobody could type it at a start, and OpenSSL must not ask at a terminal."""
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415 - used here only

    key = form.load_pem_private_key(own.key.read_bytes(), None)
    locked = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"geheim"))
    own.key.write_bytes(locked)
    which, text = mistake(Tls(certificate="gw-1.crt", key="gw-1.key"), tmp_path)
    assert which == "key"
    assert "protected by a passphrase" in text


def test_a_key_that_others_may_read_is_refused(tmp_path: Path, own: Signed) -> None:
    """With the command that mends it."""
    own.key.chmod(0o644)
    assert mistake(Tls(certificate="gw-1.crt", key="gw-1.key"), tmp_path) == (
        "key",
        f"others may read {own.key} (mode 0644): run: chmod 600 {own.key}",
    )


def test_check_names_the_line_of_the_file(tmp_path: Path, own: Signed) -> None:
    """Like any other mistake of gateway.yaml."""
    (tmp_path / "gateway.yaml").write_text(
        "version: 1\ngateway: {id: gw-1}\nbroker:\n  url: mqtts://b\n  tls:\n"
        "    ca: authority.pem\n    certificate: gw-1.crt\n    key: gone.key\n"
    )
    problems = [str(problem) for problem in load(tmp_path).problems if problem.file == "gateway.yaml"]
    (told,) = problems
    assert told.startswith(f"gateway.yaml:8:10: {tmp_path}/gone.key cannot be read: No such file or directory")
