"""Who is believed about the wall clock, and in which order."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.clock import synchronisation
from gateway.clock.synchronisation import Synchronisation, kernel_says_synchronised

if TYPE_CHECKING:
    from collections.abc import Callable

STA_UNSYNC = 0x40
"""linux/timex.h: the clock is unsynchronised."""


@pytest.mark.parametrize(
    ("kernel", "mark", "synchronised"),
    [
        (True, False, True),
        (True, True, True),
        (False, False, False),
        (False, True, False),
        (None, False, False),
        (None, True, True),
    ],
)
def test_the_kernel_counts_and_the_mark_where_it_is_silent(
    tmp_path: Path, *, kernel: bool | None, mark: bool, synchronised: bool
) -> None:
    """The mark alone is an old promise: it stays when the time server has been away for a week."""
    file = tmp_path / "synchronized"
    if mark:
        file.touch()
    assert Synchronisation(lambda: kernel, file)() is synchronised


def test_the_kernel_is_asked_without_changing_anything() -> None:
    """What this kernel answers is what its status bits say, and it answers alike twice."""

    class Timex(ctypes.Structure):
        """The beginning of `struct timex` on 64 bit, with room for the rest."""

        _fields_ = (
            ("modes", ctypes.c_uint),
            ("numbers", ctypes.c_long * 4),
            ("status", ctypes.c_int),
            ("rest", ctypes.c_byte * 256),
        )

    timex = Timex()
    if ctypes.CDLL(None).adjtimex(ctypes.byref(timex)) < 0:
        pytest.skip("this kernel may not be asked here")
    assert kernel_says_synchronised() is (timex.status & STA_UNSYNC == 0)
    assert kernel_says_synchronised() is kernel_says_synchronised()


@pytest.mark.parametrize(("state", "said"), [(0, True), (1, True), (4, True), (5, False), (-1, None)])
def test_each_answer_of_the_kernel_is_understood(monkeypatch: pytest.MonkeyPatch, state: int, said: object) -> None:
    """A coming leap second is a synchronised clock; an error, such as a refused call, is no answer."""
    monkeypatch.setattr(synchronisation, "_adjtimex", lambda: lambda _buffer: state)
    assert kernel_says_synchronised() is said


def test_a_library_without_the_call_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the mark counts."""

    def no_library(_name: object) -> object:
        raise OSError

    fresh: Callable[[], object] = synchronisation._adjtimex.__wrapped__
    monkeypatch.setattr(ctypes, "CDLL", no_library)
    assert fresh() is None


def test_a_refused_system_call_is_no_answer(tmp_path: Path) -> None:
    """As in a unit with `ProtectClock=yes` and `SystemCallErrorNumber=EPERM`: the kernel refuses, the mark counts."""
    program = tmp_path / "refused.c"
    program.write_text("#include <errno.h>\nint adjtimex(void *t) { (void)t; errno = EPERM; return -1; }\n")
    library = tmp_path / "refused.so"
    if subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, program], check=False).returncode != 0:
        pytest.skip("gcc is not installed (apt-get install gcc libc6-dev)")
    code = "from gateway.clock.synchronisation import kernel_says_synchronised as k; print(k())"
    environment = {**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": str(Path(__file__).parents[3])}
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "None"
