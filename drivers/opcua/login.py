"""Who the gateway is for a server: nobody, a user with a password, or one with a certificate."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asyncua import ua
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from drivers.opcua.causes import ServerError
from drivers.opcua.errors import NO_LOGIN, OWN_FILES
from drivers.opcua.pki import MOST_BYTES, read_certificate

if TYPE_CHECKING:
    from asyncua.client.client import Client
    from cryptography import x509

    from drivers.opcua.config import OpcuaConnection

_NO_POLICY_URI: Final = "http://opcfoundation.org/UA/SecurityPolicy#None"


@dataclass(frozen=True, slots=True)
class Login:
    """What activates a session. All None is the anonymous user."""

    username: str | None = None
    password: str | None = None
    certificate: x509.Certificate | None = None
    key: rsa.RSAPrivateKey | None = None

    async def activate(self, client: Client) -> None:
        """Log in. A password never travels readable over a secured connection.

        Raises:
            OSError, ua.UaError: the network failed, or the server refused.
        """
        self._refuse_readable_password(client)
        client.user_private_key = self.key
        await client.activate_session(self.username, self.password, self.certificate)

    def _refuse_readable_password(self, client: Client) -> None:
        if self.username is None or client.security_policy.Mode != ua.MessageSecurityMode.Sign:
            return
        if client.server_policy(ua.UserTokenType.UserName).SecurityPolicyUri == _NO_POLICY_URI:
            raise ServerError(
                "the server wants the password unencrypted, and mode: sign does not hide it. "
                "Write mode: sign_and_encrypt, or have the server encrypt passwords.",
                NO_LOGIN,
            )


def read_login(config: OpcuaConnection) -> Login:
    """What the files say now; they are read before each connection, so a new password needs no restart.

    Raises:
        ServerError: a file cannot be used; the text names it.
    """
    if config.username is not None and config.password_file is not None:
        return Login(username=config.username, password=_password(Path(config.password_file)))
    if config.user_certificate is not None and config.user_key is not None:
        return Login(certificate=_certificate(Path(config.user_certificate)), key=_key(Path(config.user_key)))
    return Login()


def _password(path: Path) -> str:
    try:
        password = _private(path).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ServerError(f"the password in {path} is not UTF-8 text.", OWN_FILES) from None
    if not password:
        raise ServerError(f"the password file {path} is empty.", OWN_FILES)
    return password


def _certificate(path: Path) -> x509.Certificate:
    try:
        return read_certificate(path)
    except OSError as error:
        raise ServerError(f"the user's certificate {path} cannot be read: {error.strerror}.", OWN_FILES) from None
    except ValueError:
        raise ServerError(f"{path} holds no certificate in PEM or DER form.", OWN_FILES) from None


def _key(path: Path) -> rsa.RSAPrivateKey:
    try:
        key = load_pem_private_key(_private(path), password=None)
    except (ValueError, TypeError):
        text = f"{path} holds no private key in PEM form without a passphrase."
        raise ServerError(text, OWN_FILES) from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ServerError(f"the key in {path} is no RSA key; OPC UA takes no other here.", OWN_FILES)
    return key


def _private(path: Path) -> bytes:
    """What is in a file that only its owner may read."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
            raise ServerError(f"{path} is not a file that holds a secret.", OWN_FILES)
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ServerError(f"others may read {path}: run: chmod 600 {path}", OWN_FILES)
        return path.read_bytes()
    except OSError as error:
        raise ServerError(f"{path} cannot be read: {error.strerror}.", OWN_FILES) from None
