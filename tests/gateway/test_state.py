"""Small durable state: what is put outlives the process, and the gateway starts whatever lies in the folder."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from gateway import state as state_module
from gateway.state import FILE, State, StateError, next_run, peek, runs_of_boot


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state folder that is not there yet."""
    return tmp_path / "deep" / "state"


def unusable(tmp_path: Path) -> Path:
    """A folder that nobody can make: a file has its name."""
    (tmp_path / "taken").write_text("not a folder", encoding="ascii")
    return tmp_path / "taken"


def reopened(folder: Path) -> State:
    """The state as the next process finds it."""
    return State.open(folder)


@pytest.mark.parametrize("value", [None, True, 0, 71.3, "text", "é€", [1, [2, None]], {"a": {"b": [1.5]}}])
def test_a_value_outlives_the_process(folder: Path, value: Any) -> None:
    """Any JSON value, exactly."""
    state = State.open(folder)
    state.put("key", value)
    state.close()
    state = reopened(folder)
    assert state.get("key") == value
    assert type(state.get("key")) is type(value)
    state.close()


def test_a_key_that_was_never_put_is_none(folder: Path) -> None:
    """There is no error to handle at a first start."""
    state = State.open(folder)
    assert state.get("key") is None
    state.close()


def test_the_last_value_counts(folder: Path) -> None:
    """Within one process and over several."""
    for run in range(3):
        state = State.open(folder)
        state.put("key", run)
        state.put("key", run * 10)
        assert state.get("key") == run * 10
        state.close()
    state = reopened(folder)
    assert state.get("key") == 20
    state.close()


def test_put_writes_nothing_and_flush_writes_what_changed(folder: Path) -> None:
    """A counter that moves a thousand times costs one write."""
    state = State.open(folder)
    log = folder / f"{FILE}-wal"
    state.put_now("other", 1)
    before = log.stat().st_size
    for total in range(1000):
        state.put("total", total)
    assert log.stat().st_size == before
    state.flush()
    grown = log.stat().st_size
    assert grown > before
    state.flush()
    assert log.stat().st_size == grown
    state.close()


def test_what_was_flushed_survives_a_kill(folder: Path) -> None:
    """What was only put does not; nothing is damaged."""
    program = (
        "import os, signal, sys; from pathlib import Path; from gateway.state import State\n"
        "state = State.open(Path(sys.argv[1])); state.put('flushed', 1); state.flush(); state.put('put', 2)\n"
        "state.put_now('now', 3); state.put('late', 4); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, folder], check=False)
    state = reopened(folder)
    assert [state.get(key) for key in ("flushed", "put", "now", "late")] == [1, 2, 3, None]
    state.close()


def test_a_value_is_copied(folder: Path) -> None:
    """Somebody who changes a list afterwards changes nothing here."""
    state = State.open(folder)
    value = [1, 2]
    state.put("key", value)
    value.append(3)
    got = state.get("key")
    assert got == [1, 2]
    assert isinstance(got, list)
    got.append(4)
    assert state.get("key") == [1, 2]
    state.close()


def test_what_is_no_json_is_refused_at_once(folder: Path) -> None:
    """Where it is put, not minutes later where it is written; the old value stays."""
    state = State.open(folder)
    state.put("key", 1)
    with pytest.raises(TypeError):
        state.put("key", object())  # type: ignore[arg-type] - the mistake is the test
    assert state.get("key") == 1
    state.close()


def test_the_folder_is_for_its_owner_only(folder: Path) -> None:
    """Nobody else reads counters or learned ranges."""
    state = State.open(folder)
    state.put_now("key", 1)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600
    state.close()


def test_two_gateways_on_one_folder_are_refused(folder: Path) -> None:
    """Plainly; when the first has ended the second may start."""
    first = State.open(folder)
    with pytest.raises(StateError, match=f"another gateway works on {re.escape(str(folder))}: stop it, or give"):
        State.open(folder)
    first.close()
    State.open(folder).close()


def test_another_process_is_refused_as_well(folder: Path) -> None:
    """The lock is the kernel's, and goes with the process however it ends."""
    program = (
        "import sys; from pathlib import Path; from gateway.state import State\n"
        "State.open(Path(sys.argv[1])); print('mine', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        with pytest.raises(StateError):
            State.open(folder)
        other.kill()
    State.open(folder).close()


def test_closing_twice_does_nothing(folder: Path) -> None:
    """The folder is left once."""
    state = State.open(folder)
    state.close()
    state.close()
    assert state.folder == folder


def test_putting_while_another_thread_flushes_loses_nothing(folder: Path) -> None:
    """The loop counts on while the state goes to disk in a thread."""
    state = State.open(folder)
    stop = threading.Event()

    def flush_again_and_again() -> None:
        while not stop.is_set():
            state.flush()

    thread = threading.Thread(target=flush_again_and_again)
    thread.start()
    for number in range(3000):
        state.put(f"key-{number % 50}", number)
    stop.set()
    thread.join()
    state.close()
    state = reopened(folder)
    assert [state.get(f"key-{number}") for number in range(50)] == list(range(2950, 3000))
    state.close()


def test_runs_count_up(folder: Path) -> None:
    """One more at each start, on disk before anything is named by it; the suffix is never the same."""
    runs = []
    for _ in range(3):
        state = State.open(folder)
        runs.append(next_run(state, "boot-7"))
        state._detach()
    assert [run.counter for run in runs] == [1, 2, 3]
    assert len({run.suffix for run in runs}) == 3
    assert all(re.fullmatch(r"00000[123]-[0-9a-f]{8}", str(run)) for run in runs)
    assert runs[0].boot == "boot-7"


def test_a_run_without_a_disk_still_has_a_name_of_its_own(tmp_path: Path) -> None:
    """The suffix tells two of them apart."""
    names = {str(next_run(State.open(unusable(tmp_path)), "")) for _ in range(3)}
    assert len(names) == 3


@pytest.mark.parametrize("found", ["seven", -3, 2.5, None, [1]])
def test_a_counter_that_is_none_begins_anew(folder: Path, found: Any) -> None:
    """Whatever lies there, there is a run."""
    state = State.open(folder)
    state.put("run", found)
    assert next_run(state, "").counter == 1
    state.close()


def test_the_runs_of_a_boot_are_known_until_the_next_boot(folder: Path) -> None:
    """A monotonic time on disk means something only while the machine has not been restarted."""
    state = State.open(folder)
    first, second = next_run(state, "boot-1"), next_run(state, "boot-1")
    assert runs_of_boot(state, "boot-1") == {str(first), str(second)}
    third = next_run(state, "boot-2")
    assert runs_of_boot(state, "boot-2") == {str(third)}
    assert runs_of_boot(state, "boot-1") == frozenset()
    state.close()


def test_an_unknown_boot_is_unlike_any_other(folder: Path) -> None:
    """Two runs on a kernel that tells no id may be of two boots."""
    state = State.open(folder)
    next_run(state, "")
    next_run(state, "")
    assert runs_of_boot(state, "") == frozenset()
    state.close()


def test_the_runs_that_are_remembered_are_bounded(folder: Path) -> None:
    """A gateway that is restarted every minute for a week keeps the newest hundred."""
    state = State(folder)
    state.put("run", 999_990)
    runs = [str(next_run(state, "boot-1")) for _ in range(130)]
    assert runs_of_boot(state, "boot-1") == set(runs[-100:])
    state.close()


@pytest.mark.parametrize("found", [None, 7, [], {"id": "boot-1"}, {"id": "boot-1", "runs": 3}])
def test_a_damaged_list_of_runs_is_an_empty_one(folder: Path, found: Any) -> None:
    """What cannot be dated is delivered and marked; nothing else follows from it."""
    state = State.open(folder)
    state.put("boot", found)
    assert runs_of_boot(state, "boot-1") == frozenset()
    assert str(next_run(state, "boot-1")) in runs_of_boot(state, "boot-1")
    state.close()


def test_one_connection_writes(folder: Path) -> None:
    """SQLite before 3.51.3 damages a WAL that two connections write: the mode and the promise are as they must be."""
    state = State.open(folder)
    assert state._connection is not None
    assert state._connection.execute("PRAGMA journal_mode").fetchone() == (b"wal",)
    assert state._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    source = Path(state_module.__file__).read_text(encoding="utf-8")
    assert source.count("sqlite3.connect(") - source.count("?mode=ro") == 1
    state.close()


def test_what_lies_in_a_folder_can_be_looked_at_while_a_gateway_works_on_it(tmp_path: Path) -> None:
    """Beside a running gateway and after it; nothing is changed by looking."""
    state = State.open(tmp_path)
    state.put_now("refused/press", {"cuts": ["holding:5"]})
    assert peek(tmp_path)["refused/press"] == {"cuts": ["holding:5"]}
    state.close()
    assert peek(tmp_path)["refused/press"] == {"cuts": ["holding:5"]}


def test_a_folder_without_state_cannot_be_looked_at(tmp_path: Path) -> None:
    """Nothing is made by looking."""
    with pytest.raises(FileNotFoundError):
        peek(tmp_path)
    (tmp_path / "state.sqlite").write_bytes(b"no database at all, but long enough to be taken for one" * 20)
    with pytest.raises(StateError, match="cannot be read"):
        peek(tmp_path)
