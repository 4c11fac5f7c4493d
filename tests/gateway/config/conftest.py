"""A configuration folder of one's own, good until a test breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.config.load import load

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.config.load import LoadResult

GATEWAY = """\
version: 1
gateway: {id: press-hall-1}
broker:
  url: mqtt://127.0.0.1:1883
"""

CONNECTION = """\
version: 1
driver: sim
devices:
  press-12:
    tags:
      oil_temperature: {address: analog, unit: °C, range: [0, 90]}
      running: {address: digital}
"""


class ConfigurationFolder:
    """Writes the files of a configuration folder, and loads it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connections = path / "connections"
        self.connections.mkdir(parents=True)

    def gateway(self, text: str = GATEWAY) -> Path:
        """Write gateway.yaml."""
        return self._write(self.path / "gateway.yaml", text)

    def connection(self, name: str = "press-hall", text: str = CONNECTION) -> Path:
        """Write a connection file."""
        return self._write(self.connections / f"{name}.yaml", text)

    def load(self) -> LoadResult:
        """Load the folder with the installed drivers."""
        return load(self.path)

    def told(self) -> list[str]:
        """All problems as they are printed."""
        return [problem.sentence for problem in self.load().problems]

    def _write(self, path: Path, text: str) -> Path:
        path.write_bytes(text.encode())
        return path


@pytest.fixture
def empty_folder(tmp_path: Path) -> ConfigurationFolder:
    """A folder without any file."""
    return ConfigurationFolder(tmp_path / "edge-gateway")


@pytest.fixture
def folder(empty_folder: ConfigurationFolder) -> ConfigurationFolder:
    """A folder with a good gateway.yaml and one good connection of two tags."""
    empty_folder.gateway()
    empty_folder.connection()
    return empty_folder
