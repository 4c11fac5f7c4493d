"""Mistakes in the files, against a gateway that runs: F1 to F7, and X5 for the secrets."""

from __future__ import annotations

import re
import signal
import socket
import zipfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.cli.main import main
from gateway.config.history import History
from tests.conftest import Gateway, Mosquitto, Subscriber, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = Path(__file__).parents[2] / "cases" / "config"
PLACE = re.compile(r"^[^ ]+:[0-9]+:[0-9]+: .+ \[E-CFG-[0-9]{3}\]$", re.MULTILINE)

GOOD = "version: 1\ndriver: sim\ndevices:\n  machine:\n    period_s: 0.2\n    tags:\n      count: {address: counter}\n"
OTHER = GOOD.replace("machine", "other")
BAD = OTHER.replace("address", "adress")
PASSWORD = "correct-horse-battery-staple"  # noqa: S105 - planted, to be looked for


def told_by_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["check", str(folder)])
    return code, capsys.readouterr().out


@pytest.fixture
def gateway(gateways: Callable[[str], Gateway], mosquitto: Mosquitto) -> Gateway:
    """A gateway with one good connection, not started."""
    gateway = gateways(mosquitto.url)
    gateway.write("connections/a.yaml", GOOD)
    return gateway


def counts(subscriber: Subscriber, device: str = "machine") -> list[int]:
    return [batch["values"]["count"] for batch in subscriber.payloads("/data") if batch["device"] == device]


@pytest.mark.parametrize("case", ["tab", "brace_not_closed", "indented_too_deep", "quote_not_closed"])
def test_f1_syntax_error_ends_check_with_2_and_names_its_place(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A tab, a bracket, an indent, a quote: file, line, column and cause."""
    code, said = told_by_check(CASES / case, capsys)
    assert code == 2
    assert PLACE.search(said), said


def test_f2_all_mistakes_of_all_files_are_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """One run of check for one round of corrections."""
    code, said = told_by_check(CASES / "errors_in_all_files", capsys)
    assert code == 2
    assert len({line.partition(":")[0] for line in PLACE.findall(said)}) >= 3


@pytest.mark.parametrize("case", ["device_twice_in_two_files", "end_point_twice", "key_twice"])
def test_f3_what_stands_twice_names_both_lines(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The place of the second, and in the text that of the first."""
    code, said = told_by_check(CASES / case, capsys)
    assert code == 2
    assert re.search(r"already taken in [^ ]+:\d+|first in line \d+", said), said


@pytest.mark.parametrize("word", ["no", "on", "08", "12:30", "1_000"])
def test_f4_word_with_two_meanings_is_refused_with_advice(
    gateway: Gateway, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line is named, and what to write instead."""
    gateway.write("connections/a.yaml", GOOD.replace("{address: counter}", f"{{address: counter, unit: {word}}}"))
    code, said = told_by_check(gateway.folder, capsys)
    assert code == 2
    assert re.search(r"^connections/a.yaml:7:\d+: .*(quote|write)", said, re.MULTILINE), said


def test_f5_one_broken_file_harms_only_its_device(gateway: Gateway, subscriber: Subscriber, tmp_path: Path) -> None:
    """The others collect, and the status names file, line and column."""
    gateway.write("connections/b.yaml", BAD)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        gateway.start(NOTIFY_SOCKET=str(tmp_path / "notify"))
        wait_until(lambda: counts(subscriber), 30, "a value of the good device")
        status = ""
        while "not used" not in status:
            status = systemd.recv(4096).decode()
    assert "; not used: connections/b.yaml:7:15" in status


def test_f6_bad_file_changes_nothing_and_a_good_one_is_taken_over(gateway: Gateway, subscriber: Subscriber) -> None:
    """The device that did not change misses no reading through both."""
    gateway.write("connections/b.yaml", OTHER)
    gateway.start()
    wait_until(lambda: counts(subscriber) and counts(subscriber, "other"), 30, "values of both")
    gateway.write("connections/b.yaml", BAD)
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: any("reload refused" in line["event"] for line in gateway.logged()), 20, "the refusal")
    refused_at = len(counts(subscriber, "other"))
    wait_until(lambda: len(counts(subscriber, "other")) > refused_at + 2, 20, "the old configuration goes on")
    gateway.write("connections/b.yaml", OTHER.replace("0.2", "0.1"))
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: any(line["event"] == "reloaded" for line in gateway.logged()), 20, "the reload")
    seen = len(counts(subscriber))
    wait_until(lambda: len(counts(subscriber)) > seen + 2, 20, "more values")
    assert counts(subscriber) == list(range(1, len(counts(subscriber)) + 1))


def test_f7_open_or_plain_secret_is_refused(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that others may read, and a password in the YAML itself: exit code 2, the file named, nothing shown."""
    plain = (gateway.folder / "gateway.yaml").read_text()
    gateway.write("gateway.yaml", f"{plain}  password: {PASSWORD}\n")
    code, said = told_by_check(gateway.folder, capsys)
    assert code == 2
    assert "gateway.yaml:7:13: a secret must not stand in this file" in said
    assert PASSWORD not in said
    gateway.write("gateway.yaml", f"{plain}  password: {{secret: broker-password}}\n")
    secret = _secret(gateway)
    secret.chmod(0o644)
    code, said = told_by_check(gateway.folder, capsys)
    assert code == 2
    assert f"others may read {secret} (mode 0644): run: chmod 600 {secret}" in said
    assert PASSWORD not in said


def test_x5_planted_secret_is_found_nowhere(
    gateway: Gateway, subscriber: Subscriber, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not in the log, at the broker, in what the tools print, in the state folder, in the process's arguments."""
    plain = (gateway.folder / "gateway.yaml").read_text()
    gateway.write("gateway.yaml", f"{plain}  username: me\n  password: {{secret: broker-password}}\n")
    _secret(gateway)
    gateway.start()
    wait_until(lambda: counts(subscriber), 30, "a value")
    gateway.write("connections/a.yaml", GOOD.replace("0.2", "0.1"))
    state = ["--state", str(gateway.state)]
    assert main(["reload", str(gateway.folder), *state]) == 0
    for command in (
        ["check", str(gateway.folder)],
        ["check", str(gateway.folder), "--json"],
        ["config", "show", str(gateway.folder)],
        ["config", "show", str(gateway.folder), "--json"],
        ["config", "diff", "1", "--text", "--config", str(gateway.folder), *state],
        ["config", "history", "1", "--config", str(gateway.folder), *state],
    ):
        main(command)
    assert gateway.process is not None
    arguments = Path(f"/proc/{gateway.process.pid}/cmdline").read_bytes()
    environment = Path(f"/proc/{gateway.process.pid}/environ").read_bytes()
    gateway.stop()
    printed = capsys.readouterr()
    messages = b"".join(topic.encode() + payload for topic, payload, _ in subscriber.messages)
    kept = b"".join(content for path in gateway.state.rglob("*") if path.is_file() for content in _contents(path))
    assert len(History(gateway.state).entries()) == 2
    everything = [printed.out.encode(), printed.err.encode(), gateway.log.read_bytes(), messages, kept]
    assert all(PASSWORD.encode() not in text for text in (*everything, arguments, environment))


def _secret(gateway: Gateway) -> Path:
    folder = gateway.folder / "secrets"
    folder.mkdir(mode=0o700)
    secret = folder / "broker-password"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    return secret


def _contents(path: Path) -> list[bytes]:
    """The bytes of a file, and of what is packed in it."""
    content = path.read_bytes()
    if path.suffix != ".zip":
        return [content]
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return [content, *(archive.read(name) for name in archive.namelist())]
