from __future__ import annotations

import asyncio
import errno
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest
import uvloop

from drivers.modbus.counts import LinkCounts
from drivers.modbus.link import TcpLink
from drivers.modbus.question import Question
from gateway.driver import LinkError, NoReply

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.drivers.modbus.conftest import Bench, MakeConnection


async def test_a_refused_connection_says_where_and_what_to_look_at(make_connection: MakeConnection) -> None:
    """Nothing listens on the port."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        link = TcpLink(make_connection(port=port, devices={"d": {"tags": {"t": {"address": "coil:1"}}}}), LinkCounts())
        with pytest.raises(LinkError, match=f"cannot connect to 127.0.0.1:{port}: it refuses the connection"):
            await link.open()
        await link.close()


async def test_an_interface_that_is_not_there_is_named(make_connection: MakeConnection) -> None:
    """With the command that lists those there are."""
    device = {"tags": {"t": {"address": "coil:1"}}}
    link = TcpLink(make_connection(port=502, interface="eth77", devices={"d": device}), LinkCounts())
    with pytest.raises(LinkError, match=r"cannot connect to 127\.0\.0\.1:502: there is no interface eth77; `ip link`"):
        await link.open()
    await link.close()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "name is unknown"),
        (OSError(errno.EHOSTUNREACH, "x"), "no route"),
    ],
)
async def test_a_host_that_cannot_be_reached_says_why(
    make_connection: MakeConnection, monkeypatch: pytest.MonkeyPatch, fault: OSError, says: str
) -> None:
    """What the network answers becomes the text; loopback cannot be unreachable, so the network is played here."""

    async def unreachable(*args: object, **kwargs: object) -> None:
        raise fault

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", unreachable)
    link = TcpLink(make_connection(host="plc-7", devices={"d": {"tags": {"t": {"address": "coil:1"}}}}), LinkCounts())
    with pytest.raises(LinkError, match=f"cannot connect to plc-7:502: .*{says}"):
        await link.open()


@pytest.mark.parametrize("ending", ["time-out", "cancelled"])
async def test_a_host_that_does_not_answer_is_given_up_in_time(
    make_connection: MakeConnection, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """A connection that is neither made nor refused ends with the time-out, or at once when cancelled."""
    trying = asyncio.Event()

    async def endless(*args: object, **kwargs: object) -> None:
        trying.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("drivers.modbus.opening.CONNECT_TIMEOUT_S", 20.0 if ending == "cancelled" else 0.01)
    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", endless)
    link = TcpLink(make_connection(host="plc-7", devices={"d": {"tags": {"t": {"address": "coil:1"}}}}), LinkCounts())
    opening = asyncio.create_task(link.open())
    await trying.wait()
    if ending == "cancelled":
        opening.cancel()
        await asyncio.wait([opening])
        assert opening.cancelled()
        return
    with pytest.raises(LinkError, match="plc-7:502: it does not answer"):
        await opening


class CountingPlc:
    """Accepts connections in a thread of its own, and knows at each how many earlier ones are still open."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepted: list[socket.socket] = []
        self.most_at_once = 0
        self.thread = threading.Thread(target=self.accept, daemon=True)

    def accept(self) -> None:
        """Until the listener is shut down."""
        with suppress(OSError):
            while True:
                peer, _ = self.listener.accept()
                peer.setblocking(False)
                self.accepted.append(peer)
                self.most_at_once = max(self.most_at_once, sum(map(is_open, self.accepted)))

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        for each in (self.listener, *self.accepted):
            each.close()


def is_open(peer: socket.socket) -> bool:
    """Whether the other end has not hung up; takes what it sent."""
    try:
        while peer.recv(4096):
            pass
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
    return False


def open_files() -> int:
    """File descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def open_fifty_times(make_connection: MakeConnection, port: int) -> None:
    """Connect anew again and again, closing in every way there is."""
    config = make_connection(port=port, devices={"d": {"tags": {"t": {"address": "coil:1"}}}})
    question = Question(1, bytes.fromhex("03 0001 0001"), 0.001, "a register")
    for round_ in range(50):
        link = TcpLink(config, LinkCounts())
        await link.open()
        if round_ % 2:
            with pytest.raises(NoReply):
                await link.ask(question)
        await link.close()
        await link.close()


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_the_plc_never_sees_two_connections(
    make_connection: MakeConnection, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """After fifty connections, some left with a request unanswered, the PLC never had two, and in the end none."""
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(asyncio.sleep(0))  # what a first loop opens for good does not count
    before = open_files()
    with CountingPlc() as plc:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(open_fifty_times(make_connection, plc.port))
        deadline_s = time.monotonic() + 10
        while len(plc.accepted) < 50 or any(map(is_open, plc.accepted)):
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        assert (len(plc.accepted), plc.most_at_once) == (50, 1)
    assert open_files() <= before


async def test_closing_does_not_wait_for_a_peer_that_reads_nothing(make_connection: MakeConnection) -> None:
    """What still waits to be sent is thrown away with the socket."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        link = TcpLink(make_connection(port=port, devices={"d": {"tags": {"t": {"address": "coil:1"}}}}), LinkCounts())
        before = open_files()
        await link.open()
        link._channel._client.ctx.transport.write(b"\0" * 50_000_000)  # type: ignore[attr-defined]  # a TCP transport is more
        await link.close()
        assert open_files() == before


async def test_a_dead_peer_is_noticed_by_the_kernel(bench: Bench) -> None:
    """Keep-alive and the limit for unacknowledged data are set on the socket."""
    assert bench.driver._pool._links
    peer = bench.driver._pool._links[0]._channel._client.ctx.transport.get_extra_info("socket")
    assert peer.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
    assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
