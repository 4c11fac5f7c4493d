"""The pins of one header through gpiozero. The library that reaches them is always named, never guessed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import gpiozero  # type: ignore[import-untyped]  # it has no type hints
from gpiozero.pins.mock import MockFactory, MockPin  # type: ignore[import-untyped]  # as above

from drivers.gpio.header import cause, open_factory
from drivers.gpio.wires import Wires
from gateway.driver import LinkError
from gateway.model import Quality

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.gpio.config import GpioConnection

_PULL_UP: Final = {"up": True, "down": False, "none": None}

_MOCK_REVISION: Final = "c03114"
"""The board that mock pins pretend to be: a Raspberry Pi 4B (revision codes, Raspberry Pi documentation)."""


class PinUnavailableError(Exception):
    """One pin cannot be had; the others can. The text is the cause, such as `GPIO busy`."""

    def __init__(self, cause: str, quality: Quality) -> None:
        super().__init__(cause)
        self.quality = quality


def open_pins(config: GpioConnection) -> Pins:
    """Open the header by the pin factory that the configuration names.

    Raises:
        LinkError: the header cannot be reached; the text says where and why.
    """
    if config.pin_factory == "mock":
        return MockPins(config.wires or Wires())
    factory, where = open_factory()
    return Pins(factory, where)


class Pins:
    """An open header. It owns its factory; gpiozero's global one is never touched."""

    def __init__(self, factory: Any, where: str) -> None:
        self._factory = factory
        self._where = where

    def claim(self, pin: int, pull: str, on_edge: Callable[[bool], None]) -> Line:
        """Take one pin as an input. `on_edge` is called with the new level, in a thread of the library's.

        Raises:
            PinUnavailableError: another program has it, or the board does not offer it in this way.
        """
        try:
            device = gpiozero.InputDevice(
                pin, pull_up=_PULL_UP[pull], active_state=True if pull == "none" else None, pin_factory=self._factory
            )
            self._connect(pin, device.pin)
            return Line(device, on_edge, f"GPIO{pin} on {self._where}")
        except gpiozero.PinError as error:
            raise PinUnavailableError(cause(error), Quality.CONFIG) from error
        except Exception as error:  # gpiozero lets the errors of its back ends through
            raise PinUnavailableError(cause(error), Quality.NOT_AVAILABLE) from error

    def level(self, line: Line) -> bool:
        """The electrical level of a claimed pin now, high or not.

        Raises:
            LinkError: the pin cannot be read any more.
        """
        try:
            return bool(line.device.pin.state)
        except Exception as error:  # gpiozero lets the errors of its back ends through
            raise LinkError(f"cannot read {line.where}: {cause(error)}") from error

    def close(self) -> None:
        """Release all pins; never raises."""
        with suppress(Exception):  # a chip that is gone cannot be released
            self._factory.close()

    def _connect(self, number: int, pin: Any) -> None:
        """Called between claiming a pin and listening to it."""


class MockPins(Pins):
    """Mock pins that follow their wires; without wires they rest at their pulls."""

    def __init__(self, wires: Wires) -> None:
        if not wires.plugged:
            raise LinkError("the simulated GPIO header (pin_factory: mock) is gone: its simulation has ended")
        super().__init__(
            MockFactory(revision=_MOCK_REVISION, pin_class=MockPin), "the simulated header (pin_factory: mock)"
        )
        self._wires = wires
        wires.connect(self._follow)

    def level(self, line: Line) -> bool:
        """As of any header, as long as the simulation lasts."""
        if not self._wires.plugged:
            raise LinkError(f"cannot read {line.where}: its simulation has ended")
        return super().level(line)

    def close(self) -> None:
        """Let go of the wires, too."""
        self._wires.connect(None)
        super().close()

    def _connect(self, number: int, pin: Any) -> None:
        level = self._wires.level(number)
        if level is not None:
            _drive(pin, level)

    def _follow(self, number: int, level: bool) -> None:  # noqa: FBT001 - a level is what is driven
        _drive(self._factory.pin(number), level)


class Line:
    """One claimed pin."""

    def __init__(self, device: Any, on_edge: Callable[[bool], None], where: str) -> None:
        self.where = where
        """Pin and chip, for people."""
        self.device = device
        """gpiozero's own."""
        self._on_edge = on_edge
        device.pin.edges = "both"
        device.pin.when_changed = self._changed

    def release(self) -> None:
        """Give the pin back; never raises."""
        with suppress(Exception):  # a chip that is gone cannot be asked
            self.device.close()

    def _changed(self, _ticks: float, state: object) -> None:
        self._on_edge(bool(state))


def _drive(pin: Any, level: bool) -> None:  # noqa: FBT001 - a level is what is driven
    if level:
        pin.drive_high()
    else:
        pin.drive_low()
