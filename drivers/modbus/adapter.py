"""Whether the name of a serial port tells one USB adapter from its twin.

udev names an adapter `usb-MAKER_MODEL_SERIAL-if00-port0` (60-serial.rules of systemd). Cheap adapters have no serial
number: two of them get the same name, and which one it means changes with the order in which they are plugged in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

BY_ID: Final = "/dev/serial/by-id/"

_WITHOUT_NUMBER: Final = (
    "usb-1a86_USB_Serial-",
    "usb-1a86_USB2.0-Serial-",
    "usb-1a86_USB2.0-Ser_-",
    "usb-Prolific_Technology_Inc._USB-Serial_Controller-",
    "usb-Prolific_Technology_Inc._USB-Serial_Controller_D-",
)
"""How the usual chips without a number are named (CH340, CH341, PL2303), for a check on another machine."""

_SYSFS: Final = Path("/sys/class/tty")


def is_without_number(port: str, sysfs: Path = _SYSFS) -> bool:
    """Whether a name in `by-id` is that of an adapter without a serial number.

    An adapter that is plugged into this machine is asked through sysfs; nothing is opened.
    """
    if not port.startswith(BY_ID):
        return False
    device = sysfs / Path(port).resolve().name / "device"
    if device.exists():
        return not any((parent / "serial").is_file() for parent in _usb_devices(device))
    return port.removeprefix(BY_ID).startswith(_WITHOUT_NUMBER)


def _usb_devices(device: Path) -> list[Path]:
    """The USB device that a port belongs to: the nearest folder above it that has a vendor id."""
    real = device.resolve()
    return [parent for parent in (real, *real.parents) if (parent / "idVendor").is_file()][:1]
