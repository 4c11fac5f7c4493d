"""Commands that drivers bring."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gateway.cli.main import main

if TYPE_CHECKING:
    from gateway.driver import DriverSpec


def test_the_tools_of_a_driver_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """With a line each, from its specification."""
    with pytest.raises(SystemExit) as caught:
        main(["opcua", "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "trust the certificate of a server" in text
    assert "list the certificates of both sides" in text


def test_a_driver_without_tools_is_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The message lists what there is."""
    with pytest.raises(SystemExit) as caught:
        main(["sim", "dance"])
    assert caught.value.code == 2
    assert "invalid choice: 'sim'" in capsys.readouterr().err


def test_help_loads_no_field_library() -> None:
    """The OPC UA library alone costs tens of MB, and a second on a small board."""
    script = (
        "import sys; from gateway.cli.main import main\n"
        "try: main(['opcua', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(sorted({'asyncua', 'cryptography', 'pymodbus'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_broken_driver_takes_no_command_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that somebody else wrote and that cannot be imported is left out of the list."""

    def broken(name: str) -> DriverSpec:
        raise ImportError(name)

    monkeypatch.setattr("gateway.cli.driver_commands.driver_spec", broken)
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "check" in capsys.readouterr().out
