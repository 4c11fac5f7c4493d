"""Case folders: the files of a configuration, and in expected.txt the exact output of `edge-gateway check`."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from gateway.cli import check
from gateway.config.files import example_folder
from gateway.vocabulary import Code

CASES = Path(__file__).parents[2] / "cases" / "config"
NAMES = sorted(path.name for path in CASES.iterdir() if path.is_dir())

TOLD = re.compile(r"(?P<file>[^:| ]+)(:(?P<line>\d+):(?P<column>\d+))?: .+")
CODE = re.compile(r" \[(E-[A-Z]+-\d+)\]$")


def output_of(case: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = check.main(argparse.Namespace(folder=case, json=False))
    return code, capsys.readouterr().out


def expected_of(case: Path) -> str:
    text = (case / "expected.txt").read_text(encoding="utf-8")
    return text.replace("{folder}", str(case)).replace("{example}", str(example_folder()))


@pytest.mark.parametrize("name", NAMES)
def test_output_of_check_is_exactly_as_expected(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every word that a technician reads is decided, not left to chance."""
    code, output = output_of(CASES / name, capsys)
    assert output == expected_of(CASES / name)
    assert code == (0 if ": good" in output.splitlines()[-1] else 2)


@pytest.mark.parametrize("name", NAMES)
def test_every_place_named_exists(name: str) -> None:
    """A line that a message names is a line of the file that it names."""
    for line in expected_of(CASES / name).splitlines():
        told = TOLD.fullmatch(line)
        if told and told["line"] and (CASES / name / told["file"]).is_file():
            lines = (CASES / name / told["file"]).read_bytes().splitlines() or [b""]
            assert 1 <= int(told["line"]) <= len(lines), line
            assert 1 <= int(told["column"]) <= len(lines[int(told["line"]) - 1]) + 1, line


def test_no_case_shows_a_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """The password that several cases write in the wrong place is never repeated."""
    writers = 0
    for name in NAMES:
        files = [path for path in (CASES / name).rglob("*") if path.is_file()]
        writers += any(b"hunter2" in path.read_bytes() for path in files)
        assert "hunter2" not in output_of(CASES / name, capsys)[1], name
    assert writers >= 3


def test_every_problem_has_a_code_and_every_code_a_case() -> None:
    """What is told can be looked up, and what can be looked up is told by some case."""
    told: set[str] = set()
    for name in NAMES:
        for line in expected_of(CASES / name).splitlines():
            if TOLD.fullmatch(line) and "more problems of this file" not in line and ": good" not in line:
                code = CODE.search(line)
                assert code is not None, (name, line)
                told.add(code[1])
    needs_a_bad_driver = {Code.DRIVER_DEFECT}
    assert told == {code for code in Code if code.startswith("E-CFG")} - needs_a_bad_driver


def test_there_are_enough_cases() -> None:
    """The collection does not shrink unnoticed."""
    assert len(NAMES) >= 120
