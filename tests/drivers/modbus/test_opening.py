from __future__ import annotations

import asyncio
import os
import ssl
import termios
import tty
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from serial.rs485 import RS485Settings

from drivers.modbus.certificate import self_signed
from drivers.modbus.connection import ModbusConnection, Rs485
from drivers.modbus.driver import ModbusDriver
from drivers.modbus.opening import _settings, client_of
from gateway.driver import LinkError
from gateway.testing import ManualClock
from tests.drivers.modbus.bus_units import BusBench, on_a_terminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

DEVICES = {"d": {"unit_id": 1, "tags": {"t": {"address": "holding:1"}}}}


def driver_of(**keys: Any) -> ModbusDriver:
    """A driver that is not open."""
    file = {"version": 1, "driver": "modbus", "devices": DEVICES, **keys}
    return ModbusDriver(ModbusConnection.model_validate(file), ManualClock())


@pytest.fixture
def port() -> Iterator[str]:
    """A serial port with nobody behind it."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def serial(port: str, **keys: Any) -> ModbusDriver:
    """A driver on a serial port; pseudo-terminals have no parity."""
    return driver_of(transport="rtu", port=port, **{"parity": "none", "stop_bits": 1, **keys})


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/dev/serial/by-id/usb-nobody-if00", "there is no such port: check that the adapter is plugged in"),
        ("/dev/null", "it is not a serial port"),
    ],
)
async def test_a_port_that_cannot_be_opened_says_why(path: str, says: str) -> None:
    """The path, the cause and what to look at."""
    with pytest.raises(LinkError, match=f"cannot open the serial port {path}: {says}"):
        await serial(path).open()


async def test_a_port_has_one_user(port: str) -> None:
    """A second program, or a second gateway, is told so; when the first one has closed it, it gets the port."""
    first, second = serial(port), serial(port)
    await first.open()
    with pytest.raises(LinkError, match="another program uses it"):
        await second.open()
    await first.close()
    await second.open()
    await second.close()


async def test_failed_openings_leave_nothing_open(port: str) -> None:
    """A port that cannot do what it is told is closed, so that the next try does not find it in use."""
    before = open_files()
    errors = []
    for _ in range(3):
        with pytest.raises(LinkError, match="cannot be switched by RTS: leave out rs485") as error:
            await serial(port, rs485={}).open()
        errors.append(error.value)
    assert open_files() == before
    driver = serial(port)
    await driver.open()
    await driver.close()


async def test_a_port_is_set_as_the_line_is(port: str) -> None:
    """Baud rate and data bits as the kernel has them."""
    driver = serial(port, baudrate=9600)
    await driver.open()
    descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY)
    _, _, control, _, _, output_speed, _ = termios.tcgetattr(descriptor)
    os.close(descriptor)
    assert output_speed == termios.B9600
    assert control & termios.CSIZE == termios.CS8
    await driver.close()


@pytest.mark.parametrize(
    ("keys", "parity", "stop_bits"),
    [
        ({}, "E", 1),
        ({"parity": "odd"}, "O", 1),
        ({"parity": "none"}, "N", 2),
        ({"parity": "none", "stop_bits": 1}, "N", 1),
    ],
)
async def test_parity_and_stop_bits_reach_the_port(keys: dict[str, Any], parity: str, stop_bits: int) -> None:
    """What pyserial is told; a pseudo-terminal has neither."""
    config = ModbusConnection.model_validate(
        {"version": 1, "driver": "modbus", "transport": "rtu", "port": "/dev/x", "devices": DEVICES, **keys}
    )
    told = client_of(config).comm_params
    assert (told.parity, told.stopbits, told.bytesize, told.baudrate) == (parity, stop_bits, 8, 19_200)
    assert (told.reconnect_delay, told.timeout_connect) == (0, None)


@pytest.mark.parametrize("level", ["high", "low"])
def test_rts_is_switched_as_configured(level: str) -> None:
    """One level while sending, the other one while receiving; milliseconds of the file are seconds of the kernel."""
    made = _settings(Rs485(send_level=level, delay_before_ms=2.0, delay_after_ms=5.0))  # type: ignore[arg-type]  # a text of the list above
    wanted = RS485Settings(
        level == "high", level == "low", loopback=False, delay_before_tx=0.002, delay_before_rx=0.005
    )
    assert vars(made) == vars(wanted)


async def test_an_adapter_that_is_unplugged_ends_the_wait() -> None:
    """The other end of the line is gone: whoever waits for an answer is told at once."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    path = os.ttyname(theirs)
    driver = serial(path)
    await driver.open()
    os.close(theirs)
    from drivers.modbus.question import Question  # noqa: PLC0415 - beside its only use

    asking = asyncio.create_task(driver.ask(Question(1, bytes.fromhex("03 0001 0001"), 20.0, "a register")))
    await asyncio.sleep(0.05)
    os.close(ours)
    with pytest.raises(LinkError, match=f"{path} was lost while it was asked for a register"):
        await asyncio.wait_for(asking, 10)
    await driver.close()


async def test_a_port_is_opened_again_after_it_was_closed() -> None:
    """Fifty times, with an answer each; no file stays open."""
    async with on_a_terminal() as units:
        bench = BusBench(units)
        before = open_files()
        for _ in range(50):
            await bench.driver.open()
            assert await bench.value("patient_1", 100) == 1100
        await bench.driver.close()
        assert open_files() == before


def open_files() -> int:
    """File descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


class Certificates:
    """A device's certificate and its authority, which are the same."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = self_signed("127.0.0.1", folder)


@pytest.fixture
def device(tmp_path: Path) -> Certificates:
    """The certificate of the device."""
    return Certificates(tmp_path)


@pytest.fixture
def other(tmp_path: Path) -> Certificates:
    """A certificate that has nothing to do with it."""
    folder = tmp_path / "other"
    folder.mkdir()
    return Certificates(folder)


@asynccontextmanager
async def serving(device: Certificates, *, asks: Certificates | None = None, **settings: Any) -> AsyncIterator[int]:
    """A TLS server with a certificate, which may ask for the client's; it answers every read with 1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(device.certificate, device.key)
    for name, value in settings.items():
        setattr(context, name, value)
    if asks is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(asks.certificate)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readexactly(12)
                writer.write(request[:4] + bytes.fromhex("0005 01 03 02 0001"))
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0.02)


def tls(port: int, host: str = "127.0.0.1", **files: Any) -> ModbusDriver:
    """A driver with these certificate files."""
    return driver_of(transport="tls", host=host, port=port, tls={key: str(path) for key, path in files.items()})


async def one_register(driver: ModbusDriver) -> int:
    """Read one through an open driver."""
    from drivers.modbus.question import Question  # noqa: PLC0415 - beside its only use

    pdu = await driver.ask(Question(1, bytes.fromhex("03 0001 0001"), 20.0, "a register"))
    return int.from_bytes(pdu[2:], "big")


async def unencrypted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that knows nothing of TLS."""
    await reader.read(1)
    writer.write(b"\x00" * 64)
    writer.close()


async def opened_and_asked(driver: ModbusDriver) -> int:
    """Open, and read one."""
    await driver.open()
    return await one_register(driver)


async def test_a_device_that_proves_itself_is_read(device: Certificates) -> None:
    """Its certificate is signed by the authority that the file names, and is for its address."""
    async with serving(device) as port:
        driver = tls(port, ca=device.certificate)
        await driver.open()
        assert await one_register(driver) == 1
        await driver.close()


async def test_a_device_that_asks_for_a_certificate_gets_one(device: Certificates, other: Certificates) -> None:
    """The gateway proves itself with its own certificate and key."""
    async with serving(device, asks=other) as port:
        driver = tls(port, ca=device.certificate, certificate=other.certificate, key=other.key)
        await driver.open()
        assert await one_register(driver) == 1
        await driver.close()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_each_check_that_fails_is_named(device: Certificates, other: Certificates) -> None:
    """Wrong authority, wrong name, old TLS, no TLS: the text says which, and nothing is sent."""
    async with serving(device) as port:
        with pytest.raises(LinkError, match=r"cannot connect to .*: its certificate .*as tls\.ca"):
            await tls(port, ca=other.certificate).open()
        with pytest.raises(LinkError, match=r"certificate is for another name: write that name as tls\.server_name"):
            await tls(port, "localhost", ca=device.certificate).open()
    async with serving(device, maximum_version=ssl.TLSVersion.TLSv1_1) as port:
        with pytest.raises(LinkError, match="cannot connect to"):
            await tls(port, ca=device.certificate).open()
    plain = await asyncio.start_server(unencrypted, "127.0.0.1", 0)
    with pytest.raises(LinkError, match="does not speak TLS on this port"):
        await tls(plain.sockets[0].getsockname()[1], ca=device.certificate).open()
    plain.close()


async def test_a_name_in_the_certificate_may_be_said(device: Certificates) -> None:
    """A PLC's certificate often carries another name than the one that reaches it."""
    async with serving(device) as port:
        driver = tls(port, "localhost", ca=device.certificate, server_name="127.0.0.1")
        await driver.open()
        assert await one_register(driver) == 1
        await driver.close()


async def test_a_device_that_wants_a_certificate_says_so(device: Certificates, other: Certificates) -> None:
    """In TLS 1.3 it says so only after the connection was made: the first reading tells."""
    async with serving(device, asks=other) as port:
        driver = tls(port, ca=device.certificate)
        with pytest.raises(LinkError, match=r"it asks for a certificate: give tls\.certificate and tls\.key"):
            await opened_and_asked(driver)
        await driver.close()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"ca": "/nowhere/ca.pem"}, "cannot be used: .*ca.pem.*No such file"),
        ({"certificate": "/nowhere/c.pem", "key": "/nowhere/k.pem"}, "cannot be used: .*No such file"),
    ],
)
async def test_a_missing_file_is_named(files: dict[str, str], says: str) -> None:
    """Which file, and what is wrong with it."""
    with pytest.raises(LinkError, match=says):
        await tls(1, **files).open()


async def test_a_key_of_another_certificate_is_told(device: Certificates, other: Certificates) -> None:
    """The two files do not belong together."""
    with pytest.raises(LinkError, match="is not the key of the certificate beside it"):
        await tls(1, certificate=device.certificate, key=other.key).open()
