"""A configuration folder, and the command line over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GATEWAY = """\
version: 1
gateway: {id: press-hall-1, location: {enterprise: acme, site: ehv}}
broker:
  url: mqtt://127.0.0.1:1883   # the plant's
"""

CONNECTION = """\
version: 1
driver: sim
# the press by the door
devices:
  press-12:
    tags:
      oil_temperature: {address: analog, unit: °C,   range: [0, 90]}   # behind the pump
      running:         {address: digital}
      pressure:
        address: analog
        unit: bar        # not mbar
        deadband: 0.5
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good configuration of one connection with three tags."""
    folder = tmp_path / "config"
    (folder / "connections").mkdir(parents=True)
    (folder / "gateway.yaml").write_text(GATEWAY)
    (folder / "connections" / "press-hall.yaml").write_text(CONNECTION)
    return folder


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs the command line; its exit code, and all that it printed."""

    def run(*arguments: str | Path) -> tuple[int, str]:
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run
