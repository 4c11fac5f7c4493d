"""`edge-gateway check`: its output, its exit codes, its JSON."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import check
from gateway.config.load import LoadResult

GATEWAY = "version: 1\ngateway: {id: press-hall-1}\nbroker: {url: mqtt://127.0.0.1}\n"
MODBUS = "version: 1\ndriver: modbus\nhost: HOST\ndevices:\n  DEVICE:\n    tags:\n      speed: {address: 'holding:1'}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good configuration of two connections."""
    (tmp_path / "connections").mkdir()
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    write(tmp_path, "meters", "10.0.0.5", "meter")
    write(tmp_path, "oven", "oven.acme.example", "oven-3")
    return tmp_path


def write(folder: Path, name: str, host: str, device: str) -> None:
    text = MODBUS.replace("HOST", host).replace("DEVICE", device)
    (folder / "connections" / f"{name}.yaml").write_text(text)


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    check.add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["check", *arguments])
    code: int = args.main(args)
    return code


def test_good_configuration_is_a_table_and_a_verdict(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What would be read, at a glance; exit code 0."""
    assert run(str(folder)) == 0
    assert capsys.readouterr().out.splitlines() == [
        "connection  driver  end point                  devices  tags",
        "meters      modbus  tcp 10.0.0.5:502                 1     1",
        "oven        modbus  tcp oven.acme.example:502        1     1",
        "",
        "2 connections, 2 devices, 2 tags: good",
    ]


def test_problems_come_first_and_the_verdict_last(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All problems of all files, then what can be used, then the count; exit code 2."""
    (folder / "connections" / "meters.yaml").write_text("nonsense\n")
    (folder / "connections" / "press.yml").write_text("")
    assert run(str(folder)) == 2
    assert capsys.readouterr().out.splitlines() == [
        "connections/meters.yaml:1:1: a configuration file consists of lines of the form 'key: value' [E-CFG-010]",
        "     1 | nonsense",
        "       | ^",
        "connections/press.yml: warning: this file is not read (rename it to press.yaml) [E-CFG-004]",
        "",
        "connection  driver  end point                  devices  tags",
        "meters      -       left out, see above              -     -",
        "oven        modbus  tcp oven.acme.example:502        1     1",
        "",
        "1 error, 1 warning in 2 files",
    ]


def test_warnings_are_counted_and_let_pass(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning is no reason to stop a deployment."""
    (folder / "connections" / "press.yml").write_text("")
    (folder / "connections" / "oven.yaml").unlink()
    assert run(str(folder)) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 connection, 1 device, 1 tag: good, 1 warning"


def test_without_a_gateway_file_there_is_no_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing would run, so nothing is listed."""
    (folder / "gateway.yaml").write_text(GATEWAY.replace("url", "uri"))
    assert run(str(folder)) == 2
    assert capsys.readouterr().out.splitlines() == [
        "gateway.yaml:3:10: unknown key 'uri' (did you mean 'url'?) [E-CFG-020]",
        "     3 | broker: {uri: mqtt://127.0.0.1}",
        "       |          ^",
        "1 error in 1 file",
    ]


def test_lines_of_the_table_fit_on_a_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Eighty columns hold the longest names; what is cut ends in dots."""
    write(folder, "a-connection-of-a-very-long-name-that-somebody-thought-up", "h" * 63 + ".example", "long")
    assert run(str(folder)) == 0
    head, *rows = capsys.readouterr().out.splitlines()[:4]
    assert {len(row) for row in rows} == {80}
    assert len(head) == 80
    assert rows[0].startswith("a-connection-of-a-ver...  modbus  tcp hhhh")
    assert "...        1     1" in rows[0]


def test_json_tells_the_same_to_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object: problems with their parts, connections with their numbers."""
    (folder / "connections" / "meters.yaml").write_text(MODBUS.replace("host", "hots"))
    assert run(str(folder), "--json") == 2
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert len(told.pop("digest")) == 12
    assert told == {
        "folder": str(folder),
        "good": False,
        "problems": [
            {
                "file": "connections/meters.yaml",
                "line": 3,
                "column": 1,
                "severity": "error",
                "code": "E-CFG-020",
                "text": "unknown key 'hots'",
                "hint": "did you mean 'host'?",
            }
        ],
        "connections": [
            {"name": "oven", "driver": "modbus", "end_point": "tcp oven.acme.example:502", "devices": 1, "tags": 1}
        ],
        "derived_tags": 0,
        "left_out": ["meters"],
    }


def test_json_without_a_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same keys, empty where there is nothing."""
    assert run(str(tmp_path), "--json") == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["good"], told["digest"], told["connections"], told["left_out"]) == (False, None, [], [])
    assert [problem["file"] for problem in told["problems"]] == ["connections", "gateway.yaml"]


def test_default_folder_is_that_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """`edge-gateway check` on the gateway needs no argument."""
    asked: list[Path] = []

    def load(folder: Path) -> LoadResult:
        asked.append(folder)
        return LoadResult(None, ())

    monkeypatch.setattr(check, "load", load)
    assert run() == 0
    assert asked == [Path("/etc/edge-gateway")]


def test_terminal_of_another_encoding_gets_every_line(folder: Path) -> None:
    """A name that a terminal cannot show is escaped; nothing ends in a traceback."""
    (folder / "connections" / os.fsdecode("ofen-süd-°.yaml".encode())).write_text(MODBUS.replace("speed", "größe"))
    code = "import sys; from gateway.cli.main import main; sys.exit(main(['check', sys.argv[1]]))"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"}
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, env=environment, check=False)
    assert done.returncode == 2
    assert done.stderr == b""
    assert done.stdout.startswith(b"connections/ofen-s\\xfcd-\\xb0.yaml:7:7: the name 'gr\\xf6\\xdfe' must consist of ")


def test_nothing_is_opened_on_the_wire(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check runs on any machine and disturbs none."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a check opens no socket")

    monkeypatch.setattr("socket.socket", refuse)
    assert run(str(folder)) == 0
