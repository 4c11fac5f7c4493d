"""The driver taught in drivers/README.md is real; the contract suite runs on it as on all others."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import drivers
from gateway.clock import SystemClock
from gateway.collect.plan import devices_of
from gateway.driver import NoReply, WrongReply

if TYPE_CHECKING:
    from collections.abc import Callable

README = (Path(drivers.__file__).parent / "README.md").read_text(encoding="utf-8")
REPOSITORY = Path(drivers.__file__).parent.parent


def test_the_page_holds_all_files_that_it_lists(taught: Path) -> None:
    """Nothing is left for the reader to guess but the README of the driver."""
    listed = set(re.findall(r"^\| `(\w+\.\w+)` \|", README, re.MULTILINE))
    assert {file.name for file in taught.iterdir()} - {"__pycache__"} == listed - {"README.md"}


def test_its_entry_point_is_the_one_of_the_page(taught: Path) -> None:
    """The line for pyproject.toml leads to the specification."""
    (target,) = re.findall(r'^thermo = "(\S+)"$', README, re.MULTILINE)
    module, _, name = target.partition(":")
    assert getattr(import_module(module), name).name == "thermo"


def test_its_code_is_clean(taught: Path) -> None:
    """What we teach passes the rules that we keep: lint and format."""
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--config", REPOSITORY / "pyproject.toml", taught],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda number, asked: None, NoReply),
        (lambda number, asked: f"{number} 21.5", WrongReply),
        (lambda number, asked: f"{number} 21.5 nan", WrongReply),
        (lambda number, asked: f"{number} 21.5 open", WrongReply),
        (lambda number, asked: "0 1.0 2.0", NoReply),
    ],
)
async def test_it_keeps_its_promises_towards_a_bad_thermometer(
    taught: Path, answer: Callable[[str, list[str]], str | None], error: type[Exception]
) -> None:
    """Silence, too few values, no number, and an answer to another question: each is the error that it should be."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            number, *asked = line.decode().split()
            text = answer(number, asked)
            writer.write(b"" if text is None else f"{text}\n".encode())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        config = _config(server.sockets[0].getsockname()[1])
        driver = import_module("drivers.thermo.driver").ThermoDriver(config, SystemClock())
        (request,) = driver.requests(devices_of(config))
        await driver.open()
        with pytest.raises(error, match="oven"):
            await driver.read(request)
        await driver.close()


def _config(port: int) -> Any:
    tags = {"a": {"address": "T1"}, "b": {"address": "T2"}}
    written = {"version": 1, "driver": "thermo", "host": "127.0.0.1", "port": port}
    devices = {"oven": {"timeout_s": 0.2, "tags": tags}}
    return import_module("drivers.thermo.config").ThermoConnection.model_validate(written | {"devices": devices})
