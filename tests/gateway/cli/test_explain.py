"""`edge-gateway explain`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gateway.cli.main import main
from gateway.config.errors import all_entries

if TYPE_CHECKING:
    import pytest


def test_code_is_explained_with_cause_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    """However it is typed, on 80 columns."""
    assert main(["explain", "e-cfg-011"]) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[0] == "E-CFG-011  a tab indents a line"
    assert "why:" in told
    assert "remedy:" in told
    assert max(map(len, told.splitlines())) <= 80


def test_unknown_code_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """A digit too few is common."""
    assert main(["explain", "E-CFG-11"]) == 2
    assert capsys.readouterr().err.startswith("no error has the code E-CFG-11; did you mean E-CFG-")


def test_without_a_code_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each."""
    assert main(["explain"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(all_entries())


def test_json_has_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    """For dashboards that show the remedy beside the alarm."""
    assert main(["explain", "--json"]) == 0
    assert [entry["code"] for entry in json.loads(capsys.readouterr().out)] == [entry.code for entry in all_entries()]
