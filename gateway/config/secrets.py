"""Secrets by name: a systemd credential, or a file that only its owner may read. Never a word in the configuration."""

from __future__ import annotations

import os
import stat
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.config.files import SECRETS_FOLDER, shown

if TYPE_CHECKING:
    from gateway.config.schema import Secret

PLAIN_SECRET: Final = "a secret must not stand in this file"  # noqa: S105 - a text about secrets
PLAIN_SECRET_HINT: Final = "write {secret: NAME} and put it in the file secrets/NAME, mode 0600"  # noqa: S105 - as above

_SECRET_KEYS = ("password", "passphrase", "passwd", "psk")
_ALIKE = 0.8
"""Share of common letters from which a key is a mistyped `password`; `passenger` has less."""
_MOST_BYTES = 65_536
"""A key or certificate fits; what is larger is no secret but a file that landed there by mistake."""


class SecretError(Exception):
    """A secret cannot be had. The text names where it was looked for, never the secret."""


def resolve(secret: Secret, folder: Path) -> str:
    """The secret that a configuration in `folder` names, without the line end that editors add.

    Raises:
        SecretError: it is nowhere, is empty, or others may read it.
    """
    path = secret_file(secret, folder)
    try:
        value = path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise SecretError(f"secret {secret.secret!r} cannot be read from {shown(path)}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SecretError(f"secret {secret.secret!r} in {shown(path)} is not UTF-8 text") from None
    if not value:
        raise SecretError(f"secret {secret.secret!r} in {shown(path)} is empty")
    return value


def secret_file(secret: Secret, folder: Path) -> Path:
    """The file that holds the secret which a configuration in `folder` names.

    Raises:
        SecretError: there is none, or others may read it.
    """
    credential = _credential(secret.secret)
    if credential is not None:
        return credential
    path = folder / SECRETS_FOLDER / secret.secret
    try:
        check_private(path)
    except FileNotFoundError:
        text = (
            f"secret {secret.secret!r} is missing: neither a systemd credential of this name nor the file {shown(path)}"
        )
        raise SecretError(text) from None
    except OSError as error:
        raise SecretError(f"secret {secret.secret!r} cannot be read from {shown(path)}: {error.strerror}") from None
    return path


def check_private(path: Path) -> None:
    """Whether nobody but its owner may read the file.

    Raises:
        SecretError: others may, or it is no file of a secret's size.
        OSError: it cannot be looked at.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
        raise SecretError(f"{shown(path)} is not a file that holds a secret")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        mode = f"{stat.S_IMODE(status.st_mode):04o}"
        raise SecretError(f"others may read {shown(path)} (mode {mode}): run: chmod 600 {shown(path)}")


def _credential(name: str) -> Path | None:
    """The file in which systemd hands over the credential (systemd.exec(5), CREDENTIALS_DIRECTORY)."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(directory) / name if directory else None
    return path if path is not None and path.is_file() else None


@lru_cache(maxsize=1024)
def names_a_secret(key: str) -> bool:
    """Whether the value of this key is a secret, so that no message may repeat it. Sees through a typing mistake."""
    word = key.lower()
    return word in _SECRET_KEYS or (
        word.startswith("pa") and SequenceMatcher(None, word, _SECRET_KEYS[0]).ratio() >= _ALIKE
    )
