"""Tags from tables beside the connection files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.gateway.config.conftest import ConfigurationFolder

CONNECTION = """\
version: 1
driver: sim
devices:
  press-12:
    tags_file: press-12.csv
"""

TABLE = "name,address,unit,range\nlevel,analog,%,0 | 100\n"


def test_tag_from_a_table_is_like_one_from_the_file(folder: ConfigurationFolder) -> None:
    """The same key by key, whichever way a technician prefers."""
    folder.connection(text=CONNECTION)
    (folder.connections / "press-12.csv").write_text(TABLE)
    written = CONNECTION.replace(
        "tags_file: press-12.csv", "tags:\n      level: {address: analog, unit: '%', range: [0, 100]}"
    )
    (from_table,) = folder.load().configuration.connections  # type: ignore[union-attr]  # a test fails where it is None
    folder.connection(text=written)
    (from_file,) = folder.load().configuration.connections  # type: ignore[union-attr]  # as above
    assert from_table.config.devices["press-12"].tags == from_file.config.devices["press-12"].tags


def test_tags_of_the_file_and_of_the_table_stand_together(folder: ConfigurationFolder) -> None:
    """A few tags by hand beside a long table."""
    folder.connection(text=CONNECTION + "    tags:\n      running: {address: digital}\n")
    (folder.connections / "press-12.csv").write_text(TABLE)
    (connection,) = folder.load().configuration.connections  # type: ignore[union-attr]  # as above
    assert list(connection.config.devices["press-12"].tags) == ["running", "level"]


def test_change_in_a_table_changes_the_digest(folder: ConfigurationFolder) -> None:
    """Two gateways are compared by it."""
    folder.connection(text=CONNECTION)
    table = folder.connections / "press-12.csv"
    digests = set()
    for text in (TABLE, TABLE.replace("100", "90")):
        table.write_text(text)
        configuration = folder.load().configuration
        assert configuration is not None
        digests.add(configuration.digest)
    assert len(digests) == 2


def test_wrong_table_harms_its_connection_only(folder: ConfigurationFolder) -> None:
    """The others collect on."""
    folder.connection()
    folder.connection("cell", CONNECTION.replace("press-12:", "cell-1:"))
    (folder.connections / "press-12.csv").write_text("name,address\nlevel,\n")
    result = folder.load()
    assert [problem.sentence for problem in result.errors] == [
        "connections/press-12.csv:2:1: cell A2: the key 'address' is missing in level"
    ]
    assert result.left_out == ("cell",)
    assert result.configuration is not None
    assert [connection.name for connection in result.configuration.connections] == ["press-hall"]


def test_rows_of_one_table_may_serve_two_devices(folder: ConfigurationFolder) -> None:
    """Ten equal machines need one table."""
    folder.connection(text=CONNECTION + "  press-13:\n    tags_file: press-12.csv\n")
    (folder.connections / "press-12.csv").write_text(TABLE)
    (connection,) = folder.load().configuration.connections  # type: ignore[union-attr]  # as above
    assert [list(device.tags) for device in connection.config.devices.values()] == [["level"], ["level"]]


def test_tags_that_are_no_group_are_told_once(folder: ConfigurationFolder) -> None:
    """A mistake beside the table's name is named by itself."""
    folder.connection(text=CONNECTION + "    tags: none\n")
    (folder.connections / "press-12.csv").write_text(TABLE)
    assert folder.told() == ["connections/press-hall.yaml:6:11: tags must be a group of keys, not the text 'none'"]


def test_only_a_plain_name_leads_to_a_table(folder: ConfigurationFolder) -> None:
    """No path leads out of the folder, not even to a file that exists."""
    (folder.path / "press-12.csv").write_text(TABLE)
    folder.connection(text=CONNECTION.replace("press-12.csv", "../press-12.csv"))
    (told,) = folder.told()
    assert "no such table stands beside this file" in told


def test_dotted_column_reaches_into_a_group(folder: ConfigurationFolder) -> None:
    """What the models say of a key inside a group is said of its cell."""
    folder.connection(text=CONNECTION)
    (folder.connections / "press-12.csv").write_text("name,address,description.long\nlevel,analog,x\n")
    (told,) = folder.told()
    assert told == "connections/press-12.csv:2:14: cell C2: description must be text, not a group of keys"
