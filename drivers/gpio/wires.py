"""What is connected to mock pins: the levels at a header that does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Wires:
    """The wires outlive whoever reads the pins, as real ones do, so a driver that opens anew finds their levels."""

    def __init__(self) -> None:
        self.plugged = True
        """Whether there is a header at all; false once the simulation has ended."""
        self._levels: dict[int, bool] = {}
        self._pins: Callable[[int, bool], None] | None = None

    def drive(self, pin: int, level: bool) -> None:  # noqa: FBT001 - a level is what is driven
        """Put a wire on high (true) or low."""
        self._levels[pin] = level
        if self._pins is not None:
            self._pins(pin, level)

    def level(self, pin: int) -> bool | None:
        """The level on a pin's wire; None where no wire was driven, so the pin follows its pull."""
        return self._levels.get(pin)

    def connect(self, pins: Callable[[int, bool], None] | None) -> None:
        """Name what follows the wires from now on; one reader at a time, None for nobody."""
        self._pins = pins

    def unplug(self) -> None:
        """End the simulation: nothing can be read any more."""
        self.plugged = False
