"""Sessions with a server that proves who it is, and with one that cannot; the server is asyncua's own."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from asyncua import ua

from drivers.opcua.client import end_points
from drivers.opcua.errors import (
    NO_LOGIN,
    NO_POLICY,
    NOT_YET_VALID,
    OWN_FILES,
    UNTRUSTED,
)
from drivers.opcua.guard import POLICIES
from drivers.opcua.own import key_file, own_certificate
from gateway.cli.main import main
from gateway.driver import LinkError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drivers.opcua.pki import Pki
    from tests.drivers.opcua.conftest import Ear
    from tests.drivers.opcua.security.conftest import Identity, SecurePress

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOW = datetime.now(UTC).replace(microsecond=0)

TAGS = {"t": "nsu=urn:acme:press;s=Press1.Temperature"}


@pytest.fixture
def server(identity: Callable[..., Identity]) -> Identity:
    """What a server shows with which all is well."""
    return identity()


def _trust(pki: Pki, identity: Identity) -> None:
    (pki.trusted / "server.der").write_bytes(identity.der)


def _secured(pki: Pki, **security: Any) -> dict[str, Any]:
    return {"insecure": False, "security": {"pki": str(pki.folder)} | security}


def _replaced(path: Path, text: str, mode: int = 0o600) -> str:
    """Write another text into a file; the former one."""
    former = path.read_text()
    path.write_text(text)
    path.chmod(mode)
    return former


async def _refused(heard: Ear) -> LinkError:
    with pytest.raises(LinkError) as caught:
        await heard.driver.open()
    return caught.value


async def test_values_arrive_with_each_policy_and_mode(
    secure_press: SecurePress, server: Identity, pki: Pki, ear: Callable[..., Ear]
) -> None:
    """The channel is the one that was asked for, and the value is the server's."""
    _trust(pki, server)
    modes = {"sign": ua.MessageSecurityMode.Sign, "sign_and_encrypt": ua.MessageSecurityMode.SignAndEncrypt}
    async with secure_press.showing(server):
        for policy, mode in product(POLICIES, modes):
            heard = await ear(secure_press.url, TAGS, **_secured(pki, policy=policy, mode=mode)).hear()
            channel = heard.driver._session._client.security_policy

            assert heard.last("t") == (71.3, "good", None)
            assert (channel.URI.rpartition("#")[2], channel.Mode) == (policy, modes[mode])
            await heard.stop_listening()
            await heard.driver.close()


async def test_without_a_word_the_best_policy_is_taken(
    secure_press: SecurePress, server: Identity, pki: Pki, ear: Callable[..., Ear]
) -> None:
    """Encrypted, and the strongest that the server has."""
    _trust(pki, server)
    async with secure_press.showing(server):
        heard = ear(secure_press.url, TAGS, **_secured(pki))
        await heard.driver.open()
        channel = heard.driver._session._client.security_policy
        assert channel.URI.endswith("#Aes256_Sha256_RsaPss")
        assert channel.Mode == ua.MessageSecurityMode.SignAndEncrypt
        await heard.driver.close()


async def test_a_stranger_is_refused_and_one_command_trusts_it(
    secure_press: SecurePress,
    server: Identity,
    pki: Pki,
    ear: Callable[..., Ear],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The message names the command; after it the same driver connects."""
    async with secure_press.showing(server):
        heard = ear(secure_press.url, TAGS, **_secured(pki))
        error = await _refused(heard)

        assert error.code == UNTRUSTED
        assert (pki.rejected / f"{server.thumbprint}.der").read_bytes() == server.der
        assert heard.batches == []
        command = str(error).partition("run: ")[2].split()
        assert command == ["edge-gateway", "opcua", "trust", server.thumbprint, "--pki", str(pki.folder)]
        assert main(command[1:]) == 0
        assert "trusted: Press 12 (urn:acme:press-server)" in capsys.readouterr().out
        await heard.hear()
        assert heard.last("t") == (71.3, "good", None)
        await heard.stop_listening()
        await heard.driver.close()


async def test_a_trusted_certificate_that_is_not_valid_yet_is_told_with_its_own_code(
    secure_press: SecurePress, identity: Callable[..., Identity], pki: Pki, ear: Callable[..., Ear]
) -> None:
    """Nearly always it is the clock."""
    server = identity(begin=NOW + timedelta(days=40))
    _trust(pki, server)
    async with secure_press.showing(server):
        error = await _refused(ear(secure_press.url, TAGS, **_secured(pki)))
        assert error.code == NOT_YET_VALID
        assert "Look at the clock" in error.told
        assert error.told.startswith(f"{secure_press.url}: ")
        assert error.told.endswith("[E-UA-003]")


async def test_another_name_of_the_server_can_be_said(
    secure_press: SecurePress, identity: Callable[..., Identity], pki: Pki, ear: Callable[..., Ear]
) -> None:
    """For a server behind an address translation."""
    server = identity(hosts=("press-12.plant",))
    _trust(pki, server)
    async with secure_press.showing(server):
        heard = ear(secure_press.url, TAGS, **_secured(pki, server_name="PRESS-12.plant"))
        await heard.driver.open()
        await heard.driver.close()


async def test_a_policy_that_the_server_lacks_is_told_with_those_it_has(
    secure_press: SecurePress, server: Identity, pki: Pki, ear: Callable[..., Ear]
) -> None:
    """The technician can choose without another tool."""
    _trust(pki, server)
    secure_press.policies = [ua.SecurityPolicyType.NoSecurity, ua.SecurityPolicyType.Basic256Sha256_Sign]
    async with secure_press.showing(server):
        for wanted in ({"policy": "Aes256_Sha256_RsaPss"}, {"policy": "Basic256Sha256"}, {}):
            error = await _refused(ear(secure_press.url, TAGS, **_secured(pki, **wanted)))
            assert error.code == NO_POLICY
            assert "it offers: Basic256Sha256 sign, None." in str(error)


async def test_the_right_user_is_let_in(
    secure_press: SecurePress, server: Identity, pki: Pki, ear: Callable[..., Ear], password_file: Path
) -> None:
    """With the password of the file, encrypted for the server."""
    _trust(pki, server)
    secure_press.users.anonymous = False
    login = {"username": "gateway", "password_file": str(password_file)}
    async with secure_press.showing(server):
        heard = await ear(secure_press.url, TAGS, **_secured(pki), **login).hear()
        assert heard.last("t") == (71.3, "good", None)
        await heard.stop_listening()
        await heard.driver.close()


async def test_a_wrong_password_is_told_and_a_right_one_needs_no_restart(
    secure_press: SecurePress, server: Identity, pki: Pki, ear: Callable[..., Ear], password_file: Path
) -> None:
    """The file is read at each attempt; the message never repeats it."""
    _trust(pki, server)
    right = _replaced(password_file, "falsch")
    login = {"username": "gateway", "password_file": str(password_file)}
    async with secure_press.showing(server):
        heard = ear(secure_press.url, TAGS, **_secured(pki), **login)
        error = await _refused(heard)
        assert error.code == NO_LOGIN
        assert "compare username and password" in str(error)
        assert "falsch" not in str(error)
        _replaced(password_file, right)
        await heard.driver.open()
        await heard.driver.close()


async def test_a_user_proves_itself_by_a_certificate(  # noqa: PLR0917 - fixtures
    secure_press: SecurePress,
    server: Identity,
    identity: Callable[..., Identity],
    pki: Pki,
    ear: Callable[..., Ear],
    tmp_path: Path,
) -> None:
    """The session is activated with the user's own certificate and signature."""
    _trust(pki, server)
    certificate, key = identity("gateway user", number=1).write(tmp_path)
    user = {"user_certificate": str(certificate), "user_key": str(key)}
    async with secure_press.showing(server):
        heard = await ear(secure_press.url, TAGS, **_secured(pki), **user).hear()
        assert heard.last("t") == (71.3, "good", None)
        await heard.stop_listening()
        await heard.driver.close()


async def test_a_secret_that_others_may_read_is_not_used(
    secure_press: SecurePress, pki: Pki, ear: Callable[..., Ear], password_file: Path
) -> None:
    """The message says the command that mends it; no server is needed to find out."""
    login = {"username": "gateway", "password_file": str(password_file)}
    heard = ear(secure_press.url, TAGS, **_secured(pki), **login)
    _replaced(password_file, "geheim", mode=0o640)
    error = await _refused(heard)
    assert error.code == OWN_FILES
    assert f"chmod 600 {password_file}" in str(error)


async def test_a_damaged_own_certificate_is_told(secure_press: SecurePress, pki: Pki, ear: Callable[..., Ear]) -> None:
    """It is never replaced in silence: every server would have to trust the new one."""
    own_certificate(pki, NOW)
    key_file(pki).write_text("-----BEGIN nothing")
    error = await _refused(ear(secure_press.url, TAGS, **_secured(pki)))
    assert error.code == OWN_FILES
    assert f"edge-gateway opcua certs --renew --pki {pki.folder}" in str(error)


async def test_a_server_without_any_security_is_refused(
    secure_press: SecurePress, server: Identity, pki: Pki, ear: Callable[..., Ear]
) -> None:
    """Only `insecure: true` opens a channel without; nothing falls back to it."""
    secure_press.policies = [ua.SecurityPolicyType.NoSecurity]
    async with secure_press.showing(server):
        error = await _refused(ear(secure_press.url, TAGS, **_secured(pki)))
        assert error.code == NO_POLICY
        assert "it offers: None." in str(error)


async def test_an_answer_that_was_weakened_on_its_way_is_found_out(
    secure_press: SecurePress,
    server: Identity,
    pki: Pki,
    ear: Callable[..., Ear],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The list of end points comes unproved; the session repeats it signed."""
    _trust(pki, server)

    async def weakened(url: str, timeout_s: float, _interface: str | None) -> list[ua.EndpointDescription]:
        return [one for one in await end_points(url, timeout_s) if "Aes128" in one.SecurityPolicyUri]

    monkeypatch.setattr("drivers.opcua.guard.end_points", weakened)
    async with secure_press.showing(server):
        error = await _refused(ear(secure_press.url, TAGS, **_secured(pki)))
        assert error.code == NO_POLICY
        assert "tells other end points" in str(error)


async def test_a_thief_of_the_certificate_without_its_key_gets_no_session(
    secure_press: SecurePress, server: Identity, identity: Callable[..., Identity], pki: Pki, ear: Callable[..., Ear]
) -> None:
    """A certificate is public; only its key proves anything."""
    _trust(pki, server)
    thief = type(server)(server.certificate, identity(number=1).key)
    async with secure_press.showing(thief):
        heard = ear(secure_press.url, TAGS, **_secured(pki), defaults={"timeout_s": 1})
        await _refused(heard)
        assert heard.batches == []


async def test_stopping_while_the_certificate_is_judged_takes_no_time(
    secure_press: SecurePress, pki: Pki, ear: Callable[..., Ear], black_hole: str
) -> None:
    """A server that never answers the first question does not hold the gateway."""
    heard = ear(black_hole, TAGS, **_secured(pki), defaults={"timeout_s": 60})
    opening = asyncio.create_task(heard.driver.open())
    async with asyncio.timeout(20):
        while not key_file(pki).exists():  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.01)
    opening.cancel()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await opening
