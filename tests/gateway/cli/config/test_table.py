"""`edge-gateway config csv`: to a spreadsheet and back."""

from __future__ import annotations

import csv
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., tuple[int, str]]

SOFFICE = shutil.which("soffice")


def connection(folder: Path) -> Path:
    return folder / "connections" / "press-hall.yaml"


def exported(command: Command, folder: Path, *options: str) -> Path:
    """The table of press-12, beside the folder."""
    table = folder.parent / "press-12.csv"
    code, said = command("config", "csv", "export", "press-12", "--config", folder, "--to", table, *options)
    assert code == 0, said
    return table


def imported(command: Command, folder: Path, table: Path, *options: str) -> tuple[int, str]:
    return command("config", "csv", "import", "press-12", table, "--config", folder, *options)


def in_table(folder: Path) -> Path:
    """Put the tags of press-12 in a table of their own; the table."""
    table = folder / "connections" / "press-12.csv"
    table.write_text(
        "name;address;unit;range;# checked by\n"
        "# cooling;;;;\n"
        'oil_temperature;analog;"°C";0 | 90,5;Kim\n'
        "running;digital;;;\n"
    )
    connection(folder).write_text("version: 1\ndriver: sim\ndevices:\n  press-12:\n    tags_file: press-12.csv\n")
    return table


def test_exported_table_is_what_a_spreadsheet_expects(command: Command, folder: Path) -> None:
    """One row a tag, one column a key, address and unit first."""
    table = exported(command, folder)
    assert table.read_bytes().startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(table.read_text("utf-8-sig").splitlines())) == [
        ["name", "address", "unit", "range", "deadband"],
        ["oil_temperature", "analog", "°C", "0 | 90", ""],
        ["running", "digital", "", "", ""],
        ["pressure", "analog", "bar", "", "0.5"],
    ]


def test_decimal_comma_comes_with_semicolons(command: Command, folder: Path) -> None:
    """As the spreadsheets of many countries write it."""
    text = exported(command, folder, "--decimal-comma").read_text("utf-8-sig")
    assert "pressure;analog;bar;;0,5" in text


@pytest.mark.parametrize("options", [(), ("--decimal-comma",)])
def test_unedited_table_changes_nothing(command: Command, folder: Path, options: tuple[str, ...]) -> None:
    """There and back is the same file, byte for byte."""
    before = connection(folder).read_bytes()
    assert imported(command, folder, exported(command, folder, *options)) == (0, "nothing differs\n")
    assert connection(folder).read_bytes() == before


def test_only_edited_cells_change(command: Command, folder: Path) -> None:
    """Comments, blanks and lines without a change stay as they are."""
    table = exported(command, folder)
    table.write_text(table.read_text("utf-8-sig").replace("0.5", "0.75").replace("°C", "K"))
    code, said = imported(command, folder, table)
    assert (code, said) == (
        0,
        "oil_temperature.unit: °C -> K\npressure.deadband: 0.5 -> 0.75\nchanged connections/press-hall.yaml\n",
    )
    expected = (
        "oil_temperature: {address: analog, unit: K,   range: [0, 90]}   # behind the pump\n",
        "      running:         {address: digital}\n",
        "        unit: bar        # not mbar\n        deadband: 0.75\n",
    )
    text = connection(folder).read_text()
    assert all(line in text for line in expected), text


def test_rows_and_cells_may_come_and_go(command: Command, folder: Path) -> None:
    """A new row is a new tag, a missing row a tag that goes, a filled cell a new key, an empty one a key that goes."""
    table = exported(command, folder)
    table.write_text(
        "name,address,unit,range,deadband\n"
        "oil_temperature,analog,°C,,0.2\n"
        "pressure,analog,bar,0 | 10,\n"
        "level,analog,%,0 | 100,\n"
    )
    code, said = imported(command, folder, table)
    assert code == 0, said
    assert connection(folder).read_text().partition("tags:\n")[2] == (
        "      oil_temperature: {address: analog, unit: °C, deadband: 0.2}   # behind the pump\n"
        "      pressure:\n"
        "        address: analog\n"
        "        unit: bar        # not mbar\n"
        "        range: [0, 10]\n"
        '      level: {address: analog, unit: "%", range: [0, 100]}\n'
    )


def test_missing_column_says_nothing(command: Command, folder: Path) -> None:
    """Whoever hides a column in a spreadsheet does not delete its keys."""
    table = exported(command, folder)
    table.write_text("name,unit\noil_temperature,°C\nrunning,\npressure,mbar\n")
    assert imported(command, folder, table)[1].startswith("pressure.unit: bar -> mbar\n")
    assert "deadband: 0.5" in connection(folder).read_text()


def test_dry_run_changes_nothing(command: Command, folder: Path) -> None:
    """The differences are told all the same."""
    before = connection(folder).read_bytes()
    table = exported(command, folder)
    table.write_text(table.read_text("utf-8-sig").replace("bar", "mbar"))
    code, said = imported(command, folder, table, "--dry-run")
    assert (code, said) == (0, "pressure.unit: bar -> mbar\nwould change connections/press-hall.yaml\n")
    assert connection(folder).read_bytes() == before


def test_mistake_is_named_by_its_cell_and_changes_nothing(command: Command, folder: Path) -> None:
    """The technician sees the spreadsheet, so that is where the mistake is told."""
    before = connection(folder).read_bytes()
    table = exported(command, folder)
    table.write_text(table.read_text("utf-8-sig").replace("0.5", "much"))
    code, said = imported(command, folder, table)
    assert code == 2
    assert said == (
        f"{table}:4:22: cell E4: deadband must be a number, not the text 'much' [E-CFG-022]\n"
        "nothing was changed: mend these first\n"
    )
    assert connection(folder).read_bytes() == before


def test_rule_between_tags_is_kept_as_well(command: Command, folder: Path) -> None:
    """What only the whole configuration shows is checked before anything is written."""
    before = connection(folder).read_bytes()
    table = exported(command, folder)
    table.write_text(table.read_text("utf-8-sig").replace("0 | 90", "90 | 0"))
    code, said = imported(command, folder, table)
    assert code == 2
    assert "range must begin with its lowest value, but 90 is above 0" in said
    assert connection(folder).read_bytes() == before


def test_table_of_a_device_is_edited_row_by_row(command: Command, folder: Path) -> None:
    """Rows without a change, remarks and a column of one's own stay byte for byte; new tags go into the table."""
    own = in_table(folder)
    table = exported(command, folder)
    table.write_text(table.read_text("utf-8-sig").replace("0 | 90.5", "0 | 95.5") + "level,analog,%,\n")
    code, said = imported(command, folder, table)
    assert code == 0, said
    assert said.endswith("changed connections/press-12.csv\n")
    assert own.read_text() == (
        "name;address;unit;range;# checked by\n"
        "# cooling;;;;\n"
        "oil_temperature;analog;°C;0 | 95,5;Kim\n"
        "running;digital;;;\n"
        "level;analog;%;;\n"
    )


def test_unknown_device_is_told_with_those_there_are(command: Command, folder: Path) -> None:
    """Both ways."""
    expected = f"no device 'press-13' in a file without errors of {folder}; there are press-12\n"
    assert command("config", "csv", "export", "press-13", "--config", folder) == (2, expected)
    assert command("config", "csv", "import", "press-13", folder / "x.csv", "--config", folder)[0] == 2


def test_file_that_is_not_there_is_told(command: Command, folder: Path) -> None:
    """No traceback for a mistyped name."""
    code, said = imported(command, folder, folder / "absent.csv")
    assert code == 2
    assert said.startswith(f"{folder}/absent.csv: this file vanished while it was read [E-CFG-002]\n")


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed (apt-get install libreoffice-calc)")
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_libreoffice_in_a_country_with_decimal_comma_changes_nothing_else(
    command: Command, folder: Path, kind: str
) -> None:
    """Through a German LibreOffice and back, one cell edited in between: only that cell differs."""
    table = exported(command, folder, "--decimal-comma")
    office = folder.parent / "office"
    back = _converted(_converted(table, kind, office / "there"), "csv", office / "back")
    text = back.read_text("utf-8-sig")
    assert ";0,5" in text
    back.write_text(text.replace(";0,5", ";0,25"))
    assert imported(command, folder, back) == (
        0,
        "pressure.deadband: 0.5 -> 0.25\nchanged connections/press-hall.yaml\n",
    )
    assert "unit: °C,   range: [0, 90]}   # behind the pump" in connection(folder).read_text()


GERMAN = """\
<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N">
<prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>de-DE</value></prop>
</item>
</oor:items>
"""


def _converted(source: Path, kind: str, into: Path) -> Path:
    """One step through a German LibreOffice without a window."""
    assert SOFFICE is not None
    (into / "profile" / "user").mkdir(parents=True)
    (into / "profile" / "user" / "registrymodifications.xcu").write_text(GERMAN)
    command = [SOFFICE, "--headless", f"-env:UserInstallation=file://{into}/profile"]
    if source.suffix == ".csv":
        command.append("--infilter=Text - txt - csv (StarCalc):59,34,UTF8,1")
    target = "csv:Text - txt - csv (StarCalc):59,34,UTF8" if kind == "csv" else kind
    subprocess.run(
        [*command, "--convert-to", target, "--outdir", into, source], check=True, timeout=120, capture_output=True
    )
    return into / f"{source.stem}.{kind}"
