"""What is generated from the models, and that it is told when it is out of step."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gateway.config.reference import BEGIN, END, ERRORS_BEGIN, ERRORS_END, generated_files, main, with_part
from gateway.config.reference_table import Row, reference, rows_of
from gateway.config.schema import GatewayConfig
from gateway.connection import ConnectionConfig
from gateway.registry import driver_names, driver_spec

if TYPE_CHECKING:
    from pathlib import Path

README = (
    f"# Manual\n\nText before.\n\n{BEGIN}\nold\n{END}\n\nText between.\n\n{ERRORS_BEGIN}\n{ERRORS_END}\n\nText after.\n"
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A folder with a manual whose reference is old."""
    (tmp_path / "README.md").write_text(README)
    return tmp_path


def test_schemas_and_reference_are_written(config: Path) -> None:
    """One schema for gateway.yaml, one for each driver, and the tables between their marks."""
    assert main([str(config)]) == 0
    names = sorted(path.name for path in (config / "schema").iterdir())
    assert names == sorted(
        [
            "derived.schema.json",
            "gateway.schema.json",
            "profile.schema.json",
            *(f"connection-{name}.schema.json" for name in driver_names()),
        ]
    )
    for path in (config / "schema").iterdir():
        assert json.loads(path.read_text())["type"] == "object"
    text = (config / "README.md").read_text()
    assert text.startswith("# Manual\n\nText before.\n\n" + BEGIN)
    assert END + "\n\nText between.\n\n" + ERRORS_BEGIN in text
    assert text.endswith(ERRORS_END + "\n\nText after.\n")
    assert "#### E-CFG-011: a tab indents a line\n" in text
    assert "| `broker.username` | text |  |" in text
    assert "\nold\n" not in text


def test_check_is_quiet_while_all_is_in_step(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was just written is in step, and writing again changes nothing."""
    main([str(config)])
    before = {path: path.stat().st_mtime_ns for path in config.rglob("*")}
    assert main([str(config), "--check"]) == 0
    assert main([str(config)]) == 0
    assert {path: path.stat().st_mtime_ns for path in config.rglob("*")} == before
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["README.md", "schema/gateway.schema.json", "schema/connection-sim.schema.json"])
def test_check_names_what_is_out_of_step(config: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A model that was changed alone is noticed; the check itself repairs nothing."""
    main([str(config)])
    path = config / name
    path.write_text(path.read_text().replace("broker", "brooker").replace("sim", "smi"))
    changed = path.read_text()
    assert main([str(config), "--check"]) == 1
    assert capsys.readouterr().err == f"{path} is out of step: run python -m gateway.config.reference\n"
    assert path.read_text() == changed


def test_check_names_what_is_missing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A schema that was never written is out of step too."""
    main([str(config)])
    (config / "schema" / "gateway.schema.json").unlink()
    assert main([str(config), "--check"]) == 1
    assert "gateway.schema.json is out of step" in capsys.readouterr().err


def test_folder_without_a_manual_gets_schemas_only(tmp_path: Path) -> None:
    """The manual is written by people; only its tables are generated."""
    assert {path.parent.name for path in generated_files(tmp_path)} == {"schema"}


def test_manual_without_marks_gets_them_at_its_end() -> None:
    """Nothing that people wrote is lost."""
    text = with_part("# Manual\n", "All keys", BEGIN, "TABLES", END)
    assert text == f"# Manual\n\n## All keys\n\n{BEGIN}\n\nTABLES\n\n{END}\n"
    assert with_part(text, "All keys", BEGIN, "OTHER", END) == text.replace("TABLES", "OTHER")


def test_it_runs_as_a_module(config: Path) -> None:
    """The way the build calls it."""
    command = [sys.executable, "-m", "gateway.config.reference", str(config), "--check"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1


def test_rows_name_value_default_and_meaning() -> None:
    """One row a key, in words."""
    rows = {row.path: row for row in rows_of(GatewayConfig)}
    meaning = "Time between signs of life to the broker, s."
    assert rows["broker.keepalive_s"] == Row("broker.keepalive_s", "whole number from 5 to 3600", "`15`", meaning)
    assert rows["broker.url"].default == "required"
    assert rows["broker.password"].value == "`{secret: NAME}`"
    assert rows["outbox.spill_after_s"].value == "number above 0 to 60"
    assert rows["publish.history_topic"].value == "`history`, `same`"
    assert rows["gateway.location.site"].default == ""
    assert str(rows["gateway.location"]).startswith("| `gateway.location` | group |  | ")


def test_rows_of_names_that_the_technician_gives() -> None:
    """A name stands as <name> in the path."""
    rows = {row.path: row for row in rows_of(ConnectionConfig)}
    assert rows["devices.<name>.tags.<name>.range"].value == "list of 2 numbers"
    assert rows["devices.<name>.retries"].value == "whole number from 0 to 10"


def test_pipes_do_not_break_a_table() -> None:
    """A sign of Markdown in a description is text."""
    assert str(Row("a", "b", "", "x | y")) == "| `a` | b |  | x \\| y |"


def test_every_key_of_every_driver_is_in_the_reference() -> None:
    """A key is told once, under all connections or under its driver."""
    text = reference([driver_spec(name) for name in driver_names()]).partition("### derived.yaml")[0]
    for name in driver_names():
        assert f"### Driver {name}\n\nTiming where the file says nothing: `period_s: " in text
        for row in rows_of(driver_spec(name).connection):
            assert f"| `{row.path}` | " in text
    assert text.count("| `devices.<name>.heartbeat_s` | ") == 1
    assert text.count("| `devices.<name>.unit_id` | ") == 1
