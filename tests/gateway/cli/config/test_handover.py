"""`edge-gateway config handover`: the page for the IT department."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import MOSQUITTO, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., tuple[int, str]]


NOT_AUTHORIZED = 0x87
"""Reason code of a PUBACK (MQTT 5, section 3.4.2.1)."""


def test_page_names_links_topics_and_rules(command: Command, folder: Path) -> None:
    """What a firewall and a broker must allow, on 80 columns, and nothing listens."""
    gateway = folder / "gateway.yaml"
    gateway.write_text(gateway.read_text().replace("127.0.0.1:1883", "broker.acme.example") + "  username: press\n")
    (folder / "connections" / "meters.yaml").write_text(
        "version: 1\ndriver: modbus\nhost: 192.0.2.7\ndevices:\n  meter:\n    tags:\n      v: {address: '30001'}\n"
    )
    code, said = command("config", "handover", folder)
    assert code == 0
    lines = said.splitlines()
    for line in (
        "  out  tcp broker.acme.example:1883  MQTT, not encrypted",
        "  out  tcp 192.0.2.7:502  connection meters",
        "  acme/ehv/press-12/#",
        "  acme/ehv/_gateway/press-hall-1/#",
        "  user press",
        "  topic write acme/ehv/meter/#",
    ):
        assert line in lines, said
    assert any(line.startswith('  {allow, {username, "press"}, publish, ["acme/ehv/') for line in lines)
    assert len(lines) <= 60
    assert max(len(line) for line in lines if "{allow" not in line) <= 100


def test_certificates_are_listed_with_their_end(command: Command, folder: Path) -> None:
    """In time for somebody to renew them."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "45", "-subj", "/CN=acme"]
    subprocess.run([*make, "-keyout", "key.pem", "-out", "ca.pem"], cwd=folder, check=True, capture_output=True)
    gateway = folder / "gateway.yaml"
    gateway.write_text(gateway.read_text().replace("mqtt://", "mqtts://") + "  tls: {ca: ca.pem}\n")
    code, said = command("config", "handover", folder, "--json")
    assert code == 0
    (certificate,) = json.loads(said)["certificates"]
    assert certificate["whose"] == "authority of the broker"
    assert certificate["days_left"] in {44, 45}


def test_mosquitto_takes_the_rules_and_lets_the_gateway_publish(command: Command, folder: Path, tmp_path: Path) -> None:
    """The printed lines are an acl_file as they are: what they allow passes, anything else is refused."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    gateway = folder / "gateway.yaml"
    gateway.write_text(gateway.read_text() + "  username: press\n")
    rules = json.loads(command("config", "handover", folder, "--json")[1])["mosquitto_acl"]
    port = free_port()
    (tmp_path / "acl").write_text("\n".join(rules) + "\nuser watcher\ntopic read #\n")
    (tmp_path / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nacl_file {tmp_path}/acl\nuser root\n"
    )
    with subprocess.Popen([MOSQUITTO, "-c", tmp_path / "mosquitto.conf"], stderr=subprocess.DEVNULL) as broker:
        try:
            allowed, refused = (
                _published(port, topic) for topic in ("acme/ehv/press-12/data", "acme/ehv/elsewhere/data")
            )
        finally:
            broker.terminate()
    assert allowed
    assert not refused


def _published(port: int, topic: str) -> bool:
    """Whether mosquitto takes a message of the user `press` on this topic."""
    publish = ["mosquitto_pub", "-p", str(port), "-u", "press", "-V", "mqttv5", "-q", "1", "-t", topic, "-m", "x"]
    done: list[subprocess.CompletedProcess[str]] = []

    def answered() -> bool:
        done[:] = [subprocess.run([*publish, "-d"], capture_output=True, text=True, check=False, timeout=10)]
        return "PUBACK" in done[0].stdout

    wait_until(answered, 20, "an answer of the broker")
    return f"RC:{NOT_AUTHORIZED}" not in done[0].stdout


def test_unusable_gateway_file_is_told(command: Command, folder: Path) -> None:
    """With the command that says more."""
    (folder / "gateway.yaml").write_text("version: 1\n")
    assert command("config", "handover", folder) == (
        2,
        f"gateway.yaml cannot be used; `edge-gateway check {folder}` tells what is wrong\n",
    )
