from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.modbus.adapter import is_without_number
from drivers.modbus.connection import ModbusConnection

if TYPE_CHECKING:
    from pathlib import Path

DEVICES = {"d": {"tags": {"t": {"address": "coil:1"}}}}


@pytest.mark.parametrize(
    ("port", "without"),
    [
        ("/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0", False),
        ("/dev/serial/by-id/usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_0001-if00-port0", False),
        ("/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0", True),
        ("/dev/serial/by-id/usb-1a86_USB2.0-Serial-if00-port0", True),
        ("/dev/serial/by-id/usb-1a86_USB_Single_Serial_54D2040277-if00", False),
        ("/dev/serial/by-id/usb-Prolific_Technology_Inc._USB-Serial_Controller-if00-port0", True),
        ("/dev/serial/by-path/platform-xhci-usb-0:1.2:1.0-port0", False),
        ("/dev/ttyAMA0", False),
        ("/dev/ttySC1", False),
    ],
)
def test_usual_adapters_are_known_by_their_names(port: str, *, without: bool, tmp_path: Path) -> None:
    """A file is often checked where the adapter is not; names as udev makes them."""
    assert is_without_number(port, tmp_path) is without


@pytest.mark.parametrize("serial", [True, False])
def test_an_adapter_that_is_plugged_in_is_asked(tmp_path: Path, *, serial: bool) -> None:
    """The number stands in the folder of the USB device, not in that of the port, as the kernel lays them out."""
    usb = tmp_path / "devices" / "usb1" / "1-1"
    port = usb / "1-1:1.0" / "ttyUSB0"
    port.mkdir(parents=True)
    (tmp_path / "devices" / "usb1" / "idVendor").write_text("1d6b")
    (tmp_path / "devices" / "usb1" / "serial").write_text("0000:01:00.0")
    (usb / "idVendor").write_text("1a86")
    if serial:
        (usb / "serial").write_text("A50285BI")
    tty = tmp_path / "tty" / "usb-some_adapter-if00-port0"
    tty.mkdir(parents=True)
    (tty / "device").symlink_to(port)
    assert is_without_number("/dev/serial/by-id/usb-some_adapter-if00-port0", tmp_path / "tty") is not serial


def test_a_doubtful_port_is_told_with_what_to_write() -> None:
    """Allowed, since there may be one such adapter only."""
    file = {"version": 1, "driver": "modbus", "transport": "rtu", "devices": DEVICES}
    port = "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"
    (doubt,) = ModbusConnection.model_validate({**file, "port": port}).doubts()
    assert (doubt.key, "no serial number" in doubt.text, "by-path" in (doubt.hint or "")) == ("port", True, True)
    assert not list(ModbusConnection.model_validate({**file, "port": "/dev/ttyAMA0"}).doubts())
