"""The folders of certificates, and the commands over them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from drivers.opcua.own import own_certificate
from drivers.opcua.pki import MOST_REJECTED, Pki
from drivers.opcua.security_config import SERVICE_PKI
from gateway.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from tests.drivers.opcua.security.conftest import Identity


def test_the_rejected_are_bounded(identity: Callable[..., Identity], pki: Pki) -> None:
    """A stranger who shows a new certificate each time fills no disk; the newest stays."""
    for number in range(MOST_REJECTED):
        path = pki.rejected / f"{number}.der"
        path.write_bytes(b"")
        os.utime(path, (number, number))
    newest = pki.reject(identity().certificate)
    names = {path.name for path in pki.rejected.iterdir()}
    assert len(names) == MOST_REJECTED
    assert newest.name in names
    assert "0.der" not in names


def test_pem_is_read_as_well_and_what_is_no_certificate_trusts_nobody(
    identity: Callable[..., Identity], pki: Pki
) -> None:
    """A technician copies whatever the tool of the server gave."""
    one = identity()
    (pki.trusted / "press.pem").write_bytes(one.certificate.public_bytes(Encoding.PEM))
    (pki.trusted / "notes.txt").write_text("the press was trusted on Monday")
    (pki.trusted / "huge.der").write_bytes(b"\0" * 100_000)
    assert [held.certificate for held in pki.certificates(pki.trusted)] == [one.certificate]


def test_the_beginning_of_a_thumbprint_is_enough_where_it_is_the_only_one(
    identity: Callable[..., Identity], pki: Pki, capsys: pytest.CaptureFixture[str]
) -> None:
    """As tools print it, with colons and in small letters; moved, not copied."""
    one = identity()
    pki.reject(one.certificate)
    written = ":".join(one.thumbprint[n : n + 2].lower() for n in range(0, 10, 2))
    assert main(["opcua", "trust", written, "--pki", str(pki.folder)]) == 0
    assert "trusted: Press 12" in capsys.readouterr().out
    assert list(pki.rejected.iterdir()) == []
    assert [held.certificate for held in pki.certificates(pki.trusted)] == [one.certificate]


@pytest.mark.parametrize("wanted", ["", "ZZ", "../trusted"])
def test_an_unknown_thumbprint_trusts_nobody(
    identity: Callable[..., Identity], pki: Pki, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and the way to the right one."""
    pki.reject(identity().certificate)
    assert main(["opcua", "trust", wanted, "--pki", str(pki.folder)]) == 2
    assert "`edge-gateway opcua certs` lists them" in capsys.readouterr().err
    assert list(pki.trusted.iterdir()) == []


def test_an_ambiguous_thumbprint_trusts_nobody(identity: Callable[..., Identity], pki: Pki) -> None:
    """Seventeen certificates have two with the same first letter."""
    marks = [identity(f"Press {n}").certificate for n in range(17)]
    names = [pki.reject(mark).name for mark in marks]
    letter = next(name[0] for name in names if sum(other[0] == name[0] for other in names) > 1)
    with pytest.raises(LookupError, match="certificates begin so"):
        pki.trust(letter)


def test_both_sides_are_listed(
    identity: Callable[..., Identity], pki: Pki, capsys: pytest.CaptureFixture[str], now: datetime
) -> None:
    """Own, trusted, issuers and rejected, each with its thumbprint; the code tells of one in use that has run out."""
    own = own_certificate(pki, now)
    stranger, known = identity("Stranger"), identity("Known")
    pki.reject(stranger.certificate)
    (pki.trusted / "known.der").write_bytes(known.der)
    assert main(["opcua", "certs", "--pki", str(pki.folder)]) == 0
    text = capsys.readouterr().out
    assert own.uri in text
    assert str(pki.own / "gateway.der") in text
    trusted, _, rejected = text.partition("Authorities that complete a chain:\n  none")
    assert known.thumbprint in trusted
    assert stranger.thumbprint in rejected

    (pki.trusted / "old.der").write_bytes(identity("Old", end=now).der)
    assert main(["opcua", "certs", "--pki", str(pki.folder)]) == 1


def test_certs_renews_the_own_one(pki: Pki, capsys: pytest.CaptureFixture[str], now: datetime) -> None:
    """The listing shows the new one."""
    before = own_certificate(pki, now)
    assert main(["opcua", "certs", "--renew", "--pki", str(pki.folder)]) == 0
    after = own_certificate(pki, now)
    assert after.certificate != before.certificate
    assert after.uri in capsys.readouterr().out


def test_the_command_names_the_folder_only_where_it_is_another(tmp_path: Path) -> None:
    """The shortest line that does it."""
    assert Pki(SERVICE_PKI).command("trust 1A") == "edge-gateway opcua trust 1A"
    assert Pki(tmp_path).command("trust 1A") == f"edge-gateway opcua trust 1A --pki {tmp_path}"


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file stands where the folder should."""
    (tmp_path / "pki").write_text("")
    assert main(["opcua", "certs", "--renew", "--pki", str(tmp_path / "pki")]) == 2
    assert "cannot be used" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_belongs_to_the_service(tmp_path: Path, now: datetime) -> None:
    """After `sudo edge-gateway opcua certs --renew` the service still reads its key."""
    os.chown(tmp_path, 12_345, 12_345)
    pki = Pki(tmp_path / "pki" / "opcua")
    own_certificate(pki, now)
    made = [tmp_path / "pki", pki.folder, pki.own, pki.trusted, *pki.own.iterdir()]
    assert {path.stat().st_uid for path in made} == {12_345}
