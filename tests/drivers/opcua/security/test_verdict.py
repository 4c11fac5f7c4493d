"""Each reason not to believe a certificate, told apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from drivers.opcua.causes import ServerError
from drivers.opcua.errors import EXPIRED, NOT_YET_VALID, OWN_FILES, REVOKED, UNTRUSTED, WRONG_NAME
from drivers.opcua.verdict import Expected, certificates_of, judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.opcua.pki import Pki
    from tests.drivers.opcua.security.conftest import Identity

URI = "urn:acme:press-server"

NOW = datetime.now(UTC).replace(microsecond=0)


def _trust(pki: Pki, one: Identity) -> None:
    (pki.trusted / f"{one.thumbprint}.der").write_bytes(one.der)


def _judged(pki: Pki, sent: bytes, host: str = "127.0.0.1", now: datetime = NOW) -> Any:
    return judge(sent, Expected(host, URI), pki, now)


def _refused(pki: Pki, sent: bytes, **how: Any) -> ServerError:
    with pytest.raises(ServerError) as caught:
        _judged(pki, sent, **how)
    return caught.value


def test_the_very_certificate_that_is_trusted_is_believed(identity: Callable[..., Identity], pki: Pki) -> None:
    """Trusting it is enough; nothing is kept among the rejected."""
    server = identity()
    _trust(pki, server)
    assert _judged(pki, server.der) == server.certificate
    assert list(pki.rejected.iterdir()) == []


@pytest.mark.parametrize(
    ("wrong", "code", "says"),
    [
        ({"end": NOW - timedelta(hours=2)}, EXPIRED, "has run out on"),
        ({"begin": NOW + timedelta(days=40)}, NOT_YET_VALID, "Look at the clock"),
        ({"hosts": ("10.0.0.9", "press-12")}, WRONG_NAME, "names press-12, 10.0.0.9, not 127.0.0.1"),
        ({"hosts": ()}, WRONG_NAME, "names no host, not 127.0.0.1"),
        ({"uri": "urn:acme:other"}, WRONG_NAME, "is for the application urn:acme:other"),
        ({"uri": None}, WRONG_NAME, "is for the application None"),
        ({"bits": 1024, "number": 9}, UNTRUSTED, "no RSA key of 2048 bits"),
    ],
)
def test_what_is_wrong_with_a_trusted_certificate_is_told_apart(
    identity: Callable[..., Identity], pki: Pki, wrong: dict[str, Any], code: str, says: str
) -> None:
    """Trust does not make an old, early, strange or weak certificate good."""
    server = identity(**wrong)
    _trust(pki, server)
    error = _refused(pki, server.der)
    assert error.code == code
    assert says in str(error)


def test_a_stranger_is_kept_under_its_thumbprint(identity: Callable[..., Identity], pki: Pki) -> None:
    """The message names it, and the command that trusts it."""
    server = identity()
    error = _refused(pki, server.der)
    assert error.code == UNTRUSTED
    assert f"run: edge-gateway opcua trust {server.thumbprint} --pki {pki.folder}" in str(error)
    assert (pki.rejected / f"{server.thumbprint}.der").read_bytes() == server.der


def test_another_certificate_of_a_known_server_is_told_as_that(identity: Callable[..., Identity], pki: Pki) -> None:
    """Same names, same dates, another key: not the one that was trusted."""
    _trust(pki, identity())
    error = _refused(pki, identity(number=1).der)
    assert error.code == UNTRUSTED
    assert "is another one than the trusted one" in str(error)


def test_a_trusted_authority_vouches_for_its_servers(identity: Callable[..., Identity], pki: Pki) -> None:
    """Also through an authority in between, which the server sends or the folder issuers holds."""
    root = identity("Plant", number=1, uri=None, hosts=(), is_authority=True)
    between = identity("Hall 2", number=2, uri=None, hosts=(), is_authority=True, issuer=root)
    server = identity(issuer=between)
    _trust(pki, root)

    assert _refused(pki, server.der).code == UNTRUSTED
    assert _judged(pki, server.der + between.der) == server.certificate
    (pki.issuers / "hall.der").write_bytes(between.der)
    assert _judged(pki, server.der) == server.certificate


def test_an_authority_among_the_issuers_only_completes_a_chain(identity: Callable[..., Identity], pki: Pki) -> None:
    """It is not trusted by lying there."""
    root = identity("Plant", number=1, uri=None, hosts=(), is_authority=True)
    (pki.issuers / "plant.der").write_bytes(root.der)
    assert _refused(pki, identity(issuer=root).der).code == UNTRUSTED


def test_a_trusted_server_is_no_authority(identity: Callable[..., Identity], pki: Pki) -> None:
    """Whoever stole its key cannot make certificates for other servers."""
    server = identity("Press 11", number=1)
    _trust(pki, server)
    assert _refused(pki, identity(issuer=server).der).code == UNTRUSTED


def test_a_forged_signature_is_no_chain(identity: Callable[..., Identity], pki: Pki) -> None:
    """An authority of the same name and another key vouches for nobody."""
    root = identity("Plant", number=1, uri=None, hosts=(), is_authority=True)
    forger = identity("Plant", number=2, uri=None, hosts=(), is_authority=True)
    _trust(pki, root)
    assert _refused(pki, identity(issuer=forger).der).code == UNTRUSTED


def test_a_revoked_certificate_is_refused(
    identity: Callable[..., Identity], revocation: Callable[..., bytes], pki: Pki
) -> None:
    """Though it is trusted itself; a list of another authority says nothing."""
    root = identity("Plant", number=1, uri=None, hosts=(), is_authority=True)
    forger = identity("Plant", number=2, uri=None, hosts=(), is_authority=True)
    server = identity(issuer=root)
    _trust(pki, server)
    _trust(pki, root)
    (pki.trusted / "plant.crl").write_bytes(revocation(forger, server))
    assert _judged(pki, server.der) == server.certificate

    (pki.trusted / "plant.crl").write_bytes(revocation(root, server))
    error = _refused(pki, server.der)
    assert error.code == REVOKED
    assert "was revoked by 'Plant'" in str(error)


def test_a_damaged_revocation_list_lets_nobody_in(identity: Callable[..., Identity], pki: Pki) -> None:
    """Nobody knows whom it named."""
    _trust(pki, server := identity())
    (pki.issuers / "plant.crl").write_bytes(b"\x30nothing")
    error = _refused(pki, server.der)
    assert error.code == OWN_FILES
    assert "is damaged" in str(error)


@pytest.mark.parametrize("sent", [b"", b"\x30", b"\x30\x82", b"no certificate", b"\x30\x84\xff\xff\xff\xff" * 9])
def test_what_is_no_certificate_is_told(pki: Pki, sent: bytes) -> None:
    """A server may send anything."""
    with pytest.raises(ServerError, match="certificate"):
        certificates_of(sent)


@pytest.mark.parametrize("host", ["::1", "0:0:0:0:0:0:0:1", "Press-12.plant", "press-12.PLANT."])
def test_a_host_is_known_in_each_of_its_spellings(identity: Callable[..., Identity], pki: Pki, host: str) -> None:
    """Case, a dot at the end, and the notation of an address make no difference."""
    server = identity(hosts=("::1", "press-12.plant"))
    _trust(pki, server)
    assert _judged(pki, server.der, host=host) == server.certificate
