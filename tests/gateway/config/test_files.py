"""Reading the folder: what is found, and what is said of what cannot be read."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from gateway.config.files import MOST_BYTES, example_folder, position_at, read_folder, shown

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gateway.config.conftest import ConfigurationFolder

EXAMPLE = f"(an example to copy stands in {example_folder()})"


def test_files_are_read_in_the_order_of_their_names(folder: ConfigurationFolder) -> None:
    """The order of the connections never depends on the disk."""
    for name in ("zeta", "Alpha", "beta"):
        folder.connection(name)
    found = read_folder(folder.path)
    assert [source.name for source in found.connections] == [
        "connections/Alpha.yaml",
        "connections/beta.yaml",
        "connections/press-hall.yaml",
        "connections/zeta.yaml",
    ]
    assert found.gateway is not None
    assert found.gateway.name == "gateway.yaml"
    assert found.problems == []


@pytest.mark.parametrize(
    "name",
    [
        "a.yaml~",
        ".a.yaml.swp",
        ".a.yaml",
        "a.yaml.swp",
        "a.yaml.bak",
        "a.yaml.dpkg-dist",
        "a.yaml.dpkg-new",
        "#a",
        "a.csv.bak",
        ".~lock.a.csv#",
    ],
)
def test_what_editors_and_packages_leave_is_ignored_with_a_note(folder: ConfigurationFolder, name: str) -> None:
    """A half-written or an old copy is never taken for a connection, and nobody wonders why it is not."""
    (folder.connections / name).write_text("%")
    result = folder.load()
    assert result.errors == ()
    notes = [problem.sentence for problem in result.problems]
    expected = [f"connections/{name}: note: this file is ignored: an editor or a package left it here"]
    assert notes == (expected if ".yaml" in name or ".csv" in name else [])


@pytest.mark.parametrize("name", ["meters.yml", "meters.YAML", "meters.YML"])
def test_file_with_nearly_the_right_ending_is_told(folder: ConfigurationFolder, name: str) -> None:
    """A file that the technician believes to be read, and is not, is worth a warning."""
    (folder.connections / name).write_text("version: 1\n")
    assert folder.told() == [f"connections/{name}: warning: this file is not read (rename it to meters.yaml)"]


def test_missing_folder_names_the_example(tmp_path: Path) -> None:
    """The first run of a new gateway says what to do."""
    problems = read_folder(tmp_path / "none").problems
    assert [problem.sentence for problem in problems] == [f"{tmp_path}/none: there is no such folder {EXAMPLE}"]


def test_empty_folder_names_both_that_is_missing(tmp_path: Path) -> None:
    """gateway.yaml and the connections are both told in one run."""
    assert [problem.sentence for problem in read_folder(tmp_path).problems] == [
        f"gateway.yaml: this file is missing; it says who this gateway is and which broker it sends to {EXAMPLE}",
        f"connections: there is no such folder {EXAMPLE}",
    ]


def test_file_in_place_of_the_folder(tmp_path: Path) -> None:
    """`check gateway.yaml` instead of `check .` is told."""
    path = tmp_path / "gateway.yaml"
    path.write_text("version: 1\n")
    assert [problem.sentence for problem in read_folder(path).problems] == [
        f"{path}: this is a file, not a folder {EXAMPLE}"
    ]


def test_folder_in_place_of_a_file(folder: ConfigurationFolder) -> None:
    """A folder that is called like a connection harms nothing else."""
    (folder.connections / "oven.yaml").mkdir()
    found = read_folder(folder.path)
    assert [problem.sentence for problem in found.problems] == ["connections/oven.yaml: this is a folder, not a file"]
    assert found.unreadable == ["oven"]
    assert len(found.connections) == 1


def test_link_to_nowhere(folder: ConfigurationFolder) -> None:
    """A dangling link names its target."""
    (folder.connections / "oven.yaml").symlink_to("/nowhere/oven.yaml")
    assert folder.told() == ["connections/oven.yaml: this is a link to /nowhere/oven.yaml, which does not exist"]


def test_link_to_itself(folder: ConfigurationFolder) -> None:
    """A loop of links is told, not followed."""
    (folder.connections / "oven.yaml").symlink_to("oven.yaml")
    assert folder.told() == ["connections/oven.yaml: this link leads back to itself"]


def test_link_to_a_file_is_followed(folder: ConfigurationFolder, tmp_path: Path) -> None:
    """Configurations kept under version control are often linked into place."""
    original = folder.connection("press-hall")
    original.rename(tmp_path / "kept.yaml")
    original.symlink_to(tmp_path / "kept.yaml")
    assert folder.told() == []


def test_pipe_does_not_block(folder: ConfigurationFolder) -> None:
    """Opening a pipe without a writer would wait for ever."""
    os.mkfifo(folder.connections / "oven.yaml")
    assert folder.told() == ["connections/oven.yaml: this is a device or a pipe, not a file"]


def test_socket_is_told(folder: ConfigurationFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket cannot be opened at all; the cause of the system is passed on."""
    monkeypatch.chdir(folder.connections)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("oven.yaml")
        assert folder.told() == ["connections/oven.yaml: cannot be read: No such device or address"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_file_of_mode_0_is_told(folder: ConfigurationFolder) -> None:
    """A file that its reader may not open is told with what to look at."""
    folder.connection("oven").chmod(0)
    assert folder.told() == ["connections/oven.yaml: this user may not read it; look at its owner and mode with: ls -l"]


def refuse(monkeypatch: pytest.MonkeyPatch, name: str, error: OSError) -> None:
    """Let the system refuse to open one file, as it does to a user without the right."""
    real_open = os.open

    def refusing_open(path: Path, flags: int) -> int:
        if path.name == name:
            raise error
        return real_open(path, flags)

    monkeypatch.setattr("gateway.config.files.os.open", refusing_open)


def test_unreadable_connection_leaves_the_others(folder: ConfigurationFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file without permission harms only itself."""
    folder.connection("oven")
    refuse(monkeypatch, "oven.yaml", PermissionError(13, "Permission denied"))
    result = folder.load()
    assert [problem.sentence for problem in result.problems] == [
        "connections/oven.yaml: this user may not read it; look at its owner and mode with: ls -l"
    ]
    assert result.configuration is not None
    assert [connection.name for connection in result.configuration.connections] == ["press-hall"]
    assert result.left_out == ("oven",)


def test_unreadable_gateway_file_leaves_no_configuration(
    folder: ConfigurationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without gateway.yaml nothing can run."""
    refuse(monkeypatch, "gateway.yaml", PermissionError(13, "Permission denied"))
    result = folder.load()
    assert [problem.sentence for problem in result.problems] == [
        "gateway.yaml: this user may not read it; look at its owner and mode with: ls -l"
    ]
    assert result.configuration is None


def test_file_that_vanishes_while_it_is_read(folder: ConfigurationFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor that replaces a file may be caught in the act."""
    refuse(monkeypatch, "press-hall.yaml", FileNotFoundError(2, "No such file or directory"))
    assert folder.told() == ["connections/press-hall.yaml: this file vanished while it was read"]


def test_disk_error_is_passed_on(folder: ConfigurationFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system says of a broken disk is what the technician must read."""
    refuse(monkeypatch, "press-hall.yaml", OSError(5, "Input/output error"))
    assert folder.told() == ["connections/press-hall.yaml: cannot be read: Input/output error"]


def test_file_of_more_than_a_megabyte_is_not_read(folder: ConfigurationFolder) -> None:
    """A log file that landed here by mistake neither fills the memory nor takes minutes."""
    folder.connection("big", "#" * (MOST_BYTES + 1))
    folder.connection("fits", "#" * MOST_BYTES)
    told = folder.told()
    assert told[0] == "connections/big.yaml: this file is larger than 1 MB, which no configuration is"
    assert told[1].startswith("connections/fits.yaml:1:1: this file is empty")


def test_byte_order_mark_is_no_part_of_the_text(folder: ConfigurationFolder) -> None:
    """Windows editors write one; columns count from after it."""
    folder.connection("press-hall", "\ufeffversion: 2\n")
    assert "connections/press-hall.yaml:1:1: the key 'driver' is missing" in folder.told()[0]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a: 1\nb: \xb0C\n", "connections/x.yaml:2:4: byte 0xB0 is not UTF-8; save the file as UTF-8"),
        ("é: é".encode() + b"\xff", "connections/x.yaml:1:5: byte 0xFF is not UTF-8; save the file as UTF-8"),
        (b"a: \xc3", "connections/x.yaml:1:4: byte 0xC3 is not UTF-8; save the file as UTF-8"),
        (b"a: \xed\xa0\x80\n", "connections/x.yaml:1:4: byte 0xED is not UTF-8; save the file as UTF-8"),
        ("a: 1".encode("utf-16"), "connections/x.yaml:1:1: this file is saved as UTF-16; save it as UTF-8"),
        (b"\xfe\xff\0a", "connections/x.yaml:1:1: this file is saved as UTF-16; save it as UTF-8"),
        (b"\x7fELF\0\0", "connections/x.yaml: this is not a text file"),
        (b"a: \x1b[0m\n", "connections/x.yaml:1:4: an invisible character (U+001B) stands here; delete it"),
        ("a: 1\n b\u2028".encode(), "connections/x.yaml:2:3: an invisible character (U+2028) stands here; delete it"),
        ("a: \u0085".encode(), "connections/x.yaml:1:4: an invisible character (U+0085) stands here; delete it"),
        ("a: x\ufeff".encode(), "connections/x.yaml:1:5: an invisible character (U+FEFF) stands here; delete it"),
    ],
)
def test_file_that_is_no_plain_text_is_told(folder: ConfigurationFolder, content: bytes, text: str) -> None:
    """Encodings and characters that an editor hides are named, with their place."""
    (folder.connections / "x.yaml").write_bytes(content)
    assert folder.told() == [text]


def test_name_that_is_not_utf_8_can_be_shown(folder: ConfigurationFolder) -> None:
    """A file name of another encoding breaks neither the check nor a terminal."""
    name = os.fsdecode(b"press-\xfcber.yaml")
    (folder.connections / name).write_text("")
    (line,) = folder.told()
    assert line.startswith("connections/press-\\xfcber.yaml:1:1: this file is empty")
    assert shown(name).encode("utf-8")


def test_position_counts_lines_and_characters_from_1() -> None:
    """The first character of a text stands at 1:1."""
    assert position_at("ab\ncd", 0) == (1, 1)
    assert position_at("ab\ncd", 3) == (2, 1)
    assert position_at("ab\ncd", 4) == (2, 2)


def test_example_folder_holds_a_good_configuration() -> None:
    """The example that the messages name is there, and is good."""
    assert (example_folder() / "gateway.yaml").is_file()
    assert read_folder(example_folder()).problems == []
