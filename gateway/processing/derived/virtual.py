"""A virtual device as the engine is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.config.derived import FormulaConfig, WindowConfig
    from gateway.config.derived_names import TakeTag
    from gateway.driver import Device


@dataclass(frozen=True, slots=True)
class VirtualFormula:
    """One tag that a formula works out."""

    name: str
    position: int
    """In the plan of its device."""
    config: FormulaConfig


@dataclass(frozen=True, slots=True)
class VirtualWindow:
    """One window and the tags that it makes."""

    name: str
    config: WindowConfig
    takes: tuple[tuple[int, TakeTag], ...]
    """Each take with the position of its tag in the plan of the device."""


@dataclass(frozen=True, slots=True)
class VirtualDevice:
    """One virtual device."""

    device: Device
    formulas: tuple[VirtualFormula, ...]
    windows: tuple[VirtualWindow, ...]

    @property
    def name(self) -> str:
        """The name of the device."""
        return self.device.name
