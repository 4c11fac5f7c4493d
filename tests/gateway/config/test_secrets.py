"""Where secrets come from, and that nothing ever shows one."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest

from gateway.config.schema import Secret
from gateway.config.secrets import SecretError, names_a_secret, resolve
from tests.gateway.config.conftest import GATEWAY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gateway.config.conftest import ConfigurationFolder

SECRET = Secret(secret="broker-password")  # noqa: S106 - the name of a secret


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests run outside a systemd service, whatever they are started from."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A secret file as it must be."""
    path = tmp_path / "secrets" / "broker-password"
    path.parent.mkdir()
    path.write_text("hunter2\n")
    path.chmod(0o600)
    return path


def refusal(folder: Path) -> str:
    with pytest.raises(SecretError) as refused:
        resolve(SECRET, folder)
    assert "hunter2" not in str(refused.value)
    return str(refused.value)


def test_secret_is_read_from_its_file(file: Path, tmp_path: Path) -> None:
    """The file in the folder `secrets` beside gateway.yaml."""
    assert resolve(SECRET, tmp_path) == "hunter2"


@pytest.mark.parametrize(
    ("content", "value"),
    [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), (" a b \n", " a b "), ("a\n\n", "a\n"), ("pässwörd\n", "pässwörd")],
)
def test_only_the_line_end_of_an_editor_is_removed(file: Path, tmp_path: Path, content: str, value: str) -> None:
    """Spaces may belong to a password; the line end that an editor adds does not."""
    file.write_bytes(content.encode())
    assert resolve(SECRET, tmp_path) == value


def test_credential_of_systemd_comes_first(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit with LoadCredential= needs no file; its mode is systemd's business."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "broker-password").write_text("from systemd\n")
    (credentials / "broker-password").chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert resolve(SECRET, tmp_path) == "from systemd"


def test_file_serves_where_systemd_has_no_such_credential(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some secrets may come from systemd and others from files."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert resolve(SECRET, tmp_path) == "hunter2"


def test_missing_secret_names_both_places(tmp_path: Path) -> None:
    """The technician learns where to put it."""
    assert refusal(tmp_path) == (
        "secret 'broker-password' is missing: neither a systemd credential of this name "
        f"nor the file {tmp_path}/secrets/broker-password"
    )


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o610, 0o601])
def test_file_that_others_may_read_is_refused(file: Path, tmp_path: Path, mode: int) -> None:
    """The refusal names the mode and the command that mends it."""
    file.chmod(mode)
    assert refusal(tmp_path) == f"others may read {file} (mode {mode:04o}): run: chmod 600 {file}"


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_file_of_its_owner_is_taken(file: Path, tmp_path: Path, mode: int) -> None:
    """What only the owner may read is secret."""
    file.chmod(mode)
    assert resolve(SECRET, tmp_path) == "hunter2"


def test_empty_file_is_refused(file: Path, tmp_path: Path) -> None:
    """An empty password would be refused by the broker, hours later."""
    file.write_text("\n")
    assert refusal(tmp_path) == f"secret 'broker-password' in {file} is empty"


def test_binary_file_is_refused(file: Path, tmp_path: Path) -> None:
    """A password is text."""
    file.write_bytes(b"hunter2\xff")
    assert refusal(tmp_path) == f"secret 'broker-password' in {file} is not UTF-8 text"


def test_what_is_no_file_is_refused(file: Path, tmp_path: Path) -> None:
    """Neither a folder nor a pipe nor a huge file is read."""
    file.write_text("x" * 100_000)
    assert refusal(tmp_path) == f"{file} is not a file that holds a secret"
    file.unlink()
    os.mkfifo(file, 0o600)
    assert refusal(tmp_path) == f"{file} is not a file that holds a secret"
    file.unlink()
    file.mkdir(0o700)
    assert refusal(tmp_path) == f"{file} is not a file that holds a secret"


def test_system_s_refusal_is_passed_on(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another owner says so."""

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(file), "read_text", refuse)
    assert refusal(tmp_path) == f"secret 'broker-password' cannot be read from {file}: Permission denied"


@pytest.mark.parametrize("name", ["../gateway.yaml", "/etc/shadow", "", ".hidden", "a b", "a\n"])
def test_name_cannot_lead_out_of_the_folder(folder: ConfigurationFolder, name: str) -> None:
    """A name of a secret is a name, not a path."""
    folder.gateway(f'{GATEWAY}  password: {{secret: "{name}"}}\n'.replace("a\n", "a\\n"))
    (line,) = folder.told()
    assert line.endswith("secret must be the name of a secret: letters, digits, '.', _ and -")


def test_gateway_without_its_secret_cannot_be_used(folder: ConfigurationFolder) -> None:
    """Better told at the start than refused by the broker."""
    folder.gateway(f"{GATEWAY}  password: {{secret: broker-password}}\n")
    result = folder.load()
    assert result.configuration is None
    assert str(result.problems[0]).startswith("gateway.yaml:5:13: secret 'broker-password' is missing: ")


def test_world_readable_file_is_an_error_of_the_configuration(folder: ConfigurationFolder) -> None:
    """`check` names the file, its mode and what to do."""
    folder.gateway(f"{GATEWAY}  password: {{secret: broker-password}}\n")
    secrets = folder.path / "secrets"
    secrets.mkdir()
    (secrets / "broker-password").write_text("hunter2\n")
    (secrets / "broker-password").chmod(0o644)
    path = secrets / "broker-password"
    assert folder.told() == [f"gateway.yaml:5:13: others may read {path} (mode 0644): run: chmod 600 {path}"]
    path.chmod(0o600)
    assert folder.told() == []


def test_loaded_configuration_does_not_hold_the_secret(
    folder: ConfigurationFolder, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a dump, nor the repr, nor the log of a load can show what was never kept."""
    folder.gateway(f"{GATEWAY}  password: {{secret: broker-password}}\n")
    (folder.path / "secrets").mkdir()
    (folder.path / "secrets" / "broker-password").write_text("hunter2\n")
    (folder.path / "secrets" / "broker-password").chmod(0o600)
    with caplog.at_level(logging.DEBUG):
        result = folder.load()
    assert result.configuration is not None
    shown = repr(result) + result.configuration.gateway.model_dump_json() + caplog.text
    assert "broker-password" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize("key", ["password", "Password", "passwrod", "pasword", "passwort", "passphrase", "psk"])
def test_keys_of_secrets_are_known(key: str) -> None:
    """Also as they are mistyped."""
    assert names_a_secret(key)


@pytest.mark.parametrize("key", ["username", "pass", "bypass", "passenger", "path", "parity", "secret", "unit_id", ""])
def test_other_keys_are_no_secrets(key: str) -> None:
    """Their values are shown, since a message without the value helps little."""
    assert not names_a_secret(key)
