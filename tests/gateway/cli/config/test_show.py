"""`edge-gateway config show` and `schema`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gateway.config.json_schema import connection_schema, gateway_schema
from gateway.registry import driver_spec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., tuple[int, str]]


def rows_of(command: Command, folder: Path) -> dict[tuple[str, str], tuple[object, str]]:
    code, said = command("config", "show", folder, "--json")
    assert code == 0
    return {(row["file"], row["key"]): (row["value"], row["origin"]) for row in json.loads(said)}


def test_each_value_has_its_origin(command: Command, folder: Path) -> None:
    """Written in a file with its line, a default of the product, a default of the driver."""
    rows = rows_of(command, folder)
    file = "connections/press-hall.yaml"
    assert rows["gateway.yaml", "broker.url"] == ("mqtt://127.0.0.1:1883", "gateway.yaml:4")
    assert rows["gateway.yaml", "broker.keepalive_s"] == (15, "default")
    assert rows[file, "devices.press-12.tags.pressure.deadband"] == (0.5, f"{file}:12")
    assert rows[file, "devices.press-12.period_s"] == (1.0, "default of the driver")
    assert (file, "devices.press-12.tags.pressure.scale") not in rows


def test_inherited_timing_names_the_line_of_the_defaults(command: Command, folder: Path) -> None:
    """What a device does not say comes from its connection; what it says itself counts more."""
    path = folder / "connections" / "press-hall.yaml"
    path.write_text(path.read_text().replace("devices:\n", "defaults: {period_s: 5, retries: 0}\ndevices:\n"))
    path.write_text(path.read_text().replace("    tags:\n", "    period_s: 2\n    tags:\n"))
    rows = rows_of(command, folder)
    assert rows["connections/press-hall.yaml", "devices.press-12.period_s"] == (2.0, "connections/press-hall.yaml:7")
    assert rows["connections/press-hall.yaml", "devices.press-12.retries"] == (0, "connections/press-hall.yaml:4")


def test_value_from_a_table_names_its_cell(command: Command, folder: Path) -> None:
    """For whoever has the spreadsheet open."""
    (folder / "connections" / "press-hall.yaml").write_text(
        "version: 1\ndriver: sim\ndevices:\n  press-12:\n    tags_file: press-12.csv\n"
    )
    (folder / "connections" / "press-12.csv").write_text("name,address\noil,analog\n")
    rows = rows_of(command, folder)
    assert rows["connections/press-hall.yaml", "devices.press-12.tags.oil.address"] == (
        "analog",
        "connections/press-12.csv:2 (B2)",
    )


def test_text_fits_a_terminal_and_can_be_narrowed(command: Command, folder: Path) -> None:
    """Keys under the device or tag they are of; `--only` finds a tag among ten thousand."""
    code, said = command("config", "show", folder, "--only", "pressure")
    assert code == 0
    assert said.splitlines() == [
        "connections/press-hall.yaml",
        "  devices.press-12.tags.pressure",
        f"{'    address: analog':<52}  line 10",
        f"{'    unit: bar':<52}  line 11",
        f"{'    deadband: 0.5':<52}  line 12",
    ]


def test_secret_is_shown_by_its_name_only(command: Command, folder: Path) -> None:
    """Neither the secret nor a word of its file."""
    (folder / "secrets").mkdir()
    secret = folder / "secrets" / "broker-password"
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    gateway = folder / "gateway.yaml"
    gateway.write_text(gateway.read_text() + "  password: {secret: broker-password}\n")
    for options in ((), ("--json",)):
        code, said = command("config", "show", folder, *options)
        assert code == 0
        assert "broker-password" in said
        assert "hunter2" not in said


def test_folder_without_a_good_file_is_told(command: Command, tmp_path: Path) -> None:
    """With the command that says more."""
    code, said = command("config", "show", tmp_path)
    assert (code, said) == (2, f"nothing to show; `edge-gateway check {tmp_path}` tells what is wrong\n")


@pytest.mark.parametrize("file", ["gateway", "modbus", "opcua", "gpio", "sim"])
def test_schema_is_the_one_that_ships(command: Command, file: str) -> None:
    """Of each kind of file, for editors without the installed copy."""
    code, said = command("config", "schema", file)
    assert code == 0
    assert json.loads(said) == (gateway_schema() if file == "gateway" else connection_schema(driver_spec(file)))
