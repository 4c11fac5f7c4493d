"""`edge-gateway config new`: questions and the file that comes of them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from gateway.config.files import example_folder
from gateway.config.load import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., tuple[int, str]]
    Answer = Callable[..., tuple[int, str]]


@pytest.fixture
def new(command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Runs `config new` with answers, one a line."""

    def run(name: str, driver: str, *answers: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))
        return command("config", "new", name, driver, "--config", folder)

    return run


@pytest.mark.parametrize(
    ("driver", "answers"),
    [
        ("modbus", ["tcp", "192.0.2.7", "", "meter", "3", "voltage", "30001", "float32", "", "V", ""]),
        ("modbus", ["rtu", "/dev/ttyAMA0", "9600", "", "meter", "3", "voltage", "30001", "float32", "", "V", ""]),
        ("opcua", ["opc.tcp://192.0.2.7:4840", "true", "press", "oil", "nsu=urn:acme;s=Oil", "°C", ""]),
        ("gpio", ["mock", "cabinet", "door", "GPIO17", "up", "20", "", ""]),
        ("sim", ["press", "oil", "analog", "°C", ""]),
    ],
)
def test_answers_become_a_file_that_check_accepts(new: Answer, folder: Path, driver: str, answers: list[str]) -> None:
    """For each driver, with at most 8 keys of a device and its schema for editors in the first line."""
    code, said = new("one-more", driver, *answers)
    assert code == 0, said
    text = (folder / "connections" / "one-more.yaml").read_text()
    schema = f"{example_folder()}/schema/connection-{driver}.schema.json"
    assert text.splitlines()[0] == f"# yaml-language-server: $schema={schema}"
    result = load(folder)
    assert result.problems == ()
    assert result.configuration is not None
    assert {connection.name for connection in result.configuration.connections} == {"one-more", "press-hall"}


def test_file_explains_its_keys(new: Answer, folder: Path) -> None:
    """A technician who opens it a year later needs no manual for what stands in it."""
    new("one-more", "modbus", "tcp", "192.0.2.7", "", "meter", "3", "voltage", "30001", "float32", "", "V", "")
    text = (folder / "connections" / "one-more.yaml").read_text()
    assert "host: 192.0.2.7" in text
    assert "# Host name or IP address of the PLC or converter, nothing else" in text
    assert '      voltage: {address: "30001", type: float32, unit: V}\n' in text


def test_wrong_answer_is_explained_and_asked_again(new: Answer, folder: Path) -> None:
    """The words are those of `check`."""
    code, said = new(
        "one-more",
        "modbus",
        *("tcp", "http://192.0.2.7", "", "tcp", "192.0.2.7", "", "meter", ""),
        *("voltage", "30001", "float33", "", "V", "voltage", "30001", "float32", "", "V", ""),
    )
    assert code == 0, said
    assert "  ! 'http://192.0.2.7': write the host name or IP address alone, without http://\n" in said
    assert "(did you mean float32?)" in said
    assert load(folder).problems == ()


def test_what_is_needed_cannot_be_left_out(new: Answer) -> None:
    """Enter is no answer where there is no default."""
    assert "  this cannot be left out\n" in new("one-more", "sim", "", "press", "oil", "analog", "", "")[1]


def test_nothing_is_written_before_the_last_answer(new: Answer, folder: Path) -> None:
    """Ctrl-D in the middle leaves the folder as it was."""
    code, said = new("one-more", "sim", "press")
    assert code == 1
    assert said.endswith("the answers ended; nothing was written\n")
    assert not (folder / "connections" / "one-more.yaml").exists()


def test_file_that_is_there_is_not_touched(new: Answer, folder: Path) -> None:
    """Whoever mistypes a name loses nothing."""
    before = (folder / "connections" / "press-hall.yaml").read_bytes()
    code, said = new("press-hall", "sim", "press", "oil", "analog", "", "")
    assert code == 2
    assert "is there already; nothing was written" in said
    assert (folder / "connections" / "press-hall.yaml").read_bytes() == before
