"""Passwords and keys in files, and what is wrong with them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from asyncua import ua

from drivers.opcua.causes import ServerError
from drivers.opcua.config import OpcuaConnection
from drivers.opcua.errors import NO_LOGIN, OWN_FILES
from drivers.opcua.login import Login, read_login

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.drivers.opcua.security.conftest import Identity

OPEN = "http://opcfoundation.org/UA/SecurityPolicy#None"


def _config(**settings: Any) -> OpcuaConnection:
    devices = {"press": {"tags": {"t": {"address": "i=2258"}}}}
    written = {"version": 1, "driver": "opcua", "url": "opc.tcp://plc", "devices": devices}
    return OpcuaConnection.model_validate(written | settings)


def test_without_a_word_the_gateway_is_anonymous() -> None:
    """No user, no key."""
    assert read_login(_config()) == Login()


def test_the_line_end_of_an_editor_is_no_part_of_the_password(password_file: Path) -> None:
    """Spaces are."""
    password_file.write_text(" ge heim \r\n")
    login = read_login(_config(username="gateway", password_file=str(password_file)))
    assert (login.username, login.password) == ("gateway", " ge heim ")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b"x" * 70_000, "not a file that holds a secret"),
    ],
)
def test_a_file_without_a_password_is_told(password_file: Path, content: bytes, says: str) -> None:
    """By its path, never by its content."""
    password_file.write_bytes(content)
    with pytest.raises(ServerError, match=says) as caught:
        read_login(_config(username="gateway", password_file=str(password_file)))
    assert caught.value.code == OWN_FILES
    assert str(password_file) in str(caught.value)


def test_certificate_and_key_of_a_user_are_read(identity: Callable[..., Identity], tmp_path: Path) -> None:
    """DER and PEM."""
    user = identity()
    certificate, key = user.write(tmp_path)
    login = read_login(_config(user_certificate=str(certificate), user_key=str(key)))
    assert login.certificate == user.certificate
    assert login.key is not None
    assert login.key.private_numbers() == user.key.private_numbers()


@pytest.mark.parametrize("broken", ["certificate", "key"])
@pytest.mark.parametrize("missing", [True, False])
def test_a_broken_file_of_a_user_is_told(
    identity: Callable[..., Identity], tmp_path: Path, *, broken: str, missing: bool
) -> None:
    """By its path."""
    certificate, key = identity().write(tmp_path)
    path = {"certificate": certificate, "key": key}[broken]
    if missing:
        path.unlink()
    else:
        path.write_text("-----BEGIN nothing")
    with pytest.raises(ServerError) as caught:
        read_login(_config(user_certificate=str(certificate), user_key=str(key)))
    assert caught.value.code == OWN_FILES
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "policy", "refused"),
    [
        (ua.MessageSecurityMode.Sign, OPEN, True),
        (ua.MessageSecurityMode.Sign, "#Basic256Sha256", False),
        (ua.MessageSecurityMode.SignAndEncrypt, OPEN, False),
    ],
)
async def test_a_password_never_travels_readable_over_a_secured_connection(
    mode: ua.MessageSecurityMode, policy: str, *, refused: bool
) -> None:
    """A signed channel hides nothing: then the server must encrypt the password itself."""
    sent: list[Any] = []

    async def activate(*login: Any) -> None:
        sent.append(login)

    client: Any = SimpleNamespace(
        security_policy=SimpleNamespace(Mode=mode),
        server_policy=lambda _: SimpleNamespace(SecurityPolicyUri=policy),
        activate_session=activate,
    )
    login = Login("gateway", "geheim")
    if not refused:
        await login.activate(client)
        assert sent == [("gateway", "geheim", None)]
        return
    with pytest.raises(ServerError, match="sign_and_encrypt") as caught:
        await login.activate(client)
    assert caught.value.code == NO_LOGIN
    assert sent == []
