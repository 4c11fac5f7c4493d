"""What a device takes from a profile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.cli.main import main
from gateway.config.connection_file import Beside, Drivers, check_connection
from gateway.config.files import Source
from gateway.config.profiles import Profiles, shipped_folder
from gateway.registry import driver_names, driver_spec

if TYPE_CHECKING:
    from tests.gateway.config.conftest import ConfigurationFolder

PROFILE = """\
version: 1
driver: modbus
description: a meter
source: {document: its manual, state: vendor_document}
parameters:
  ct_ratio: {description: ratio of the current transformers, default: 1}
groups:
  default: [power, energy]
  energy: [energy_import, energy_export]
  power: [power_total]
device: {max_registers: 20, period_s: 5}
tags:
  current: {address: "holding:0", scale: "{ct_ratio} * 0.01", unit: A}
  power_total: {address: "holding:2", type: int32, unit: W}
  energy_import: {address: "holding:4", type: uint32, unit: kWh, range: [0, "{ct_ratio}"]}
  energy_export: {address: "holding:6", type: uint32, unit: kWh}
"""

CONNECTION = "version: 1\ndriver: modbus\nhost: 192.0.2.7\ndevices:\n  meter:\n    profile: mine\n"


@pytest.fixture
def profiles(folder: ConfigurationFolder) -> ConfigurationFolder:
    """A folder with a profile `mine`."""
    (folder.path / "profiles").mkdir()
    (folder.path / "profiles" / "mine.yaml").write_text(PROFILE)
    return folder


def meter(folder: ConfigurationFolder, text: str = "") -> object:
    """The checked device with these lines more; a test fails where there are problems."""
    folder.connection("meters", CONNECTION + text)
    assert folder.told() == []
    configuration = folder.load().configuration
    assert configuration is not None
    (connection,) = (one for one in configuration.connections if one.name == "meters")
    return connection.config.devices["meter"]


def tags(folder: ConfigurationFolder, text: str = "") -> dict[str, object]:
    return dict(meter(folder, text).tags)  # type: ignore[attr-defined]  # a device


def test_usual_tags_are_taken_where_nothing_is_picked(profiles: ConfigurationFolder) -> None:
    """The group `default`; a group may name groups."""
    assert list(tags(profiles)) == ["power_total", "energy_import", "energy_export"]


def test_pick_takes_tags_and_groups_in_its_order(profiles: ConfigurationFolder) -> None:
    """Each once."""
    assert list(tags(profiles, "    pick: [energy_export, current, energy]\n")) == [
        "energy_export",
        "current",
        "energy_import",
    ]


def test_own_words_count_more(profiles: ConfigurationFolder) -> None:
    """Of the device and of a tag; the rest stays the profile's; a tag that is only overridden is picked by that."""
    device = meter(profiles, "    period_s: 1\n    tags:\n      current: {unit: mA}\n      own: {address: 'coil:1'}\n")
    assert (device.period_s, device.max_registers) == (1.0, 20)  # type: ignore[attr-defined]  # a Modbus device
    assert list(device.tags) == ["power_total", "energy_import", "energy_export", "current", "own"]  # type: ignore[attr-defined]  # as above
    current = device.tags["current"]  # type: ignore[attr-defined]  # as above
    assert (current.unit, current.scale, current.address) == ("mA", 0.01, "holding:0")


def test_parameter_takes_its_place_in_the_numbers(profiles: ConfigurationFolder) -> None:
    """Alone, times a factor, inside a list; its default where the device says nothing."""
    told = tags(profiles, "    pick: [current, energy_import]\n    parameters: {ct_ratio: 40}\n")
    assert told["current"].scale == pytest.approx(0.4)  # type: ignore[attr-defined]  # a tag of Modbus
    assert told["energy_import"].range == [0, 40]  # type: ignore[attr-defined]  # as above
    assert tags(profiles, "    pick: [current]\n")["current"].scale == pytest.approx(0.01)  # type: ignore[attr-defined]  # as above


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("    pick: [curent]", "meters.yaml:7:12: profile mine has no tag or group 'curent' (did you mean 'current'?)"),
        ("    parameters: {ct: 4}", "meters.yaml:7:18: profile mine has no parameter 'ct' (ct_ratio)"),
        (
            "    parameters: {ct_ratio: x}\n    pick: [current]",
            "profiles/mine.yaml:13:42: scale must be a number, not the text 'x'",
        ),
        ("    tags: {current: {scal: 1}}", "meters.yaml:7:22: unknown key 'scal' (did you mean 'scale'?)"),
    ],
)
def test_mistake_is_told_where_it_stands(profiles: ConfigurationFolder, line: str, told: str) -> None:
    """In the connection file, or in the profile."""
    profiles.connection("meters", f"{CONNECTION}{line}\n")
    (problem,) = profiles.told()
    assert problem.startswith(told.replace("meters.yaml", "connections/meters.yaml")), problem


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("scale:", "scael:", None),
        ("groups:", "grops:", "profiles/mine.yaml:7:1: unknown key 'grops' (did you mean 'groups'?)"),
        ("[power_total]", "[power_ttl]", "there is no tag 'power_ttl' (did you mean 'power_total'?)"),
        ('"{ct_ratio}"', '"{ct_rato}"', "there is no parameter 'ct_rato' (did you mean 'ct_ratio'?)"),
        ("state: vendor_document", "state: sure", "state must be one of vendor_document, cross_checked, unverified"),
        ("driver: modbus", "driver: opcua", "connections/meters.yaml:6:14: profile mine is for driver opcua"),
    ],
)
def test_mistake_of_a_profile_is_told_even_if_nobody_picks_it(
    profiles: ConfigurationFolder, old: str, new: str, told: str | None
) -> None:
    """The file is the technician's own; a key of a tag is checked when the tag is picked."""
    profiles.connection("meters", CONNECTION)
    (profiles.path / "profiles" / "mine.yaml").write_text(PROFILE.replace(old, new))
    problems = "\n".join(profiles.told())
    assert (told in problems) if told else problems == ""


def test_unknown_profile_is_told_with_the_nearest(folder: ConfigurationFolder) -> None:
    """Among own and shipped ones."""
    folder.connection("meters", CONNECTION.replace("mine", "eastron-sdm63"))
    assert folder.told() == [
        "connections/meters.yaml:6:14: there is no profile 'eastron-sdm63' (did you mean 'eastron-sdm630'?)"
    ]


def test_changed_profile_changes_its_devices_at_the_next_reload(profiles: ConfigurationFolder) -> None:
    """An own profile belongs to the configuration: to its digest, to its history, to what a reload looks at."""
    profiles.connection("meters", CONNECTION)
    before = profiles.load().configuration
    (profiles.path / "profiles" / "mine.yaml").write_text(PROFILE.replace("unit: W", "unit: kW"))
    after = profiles.load().configuration
    assert before is not None
    assert after is not None
    assert before.digest != after.digest
    assert "profiles/mine.yaml" in after.files


def test_table_of_a_profiled_device_comes_back_as_overrides(
    profiles: ConfigurationFolder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A cell edited in the spreadsheet becomes a key of the device; what the profile says cannot be taken away."""
    path = profiles.connection("meters", CONNECTION)
    table = tmp_path / "table.csv"
    folder = ["--config", str(profiles.path)]
    assert main(["config", "csv", "export", "meter", "--to", str(table), *folder]) == 0
    text = table.read_text("utf-8-sig")
    table.write_text(text.replace(",W", ",kW"))
    assert main(["config", "csv", "import", "meter", str(table), *folder]) == 0
    assert path.read_text() == CONNECTION + "    tags: {power_total: {unit: kW}}\n"
    table.write_text("\n".join(line for line in text.splitlines() if not line.startswith("energy_export")) + "\n")
    assert main(["config", "csv", "import", "meter", str(table), *folder]) == 2
    assert (
        "energy_export comes from the profile and cannot be deleted here; take it out of `pick`"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize("name", sorted(path.stem for path in shipped_folder().glob("*.yaml")))
def test_every_tag_of_a_shipped_profile_is_accepted_by_its_driver(name: str) -> None:
    """All of them picked at once, in a connection of the driver that the profile names."""
    profiles = Profiles({})
    profile = profiles.get(name)
    assert profiles.problems() == []
    assert profile is not None
    picks = ", ".join(profile.config.tags)
    text = f"version: 1\ndriver: modbus\nhost: 192.0.2.1\ndevices:\n  d:\n    profile: {name}\n    pick: [{picks}]\n"
    source = Source(Path("c.yaml"), "c.yaml", text.encode(), text)
    outcome = check_connection(source, Drivers(driver_spec, driver_names()), Beside({}, profiles))
    assert [str(problem) for problem in outcome.problems] == []
    assert outcome.checked is not None
