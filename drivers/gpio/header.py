"""The header of a real Raspberry Pi through lgpio: the chip found by its label, the library kept out of our folders."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from gpiozero.exc import PinUnknownPi  # type: ignore[import-untyped]  # it has no type hints

from gateway.driver import LinkError

HEADER_LABEL: Final = re.compile(r"pinctrl-(rp1|bcm\d+)")
"""Labels of the chips behind the header: RP1 on a Raspberry Pi 5, the processor itself before. The number of the chip
is no guide: on a Raspberry Pi 5 it is gpiochip4 or gpiochip0, by the kernel's version."""

_HEADER_REVISION: Final = 0xC03114
"""A Raspberry Pi 4B: its header stands for that of a board whose chip has the right label but tells no revision."""


def open_factory(devices: Path = Path("/dev")) -> tuple[Any, str]:
    """The gpiozero factory of the header, and where it is, for people.

    Raises:
        LinkError: lgpio is not installed, no chip has the right label, or this user may not open it.
    """
    lgpio, back_end = load_lgpio()
    try:
        chip = find_chip(lgpio, devices)
        return _header_factory(back_end, chip), f"{devices}/gpiochip{chip}"
    except LinkError:
        raise
    except Exception as error:  # lgpio knows only one kind of error, of its own
        raise LinkError(f"cannot open the GPIO chip in {devices}: {cause(error)}") from error


def load_lgpio() -> tuple[Any, Any]:
    """lgpio, and gpiozero's back end for it.

    When it is loaded, lgpio changes the working directory to `LG_WD` and makes a named pipe there. It gets a temporary
    folder, which goes once both ends of the pipe are open, and the working directory is put back.

    Raises:
        LinkError: it is not installed, or no folder is writable.
    """
    home = Path.cwd()
    runtime = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0] or None
    try:
        with TemporaryDirectory(prefix="lgpio-", dir=runtime) as folder:
            os.environ["LG_WD"] = folder
            return import_module("lgpio"), import_module("gpiozero.pins.lgpio")
    except (ImportError, AttributeError) as error:
        raise LinkError(
            f"pin_factory lgpio cannot be loaded ({error}): install lgpio 0.2.2 or later into the gateway's "
            "environment, or python3-lgpio of Raspberry Pi OS"
        ) from error
    except OSError as error:
        folder = runtime or "the temporary folder"
        raise LinkError(f"pin_factory lgpio needs a writable folder, and {folder} is none: {error}") from error
    finally:
        os.environ.pop("LG_WD", None)
        os.chdir(home)


def find_chip(lgpio: Any, devices: Path) -> int:
    """The number of the chip behind the pin header.

    Raises:
        LinkError: there is none, or this user may not open it.
    """
    found: list[str] = []
    closed: list[Path] = []
    for number in sorted(int(path.name.removeprefix("gpiochip")) for path in devices.glob("gpiochip[0-9]*")):
        path = devices / f"gpiochip{number}"
        if not os.access(path, os.R_OK | os.W_OK):
            closed.append(path)
            continue
        label = _label(lgpio, number)
        if HEADER_LABEL.fullmatch(label):
            return number
        found.append(f"gpiochip{number} is {label}")
    if closed:
        raise LinkError(_no_permission(closed[0]))
    raise LinkError(
        f"no GPIO chip of a Raspberry Pi (label pinctrl-rp1 or pinctrl-bcm...) in {devices}: "
        f"{', '.join(found) or 'there is no gpiochip at all'}. Without a header, pin_factory: mock simulates one"
    )


def cause(error: Exception) -> str:
    """The text of an error without the quotes that lgpio puts around its own."""
    return str(getattr(error, "value", error))


def _label(lgpio: Any, number: int) -> str:
    handle = lgpio.gpiochip_open(number)
    try:
        _, _, _, label = lgpio.gpio_get_chip_info(handle)
    finally:
        lgpio.gpiochip_close(handle)
    return str(label)


def _no_permission(path: Path) -> str:
    try:
        group = path.group()
    except (OSError, KeyError):
        group = "gpio"
    return (
        f"no permission to open {path}: add the user that runs the gateway to group {group} "
        f"(usermod -aG {group} USER) and start the gateway again"
    )


def _header_factory(back_end: Any, chip: int) -> Any:
    """A factory of this chip with pins of its own; LGPIOFactory shares and closes those of the whole process."""

    class HeaderFactory(back_end.LGPIOFactory):  # type: ignore[misc]  # its base is loaded only where it is asked for
        def _get_revision(self) -> Any:
            try:
                return super()._get_revision()
            except PinUnknownPi:
                return _HEADER_REVISION

    class HeaderPin(back_end.LGPIOPin):  # type: ignore[misc]  # as above
        def _call_when_changed(self, *edge: Any) -> None:
            with suppress(Exception):  # an edge of a pin just released must not end the thread of all pins
                super()._call_when_changed(*edge)

        def close(self) -> None:
            with suppress(Exception):  # a pin that cannot be released must not keep the chip open
                self.when_changed = None  # LGPIOPin leaves its callback in lgpio's thread
                super().close()

    factory = HeaderFactory(chip=chip)
    factory.pins = {}
    factory.pin_class = HeaderPin
    return factory
