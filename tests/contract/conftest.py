"""Who is under the contract: every registered driver that has a simulator, and the one taught in drivers/README.md."""

from __future__ import annotations

import asyncio
import re
import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvloop
import yaml

import drivers
from gateway.clock import SystemClock
from gateway.collect.plan import devices_of
from gateway.driver import ListeningDriver, PollingDriver
from gateway.model import Level
from gateway.registry import driver_names, driver_spec
from gateway.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from gateway.connection import ConnectionConfig
    from gateway.driver import Device, DriverSpec
    from gateway.model import Batch, Cell, Quality, Tag

DRIVERS = Path(drivers.__file__).parent
TAUGHT = "thermo"
"""The driver in drivers/README.md."""

_BLOCK = re.compile(r"```(?:python|yaml)\n# (drivers/thermo/\S+)\n(.*?)```", re.DOTALL)


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Any]:
    """Every driver runs on both loops: tests and tools use asyncio's, the daemon uvloop's."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `subject` runs on all drivers; `polling` and `listener` are those of one kind."""
    for kind in {"subject", "polling", "listener"} & set(metafunc.fixturenames):
        taught = [] if kind == "listener" else [TAUGHT]
        metafunc.parametrize(kind, [name for name in driver_names() if _is_of(name, kind)] + taught, indirect=True)


def _is_of(name: str, kind: str) -> bool:
    spec = driver_spec(name)
    if spec.simulator is None or kind == "subject":
        return spec.simulator is not None
    try:
        driver = spec.build(Subject.of(spec).config, ManualClock())
    except Exception:  # noqa: BLE001 - what cannot be built fails in its tests, not in the collection of all
        return True
    return isinstance(driver, PollingDriver if kind == "polling" else ListeningDriver)


def of_first_tags(config: ConnectionConfig) -> ConnectionConfig:
    """The same connection with the first tag of each device alone."""
    devices = {
        name: device.model_copy(update={"tags": dict(list(device.tags.items())[:1])})
        for name, device in config.devices.items()
    }
    return config.model_copy(update={"devices": devices})


def assert_cell(tag: Tag, value: Cell, quality: Quality) -> None:
    """Hold one cell to what the core relies on: BAD has no value, all else one of the tag's type, and a finite one."""
    if quality.level is Level.BAD:
        assert value is None, tag
        return
    types: dict[str, set[type]] = {
        "b": {bool},
        "t": {str},
        "f": {float},
        "i": {int},
        "u": {int},
        "a": {bool, int, float, str},
    }
    assert type(value) in types[tag.type[0]], (tag, value)
    assert not isinstance(value, float) or isfinite(value), (tag, value)


class Listening:
    """A driver that listens in a task, and what it has emitted."""

    def __init__(self, driver: ListeningDriver, devices: list[Device]) -> None:
        self.devices = devices
        self.batches: list[Batch] = []
        self.task = asyncio.create_task(driver.listen(devices, self.batches.append))

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition, at most 20 s; the driver's own error comes first."""
        async with asyncio.timeout(20):
            while not condition():
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Cancel, and wait for the end."""
        self.task.cancel()
        await asyncio.wait([self.task])


@dataclass
class Subject:
    """One driver with its example."""

    spec: DriverSpec
    folder: Path

    @classmethod
    def of(cls, spec: DriverSpec) -> Subject:
        """The driver with the example that lies beside its configuration models."""
        file = import_module(spec.connection.__module__).__file__
        assert file is not None
        return cls(spec, Path(file).parent)

    @property
    def config(self) -> ConnectionConfig:
        """The example, read anew."""
        text = (self.folder / "example.yaml").read_text(encoding="utf-8")
        return self.spec.connection.model_validate(yaml.safe_load(text))

    def build(self, config: ConnectionConfig) -> Any:
        """A driver that is not open, and knows its devices if it is of the polling kind."""
        driver = self.spec.build(config, SystemClock())
        if isinstance(driver, PollingDriver):
            driver.requests(devices_of(config))
        return driver

    @asynccontextmanager
    async def opened(self, config: ConnectionConfig) -> AsyncIterator[Any]:
        """A driver that is open, and closed at the end."""
        driver = self.build(config)
        try:
            await driver.open()
            yield driver
        finally:
            await driver.close()

    @asynccontextmanager
    async def listening(self, driver: ListeningDriver, devices: list[Device]) -> AsyncIterator[Listening]:
        """Listen until every device has spoken, and stop at the end."""
        listening = Listening(driver, devices)
        try:
            names = {device.name for device in devices}
            await listening.until(lambda: names <= {batch.plan.device for batch in listening.batches})
            yield listening
        finally:
            await listening.stop()

    async def use(self, driver: Any, config: ConnectionConfig) -> None:
        """Read each request once, or listen until every device has spoken."""
        if isinstance(driver, PollingDriver):
            for request in driver.requests(devices_of(config)):
                await driver.read(request)
        else:
            async with self.listening(driver, devices_of(config)):
                pass


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> Subject:
    """One driver of any kind."""
    if request.param == TAUGHT:
        request.getfixturevalue("taught")
        return Subject.of(import_module(f"drivers.{TAUGHT}.spec").SPEC)
    return Subject.of(driver_spec(request.param))


polling = listener = subject
"""The same of one kind."""


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The driver of drivers/README.md as files, importable as `drivers.thermo`."""
    root = tmp_path_factory.mktemp("taught")
    for name, text in _BLOCK.findall((DRIVERS / "README.md").read_text(encoding="utf-8")):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    drivers.__path__.append(str(root / "drivers"))
    return root / "drivers" / TAUGHT


class Footprint:
    """What of the operating system and of the loop is in use. Call to look again."""

    def __init__(self) -> None:
        self.before = self()

    def __call__(self) -> tuple[int, set[threading.Thread], set[Any]]:
        """Open files, threads and tasks now."""
        return len(list(Path("/proc/self/fd").iterdir())), set(threading.enumerate()), asyncio.all_tasks()

    async def restored(self) -> bool:
        """Whether all is as before, at most 10 s later: the other end of a socket closes when it is told."""
        try:
            async with asyncio.timeout(10):
                while not self._is_restored():  # noqa: ASYNC110 - files and threads have no event
                    await asyncio.sleep(0.02)
        except TimeoutError:
            return False
        return True

    def _is_restored(self) -> bool:
        files, threads, tasks = self()
        return files <= self.before[0] and threads <= self.before[1] and tasks <= self.before[2]


@pytest.fixture
def footprint() -> type[Footprint]:
    """Measures what is in use from where it is made."""
    return Footprint
