"""Servers to listen to, a driver that listens, and a network that fails on demand."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
import pytest_asyncio
from asyncua import Server, ua

from drivers.opcua.client import quieten
from drivers.opcua.config import OpcuaConnection
from drivers.opcua.spec import SPEC
from gateway.clock import SystemClock
from gateway.collect.plan import devices_of
from gateway.driver import LinkError
from gateway.model import ABSENT
from tests.conftest import CACHE, WORKER, npm_package

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from drivers.opcua.driver import OpcuaDriver
    from gateway.model import Batch

DEADLINE_S = 20.0
"""No test waits longer for what must happen within a second or two, however busy the machine is."""

PRESS = "urn:acme:press"

VARIABLES = {
    "Temperature": ua.Variant(71.3, ua.VariantType.Float),
    "Pressure": ua.Variant(182.5, ua.VariantType.Double),
    "Running": ua.Variant(True, ua.VariantType.Boolean),
    "Strokes": ua.Variant(1004, ua.VariantType.Int32),
    "Recipe": ua.Variant("Döner 7", ua.VariantType.String),
}
"""What the press shows at the start, by the name in its node id."""


class Press:
    """A server in this process, with a press of five variables, or more."""

    def __init__(self) -> None:
        self.server = Server()
        self.index = 0

    @property
    def url(self) -> str:
        assert self.server.bserver is not None
        return f"opc.tcp://127.0.0.1:{self.server.bserver.port}"

    async def build(self) -> None:
        quieten()
        await self.server.init()
        self.server.disable_clock()
        self.server.set_endpoint("opc.tcp://127.0.0.1:0")
        self.server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        self.index = await self.server.register_namespace(PRESS)
        for name, value in VARIABLES.items():
            await self.add(name, value)

    async def add(self, name: str, value: ua.Variant) -> None:
        await self.server.nodes.objects.add_variable(self.node(name), name, value)

    def node(self, name: str) -> ua.NodeId:
        return ua.NodeId(f"Press1.{name}", self.index)

    async def set(self, name: str, value: Any, status: int = 0) -> None:
        """Change one variable, keeping its type."""
        held = VARIABLES.get(name, ua.Variant(0.0, ua.VariantType.Double)).VariantType
        data = ua.DataValue(ua.Variant(value, held), StatusCode=ua.StatusCode(status))
        data.SourceTimestamp = data.ServerTimestamp = datetime.now(UTC)
        await self.server.write_attribute_value(self.node(name), data)

    async def reset(self) -> None:
        for name, value in VARIABLES.items():
            await self.set(name, value.Value)

    @property
    def sessions(self) -> int:
        return len(self.server.iserver._external_sessions)

    @property
    def subscriptions(self) -> list[Any]:
        return list(self.server.iserver.subscription_service.subscriptions.values())

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Cut every connection and refuse new ones."""
        assert self.server.bserver is not None
        await self.server.bserver.stop()
        yield
        await self.server.bserver.start()


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def running_press() -> AsyncIterator[Press]:
    press = Press()
    await press.build()
    async with press.server:
        yield press


@pytest_asyncio.fixture(loop_scope="session")
async def press(running_press: Press) -> Press:
    """The server of this process, its variables as at the start."""
    await running_press.reset()
    return running_press


class Ear:
    """A driver, and what it has emitted."""

    def __init__(self, config: OpcuaConnection) -> None:
        self.config = config
        self.driver: OpcuaDriver = SPEC.build(config, SystemClock())
        self.batches: list[Batch] = []
        self.task: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()

    def emit(self, batch: Batch) -> None:
        self.batches.append(batch)
        self._heard.set()

    def listen(self) -> asyncio.Task[None]:
        self.task = asyncio.create_task(self.driver.listen(devices_of(self.config), self.emit))
        return self.task

    async def hear(self) -> Ear:
        """Open, listen, and wait for the first batch."""
        self.batches.clear()
        await self.driver.open()
        self.listen()
        await self.until(lambda e: bool(e.batches))
        return self

    async def lost(self) -> LinkError:
        """How the listening ends by itself."""
        assert self.task is not None
        async with asyncio.timeout(DEADLINE_S):
            with pytest.raises(LinkError) as caught:
                await self.task
        return caught.value

    async def stop_listening(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait({self.task})

    async def until(self, condition: Callable[[Ear], bool]) -> None:
        """Wait until what was emitted satisfies the condition; fail where the driver gives up, or at the deadline."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition(self):
                self._heard.clear()
                hearing = asyncio.ensure_future(self._heard.wait())
                await asyncio.wait({hearing, *([self.task] if self.task else [])}, return_when="FIRST_COMPLETED")
                hearing.cancel()
                if self.task is not None and self.task.done():
                    self.task.result()

    def said(self, tag: str) -> list[tuple[Any, str, str | None]]:
        """Every value of a tag until now, with its quality and status."""
        return [
            (batch.values[n], batch.quality[n].value, (batch.source_status or {}).get(n))
            for batch in self.batches
            for n in [batch.plan.positions.get(tag, -1)]
            if n >= 0 and batch.values[n] is not ABSENT
        ]

    def last(self, tag: str) -> tuple[Any, str, str | None] | None:
        """The latest value of a tag, with its quality and status."""
        said = self.said(tag)
        return said[-1] if said else None


@pytest.fixture(name="connection")
def make_connection() -> Callable[..., OpcuaConnection]:
    """A checked connection from a url and tags: name to address, or to a mapping."""

    def make(url: str, tags: dict[str, Any], **settings: Any) -> OpcuaConnection:
        described = {name: {"address": tag} if isinstance(tag, str) else tag for name, tag in tags.items()}
        written = {
            "version": 1,
            "driver": "opcua",
            "url": url,
            "insecure": True,
            "publishing_interval_ms": 50,
            "devices": {"press": {"period_s": 0.02, "tags": described}},
        }
        return OpcuaConnection.model_validate(written | settings)

    return make


@pytest_asyncio.fixture(loop_scope="session")
async def ear(connection: Callable[..., OpcuaConnection]) -> AsyncIterator[Callable[..., Ear]]:
    """Makes drivers, which are closed at the end of the test."""
    ears: list[Ear] = []

    def make(url: str, tags: dict[str, Any], **settings: Any) -> Ear:
        ears.append(Ear(connection(url, tags, **settings)))
        return ears[-1]

    yield make
    for made in ears:
        await made.stop_listening()
        await made.driver.close()


class Proxy:
    """A piece of network between the driver and a server, which can swallow all without breaking a connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"opc.tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def freeze(self) -> None:
        self._flowing.clear()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            self._tasks.add(asyncio.create_task(self._pump(source, sink)))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                await self._flowing.wait()
                sink.write(data)
        except ConnectionError:
            pass
        finally:
            sink.transport.abort()


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(press: Press) -> AsyncIterator[Proxy]:
    assert press.server.bserver is not None
    async with Proxy(press.server.bserver.port) as between:
        yield between


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def black_hole() -> Iterator[str]:
    """The url of a port that accepts connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"opc.tcp://127.0.0.1:{listener.getsockname()[1]}"


def _tasks() -> list[asyncio.Task[Any]]:
    """The tasks of this loop, without those of the server that it also runs."""
    return [t for t in asyncio.all_tasks() if "/asyncua/server/" not in t.get_coro().cr_code.co_filename]


@pytest.fixture
def resources() -> Callable[[], tuple[int, int]]:
    """Counts the tasks and the open files of this process."""
    return lambda: (len(_tasks()), len(list(Path("/proc/self/fd").iterdir())))


async def _settled(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of the waiting
            await asyncio.sleep(0.01)


@pytest.fixture
def settled() -> Callable[..., Any]:
    """Waits until a condition holds, with a deadline."""
    return _settled


NODE_OPCUA = "node-opcua@2.182.2"


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """node-opcua from npm, in a cache outside the repository."""
    return npm_package(NODE_OPCUA)


class ForeignPress:
    """A server that nobody of this project wrote, in a process of its own."""

    def __init__(self, node_modules: Path, port: int) -> None:
        self.url = f"opc.tcp://127.0.0.1:{port}"
        self._port = port
        self._environment = os.environ | {"NODE_PATH": str(node_modules)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, **options: Any) -> None:
        """Start, or start again on the same port."""
        script = Path(__file__).with_name("press_server.js")
        self._process = await asyncio.create_subprocess_exec(
            "node",
            *(str(script), str(self._port), str(CACHE / f"node-opcua-keys{WORKER}"), json.dumps(options)),
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await self._answer("ready")

    async def tell(self, *words: str) -> None:
        """Have a command obeyed."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write((" ".join(words) + "\n").encode())
        await self._answer("done")

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()

    async def _answer(self, expected: str) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            while (line := (await self._process.stdout.readline()).decode()) != f"{expected}\n":
                assert line, "the server ended"


@pytest_asyncio.fixture(loop_scope="session")
async def foreign_press(node_modules: Path, free_port: int) -> AsyncIterator[ForeignPress]:
    """Not started yet."""
    press = ForeignPress(node_modules, free_port)
    yield press
    await press.kill()
