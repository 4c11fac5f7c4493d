"""The file layer: the same tests over a real folder and over the disk in memory that stands for it in other tests."""

from __future__ import annotations

import os
import subprocess
import sys
from errno import EBUSY
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from gateway.outbox.files import Folder

if TYPE_CHECKING:
    from gateway.outbox.files import Files


@pytest.fixture(params=["folder", "disk in memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path, disk: Any) -> Files:
    """A file layer, ready to use."""
    layer: Files = Folder(tmp_path / "deep" / "spool") if request.param == "folder" else disk
    layer.prepare()
    return layer


def written(files: Files, name: str, data: bytes) -> None:
    """Make a file."""
    file = files.create(name)
    file.write(data)
    file.sync()
    file.close()


def test_what_is_written_is_read(files: Files) -> None:
    """Any piece of a file can be read, up to where it ends."""
    written(files, "a", b"0123456789")
    assert files.read("a", 0, 100) == b"0123456789"
    assert files.read("a", 3, 4) == b"3456"
    assert files.read("a", 20, 4) == b""


def test_append_adds_at_the_end(files: Files) -> None:
    """A file that is opened again is added to, wherever its end is by then."""
    written(files, "a", b"one")
    file = files.append("a")
    file.write(b"two")
    file.write(b"three")
    file.close()
    assert files.read("a", 0, 100) == b"onetwothree"
    assert files.sizes() == {"a": 11}


def test_append_makes_no_file(files: Files) -> None:
    """A segment that somebody deleted is not begun again without its header."""
    with pytest.raises(FileNotFoundError):
        files.append("a")


def test_create_empties_a_file_that_is_there(files: Files) -> None:
    """What a crash left of an earlier try is no part of the next one."""
    written(files, "a", b"left over")
    written(files, "a", b"new")
    assert files.read("a", 0, 100) == b"new"


def test_truncate_cuts_the_end(files: Files) -> None:
    """What stands before the cut stays."""
    written(files, "a", b"0123456789")
    files.truncate("a", 4)
    assert files.read("a", 0, 100) == b"0123"


def test_rename_takes_the_place_of_another(files: Files) -> None:
    """The new cursor stands where the old one stood."""
    written(files, "old", b"old")
    written(files, "new", b"new")
    files.rename("new", "old")
    files.sync_folder()
    assert files.sizes() == {"old": 3}
    assert files.read("old", 0, 100) == b"new"


def test_unlink_deletes_one_file(files: Files) -> None:
    """Others stay, and a second time it is not there."""
    written(files, "a", b"a")
    written(files, "b", b"b")
    files.unlink("a")
    assert files.sizes() == {"b": 1}
    with pytest.raises(FileNotFoundError):
        files.unlink("a")


def test_a_missing_file_cannot_be_read(files: Files) -> None:
    """It is told apart from one that cannot be read."""
    with pytest.raises(FileNotFoundError):
        files.read("a", 0, 1)


def test_touch_sets_the_time_of_a_file(files: Files) -> None:
    """The mark of a running gateway keeps the last time that is known."""
    written(files, "running", b"")
    files.touch("running", 1_795_515_300_250_000_000)
    assert files.touched("running") == 1_795_515_300_250_000_000


def test_preparing_again_changes_nothing(files: Files) -> None:
    """A folder that is there is used as it is."""
    written(files, "a", b"a")
    files.prepare()
    assert files.sizes() == {"a": 1}


def test_there_is_room_on_the_disk(files: Files) -> None:
    """A number of bytes, of which writing takes some away or none."""
    assert files.free_bytes() > 0


def test_only_the_owner_reads_the_folder(tmp_path: Path) -> None:
    """Readings are nobody else's business: files 0600, folder 0700, whatever the umask."""
    folder = tmp_path / "spool"
    folder.mkdir(mode=0o755)
    files = Folder(folder)
    before = os.umask(0)
    try:
        files.prepare()
        written(files, "a", b"a")
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "a").stat().st_mode & 0o777 == 0o600


def test_a_new_folder_is_durable_before_anything_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own name is synced once: a power cut right after the first spill does not lose the folder with it."""
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(str(Path(f"/proc/self/fd/{fd}").readlink())))
    files = Folder(tmp_path / "spool")
    files.prepare()
    assert synced == [str(tmp_path)]
    files.prepare()
    files.sync_folder()
    assert synced == [str(tmp_path), str(tmp_path / "spool")]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Nobody makes the gateway write into a file elsewhere by a link in its folder."""
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "cursor").symlink_to(tmp_path / "precious")
    files = Folder(tmp_path / "spool")
    with pytest.raises(OSError, match="symbolic links"):
        files.create("cursor")
    assert files.sizes() == {}
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_a_folder_in_the_place_of_a_file_is_no_segment(tmp_path: Path) -> None:
    """Only plain files are listed."""
    (tmp_path / "lost+found").mkdir()
    assert Folder(tmp_path).sizes() == {}


def test_the_place_is_told(tmp_path: Path) -> None:
    """Messages name the folder."""
    assert Folder(tmp_path).place == str(tmp_path)


def test_after_a_power_cut_what_was_synced_is_there(disk: Any) -> None:
    """The disk in memory loses at random what was not synced, and only that: other tests rely on it."""
    written(disk, "a", b"safe")
    disk.sync_folder()
    disk.append("a").write(b"unsafe")
    written(disk, "b", b"nameless")
    seen = set()
    for seed in range(200):
        after = disk.power_cut(Random(seed))  # noqa: S311 - chance for a test, no secret
        assert after.read("a", 0, 4) == b"safe"
        seen.add((after.sizes()["a"], "b" in after.sizes()))
    assert {(4, False), (10, False), (4, True), (10, True)} <= seen


def test_after_a_kill_everything_is_there(disk: Any) -> None:
    """The kernel keeps what a process wrote before it was killed."""
    disk.create("a").write(b"unsafe")
    assert disk.killed().read("a", 0, 100) == b"unsafe"


def test_one_process_holds_a_folder(tmp_path: Path) -> None:
    """A second one is told who has it; when the first lets it go, or ends, the second may have it."""
    first, second = Folder(tmp_path / "spool"), Folder(tmp_path / "spool")
    first.prepare()
    first.prepare()
    with pytest.raises(OSError, match="another gateway works on it") as refused:
        second.prepare()
    assert refused.value.errno == EBUSY
    first.release()
    first.release()
    second.prepare()
    second.release()
    assert second.sizes() == {}


def test_a_process_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    """The kernel lets the folder go, whatever the end."""
    holding = "import sys; from pathlib import Path; from gateway.outbox.files import lock"
    holding += "; lock(Path(sys.argv[1])); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        folder = Folder(tmp_path)
        with pytest.raises(OSError, match="another gateway"):
            folder.prepare()
        process.kill()
        process.wait()
    folder.prepare()
    folder.release()
