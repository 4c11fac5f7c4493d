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
import pytest_asyncio
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

TYPES = {"bool": bool, "text": str, "float": float, "int": int, "uint": int, "bcd": int, "string": str, "bytes": str}
"""The words for data types that drivers share, without their lengths; `auto` is the other one."""

_BLOCK = re.compile(r"```(?:python|yaml)\n# (drivers/thermo/\S+)\n(.*?)```", re.DOTALL)


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Any]:
    """Every driver runs on both loops: tests and tools use asyncio's, the daemon uvloop's."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `subject` runs on all drivers, or on those of the `KIND` that its module names."""
    if "subject" in metafunc.fixturenames:
        kind: type | None = getattr(metafunc.module, "KIND", None)
        names = [name for name in driver_names() if _is_of(name, kind)]
        taught = [] if kind is ListeningDriver else [TAUGHT]
        metafunc.parametrize("subject", names + taught, indirect=True, scope="session")


def _is_of(name: str, kind: type | None) -> bool:
    spec = driver_spec(name)
    if spec.simulator is None or kind is None:
        return spec.simulator is not None
    try:
        return isinstance(spec.build(Subject.of(spec).config, ManualClock()), kind)
    except Exception:  # noqa: BLE001 - what cannot be built fails in its tests, not in the collection of all
        return True


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
    """One driver with its example, and what the tests of several kinds do with it."""

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

    @staticmethod
    def some_tags(config: ConnectionConfig) -> ConnectionConfig:
        """The same connection with the first tag of each device alone."""
        devices = {
            name: device.model_copy(update={"tags": dict(list(device.tags.items())[:1])})
            for name, device in config.devices.items()
        }
        return config.model_copy(update={"devices": devices})

    @staticmethod
    def check(tag: Tag, value: Cell, quality: Quality) -> None:
        """Hold one cell to what the core relies on: BAD without a value, else one of the tag's type."""
        if quality.level is Level.BAD:
            assert value is None, tag
        elif tag.type == "auto":
            assert type(value) in (bool, int, float, str), (tag, value)
        else:
            assert type(value) is TYPES[tag.type.rstrip("0123456789")], (tag, value)
        assert not isinstance(value, float) or isfinite(value), tag

    async def use(self, driver: Any, config: ConnectionConfig) -> None:
        """Read each request once, or listen until every device has spoken."""
        if isinstance(driver, PollingDriver):
            for request in driver.requests(devices_of(config)):
                await driver.read(request)
        else:
            async with self.listening(driver, devices_of(config)):
                pass


@pytest.fixture(scope="session")
def subject(request: pytest.FixtureRequest) -> Subject:
    """One driver."""
    if request.param == TAUGHT:
        request.getfixturevalue("taught")
        return Subject.of(import_module(f"drivers.{TAUGHT}.spec").SPEC)
    return Subject.of(driver_spec(request.param))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def played(subject: Subject) -> AsyncIterator[ConnectionConfig]:
    """The example, played for all tests of this driver that do not end it, in one task from begin to end."""
    ready: asyncio.Future[ConnectionConfig] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def play() -> None:
        async with subject.spec.simulate(subject.config) as config:
            ready.set_result(config)
            await over.wait()

    playing = asyncio.create_task(play())
    either: set[asyncio.Future[Any]] = {playing, ready}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if playing.done():
        playing.result()
    yield ready.result()
    over.set()
    await playing


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
