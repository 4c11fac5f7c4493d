"""From a folder to a configuration: what is kept, what is left out, what is told."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.config.files import example_folder
from gateway.config.load import Reloader, load
from gateway.config.problems import Severity
from tests.gateway.config.conftest import CONNECTION, GATEWAY

if TYPE_CHECKING:
    import pytest

    from gateway.config.schema import Connection
    from tests.gateway.config.conftest import ConfigurationFolder


def names_of(folder: ConfigurationFolder) -> list[str]:
    configuration = folder.load().configuration
    assert configuration is not None
    return [connection.name for connection in configuration.connections]


def test_good_folder_becomes_a_configuration(folder: ConfigurationFolder) -> None:
    """Every part of the files is there, with the driver's own models."""
    result = folder.load()
    assert result.problems == ()
    assert result.left_out == ()
    assert result.configuration is not None
    assert result.configuration.folder == folder.path
    assert result.configuration.gateway.gateway.id == "press-hall-1"
    (connection,) = result.configuration.connections
    assert (connection.name, connection.spec.name) == ("press-hall", "sim")
    assert connection.file == folder.connections / "press-hall.yaml"
    assert isinstance(connection.config, connection.spec.connection)
    tag = connection.config.devices["press-12"].tags["oil_temperature"]
    assert (tag.unit, tag.range) == ("°C", [0, 90])


def test_shipped_configuration_is_good() -> None:
    """What a technician copies has neither errors nor warnings."""
    result = load(example_folder())
    assert [problem.sentence for problem in result.problems] == []
    assert result.configuration is not None
    assert len(result.configuration.connections) >= 3


def test_shipped_examples_of_drivers_are_good(folder: ConfigurationFolder) -> None:
    """Each driver's own example is a connection file as it stands."""
    for example in sorted((Path(__file__).parents[3] / "drivers").glob("*/example.yaml")):
        (folder.connections / "press-hall.yaml").write_bytes(example.read_bytes())
        assert folder.told() == [], example


def test_one_broken_and_two_good_connections(folder: ConfigurationFolder) -> None:
    """The broken file disables itself and nothing else."""
    folder.connection("meters", CONNECTION.replace("press-12", "meter").replace("address", "adress", 1))
    folder.connection("oven", CONNECTION.replace("press-12", "oven-3"))
    result = folder.load()
    assert [problem.sentence for problem in result.problems] == [
        "connections/meters.yaml:6:25: unknown key 'adress' (did you mean 'address'?)"
    ]
    assert names_of(folder) == ["oven", "press-hall"]
    assert result.left_out == ("meters",)


def test_broken_gateway_file_leaves_no_configuration_but_all_problems(folder: ConfigurationFolder) -> None:
    """Without a good gateway.yaml nothing runs; the connections are checked all the same."""
    folder.gateway(GATEWAY.replace("url", "uri"))
    folder.connection(text=CONNECTION.replace("unit", "units"))
    result = folder.load()
    assert result.configuration is None
    assert [problem.file for problem in result.problems] == ["connections/press-hall.yaml", "gateway.yaml"]


def test_folder_without_connections_runs_with_a_problem(empty_folder: ConfigurationFolder) -> None:
    """A gateway may be set up before its first machine; `check` says that nothing is read."""
    empty_folder.gateway()
    result = empty_folder.load()
    assert result.configuration is not None
    assert result.configuration.connections == ()
    (problem,) = result.problems
    assert problem.sentence.startswith("connections: no connection file (*.yaml) stands here, so nothing is read")
    assert result.errors == (problem,)


def test_all_connections_broken_leaves_none(folder: ConfigurationFolder) -> None:
    """The gateway itself still starts, and says why it reads nothing."""
    folder.connection(text="nonsense\n")
    result = folder.load()
    assert result.configuration is not None
    assert result.configuration.connections == ()
    assert result.left_out == ("press-hall",)


def test_errors_are_the_problems_that_are_no_warnings(folder: ConfigurationFolder) -> None:
    """A warning alone does not make a configuration bad."""
    (folder.connections / "old.yml").write_text("")
    folder.connection("oven", "")
    result = folder.load()
    assert [problem.severity for problem in result.problems] == [Severity.WARNING, Severity.ERROR]
    assert [problem.file for problem in result.errors] == ["connections/oven.yaml"]


def test_digest_names_the_content_of_all_files(folder: ConfigurationFolder) -> None:
    """Twelve hex digits; the same for the same files wherever they lie, another for any other byte or name."""

    def digest() -> str:
        configuration = folder.load().configuration
        assert configuration is not None
        return configuration.digest

    first = digest()
    assert len(first) == 12
    assert int(first, 16) >= 0
    assert digest() == first
    folder.gateway(GATEWAY + "# a comment\n")
    second = digest()
    folder.connection("press-hall", CONNECTION + "\n")
    third = digest()
    (folder.connections / "press-hall.yaml").rename(folder.connections / "press.yaml")
    fourth = digest()
    folder.connection("broken", "nonsense\n")
    assert len({first, second, third, fourth, digest()}) == 5


def test_digest_does_not_depend_on_the_place(folder: ConfigurationFolder, tmp_path: Path) -> None:
    """Two gateways with the same files show the same digest."""
    first = folder.load().configuration
    moved = folder.path.rename(tmp_path / "moved")
    second = load(moved).configuration
    assert first is not None
    assert second is not None
    assert first.digest == second.digest


def test_driver_that_is_not_named_is_not_imported(folder: ConfigurationFolder) -> None:
    """Checking a configuration of one driver does not pay for the others, nor for any field library."""
    code = (
        "import sys; from pathlib import Path; from gateway.config.load import load; "
        f"assert load(Path({str(folder.path)!r})).problems == (); "
        "print(sorted(m for m in sys.modules if m.partition('.')[0] in "
        "{'pymodbus', 'asyncua', 'gpiozero', 'paho'} or m.startswith('drivers.') and m.count('.') == 1))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['drivers.sim']\n"


def test_ten_thousand_tags_in_two_hundred_files(empty_folder: ConfigurationFolder) -> None:
    """A large plant is whole and free of problems; how long that takes is measured by a bench."""
    empty_folder.gateway()
    tag = '      tag_{}: {{address: "holding:{}", type: float32, order: CDAB, unit: kW, range: [0, 150]}}\n'
    for number in range(200):
        head = f"version: 1\ndriver: modbus\nhost: 10.0.{number}.1\ndevices:\n  device-{number}:\n    tags:\n"
        tags = "".join(tag.format(position, 2 * position) for position in range(50))
        empty_folder.connection(f"c{number:03}", head + tags)
    result = empty_folder.load()
    assert result.problems == ()
    assert result.configuration is not None
    assert len(result.configuration.connections) == 200


def test_nothing_is_printed_or_logged_while_loading(
    folder: ConfigurationFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever calls decides where the problems are shown."""
    folder.connection("broken", "nonsense\n")
    folder.load()
    assert capfd.readouterr() == ("", "")


def test_half_written_file_is_waited_for(folder: ConfigurationFolder) -> None:
    """An editor that empties a file and writes it in two goes: the first half, itself valid, is never taken over."""
    first = "version: 1\ndriver: sim\ndevices:\n  press-12:\n    tags:\n      a: {address: analog}\n"
    path = folder.connection(text=first)
    second = threading.Timer(0.2, path.write_text, [first + "      b: {address: analog}\n"])
    second.start()
    configuration = Reloader(folder.path).load_settled().configuration
    second.join()
    assert configuration is not None
    (connection,) = configuration.connections
    assert list(connection.config.devices["press-12"].tags) == ["a", "b"]


def test_file_from_the_future_is_not_waited_for(folder: ConfigurationFolder) -> None:
    """A Pi whose clock stands in the past reads its files at once."""
    path = folder.connection()
    ahead_s = time.time() + 1e6
    os.utime(path, (ahead_s, ahead_s))
    for source in (folder.path / "gateway.yaml",):
        os.utime(source, (ahead_s, ahead_s))
    begun_s = time.monotonic()
    assert Reloader(folder.path).load_settled().problems == ()
    assert time.monotonic() - begun_s < 5


def test_only_changed_files_are_looked_at_again(folder: ConfigurationFolder) -> None:
    """What came of the others is the same object; a change in a file, or in a table that it names, is seen."""
    folder.connection("other", CONNECTION.replace("press-12:", "press-13:\n    tags_file: t.csv"))
    table = folder.connections / "t.csv"
    table.write_text("name,address\na,analog\n")
    reloader = Reloader(folder.path)

    def loaded() -> dict[str, Connection]:
        configuration = reloader.load().configuration
        assert configuration is not None
        return {connection.name: connection for connection in configuration.connections}

    first, second = loaded(), loaded()
    assert all(first[name] is second[name] for name in ("press-hall", "other"))
    table.write_text("name,address\nb,analog\n")
    third = loaded()
    assert third["press-hall"] is first["press-hall"]
    assert "b" in third["other"].config.devices["press-13"].tags
    folder.connection(text=CONNECTION.replace("running", "runs"))
    assert "runs" in loaded()["press-hall"].config.devices["press-12"].tags
